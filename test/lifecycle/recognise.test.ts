import { beforeEach, describe, expect, it } from 'vitest';
import { viewVerification } from '../../shared/api/verifications.ts';
import type { CaptureName } from '../../shared/domain/captures.ts';
import type { Fingerprint, Fingerprints } from '../../shared/domain/fingerprint.ts';
import { defaultPolicy, planFor } from '../../shared/domain/policy.ts';
import type { Outcome } from '../../shared/domain/verdict.ts';
import type { InState, Verification } from '../../shared/domain/verification.ts';
import { decide } from '../../shared/lifecycle/decide.ts';
import { eraseVerification, finishErasure } from '../../shared/lifecycle/erase.ts';
import { fingerprintKey, idOf } from '../builders/deployment.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

let world: ReturnType<typeof setup>;
beforeEach(() => {
  world = setup();
});

/** A photo as the engine sees it, and the same one stored anew: other bytes, one band changed. */
const photo: Fingerprint = { sha256: 'a', picture: ['p0', 'p1', 'p2', 'p3'], face: ['f0', 'f1', 'f2', 'f3'] };
const reEncoded: Fingerprint = { ...photo, sha256: 'b', picture: ['p0', 'p1', 'p2', 'x'] };
const cropped: Fingerprint = { sha256: 'c', picture: ['w', 'x', 'y', 'z'], face: ['f0', 'f1', 'x', 'y'] };
const anotherPhoto: Fingerprint = { sha256: 'd', picture: ['k', 'l', 'm', 'n'], face: ['f0', 'g', 'h', 'i'] };
const video: Fingerprint = { sha256: 'v', picture: [], face: [] };

type Overrides = Parameters<typeof anAwaitingVerification>[0];

async function queued(sourceId: string, overrides: Overrides = {}): Promise<InState<'queued'>> {
  const record = anAwaitingVerification({ sourceId, ...overrides });
  await world.verifications.create(record);
  const fields = { landed: landedFor(record.check), provider: 'builtin', dueAt: 1 };
  const moved = await world.verifications.move(record, 'queued', fields);
  if (moved.kind !== 'moved') throw new Error('queued');
  return moved.verification;
}

interface Judging {
  readonly outcome?: Outcome;
  readonly attempt?: number;
  /** What stands between the act and the places. */
  readonly find?: typeof world.sightings.find;
}

const judge = (
  record: Verification,
  fingerprints: Fingerprints,
  { outcome = 'passed', attempt = 1, find }: Judging = {},
) =>
  decide(
    record,
    {
      attempt,
      provider: 'builtin',
      round: record.round,
      finding: { outcome, confidence: 0.9, reasons: [], scores: {} },
      fingerprints,
    },
    {
      ...world,
      recognising: {
        sightings: { find: find ?? world.sightings.find },
        fingerprintKey: async () => fingerprintKey,
      },
    },
  );

async function decided(sourceId: string, tenant?: string): Promise<InState<'decided'>> {
  const record = await world.verifications.find(idOf(sourceId, tenant));
  if (record?.state !== 'decided') throw new Error(`${sourceId} is ${record?.state}`);
  return record;
}

/** The verdict on a selfie under a source_id of its own. */
async function verdictOn(sourceId: string, selfie: Fingerprint, overrides: Overrides & Judging = {}) {
  await judge(await queued(sourceId, overrides), { selfie }, overrides);
  const { verdict } = await decided(sourceId, overrides.tenant);
  return verdict;
}

const planWith = (mode: 'refuse' | 'note' | 'off', name: CaptureName = 'selfie', check = 'spoof_detect' as const) =>
  planFor({ ...defaultPolicy, seenBefore: { ...defaultPolicy.seenBefore, [name]: mode } }, check);
const refusing = { plan: planWith('refuse') };

describe('a capture that comes again under another source_id', () => {
  it.each([
    ['the same bytes', photo],
    ['stored anew', reEncoded],
    ['cropped', cropped],
  ])('is told in verdict and history, and changes no outcome: %s', async (_, again) => {
    expect(await verdictOn('u-1', photo)).not.toHaveProperty('seenBefore');
    expect(await verdictOn('u-2', again)).toMatchObject({ outcome: 'passed', reasons: [], seenBefore: ['selfie'] });
    const record = await decided('u-2');
    expect(record.history.at(-1)).toMatchObject({ state: 'decided', outcome: 'passed', code: 'capture_reused' });
    expect(viewVerification(record, 'u-2').verdict).toMatchObject({ seen_before: ['selfie'] });
    expect(record.notes).toBe(0);
  });

  it('fails as capture_reused where the policy refuses it, with how sure that is unknown', async () => {
    await verdictOn('u-1', photo);
    const refused = { outcome: 'failed', confidence: null, reasons: ['capture_reused'], seenBefore: ['selfie'] };
    expect(await verdictOn('u-2', reEncoded, refusing)).toMatchObject(refused);
    expect(await verdictOn('u-3', reEncoded, { ...refusing, outcome: 'recapture' })).toMatchObject({
      outcome: 'recapture',
      seenBefore: ['selfie'],
    });
  });

  it('is not looked for, and not written down, where the policy is off', async () => {
    await verdictOn('u-1', photo, { plan: planWith('off') });
    expect(world.sightings.all()).toEqual([]);
    expect(await verdictOn('u-2', photo)).not.toHaveProperty('seenBefore');
  });

  it('is not another photo of the same person, of which one band of the face is the same', async () => {
    await verdictOn('u-1', photo);
    expect(await verdictOn('u-2', anotherPhoto)).not.toHaveProperty('seenBefore');
  });

  it('is not one of another tenant', async () => {
    await verdictOn('u-1', photo);
    expect(await verdictOn('u-2', photo, { tenant: 'other' })).not.toHaveProperty('seenBefore');
  });

  it('is a video by its bytes; cards come again unless the policy looks for them', async () => {
    const check = 'video_verify';
    const captures = { video, id_card: photo };
    await judge(await queued('u-1', { check }), captures);
    await judge(await queued('u-2', { check }), captures);
    expect((await decided('u-2')).verdict.seenBefore).toEqual(['video']);
    const plan = planFor({ ...defaultPolicy, seenBefore: { selfie: 'off', video: 'off', id_card: 'refuse' } }, check);
    await judge(await queued('u-3', { check, plan }), captures);
    expect((await decided('u-3')).verdict).toMatchObject({ outcome: 'passed' }); // the first card that is written down
    await judge(await queued('u-4', { check, plan }), captures);
    expect((await decided('u-4')).verdict).toMatchObject({ outcome: 'failed', reasons: ['capture_reused'] });
  });

  it('is one more of a picture that chance has given a band of another one', async () => {
    const sameBand = (sha256: string): Fingerprint => ({
      ...anotherPhoto,
      sha256,
      picture: ['p0', sha256, sha256, sha256],
    });
    for (const source of ['u-1', 'u-2', 'u-3']) await verdictOn(source, sameBand(source));
    // Its first band has no place left; the others have.
    await verdictOn('u-4', { ...photo, face: [] });
    expect(await verdictOn('u-5', { ...cropped, picture: ['x', 'p1', 'x', 'x'] })).toMatchObject({
      seenBefore: ['selfie'],
    });
  });
});

describe('never counted as seen before', () => {
  async function nextRound(sourceId: string): Promise<InState<'queued'>> {
    const round = (await decided(sourceId)).round + 1;
    const fields = { round, missing: ['selfie' as const], landed: {}, dueAt: 9 };
    const awaiting = await world.verifications.move(await decided(sourceId), 'awaiting_captures', fields);
    if (awaiting.kind !== 'moved') throw new Error('awaiting');
    const landed = landedFor('spoof_detect', `v${round}`);
    const moved = await world.verifications.move(awaiting.verification, 'queued', {
      landed,
      provider: 'builtin',
      dueAt: 1,
    });
    if (moved.kind !== 'moved') throw new Error('queued');
    return moved.verification;
  }

  it('is a capture in later rounds of its own verification, even when another one has repeated it meanwhile', async () => {
    await verdictOn('u-1', photo, { outcome: 'recapture', ...refusing });
    world.advance(1);
    expect(await verdictOn('u-2', photo)).toMatchObject({ seenBefore: ['selfie'] });
    world.advance(1);
    await judge(await nextRound('u-1'), { selfie: reEncoded });
    expect((await decided('u-1')).verdict).toMatchObject({ outcome: 'passed' });
    expect((await decided('u-1')).verdict).not.toHaveProperty('seenBefore');
  });

  it('but a repeat stays one in its own later rounds', async () => {
    await verdictOn('u-1', photo);
    world.advance(1);
    await verdictOn('u-2', photo, { outcome: 'recapture', ...refusing });
    world.advance(1);
    await judge(await nextRound('u-2'), { selfie: photo });
    expect((await decided('u-2')).verdict).toMatchObject({ outcome: 'failed', reasons: ['capture_reused'] });
  });

  it('is an answer that is delivered again, or a second one of a worker that was thought dead', async () => {
    const record = await queued('u-1');
    await judge(record, { selfie: photo });
    const before = world.sightings.all();
    await judge(record, { selfie: photo });
    await judge(await decided('u-1'), { selfie: photo }, { attempt: 2 });
    expect((await decided('u-1')).verdict).not.toHaveProperty('seenBefore');
    expect(world.sightings.all()).toEqual(before);
  });

  it('is an answer that comes late contradicted by what only we know', async () => {
    await verdictOn('u-1', photo);
    const record = await queued('u-2', refusing);
    await judge(record, { selfie: photo });
    await judge(record, { selfie: photo }, { attempt: 2 });
    expect((await decided('u-2')).history.at(-1)).toMatchObject({ code: 'answer_late' });
  });
});

describe('two verifications of one capture at once', () => {
  it('both look before either decides: the later one to write looks again and sees the first', async () => {
    const [one, two] = [await queued('u-1', refusing), await queued('u-2', refusing)];
    // The second worker has looked and found nothing; before it decides, the first one does both.
    let looks = 0;
    const find: typeof world.sightings.find = async (places) => {
      looks += 1;
      const found = await world.sightings.find(places);
      if (looks === 1) await judge(one, { selfie: photo });
      return found;
    };
    await judge(two, { selfie: reEncoded }, { find });
    expect(looks).toBe(2);
    expect((await decided('u-1')).verdict).toMatchObject({ outcome: 'passed' });
    expect((await decided('u-2')).verdict).toMatchObject({ outcome: 'failed', reasons: ['capture_reused'] });
  });

  it('a worker that dies before it decides has written nothing, and its repeat decides as if it were the first', async () => {
    const record = await queued('u-1');
    const dies: typeof world.sightings.find = async () => {
      throw new Error('killed');
    };
    await expect(judge(record, { selfie: photo }, { find: dies })).rejects.toThrow('killed');
    expect(world.sightings.all()).toEqual([]);
    await judge(record, { selfie: photo });
    expect((await decided('u-1')).verdict).not.toHaveProperty('seenBefore');
  });
});

describe('erasure', () => {
  it('takes what a verification has written down with it, and nothing of another one', async () => {
    await verdictOn('u-1', photo);
    await verdictOn('u-2', photo);
    const tombstone = await eraseVerification(await decided('u-1'), world);
    expect(new Set(world.sightings.all().map(({ verificationId }) => verificationId))).toEqual(new Set([idOf('u-2')]));
    expect(await world.verifications.find(tombstone.verificationId)).not.toHaveProperty('sightings');
    expect(await verdictOn('u-3', photo)).toMatchObject({ seenBefore: ['selfie'] });
  });

  it('between looking and deciding leaves nothing behind: the decision is refused, and its places with it', async () => {
    const record = await queued('u-1');
    const find: typeof world.sightings.find = async (places) => {
      const found = await world.sightings.find(places);
      await eraseVerification(record, world);
      return found;
    };
    await judge(record, { selfie: photo }, { find });
    expect((await world.verifications.find(record.verificationId))?.state).toBe('erased');
    expect(world.sightings.all()).toEqual([]);
  });

  it('that was killed behind its tombstone is finished from the tombstone', async () => {
    await verdictOn('u-1', photo);
    const record = await decided('u-1');
    const moved = await world.verifications.move(record, 'erased', { dueAt: 1, sightings: record.sightings });
    if (moved.kind !== 'moved') throw new Error('erased');
    expect(world.sightings.all()).not.toEqual([]);
    await finishErasure(moved.verification, world);
    await finishErasure(moved.verification, world);
    expect(world.sightings.all()).toEqual([]);
  });

  it('is not needed where the record has come to its end: what it wrote down counts no more', async () => {
    await verdictOn('u-1', photo);
    world.advance(31 * 86_400);
    const purgeAt = Math.floor(world.now().getTime() / 1000) + 86_400;
    expect(await verdictOn('u-2', photo, { purgeAt })).not.toHaveProperty('seenBefore');
  });
});

it('writes down hashes under the key alone, and the id of the verification', async () => {
  await verdictOn('u-1', photo);
  for (const { place, verificationId } of world.sightings.all()) {
    expect(place).toMatch(/^[A-Za-z0-9_-]{22}\.0$/);
    expect(verificationId).toBe(idOf('u-1'));
  }
  expect(world.sightings.all()).toHaveLength(9);
});
