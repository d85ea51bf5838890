import { describe, expect, it } from 'vitest';
import type { LandedCapture } from '../../shared/domain/captures.ts';
import { maximumListed } from '../../shared/domain/erasure.ts';
import { checkReceipt, receiptKeyOf } from '../../shared/domain/receipt.ts';
import type { InState, Verification } from '../../shared/domain/verification.ts';
import { eraseVerification } from '../../shared/lifecycle/erase.ts';
import { expire } from '../../shared/lifecycle/expire.ts';
import { landCapture } from '../../shared/lifecycle/land.ts';
import { requestCaptures } from '../../shared/lifecycle/next-round.ts';
import { sweepVerifications } from '../../shared/lifecycle/overdue.ts';
import { issueReceipt } from '../../shared/lifecycle/receipt.ts';
import { clientTokenSecret, receiptSecret, signingSecretOf } from '../builders/deployment.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

const receiptKeys = { secret: async () => receiptSecret };
const receiptOf = (record: Verification | undefined) => {
  if (!record) throw new Error('There is no record');
  return issueReceipt(record, { receiptKeys });
};
const statementOf = async (record: Verification | undefined) => (await receiptOf(record)).statement;

type Setup = ReturnType<typeof setup>;

/** A verification with a capture in round 1, `queued`. */
async function queued(at: Setup, landed = landedFor('spoof_detect')): Promise<InState<'queued'>> {
  const record = anAwaitingVerification();
  await at.verifications.create(record);
  const result = await at.verifications.move(record, 'queued', { landed, provider: 'builtin', dueAt: 2 ** 31 });
  if (result.kind === 'lost') throw new Error('lost');
  return result.verification;
}

/** The same once its round is decided a minute later, by a provider that another one was asked before. */
async function decided(at: Setup, from: InState<'queued'>): Promise<InState<'decided'>> {
  at.advance(60);
  const { round, pass, landed, plan } = from;
  const verdict = { outcome: 'recapture', confidence: null, reasons: ['too_dark'], scores: {} } as const;
  const attempts = ['identify', 'builtin'].map((provider, index) => {
    return { attempt: index + 1, provider, round, pass, startedAt: at.now().toISOString() };
  });
  const result = await at.verifications.move(from, 'decided', {
    landed,
    verdict: { ...verdict, reasons: [...verdict.reasons], provider: 'builtin', policyVersion: plan.policyVersion },
    attempts,
  });
  if (result.kind === 'lost') throw new Error('lost');
  return result.verification;
}

const oneMinute = '2026-01-01T00:01:00.000Z';
const twoMinutes = '2026-01-01T00:02:00.000Z';

describe('the receipt of an erasure', () => {
  it('lists what was deleted when its round was decided, rounds before too, and vendors that were sent it', async () => {
    const at = setup();
    const recapture = await decided(at, await queued(at));
    const requesting = {
      ...at,
      uploads: { presign: async () => ({ put: { url: '', headers: {} }, post: { url: '', fields: {} } }) },
      clientTokenSecret: signingSecretOf(clientTokenSecret),
      randomBelow: () => 1,
    };
    await requestCaptures(recapture, undefined, requesting);
    const second = (await at.verifications.find(recapture.verificationId)) as InState<'awaiting_captures'>;
    const landed = landedFor('spoof_detect', 'v2');
    const again = await at.verifications.move(second, 'queued', { landed, provider: 'builtin', dueAt: 2 ** 31 });
    if (again.kind === 'lost') throw new Error('lost');
    const tombstone = await eraseVerification(await decided(at, again.verification), at);
    const { verificationId, tenant } = tombstone;
    const receipt = await receiptOf(tombstone);
    expect(checkReceipt(Buffer.from(JSON.stringify(receipt)), [receiptKeyOf(receiptSecret)]).kind).toBe('valid');
    const version = { etag: 'etag-selfie', deleted: 'at_decision' };
    expect(receipt.statement).toEqual({
      type: 'bonafide.erasure_receipt',
      version: 1,
      tenant,
      verification_id: verificationId,
      erased_at: twoMinutes,
      finished_at: twoMinutes,
      tombstone_hash: tombstone.history[0]?.hash,
      versions: [
        { ...version, key: `captures/${verificationId}/1/selfie`, version_id: 'v1-selfie', at: oneMinute },
        { ...version, key: `captures/${verificationId}/2/selfie`, version_id: 'v2-selfie', at: twoMinutes },
      ],
      versions_not_listed: 0,
      vendors: ['identify'],
      not_known: [],
    });
  });

  it('lists what the erasure itself found and deleted, the capture that was known with the others', async () => {
    const at = setup();
    at.bucket.push({ key: '1/selfie', versionId: 'v1-selfie', etag: '"etag-selfie"' });
    at.bucket.push(
      { key: '1/selfie', versionId: 'overwritten', etag: '"other"' },
      { key: '1/selfie', versionId: 'mark' },
    );
    const { versions, vendors } = await statementOf(await eraseVerification(await queued(at), at));
    expect(versions.map(({ version_id, etag, deleted }) => [version_id, etag, deleted])).toEqual([
      ['v1-selfie', 'etag-selfie', 'at_erasure'],
      ['overwritten', 'other', 'at_erasure'],
      ['mark', null, 'at_erasure'],
    ]);
    expect(vendors).toEqual([]);
    expect(at.removed).toEqual(['v1-selfie', 'overwritten', 'mark']);
  });

  it('tells captures that went before the erasure for another reason from those', async () => {
    const at = setup();
    const record = anAwaitingVerification({ check: 'photo_verify', missing: ['id_card'] });
    const { selfie } = landedFor('photo_verify') as { selfie: LandedCapture };
    await at.verifications.create({ ...record, landed: { selfie } });
    await expire({ ...record, landed: { selfie } }, at);
    const tombstone = await eraseVerification(await at.verifications.find(record.verificationId), at);
    const { versions, not_known } = await statementOf(tombstone);
    expect(versions).toMatchObject([{ version_id: 'v1-selfie', deleted: 'before_erasure', at: null }]);
    expect(not_known).toEqual([]);
  });

  it('is not there before the erasure, nor while something may be stored', async () => {
    const at = setup();
    const record = await queued(at);
    await expect(receiptOf(record)).rejects.toMatchObject({ code: 'state_conflict' });
    at.bucket.push({ key: '1/selfie', versionId: 'v1-selfie' });
    const dying = { ...at, captures: { ...at.captures, removeVersions: () => Promise.reject(new Error('killed')) } };
    await expect(eraseVerification(record, dying)).rejects.toThrow('killed');
    const tombstone = await at.verifications.find(record.verificationId);
    await expect(receiptOf(tombstone)).rejects.toMatchObject({ code: 'erasure_unfinished', retry: true });
  });

  it('is the same whether the erasure was killed and the sweep finished it, or not', async () => {
    const told: unknown[] = [];
    for (const killedAt of ['nothing', 'stored', 'removeVersions'] as const) {
      const at = setup();
      at.bucket.push({ key: '1/selfie', versionId: 'v1-selfie', etag: 'etag-selfie' });
      const record = await queued(at);
      const dies = { [killedAt]: () => Promise.reject(new Error('killed')) };
      await eraseVerification(record, { ...at, captures: { ...at.captures, ...dies } }).catch(() => undefined);
      if (killedAt !== 'nothing') {
        at.advance(120);
        expect(await sweepVerifications(at)).toMatchObject({ swept: 1, failed: 0 });
      }
      const { finished_at, versions, ...rest } = await statementOf(await at.verifications.find(record.verificationId));
      expect(finished_at).toBe(killedAt === 'nothing' ? '2026-01-01T00:00:00.000Z' : twoMinutes);
      told.push({ ...rest, versions: versions.map(({ at: _, ...version }) => version) });
    }
    expect(told[1]).toEqual(told[0]);
    expect(told[2]).toEqual(told[0]);
  });

  it('lists an upload that came later, and stays the same bytes when the erasure is asked for again', async () => {
    const at = setup();
    at.bucket.push({ key: '1/selfie', versionId: 'v1-selfie' });
    const tombstone = await eraseVerification(await queued(at), at);
    const first = JSON.stringify(await receiptOf(tombstone));
    at.advance(60);
    const again = await eraseVerification(await at.verifications.find(tombstone.verificationId), at);
    expect(JSON.stringify(await receiptOf(again))).toBe(first);
    at.bucket.push({ key: '1/selfie', versionId: 'late', etag: 'late' });
    const late = { verificationId: tombstone.verificationId, round: 1, name: 'selfie', versionId: 'late' } as const;
    await landCapture({ ...late, etag: 'late', bytes: 9, storedAt: oneMinute }, at);
    const { versions, finished_at, tombstone_hash } = await statementOf(
      await at.verifications.find(again.verificationId),
    );
    expect(versions).toMatchObject([{ version_id: 'v1-selfie' }, { version_id: 'late', deleted: 'at_erasure' }]);
    expect(finished_at).toBe(oneMinute);
    expect(tombstone_hash).toBe(JSON.parse(first).statement.tombstone_hash);
    expect(at.removed).toEqual(['v1-selfie', 'late']);
  });

  it.each([0, 1, 2, 3, 4, 5])(
    'lists 100 of 250 versions and counts the rest once, killed at batch %i',
    async (kill) => {
      const at = setup();
      at.bucket.push(
        ...Array.from({ length: 250 }, (_, index) => ({
          key: '1/selfie',
          versionId: index === 200 ? 'v1-selfie' : `version-${index}`,
          etag: 'e',
        })),
      );
      let batches = 0;
      const dying = {
        ...at.captures,
        async removeVersions(...given: Parameters<typeof at.captures.removeVersions>) {
          batches += 1;
          if (batches === kill) throw new Error('killed before');
          await at.captures.removeVersions(...given);
          if (batches + 3 === kill) throw new Error('killed after');
        },
      };
      const record = await queued(at);
      await eraseVerification(record, { ...at, captures: dying }).catch(() => undefined);
      at.advance(120);
      await sweepVerifications(at);
      const { versions, versions_not_listed } = await statementOf(await at.verifications.find(record.verificationId));
      const found = versions.filter(({ deleted }) => deleted === 'at_erasure');
      expect([found.length, versions.length, versions_not_listed]).toEqual([maximumListed, maximumListed, 150]);
      expect(new Set(at.removed).size).toBe(250);
    },
  );

  it('has no ETag where S3 makes ETags of the bytes, nor has the tombstone', async () => {
    const at = setup();
    at.bucket.push({ key: '1/selfie', versionId: 'other', etag: 'made-of-bytes' });
    const captures = { ...at.captures, keepsEtags: false };
    const tombstone = await eraseVerification(await queued(at), { ...at, captures });
    expect(JSON.stringify(tombstone)).not.toMatch(/made-of-bytes|etag/);
    expect((await statementOf(tombstone)).versions.map(({ etag }) => etag)).toEqual([null, null]);
  });
});

describe('what a version before did not keep', () => {
  it('is not known of a tombstone that it wrote, to which a later upload is added', async () => {
    const at = setup();
    const tombstone = await eraseVerification(await queued(at), at);
    const { erasure: _, history, ...before } = tombstone;
    const legacy = { ...before, history: history.map(({ hash: __, ...line }) => line) };
    expect(await statementOf(legacy)).toMatchObject({
      finished_at: null,
      tombstone_hash: null,
      versions: [],
      vendors: null,
      not_known: ['versions', 'vendors', 'finished_at', 'tombstone_hash'],
    });
    const other = setup();
    await other.verifications.create(legacy as never);
    other.bucket.push({ key: '1/selfie', versionId: 'late' });
    expect(await statementOf(await eraseVerification(legacy, other))).toMatchObject({
      finished_at: expect.any(String),
      versions: [{ version_id: 'late', deleted: 'at_erasure' }],
      not_known: ['versions', 'vendors', 'tombstone_hash'],
    });
  });

  it.each([
    ['a later round without the ones before', { round: 2 }, ['versions']],
    [
      'a third round of which one before is known',
      {
        round: 3,
        earlier: [{ round: 2, key: '2/selfie', versionId: 'v', etag: 'e' }],
      },
      ['versions'],
    ],
    [
      'a later round with all before',
      {
        round: 2,
        earlier: [{ round: 1, key: '1/selfie', versionId: 'v', etag: 'e' }],
      },
      [],
    ],
  ])('is not known of %s', async (_, fields, expected) => {
    const at = setup();
    const record = anAwaitingVerification(fields);
    await at.verifications.create(record);
    expect((await statementOf(await eraseVerification(record, at))).not_known).toEqual(expected);
  });

  it('is not known of a record that expired then', async () => {
    const at = setup();
    const record = anAwaitingVerification();
    await at.verifications.create(record);
    const expired = await at.verifications.move(record, 'expired', {});
    if (expired.kind === 'lost') throw new Error('lost');
    expect((await statementOf(await eraseVerification(expired.verification, at))).not_known).toEqual(['versions']);
  });
});
