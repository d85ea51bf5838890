import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { instrumentedAwaits } from './test/simulation/instrument-awaits.ts';

/** What takes longest goes first, so that no core is left alone with it in the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const first = [
      '/slow/killed.',
      '/simulation/enumeration.',
      '/slow/vendors.',
      '/journeys/local.',
      // While the run's one stack is synthesized for it, others begin that need none.
      '/infra/',
      '/engine/hostile.',
      '/engine/',
      '/pages/',
      '/serving/examples.',
      '/slow/served.',
      '/integrate/',
      '/journeys/',
      '/client/',
      '/serving/credits.',
      '/webhooks/requests.',
      '/properties/',
      '/stores/verifications.',
      '/simulation/',
      '/tools/',
      '/local/',
    ];
    const rank = ({ moduleId }: TestSpecification) => [...first, ''].findIndex((part) => moduleId.includes(part)); // '' is in all others
    return files.toSorted((one, other) => rank(one) - rank(other));
  }
}

/** They replace node:crypto, or load handlers with an environment: no other file may find either. */
const alone = 'test/properties/*.test.ts';

/** One Smart Lab's nine programs, in languages that `.ci/run` installs. */
const examples = 'test/serving/examples.test.ts';

const shared = {
  pool: 'forks', // onnxruntime aborts the process when a worker thread dies during a run
  testTimeout: 240_000, // a busy machine is no failure: what may take how long is the bench's business
  hookTimeout: 240_000,
  expect: { poll: { timeout: 150_000 } },
} as const;

export default defineConfig({
  test: {
    maxWorkers: 4, // on two cores: the journeys mostly wait
    sequence: { sequencer: LongestFirst },
    globalSetup: 'test/temporary-files.ts',
    projects: [
      // Files leave nothing in their process: one for many saves each of them a second of loading what the last one had.
      {
        test: {
          ...shared,
          name: 'bonafide',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/simulation/enumeration.test.ts',
            'test/deployed/**',
            'test/foreign/**',
            'test/infra/**',
            'test/pages/**',
            'test/*/slow/**',
            alone,
            examples,
          ],
          isolate: false,
          setupFiles: 'test/nothing-left.ts',
        },
      },
      { test: { ...shared, name: 'alone', include: [alone] } },
      // CDK takes three seconds to load: once for all files, which share nothing else.
      { test: { ...shared, name: 'infra', include: ['test/infra/**/*.test.ts'], isolate: false } },
      // Three journeys in a browser: `npm run test:pages` has all of them.
      { test: { ...shared, name: 'pages', include: ['test/pages/journeys.test.ts'] } },
      // `.ci/run` runs it; in `npm test`, journeys/served has three of the nine.
      { test: { ...shared, name: 'examples', include: [examples] } },
      // `npm run test:slow`, with every order and every killed await; `npm test` leaves these out.
      {
        test: {
          ...shared,
          name: 'slow',
          include: ['test/{client,contracts,engine,journeys,properties,stores}/slow/*.test.ts'],
        },
      },
      {
        plugins: [instrumentedAwaits()],
        test: { ...shared, name: 'enumeration', include: ['test/simulation/enumeration.test.ts'] },
      },
    ],
  },
});
