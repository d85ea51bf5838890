import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CaptureName, type Check, captureKey, capturesOf } from '../../shared/domain/captures.ts';
import { epochSeconds } from '../../shared/domain/times.ts';
import { landCapture } from '../../shared/lifecycle/land.ts';
import { sweepVerifications } from '../../shared/lifecycle/overdue.ts';
import { s3Captures } from '../../shared/stores/captures.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { idOf } from '../builders/deployment.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification } from '../builders/verification.ts';
import { startBucket, type TestBucket } from './bucket.ts';
import { startTables } from './table.ts';

/* Captures whose events never came, on the embedded DynamoDB and S3. */

let bucket: TestBucket;
let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  [bucket, tables] = await Promise.all([startBucket(), startTables()]);
});
afterAll(() => Promise.all([bucket.stop(), tables.stop()]));

const store = async (id: string, name: CaptureName, { round = 1, challengeNumber = 1, body = 'a face' } = {}) => {
  const Key = captureKey(id, round, name, challengeNumber);
  const { VersionId, ETag } = await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key, Body: body }));
  return { versionId: VersionId, etag: ETag?.replaceAll('"', '') };
};

it('lists of each place of a round the version that was stored first, page by page, and no empty one', async () => {
  const id = idOf('listed');
  await store(id, 'selfie', { body: '' });
  const selfie = await store(id, 'selfie');
  for (const body of ['another', 'and another']) await store(id, 'selfie', { body });
  const video = await store(id, 'video');
  const second = await store(id, 'video', { challengeNumber: 2 });
  await store(id, 'selfie', { round: 2 });
  await store(idOf('another'), 'selfie');
  const paging = bucket.connect();
  let pages = 0;
  paging.middlewareStack.add(
    (next) => (given) => {
      pages += 1;
      return next({ ...given, input: { ...given.input, MaxKeys: 2 } });
    },
    { step: 'initialize' },
  );
  const about = { verificationId: id, round: 1, bytes: 6, storedAt: expect.stringMatching(/^\d{4}-.*Z$/) };
  const found = await s3Captures(paging, bucket.name).oldest(id, 1);
  expect(found).toEqual([
    { ...about, name: 'selfie', ...selfie },
    { ...about, name: 'video', ...video },
    { ...about, name: 'video', challengeNumber: 2, ...second },
  ]);
  expect(pages).toBe(3);
  expect(await s3Captures(bucket.client, bucket.name).oldest(idOf('nothing'), 1)).toEqual([]);
  paging.destroy();
});

it('five uploads of which no event came, one with a card, are queued by one sweep; late events change nothing', async () => {
  const at = setup();
  const verifications = dynamoVerifications({ client: tables.client, table: 'verifications', now: () => new Date() });
  const captures = s3Captures(bucket.client, bucket.name);
  const sent: string[] = [];
  const send = async (_: string, { verificationId }: { verificationId: string }) => void sent.push(verificationId);
  const dependencies = { ...at, verifications, captures, send, now: () => new Date() };
  const checks: readonly Check[] = ['spoof_detect', 'spoof_detect', 'spoof_detect', 'spoof_detect', 'photo_verify'];
  const records = checks.map((check, index) => {
    const dueAt = epochSeconds(new Date()) - 1;
    return anAwaitingVerification({ check, sourceId: `lost-${index}`, dueAt });
  });
  for (const record of records) {
    await verifications.create(record);
    for (const name of capturesOf[record.check]) await store(record.verificationId, name);
  }
  expect(await sweepVerifications(dependencies)).toEqual({ swept: 5, failed: 0, oldestOverdueSeconds: 0 });
  const ids = records.map(({ verificationId }) => verificationId);
  expect(sent.toSorted()).toEqual(ids.toSorted());
  for (const { verificationId, check } of records) {
    const queued = await verifications.find(verificationId);
    expect(queued).toMatchObject({ state: 'queued', sequence: 2 });
    for (const landing of await captures.oldest(verificationId, 1)) {
      expect(queued).toMatchObject({ landed: { [landing.name]: { landedAt: landing.storedAt } } });
      await landCapture(landing, dependencies);
    }
    expect(await verifications.find(verificationId)).toEqual(queued);
    expect(await captures.oldest(verificationId, 1)).toHaveLength(capturesOf[check].length);
  }
  expect(at.logged).toEqual([]);
});
