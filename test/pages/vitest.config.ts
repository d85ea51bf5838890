import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * `npm run test:pages`: people's pages in a browser, against `npm start`. `npm test` runs three of its journeys; with
 * `PAGES=all` every state is looked at in every language, scheme and width, and Firefox opens them too.
 */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..', '..'),
    include: ['test/pages/**/*.test.ts'],
    exclude: process.env.PAGES === 'all' ? [] : ['test/pages/nightly/**'],
    pool: 'forks', // onnxruntime aborts the process when a worker thread dies during a run
    maxWorkers: 2, // a browser, a stack and an engine each: more of them only starve the cameras
    globalSetup: 'test/temporary-files.ts',
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 150_000 } },
    reporters: ['verbose'],
  },
});
