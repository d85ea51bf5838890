import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** `npm run test:training`: models are trained, with Python 3.11 or newer and PyPI. Not a part of `npm test`. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..', '..'),
    include: ['test/training/slow/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    globalSetup: 'test/temporary-files.ts',
    testTimeout: 900_000,
    hookTimeout: 900_000,
    reporters: ['verbose'],
  },
});
