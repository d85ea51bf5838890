import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** `npm run test:recipes`: carries out the recipes of CONTRIBUTING.md and docs/how-to-add-a-provider.md. Not a part of `npm test`. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..', '..'),
    include: ['test/recipes/slow/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: 'test/temporary-files.ts',
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ['verbose'],
  },
});
