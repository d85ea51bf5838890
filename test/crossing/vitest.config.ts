import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** `npm run test:crossing`: the last release and this version on one table. Minutes, so not a part of `npm test`. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..', '..'),
    include: ['test/crossing/slow/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    globalSetup: 'test/temporary-files.ts',
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: ['verbose'],
  },
});
