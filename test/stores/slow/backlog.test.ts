/** What piles up while nothing is swept: `npm run test:slow` runs it and `npm test` does not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { captureKey } from '../../../shared/domain/captures.ts';
import type { Captures, Verifications } from '../../../shared/domain/ports.ts';
import { epochSeconds } from '../../../shared/domain/times.ts';
import { sweepVerifications } from '../../../shared/lifecycle/overdue.ts';
import { s3Captures } from '../../../shared/stores/captures.ts';
import { dynamoVerifications } from '../../../shared/stores/verifications.ts';
import { setup } from '../../builders/setup.ts';
import { anAwaitingVerification } from '../../builders/verification.ts';
import { startBucket, type TestBucket } from '../bucket.ts';
import { startTables } from '../table.ts';

const requestMilliseconds = 20;
const functionMilliseconds = 50_000;

let bucket: TestBucket;
let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  [bucket, tables] = await Promise.all([startBucket(), startTables()]);
});
afterAll(() => Promise.all([bucket.stop(), tables.stop()]));
afterEach(() => void vi.useRealTimers());

/** Each call of these takes as long as a request. */
function slowed<Calls extends object>(calls: Calls, wait: () => Promise<unknown>): Calls {
  return new Proxy(calls, {
    get(target, name, receiver) {
      const call: unknown = Reflect.get(target, name, receiver);
      if (typeof call !== 'function') return call;
      return async (...given: unknown[]) => {
        await wait();
        return Reflect.apply(call, target, given);
      };
    },
  });
}

it('5,000 overdue are gone in one sweep of a table and bucket that take 20 ms a request, but for a poisoned one', async () => {
  const at = setup();
  const count = 5000;
  for (let one = 0; one < count; one += 1) {
    const made = anAwaitingVerification({
      sourceId: `s-${one}`,
      check: one % 5 === 0 ? 'photo_verify' : 'spoof_detect',
    });
    await at.verifications.create(made);
    // One in five has a selfie in the bucket and no card: it is landed, expires and is deleted.
    if (made.check === 'spoof_detect') continue;
    const { verificationId } = made;
    const selfie = { verificationId, round: 1, name: 'selfie', versionId: `v-${one}`, etag: 'e', bytes: 9 } as const;
    at.landings.push({ ...selfie, storedAt: made.createdAt });
  }
  at.advance(7200);
  const byId = new Map(at.landings.map((landing) => [landing.verificationId, landing]));
  const poisoned = at.verifications.all()[1234]?.verificationId;
  vi.useFakeTimers({ toFake: ['setTimeout', 'Date'], loopLimit: 100_000 });
  const began = Date.now();
  const request = () => new Promise((answered) => setTimeout(answered, requestMilliseconds));
  const captures: Pick<Captures, 'oldest'> = {
    oldest: async (id) => [byId.get(id)].flatMap((landing) => landing ?? []),
  };
  const verifications: Verifications = {
    ...at.verifications,
    find: (id) => (id === poisoned ? Promise.reject(new Error('not a record')) : at.verifications.find(id)),
  };
  const sweeping = sweepVerifications({
    ...at,
    verifications: slowed(verifications, request),
    captures: slowed({ ...at.captures, ...captures }, request),
    remainingMilliseconds: () => began + functionMilliseconds - Date.now(),
  });
  await vi.runAllTimersAsync();
  const swept = await sweeping;
  console.log(`${swept.swept} swept in ${(Date.now() - began) / 1000} s of 20 ms a request`);
  expect(swept).toEqual({ swept: count - 1, failed: 1, oldestOverdueSeconds: 3600 });
  const left = at.verifications.all().filter((record) => record.state !== 'expired' || record.dueAt !== undefined);
  expect(left.map(({ verificationId }) => verificationId)).toEqual([poisoned]);
  expect(at.logged).toEqual(['sweep.failed']);
});

it('600 overdue, every tenth of them stored, on the embedded table and bucket at 20 ms a request', async () => {
  const now = () => new Date();
  const store = dynamoVerifications({ client: tables.client, table: 'verifications', now });
  const records = Array.from({ length: 600 }, (_, one) =>
    anAwaitingVerification({ sourceId: `b-${one}`, dueAt: epochSeconds(now()) - 60 }),
  );
  for (const record of records) await store.create(record);
  const stored = records.filter((_, one) => one % 10 === 0);
  for (const { verificationId } of stored) {
    const Key = captureKey(verificationId, 1, 'selfie');
    await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key, Body: 'a face' }));
  }
  const step = { step: 'build' } as const;
  bucket.client.middlewareStack.add(
    (next) => async (given) => sleep(requestMilliseconds).then(() => next(given)),
    step,
  );
  tables.client.middlewareStack.add(
    (next) => async (given) => sleep(requestMilliseconds).then(() => next(given)),
    step,
  );
  const swept = await sweepVerifications({
    ...setup(),
    verifications: store,
    captures: s3Captures(bucket.client, bucket.name),
    now,
    remainingMilliseconds: () => Number.POSITIVE_INFINITY, // the embedded parts answer slower than 20 ms here
  });
  expect(swept).toEqual({ swept: 600, failed: 0, oldestOverdueSeconds: 0 });
  const states: (string | undefined)[] = [];
  for (let from = 0; from < records.length; from += 40) {
    const found = records.slice(from, from + 40).map(({ verificationId }) => store.find(verificationId));
    states.push(...(await Promise.all(found)).map((record) => record?.state));
  }
  expect(states.filter((state) => state === 'queued')).toHaveLength(stored.length);
  expect(states.filter((state) => state === 'expired')).toHaveLength(records.length - stored.length);
});
