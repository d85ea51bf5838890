import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** `npm run test:deployed`: in the environment of an emulator, one file after the other. Not a part of `npm test`. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..', '..'),
    include: ['test/deployed/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
});
