import { defineConfig } from 'vitest/config';
import { instrumentAwaits } from './test/enumeration/instrument-awaits.ts';

const shared = {
  pool: 'forks', // onnxruntime aborts the process when a worker thread dies during a run
  testTimeout: 60_000,
  hookTimeout: 120_000,
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'bonafide',
          include: ['test/**/*.test.ts'],
          exclude: ['test/enumeration/**', 'test/deployed/**'],
        },
      },
      {
        plugins: [instrumentAwaits()],
        test: { ...shared, name: 'enumeration', include: ['test/enumeration/**/*.test.ts'] },
      },
    ],
  },
});
