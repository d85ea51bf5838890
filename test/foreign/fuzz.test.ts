import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { openApi, run } from './run.ts';

const python = join(import.meta.dirname, 'python');
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];
const report = z.object({
  test_cases: z.object({ generated: z.int() }),
  operations: z.object({ selected: z.int(), tested: z.int() }),
  errors: z.array(z.unknown()),
  /** By operation and phase. `accepted`: answered 2xx. */
  valid_rates: z.record(z.string(), z.record(z.string(), z.object({ accepted: z.int() }))),
});

const sourceIds = [
  ...['awaiting', 'passed.sandbox-passed', 'failed.sandbox-failed', 'again.sandbox-recapture'],
  ...['errored.sandbox-fault-provider_refused', 'accepted.sandbox-accepted'],
];
/** Erased before the fuzzer begins: a receipt is of such a one alone. */
const erased = 'erased';
const toErase = Array.from({ length: 40 }, (_, index) => `to-erase-${index}`);
/** Nothing listens there: a test of such an endpoint is over at once. */
const endpointUrl = 'http://127.0.0.1:1/';
const endpoints: string[] = [];
const endpointsToDelete: string[] = [];
let clientToken = '';
let webhook: Record<string, string> = {};

beforeAll(async () => {
  for (const sourceId of [...sourceIds, erased, ...toErase]) {
    const { client_token, uploads } = await request(sourceId);
    if (sourceId === 'awaiting') clientToken = client_token;
    if (!sourceId.includes('sandbox-')) continue;
    const { url, headers } = uploads.selfie.put;
    const stored = await fetch(url, { method: 'PUT', headers, body: 'a photo' });
    if (!stored.ok) throw new Error(`The upload for ${sourceId} was answered ${stored.status}`);
  }
  const erasing = { method: 'DELETE', headers: { 'x-api-key': inject('apiKey') } };
  await fetch(`${inject('url')}/verifications/${erased}`, erasing);
  for (const made of [...Array(3).fill(endpoints), ...Array(8).fill(endpointsToDelete)]) {
    made.push(await endpoint()); // of the 16 that a tenant may have, five are left to the fuzzer
  }
  const rotated = await run(process.execPath, ['tools/admin.ts', 'webhook', 'rotate', 'identify', 'demo'], {
    env: { BONAFIDE_DATA: inject('dataDirectory') },
  });
  const [, provider = '', token = ''] = /\/webhooks\/(\w+)\/(\S+)/.exec(rotated.output) ?? [];
  if (token === '') throw new Error(`No webhook address:\n${rotated.output}`);
  webhook = { provider, token };
});

it.each([
  {
    caller: 'the tenant’s key',
    cases: 3500,
    perOperation: 420,
    header: () => `x-api-key: ${inject('apiKey')}`,
    known: [...sourceIds, erased],
    // A webhook is accepted with a reference that this deployment signed, an order with a webhook name that the operator
    // entered, a hand-off with a code of 128 random bits: the fuzzer cannot make any of them.
    neverAccepted: [
      'POST /identify',
      'POST /verifications/{source_id}/hand-off/claim',
      'POST /webhooks/{provider}/{token}',
    ],
  },
  { caller: 'no key at all', cases: 750, perOperation: 45, header: () => undefined, known: sourceIds },
  {
    caller: 'a client token',
    cases: 750,
    perOperation: 45,
    header: () => `authorization: Bearer ${clientToken}`,
    known: ['awaiting', 'awaiting', 'passed.sandbox-passed'],
  },
])(
  'schemathesis with $caller: in $cases cases no 5xx and no answer the document does not declare',
  async ({ cases, perOperation, header, known, neverAccepted }) => {
    const given = header();
    const file = join(tmpdir(), 'schemathesis.json');
    const { code, output } = await run(
      join(inject('pythonBinaries'), 'schemathesis'),
      [
        ...['--config-file', join(python, 'schemathesis.toml'), 'run', openApi, '--url', inject('url')],
        ...['--checks', checks.join(','), '--max-examples', String(perOperation)],
        ...['--report', 'json', '--report-json-path', file],
        ...(given === undefined ? [] : ['--header', given]),
      ],
      {
        env: {
          SCHEMATHESIS_HOOKS: 'fuzz_hooks',
          PYTHONPATH: python,
          PYTHONDONTWRITEBYTECODE: '1',
          FUZZ_KNOWN: JSON.stringify({
            ...{ source_ids: known, to_erase: toErase, webhook },
            ...{ endpoints, endpoints_to_delete: endpointsToDelete, endpoint_url: endpointUrl },
          }),
        },
      },
    );
    const said = output.slice(Math.max(0, output.search(/^=+ (FAILURES|ERRORS|WARNINGS|SUMMARY) =+$/m)));
    console.log(said.slice(said.indexOf('= SUMMARY =')));
    expect(code, said).toBe(0);
    const { test_cases, operations, errors, valid_rates } = report.parse(JSON.parse(readFileSync(file, 'utf8')));
    expect(errors).toEqual([]);
    expect(operations.tested).toBe(operations.selected);
    expect(test_cases.generated).toBeGreaterThanOrEqual(cases);
    if (neverAccepted) {
      const refused = Object.entries(valid_rates).filter(([, phases]) =>
        Object.values(phases).every(({ accepted }) => accepted === 0),
      );
      expect(refused.map(([operation]) => operation).sort()).toEqual(neverAccepted);
    }
  },
);

const requested = z.object({
  client_token: z.string(),
  uploads: z.object({
    selfie: z.object({ put: z.object({ url: z.url(), headers: z.record(z.string(), z.string()) }) }),
  }),
});

async function request(sourceId: string): Promise<z.infer<typeof requested>> {
  const answer = await fetch(`${inject('url')}/verifications`, {
    method: 'POST',
    headers: { 'x-api-key': inject('apiKey'), 'content-type': 'application/json' },
    body: JSON.stringify({
      source_id: sourceId,
      check: 'spoof_detect',
      captures: { selfie: { content_type: 'image/jpeg' } },
      ...(sourceId.includes('sandbox-') ? { provider: 'sandbox' } : {}),
    }),
  });
  return requested.parse(await answer.json());
}

async function endpoint(): Promise<string> {
  const answer = await fetch(`${inject('url')}/endpoints`, {
    method: 'POST',
    headers: { 'x-api-key': inject('apiKey'), 'content-type': 'application/json' },
    body: JSON.stringify({ url: endpointUrl }),
  });
  return z.object({ id: z.string() }).parse(await answer.json()).id;
}
