import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The deployment first, alone in its account; the stacks with planted faults, which stay there, after it. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => a.moduleId.localeCompare(b.moduleId));
  }
}

const nightly = process.env.DEPLOYED === 'all' ? [] : ['test/deployed/nightly/**'];

/**
 * `npm run test:deployed`: in the environment of an emulator, one file after the other. Not a part of `npm test`. What is in
 * `nightly/` runs only where the environment has DEPLOYED=all, as `.ci/run nightly` sets it.
 */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..', '..'),
    include: ['test/deployed/**/*.test.ts'],
    exclude: nightly,
    pool: 'forks',
    fileParallelism: false,
    sequence: { sequencer: ByName },
    globalSetup: 'test/temporary-files.ts',
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 150_000 } },
    reporters: ['verbose'],
  },
});
