import { describe, expect, it } from 'vitest';
import { captureKey } from '../../shared/domain/captures.ts';
import { landCapture } from '../../shared/lifecycle/land.ts';
import { readLanding } from '../../shared/stores/landings.ts';
import { aLandingMessage, ownBucket } from '../builders/landing.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

const record = anAwaitingVerification();
const landing = (overrides: object = {}, object: object = {}) =>
  aLandingMessage(captureKey(record.verificationId, 1, 'selfie'), object, overrides);

/** The message that a rule of another account could put on the queue: it knows our keys, and names a version it likes. */
const forged = (overrides: object, bucket = ownBucket.bucket) => {
  const { detail, ...event } = JSON.parse(landing({}, { 'version-id': 'forged' }));
  return JSON.stringify({ ...event, detail: { ...detail, bucket: { name: bucket } }, ...overrides });
};

const noticeCapture = (body: string, at: ReturnType<typeof setup>) => landCapture(readLanding(body, ownBucket), at);

describe('noticing a capture', () => {
  it.each(['PutObject', 'POST Object', 'CompleteMultipartUpload', 'CopyObject'])(
    'takes one that came by %s',
    async (reason) => {
      const at = setup();
      await at.verifications.create(record);
      const event = JSON.parse(landing());
      event.detail.reason = reason;
      await noticeCapture(JSON.stringify(event), at);
      expect(await at.verifications.find(record.verificationId)).toMatchObject({
        state: 'queued',
        landed: { selfie: { versionId: 'v1', etag: 'e', bytes: 9 } },
      });
      expect(at.sent).toEqual([['builtin', 2]]);
    },
  );

  it.each([
    ['not JSON', 'x'],
    ['nothing', '{}'],
    ['another event', landing({ 'detail-type': 'Object Deleted' })],
    ['another source', landing({ source: 'aws.ec2' })],
    ['a key that is not a capture', landing({}, { key: 'captures/readme.txt' })],
    ['an unversioned object', landing({}, { 'version-id': undefined })],
    ['an event of another account’s rule', forged({ account: '999999999999' })],
    ['an event of another bucket', forged({}, 'somebody-elses')],
    ['an event of another account’s bucket', forged({ account: '999999999999' }, 'somebody-elses')],
    ['an event that names no bucket', forged({ detail: { reason: 'PutObject', object: {} } })],
    ['an S3 test event', '{"Service":"Amazon S3","Event":"s3:TestEvent"}'],
  ])('acknowledges %s and writes it down', async (_, body) => {
    const at = setup();
    await at.verifications.create(record);
    await noticeCapture(body, at);
    expect(at.warned).toEqual(['capture.foreign']);
    expect(at.removed).toEqual([]);
    expect(await at.verifications.find(record.verificationId)).toEqual(record);
  });

  it('sends again for a repeat of an event whose verification is still queued: the first send may be what was lost', async () => {
    const at = setup();
    await at.verifications.create(record);
    await noticeCapture(landing(), at);
    await noticeCapture(landing(), at);
    expect(at.sent).toEqual([
      ['builtin', 2],
      ['builtin', 2],
    ]);
    expect(at.removed).toEqual([]);
  });

  it('deletes and notes another version of what has landed', async () => {
    const at = setup();
    await at.verifications.create(record);
    await noticeCapture(landing(), at);
    await noticeCapture(landing({}, { 'version-id': 'v2' }), at);
    expect(at.removed).toEqual(['v2']);
    const read = await at.verifications.find(record.verificationId);
    expect(read?.history.at(-1)).toMatchObject({ kind: 'noted', code: 'capture_overwritten' });
    expect(read).toMatchObject({ landed: { selfie: { versionId: 'v1' } } });
  });

  it('deletes what lands for no verification, an expired or an erased one', async () => {
    const at = setup();
    await noticeCapture(landing(), at);
    await at.verifications.create(record);
    const expired = await at.verifications.move(record, 'expired', {});
    if (expired.kind !== 'moved') throw new Error('moved');
    await noticeCapture(landing({}, { 'version-id': 'v2' }), at);
    expect((await at.verifications.find(record.verificationId))?.history.at(-1)).toMatchObject({
      code: 'capture_late',
    });
    await at.verifications.move(expired.verification, 'erased', {});
    at.bucket.push({ key: '1/selfie', versionId: 'v3' });
    await noticeCapture(landing({}, { 'version-id': 'v3' }), at);
    expect(at.removed).toEqual(['v1', 'v2', 'v3']);
    expect((await at.verifications.find(record.verificationId))?.history).toHaveLength(1);
  });
});

it('an empty upload costs no round: it is deleted and noted, and the next one is taken', async () => {
  const at = setup();
  await at.verifications.create(record);
  await noticeCapture(landing({}, { size: 0, 'version-id': 'empty' }), at);
  expect(at.removed).toEqual(['empty']);
  expect(await at.verifications.find(record.verificationId)).toMatchObject({
    state: 'awaiting_captures',
    missing: ['selfie'],
    history: [{}, { kind: 'noted', code: 'capture_empty' }],
  });
  await noticeCapture(landing(), at);
  expect(await at.verifications.find(record.verificationId)).toMatchObject({ state: 'queued', round: 1 });
});
