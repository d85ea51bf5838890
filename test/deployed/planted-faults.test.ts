import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { portrait } from '../../tools/samples.ts';
import { faults } from '../infra/planted-faults.ts';
import { clientOf, newSourceId, put } from '../journeys/client.ts';
import { openTerminal } from './page.ts';

const run = promisify(execFile);
const terminal = openTerminal({});
const names = Object.keys(faults);
/** What a whole stack does in one second, cold starts not counted. */
const patienceSeconds = 20;

/** Of vitest's JSON reporter, what is read here. */
const report = z.looseObject({
  testResults: z.array(
    z.looseObject({ assertionResults: z.array(z.looseObject({ fullName: z.string(), status: z.string() })) }),
  ),
});

const outputsOf = z.record(z.string(), z.looseObject({ ApiUrl: z.string(), TenantsTable: z.string() }));
/** By stack, what becomes of a selfie. */
let states: Record<string, string>;

beforeAll(async () => {
  const account = '$(aws sts get-caller-identity --query Account --output text)';
  await terminal.run('.', `npm run engine-assets -- --arch ${process.arch}`);
  await terminal.run('.', `npx cdk bootstrap "aws://${account}/$AWS_REGION"`);
  await terminal.run(
    '.',
    `npx cdk deploy --all --concurrency ${names.length} --app "node test/deployed/faulty-app.ts" \\
  --output build/deployed/faulty.out --outputs-file build/deployed/faulty.json \\
  -c architecture=${process.arch} -c retainData=false --require-approval never`,
  );
  const outputs = outputsOf.parse(JSON.parse(readFileSync('build/deployed/faulty.json', 'utf8')));
  const journeys = Object.entries(outputs).map(async ([stack, each]) => [stack, await sendSelfie(each)] as const);
  states = Object.fromEntries(await Promise.all(journeys));
});

describe.each(names.map((name, index) => [name, `faulty-${index}`] as const))('%s', (name, stack) => {
  it('is noticed by the assertions on the template', async () => {
    const assertions = ['grants', 'queues-and-functions'].map((file) => `test/infra/${file}.test.ts`);
    const file = 'build/deployed/assertions.json';
    const reporting = ['--project=infra', '--reporter=json', `--outputFile=${file}`];
    const failed: unknown = await run('npx', ['vitest', 'run', ...reporting, ...assertions], {
      env: { ...process.env, BONAFIDE_PLANTED_FAULT: name },
    }).catch((error: unknown) => error);
    const { code } = z.looseObject({ code: z.number() }).parse(failed);
    const red = report
      .parse(JSON.parse(readFileSync(file, 'utf8')))
      .testResults.flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => fullName);
    console.log(`${name} turns red:\n  ${red.join('\n  ')}`);
    expect(code).toBe(1);
    expect(red).not.toEqual([]);
  });

  it('is noticed by the first journey, a selfie that is to become a verdict', () => {
    const state = states[stack];
    console.log(`${name}: still ${state} after ${patienceSeconds} s`);
    expect(state).toBeDefined();
    expect(state).not.toBe('decided');
  });
});

/** The first journey; answers the state it got to. */
async function sendSelfie({ ApiUrl, TenantsTable }: { ApiUrl: string; TenantsTable: string }): Promise<string> {
  const { stdout } = await run('node', ['tools/admin.ts', 'tenant', 'create', 'acme', '--tenants-table', TenantsTable]);
  const client = clientOf({ url: ApiUrl, apiKey: /^api key (\S+)$/m.exec(stdout)?.[1] ?? '' });
  const sourceId = newSourceId();
  expect((await put(await client.request(sourceId), await portrait())).status).toBe(200);
  await sleep(patienceSeconds * 1000);
  return (await client.read(sourceId)).state;
}
