import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The fuzzer last: it fills the stack's tables with what it finds. */
class FuzzerLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId }: TestSpecification): number {
  return moduleId.endsWith('/fuzz.test.ts') ? 1 : 0;
}

/** `npm run test:foreign`: tools of other makers against docs/openapi.json and one `npm start`. Not a part of `npm test`. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..', '..'),
    include: ['test/foreign/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    sequence: { sequencer: FuzzerLast },
    globalSetup: ['test/temporary-files.ts', 'test/foreign/setup.ts'],
    testTimeout: 2_400_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
});
