import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** `npm run test:integrate`: programs of docs/integrate.md and docs/receive-webhooks.md. Not a part of `npm test`. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..', '..'),
    include: ['test/integrate/slow/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    globalSetup: 'test/temporary-files.ts',
    testTimeout: 120_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
});
