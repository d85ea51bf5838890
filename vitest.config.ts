import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks', // onnxruntime aborts the process when a worker thread dies during a run
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
});
