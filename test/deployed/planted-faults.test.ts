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

const outputsOf = z.record(z.string(), z.looseObject({ ApiUrl: z.string(), TenantsTable: z.string() }));
let outputs: z.infer<typeof outputsOf>;

beforeAll(async () => {
  const account = '$(aws sts get-caller-identity --query Account --output text)';
  await terminal.run('.', `npx cdk bootstrap "aws://${account}/$AWS_REGION"`);
  await terminal.run(
    '.',
    `npx cdk deploy --all --concurrency ${names.length} --app "node test/deployed/faulty-app.ts" \\
  --output build/deployed/faulty.out --outputs-file build/deployed/faulty.json \\
  -c architecture=${process.arch} -c retainData=false --require-approval never`,
  );
  outputs = outputsOf.parse(JSON.parse(readFileSync('build/deployed/faulty.json', 'utf8')));
});

describe.each(names.map((name, index) => [name, `faulty-${index}`] as const))('%s', (name, stack) => {
  it('is noticed by the assertions on the template', async () => {
    const assertions = ['grants', 'queues-and-functions'].map((file) => `test/infra/${file}.test.ts`);
    const failed: unknown = await run('npx', ['vitest', 'run', '--project', 'bonafide', ...assertions], {
      env: { ...process.env, BONAFIDE_PLANTED_FAULT: name, NO_COLOR: '1' },
    }).catch((error: unknown) => error);
    const { code, stdout } = z.looseObject({ code: z.number(), stdout: z.string() }).parse(failed);
    const red = [...stdout.matchAll(/^ FAIL .*?\.ts > (.*)$/gm)].map(([, test]) => test);
    console.log(`${name} turns red:\n  ${[...new Set(red)].join('\n  ')}`);
    expect(code).toBe(1);
    expect(red).not.toEqual([]);
  });

  it('is noticed by the first journey, a selfie that is to become a verdict', async () => {
    const { ApiUrl = '', TenantsTable = '' } = outputs[stack] ?? {};
    const { stdout } = await run('node', [
      'tools/admin.ts',
      'tenant',
      'create',
      'acme',
      '--tenants-table',
      TenantsTable,
    ]);
    const apiKey = /^api key (\S+)$/m.exec(stdout)?.[1] ?? '';
    const client = clientOf({ url: ApiUrl, apiKey });
    const sourceId = newSourceId();
    expect((await put(await client.request(sourceId), await portrait())).status).toBe(200);
    await sleep(patienceSeconds * 1000);
    const { state } = await client.read(sourceId);
    console.log(`${name}: still ${state} after ${patienceSeconds} s`);
    expect(state).not.toBe('decided');
  });
});
