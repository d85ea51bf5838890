import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunction } from '../infra/bundle.ts';
import { ensureDemoTenant } from '../local/demo-tenant.ts';
import { startStack } from '../local/stack.ts';
import { synthesize } from '../local/synthesize.ts';
import { routes } from '../shared/api/operations.ts';
import { clientOf, newSourceId, put } from '../test/journeys/client.ts';
import { commandLine } from '../tools/command-line.ts';
import { portrait } from '../tools/samples.ts';
import { benchFirstCapture } from './first-capture.ts';
import { benchIsolation } from './isolation.ts';
import { benchPageRequests } from './page-requests.ts';
import { benchPages } from './pages.ts';
import { countRequests, percentile, perRun } from './requests.ts';
import { benchServed } from './served.ts';
import { benchWebhooks } from './webhooks.ts';
import { benchWriteUnits } from './write-units.ts';

const usage = `npm run bench [-- --json] [--quick]

What pages cost a browser: bytes of the element, the console and live guidance, and requests to the API of a capture and of
a minute of the console, each with a limit that fails the bench.
What a verification costs: AWS requests by kind, write and read units of a decision, bytes and start of each function,
milliseconds from upload to verdict; of each vendor's API that is served, the requests of a call and its milliseconds
beside the engine's own; of a fresh process of the engine, its init and its first capture, which have limits, too; of webhooks, milliseconds from a move to its first call, also beside an endpoint that never answers.
--quick sends 1,000 webhooks a run in place of 10,000, once in place of three times, and leaves out the pages' requests.
Counts are exact; times are this machine's, and are worth comparing only within one run.`;
const { values } = commandLine(usage, {
  options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
});

const functions = [
  ...new Set(routes.map((route) => route.function)),
  'notice-capture',
  'dispatch-verification',
  'analyse-capture',
  'sweep-verifications',
  'announce-event',
];
const sequentialRuns = 40;
const concurrentRuns = 60;
const concurrency = 8;
const importRuns = 15;

const directory = mkdtempSync(join(tmpdir(), 'bonafide-bench-'));
const firstCapture = await benchFirstCapture();
try {
  const report = {
    pages: await benchPages(directory),
    ...(values.quick ? {} : { page_requests: await benchPageRequests() }), // its console minutes are minutes
    bundles: bundles(),
    imports_ms: imports(),
    verification: await verifications(),
    decision: await benchWriteUnits(),
    served: await benchServed(join(directory, 'cdk.out'), join(directory, 'served')),
    webhooks: await benchWebhooks(values.quick),
    isolation: await benchIsolation(join(directory, 'cdk.out'), join(directory, 'isolation')),
    first_capture: firstCapture,
    // In a process of its own: in this one, the garbage of the whole stack would be collected on the engine's time.
    engine: JSON.parse(
      execFileSync(process.execPath, [join(import.meta.dirname, 'engine.ts')], {
        encoding: 'utf8',
      }),
    ),
  };
  if (values.json) console.log(JSON.stringify(report));
  else console.dir(report, { depth: null });
} finally {
  rmSync(directory, { recursive: true, force: true });
}
for (const over of firstCapture.over) console.error(`Over its bound: ${over}`);
process.exit(firstCapture.over.length > 0 ? 1 : 0);

/** Bytes of each function's bundle as it is deployed: minified, the SDK inside. */
function bundles(): Record<string, { bytes: number; model_code: boolean }> {
  return Object.fromEntries(
    functions.map((name) => {
      const { inputs } = bundleFunction(name, join(directory, name));
      const carries = Object.keys(inputs).some((file) => /shared\/engine\/|onnxruntime|sharp|libheif/.test(file));
      return [name, { bytes: statSync(join(directory, name, 'index.mjs')).size, model_code: carries }];
    }),
  );
}

/** How long Node takes to import each API function, beside a handler with nothing in it, one process per import. */
function imports(): Record<string, number> {
  const empty = join(directory, 'empty.mjs');
  writeFileSync(empty, 'export const handler = async () => undefined;\n');
  const files: Record<string, string> = {
    'an empty handler': empty,
    ...Object.fromEntries(
      [...new Set(routes.map((route) => route.function))].map((name) => [name, join(directory, name, 'index.mjs')]),
    ),
  };
  // In turns, so that what else the machine does meets all of them alike.
  const rounds = Array.from({ length: importRuns }, () => Object.values(files).map(importMilliseconds));
  return Object.fromEntries(
    Object.keys(files).map((name, index) => [
      name,
      percentile(
        rounds.map((round) => round[index] ?? 0),
        0.5,
      ),
    ]),
  );
}

function importMilliseconds(file: string): number {
  const script = `const from = performance.now(); await import(${JSON.stringify(file)}); console.log(performance.now() - from);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return Number(stdout);
}

/** A stack of its own on free ports, and what it is asked for while verifications run through it. */
async function verifications() {
  await synthesize(join(directory, 'cdk.out'));
  const stack = await startStack({
    template: join(directory, 'cdk.out'),
    dataDirectory: join(directory, 'data'),
    port: 0,
  });
  try {
    const { apiKey } = await ensureDemoTenant(stack, join(directory, 'data'));
    const client = clientOf({ url: stack.url, apiKey });
    const face = await portrait();
    const one = async () => {
      const sourceId = newSourceId();
      const requested = await client.request(sourceId);
      const { status } = await put(requested, face);
      if (status !== 200) throw new Error(`The upload was answered ${status}`);
      const from = performance.now();
      const { verdict } = await client.waitForVerdict(sourceId);
      if (verdict?.outcome !== 'passed') throw new Error(`The portrait ended as ${verdict?.outcome}`);
      return performance.now() - from;
    };
    const first = await one();
    await one();

    const counted = countRequests(stack.endpoints);
    const times: number[] = [];
    for (let run = 0; run < sequentialRuns; run += 1) times.push(await one());
    await settled(stack, (sequentialRuns + 2) * 3);
    const requests = counted.stop().all;

    const from = performance.now();
    let left = concurrentRuns;
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (left > 0) {
          left -= 1;
          await one();
        }
      }),
    );
    const seconds = (performance.now() - from) / 1000;
    return {
      aws_requests_per_verification: perRun(requests, sequentialRuns),
      upload_to_verdict_ms: { first: Math.round(first), p50: percentile(times, 0.5), p99: percentile(times, 0.99) },
      verifications_per_second: Number((concurrentRuns / seconds).toFixed(1)),
      runs: { sequential: sequentialRuns, concurrent: concurrentRuns, at_a_time: concurrency },
    };
  } finally {
    await stack.stop();
  }
}

/** Waits until every move of the counted verifications has been announced. */
async function settled({ eventJournal }: { eventJournal: string }, events: number): Promise<void> {
  const { readFileSync } = await import('node:fs');
  const announced = () => readFileSync(eventJournal, 'utf8').split('\n').filter(Boolean).length;
  for (let turn = 0; announced() < events && turn < 200; turn += 1) await new Promise((done) => setTimeout(done, 50));
}
