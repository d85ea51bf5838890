import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod';

/*
 * Sorts what record.ts wrote to build/recorded-series.json into one file for each trouble, under the names by which the
 * alarms read it: `node test/infra/series/fixtures.ts`.
 */

const point = z.tuple([z.number(), z.number(), z.number()]).nullable();
const recorded = z
  .record(z.string(), z.array(point))
  .parse(JSON.parse(readFileSync('build/recorded-series.json', 'utf8')));

const crashing = /dispatchsandbox/i;
const swept = /sweepverifications/i;
/** For each file: what was broken, and which recorded metric is read as which. */
const troubles: Readonly<Record<string, readonly [made: string, metrics: Readonly<Record<string, string | RegExp>>]>> =
  {
    'function-crashing': [
      'a function whose handler is not in its bundle',
      {
        'AWS/Lambda Errors': new RegExp(`^AWS/Lambda Errors of .*${crashing.source}`, 'i'),
        'AWS/Lambda Invocations': new RegExp(`^AWS/Lambda Invocations of .*${crashing.source}`, 'i'),
      },
    ],
    'nothing-decided': [
      'the sandbox, which all were sent to, crashed; the vendor cannot be reached',
      { 'Bonafide Decided': 'Bonafide Decided' },
    ],
    'vendor-down': [
      'a vendor that cannot be reached',
      { 'Bonafide ProviderFaults': 'Bonafide ProviderFaults of onesmartlab' },
    ],
    'endpoints-dead': [
      'endpoints of three tenants, one each, that cannot be reached',
      { 'Bonafide WebhooksFailed': 'Bonafide WebhooksFailed', 'Bonafide TenantsFailing': 'Bonafide TenantsFailing' },
    ],
    'api-without-grants': [
      'a function of one route lost its grants; all answers that the script got',
      { 'AWS/ApiGateway Count': 'AWS/ApiGateway Count', 'AWS/ApiGateway 5xx': 'AWS/ApiGateway 5xx' },
    ],
    throttled: [
      'no execution is left for the function of one route; all functions together',
      {
        'AWS/Lambda Throttles': 'AWS/Lambda Throttles of all',
        'AWS/Lambda Invocations': 'AWS/Lambda Invocations of all',
      },
    ],
    'queue-without-reader': [
      'a queue whose mapping was switched off, with a message in it; its age by the clock',
      { 'AWS/SQS ApproximateAgeOfOldestMessage': 'AWS/SQS ApproximateAgeOfOldestMessage' },
    ],
    undeliverable: [
      'messages of a function that crashes, given up after five receives',
      { 'AWS/SQS ApproximateNumberOfMessagesVisible': 'AWS/SQS ApproximateNumberOfMessagesVisible' },
    ],
    'rolled-back': [
      'CloudFormation’s event of an update that was rolled back, put on the bus by hand',
      { 'AWS/SQS ApproximateNumberOfMessagesVisible': 'AWS/SQS ApproximateNumberOfMessagesVisible of rollbacks' },
    ],
    'events-late': [
      'the function that announces may not put events; by the clock since',
      { 'AWS/Lambda IteratorAge': 'AWS/Lambda IteratorAge' },
    ],
    'rule-without-target': [
      'the rule of captures has a target that is not there; a capture that landed is a delivery that failed',
      { 'AWS/Events FailedInvocations': 'AWS/Events FailedInvocations' },
    ],
    'sweep-off': [
      'the rule of the sweep was disabled',
      { 'AWS/Lambda Invocations': new RegExp(`^AWS/Lambda Invocations of .*${swept.source}`, 'i') },
    ],
    concurrency: [
      'nine requests that wait in an account of ten executions, as the script counted them',
      { 'AWS/Usage ResourceCount': 'AWS/Usage ResourceCount' },
    ],
  };
const quotas: Readonly<Record<string, number>> = { concurrency: 10 };

mkdirSync('test/infra/series/recorded', { recursive: true });
for (const [name, [what, metrics]] of Object.entries(troubles)) {
  const found = Object.entries(metrics).map(([as, wanted]) => {
    const key = Object.keys(recorded).find((one) => (typeof wanted === 'string' ? one === wanted : wanted.test(one)));
    if (key === undefined) throw new Error(`${name}: ${wanted} was not recorded`);
    return [as, recorded[key]];
  });
  const made = `record.ts on the emulator, broken in minute 2 or 13: ${what}.`;
  const quota = quotas[name];
  const file = { made, ...(quota !== undefined && { quota }), metrics: Object.fromEntries(found) };
  writeFileSync(`test/infra/series/recorded/${name}.json`, `${JSON.stringify(file)}\n`);
}
