import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** `npm run test:engine`: many files through the engine. Not a part of `npm test`. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..', '..'),
    include: ['test/engine/slow/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: 'test/temporary-files.ts',
    testTimeout: 240_000,
    hookTimeout: 240_000,
    reporters: ['verbose'],
  },
});
