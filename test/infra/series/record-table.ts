import { mkdirSync, writeFileSync } from 'node:fs';
import { ProvisionedThroughputExceededException } from '@aws-sdk/client-dynamodb';
import { sweepVerifications } from '../../../shared/lifecycle/overdue.ts';
import { dynamoVerifications } from '../../../shared/stores/verifications.ts';
import { setup } from '../../builders/setup.ts';
import { anAwaitingVerification, start } from '../../builders/verification.ts';
import { startTables } from '../../stores/table.ts';

/*
 * Records two runs that the emulator has no part for, on the embedded DynamoDB and a clock that is moved:
 *
 *   node test/infra/series/record-table.ts
 *
 * A table that takes one write a second is given three, each tried three times as the SDK does; and a sweep may not write,
 * as where its role lost UpdateItem, while verifications become due.
 */

const minutes = 9;
const brokenFrom = 2;
const written: Record<string, ([number, number, number] | null)[]> = {};
const tables = await startTables();
let clock = start.getTime();
const now = () => new Date(clock);
const store = dynamoVerifications({ client: tables.client, table: 'verifications', now });

let left = Number.POSITIVE_INFINITY;
let refused = 0;
let mayUpdate = true;
tables.client.middlewareStack.add(
  (next, { commandName = '' }) =>
    async (given) => {
      if (commandName === 'UpdateItemCommand' && !mayUpdate) throw new Error('AccessDenied');
      if (commandName === 'PutItemCommand' && --left < 0) {
        refused += 1;
        throw new ProvisionedThroughputExceededException({ message: 'Slow down', $metadata: {} });
      }
      return next(given);
    },
  { step: 'initialize' },
);

const throttles: ([number, number, number] | null)[] = [];
for (let minute = 0; minute < minutes; minute += 1) {
  refused = 0;
  for (let second = 0; second < 60; second += 1) {
    left = minute < brokenFrom ? Number.POSITIVE_INFINITY : 1;
    for (let request = 0; request < 3; request += 1) {
      const record = anAwaitingVerification({ sourceId: `${minute}-${second}-${request}`, dueAt: 4_000_000_000 });
      for (let tries = 0; tries < 3; tries += 1) {
        const put = await store.create(record).then(
          () => true,
          () => false,
        );
        if (put) break;
      }
    }
  }
  throttles.push(refused === 0 ? null : [refused, refused, 1]);
}
written['AWS/DynamoDB WriteThrottleEvents'] = throttles;
written['AWS/DynamoDB ReadThrottleEvents'] = throttles;

left = Number.POSITIVE_INFINITY;
const overdue: [number, number, number][] = [];
for (let minute = 0; minute < 2 * minutes; minute += 1) {
  mayUpdate = minute < brokenFrom;
  await store.create(anAwaitingVerification({ sourceId: `due-${minute}`, dueAt: Math.floor(clock / 1000) + 30 }));
  clock += 60_000;
  const at = setup();
  const remainingMilliseconds = () => Number.POSITIVE_INFINITY;
  const { oldestOverdueSeconds } = await sweepVerifications({
    ...at,
    verifications: store,
    now,
    remainingMilliseconds,
  });
  overdue.push([oldestOverdueSeconds, 1, oldestOverdueSeconds]);
}
await tables.stop();

function write(name: string, made: string, metrics: object): void {
  mkdirSync('test/infra/series/recorded', { recursive: true });
  writeFileSync(`test/infra/series/recorded/${name}.json`, `${JSON.stringify({ made, metrics })}\n`);
}
write(
  'table-throttled',
  'record-table.ts: from minute 2 on, a table that takes one write a second is given three, each tried three times. Refusals of each minute; reads are taken to be refused alike.',
  written,
);
write(
  'sweep-behind',
  'record-table.ts: from minute 2 on, the sweep may not write; one verification becomes due each minute. What each minute’s sweep says is left.',
  { 'Bonafide OldestOverdueSeconds': overdue },
);
