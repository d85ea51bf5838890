import { describe, expect, it } from 'vitest';
import { type Check, captureKey } from '../../shared/domain/captures.ts';
import type { Landing } from '../../shared/domain/ports.ts';
import { captureSeconds } from '../../shared/domain/times.ts';
import { goneAt } from '../../shared/lifecycle/keep.ts';
import { landCapture } from '../../shared/lifecycle/land.ts';
import { sweepVerifications } from '../../shared/lifecycle/overdue.ts';
import { readLanding } from '../../shared/stores/landings.ts';
import { aLandingMessage, ownBucket } from '../builders/landing.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

const storedAt = '2026-01-01T00:00:40.000Z';

/** A verification whose time for captures is over, and what lies in the bucket for it. */
async function overdue(check: Check, ...stored: readonly Partial<Landing>[]) {
  const at = setup();
  const record = anAwaitingVerification({ check });
  const { verificationId, dueAt } = record;
  await at.verifications.create(record);
  const about = { verificationId, round: 1, name: 'selfie', etag: 'e', bytes: 9, storedAt, versionId: 'v1' } as const;
  at.landings.push(...stored.map((one) => ({ ...about, ...one })));
  at.advance(3600);
  return {
    ...at,
    record,
    dueAt,
    read: () => at.verifications.find(verificationId),
    sweep: () => sweepVerifications(at),
    notice: (version: string, name: 'selfie' | 'id_card' = 'selfie') => {
      const body = aLandingMessage(captureKey(verificationId, 1, name), { 'version-id': version });
      return landCapture(readLanding(body, ownBucket), at);
    },
  };
}

describe('a capture whose event never came', () => {
  it('is landed when the verification would expire, as of the time at which it was stored', async () => {
    const { sweep, read, sent, erased } = await overdue('spoof_detect', {});
    expect(await sweep()).toMatchObject({ swept: 1, failed: 0 });
    const record = await read();
    const selfie = { versionId: 'v1', etag: 'e', bytes: 9, landedAt: storedAt, storedAt };
    expect(record).toMatchObject({ state: 'queued', landed: { selfie } });
    expect(sent).toEqual([['builtin', 2]]);
    expect(erased).toEqual([]);
    if (record?.state !== 'queued') throw new Error('It is not queued');
    expect(goneAt(record)).toBe(Date.parse(storedAt) / 1000 + captureSeconds);
  });

  it('is landed with the other one: both lost, or one of them noticed before', async () => {
    const card = { name: 'id_card', versionId: 'c1' } as const;
    const both = await overdue('photo_verify', {}, card);
    await both.sweep();
    expect(await both.read()).toMatchObject({ state: 'queued', sequence: 2, landed: { id_card: { versionId: 'c1' } } });
    const one = await overdue('photo_verify', { versionId: 'v0' }, card);
    await one.notice('v1');
    await one.sweep();
    const landed = { selfie: { versionId: 'v1' }, id_card: { versionId: 'c1' } };
    expect(await one.read()).toMatchObject({ state: 'queued', landed });
  });

  it('of a video is the one that was stored first, whichever digits it was made for', async () => {
    const later = { name: 'video', challengeNumber: 2, versionId: 'v2', storedAt: '2026-01-01T00:05:00.000Z' } as const;
    const at = await overdue('video_verify', later, { name: 'video' }, { name: 'id_card', versionId: 'c1' });
    await at.sweep();
    const record = await at.read();
    expect(record).toMatchObject({ state: 'queued', landed: { video: { versionId: 'v1', storedAt } } });
  });

  it('does not save a verification whose other capture never came: both are deleted, and known to a receipt', async () => {
    const { sweep, read, erased, record, sent } = await overdue('photo_verify', {});
    await sweep();
    const earlier = [{ round: 1, key: '1/selfie', versionId: 'v1' }];
    expect(await read()).toMatchObject({ state: 'expired', earlier });
    expect(erased).toEqual([record.verificationId]);
    expect(sent).toEqual([]);
  });

  it('changes nothing when its event comes after all, while queued, decided or expired', async () => {
    const { sweep, read, notice, verifications, removed } = await overdue('spoof_detect', {});
    await sweep();
    const queued = await read();
    await notice('v1');
    expect(await read()).toEqual(queued);
    if (queued?.state !== 'queued') throw new Error('It is not queued');
    const verdict = {
      outcome: 'passed' as const,
      confidence: 1,
      scores: {},
      reasons: [],
      provider: 'builtin',
      policyVersion: 1,
    };
    await verifications.move(queued, 'decided', { landed: queued.landed, verdict });
    const decided = await read();
    await notice('v1');
    expect(await read()).toEqual(decided);
    expect(removed).toEqual([]);

    const alone = await overdue('photo_verify', {});
    await alone.sweep();
    const expired = await alone.read();
    await alone.notice('v1');
    expect(await alone.read()).toEqual(expired);
  });

  it('is not looked for while there is time', async () => {
    const at = setup();
    await at.verifications.create(anAwaitingVerification());
    const oldest = () => Promise.reject(new Error('looked for'));
    await sweepVerifications({ ...at, captures: { ...at.captures, oldest } });
    expect(at.logged).toEqual([]);
  });

  it('is landed by the next sweep where the bucket could not be asked: nothing expires unlooked', async () => {
    const at = await overdue('spoof_detect', {});
    const oldest = () => Promise.reject(new Error('throttled'));
    const { failed, oldestOverdueSeconds } = await sweepVerifications({ ...at, captures: { ...at.captures, oldest } });
    expect([failed, oldestOverdueSeconds]).toEqual([1, 0]);
    expect(await at.read()).toMatchObject({ state: 'awaiting_captures' });
    await at.sweep();
    expect(await at.read()).toMatchObject({ state: 'queued' });
  });
});
