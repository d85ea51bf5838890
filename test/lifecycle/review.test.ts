import { describe, expect, it } from 'vitest';
import { brokenHistory } from '../../shared/domain/broken-history.ts';
import { eventOf } from '../../shared/domain/event.ts';
import type { Review, Verdict } from '../../shared/domain/verdict.ts';
import { type InState, maximumReviews } from '../../shared/domain/verification.ts';
import { announceChanges } from '../../shared/lifecycle/announce.ts';
import { decide } from '../../shared/lifecycle/decide.ts';
import { eraseVerification } from '../../shared/lifecycle/erase.ts';
import { requestCaptures } from '../../shared/lifecycle/next-round.ts';
import { reviewVerification } from '../../shared/lifecycle/review.ts';
import { writeResult } from '../../shared/providers/identify/speech.ts';
import { registry } from '../../shared/providers/registry.ts';
import { judgedIn } from '../../shared/providers/served.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

const failed: Verdict = {
  outcome: 'failed',
  confidence: 0.9,
  reasons: ['presentation_attack_suspected'],
  scores: { live: 0.1 },
  provider: 'builtin',
  policyVersion: 4,
};

const said = (sequence: number, overrides: Partial<Review> = {}): Review => ({
  sequence,
  outcome: 'passed',
  reason: 'The same person as on the ID, in poor light.',
  reviewer: 'r-17',
  ...overrides,
});

async function decided(
  at: ReturnType<typeof setup>,
  verdict = failed,
  overrides: Parameters<typeof anAwaitingVerification>[0] = {},
): Promise<InState<'decided'>> {
  const created = anAwaitingVerification(overrides);
  await at.verifications.create(created);
  const landed = landedFor('spoof_detect');
  const queued = await at.verifications.move(created, 'queued', { landed, provider: 'builtin', dueAt: 1 });
  if (queued.kind !== 'moved') throw new Error('queued');
  const attempts = [
    { attempt: 1, provider: 'builtin', round: 1, pass: 1, startedAt: created.createdAt, result: 'decided' as const },
  ];
  const result = await at.verifications.move(queued.verification, 'decided', { landed, verdict, attempts });
  if (result.kind !== 'moved') throw new Error('decided');
  return result.verification;
}

describe('reviewing', () => {
  it('puts the reviewer’s outcome in the place of the verdict, which stays beside it', async () => {
    const at = setup();
    const record = await decided(at);
    at.advance(60);
    const reviewed = await reviewVerification(record, said(3), at);
    expect(reviewed).toMatchObject({
      state: 'decided',
      sequence: 4,
      verdict: { outcome: 'passed', confidence: null, reasons: [], scores: {}, provider: 'review', policyVersion: 4 },
      review: said(3),
      first: { verdict: failed, at: record.updatedAt },
    });
    expect(reviewed.history.at(-1)).toMatchObject({ kind: 'moved', state: 'decided', outcome: 'passed', review: true });
    expect(JSON.stringify([reviewed.history, eventOf(record, reviewed)])).not.toMatch(/r-17|poor light/);
    expect(eventOf(record, reviewed)).toMatchObject({
      type: 'verification.superseded',
      state: 'decided',
      outcome: 'passed',
      sequence: 4,
      hash: reviewed.history.at(-1)?.hash,
    });
    expect(brokenHistory(reviewed)).toBeUndefined();
  });

  it('is of the sequence that the reviewer saw: of two the second is told, and the same one again moves nothing', async () => {
    const at = setup();
    const record = await decided(at);
    const reviewed = await reviewVerification(record, said(3), at);
    expect(await reviewVerification(record, said(3), at)).toEqual(reviewed); // its answer was lost
    expect(await reviewVerification(reviewed, said(3), at)).toEqual(reviewed);
    for (const other of [{ outcome: 'failed' }, { reason: 'Another.' }, { reviewer: 'r-18' }] as const) {
      await expect(reviewVerification(reviewed, said(3, other), at)).rejects.toMatchObject({ code: 'state_conflict' });
    }
    await expect(reviewVerification(record, said(2), at)).rejects.toMatchObject({
      code: 'state_conflict',
      status: 409,
    });
  });

  it('keeps the first verdict and the last review', async () => {
    const at = setup();
    const first = await reviewVerification(await decided(at), said(3), at);
    const second = await reviewVerification(first, said(4, { outcome: 'failed', reviewer: 'r-18' }), at);
    expect(second).toMatchObject({ sequence: 5, verdict: { outcome: 'failed' }, review: { reviewer: 'r-18' } });
    expect(second.first?.verdict).toEqual(failed);
    expect(JSON.stringify(second)).not.toContain('r-17');
    expect(brokenHistory(second)).toBeUndefined();
    for (const changed of [
      { ...second, review: said(4, { outcome: 'failed', reviewer: 'r-19' }) },
      { ...second, verdict: { ...second.verdict, outcome: 'passed' as const } },
    ]) {
      expect(brokenHistory(changed)).toMatchObject({ line: 5, detail: 'the review it gave is another' });
    }
    const altered = { ...failed, scores: { live: 0.9 } };
    const changed = {
      ...second,
      first: { verdict: altered, moveId: second.first?.moveId ?? '', at: second.updatedAt },
    };
    expect(brokenHistory(changed)).toMatchObject({ line: 3, detail: 'the verdict it gave is another' });
    const hidden = (({ first: _, review: __, ...rest }) => rest)(second);
    expect(brokenHistory(hidden)).toMatchObject({ line: 3 });
  });

  it(`is taken ${maximumReviews} times, so that the record stays small`, async () => {
    const at = setup();
    let record = await decided(at);
    for (let each = 0; each < maximumReviews; each += 1) {
      record = await reviewVerification(record, said(record.sequence), at);
    }
    await expect(reviewVerification(record, said(record.sequence), at)).rejects.toMatchObject({
      code: 'state_conflict',
    });
  });

  it('is refused of what is not decided, or not there', async () => {
    const at = setup();
    const awaiting = anAwaitingVerification();
    await at.verifications.create(awaiting);
    await expect(reviewVerification(awaiting, said(1), at)).rejects.toMatchObject({ code: 'state_conflict' });
    const erased = await eraseVerification(awaiting, at);
    await expect(reviewVerification(erased, said(2), at)).rejects.toMatchObject({ code: 'state_conflict' });
    await expect(reviewVerification(undefined, said(1), at)).rejects.toMatchObject({ code: 'verification_unknown' });
  });

  it('of a recapture decides it: no round is opened', async () => {
    const at = setup();
    const recapture = { ...failed, outcome: 'recapture' as const, reasons: ['too_dark' as const] };
    const reviewed = await reviewVerification(await decided(at, recapture), said(3), at);
    await expect(requestCaptures(reviewed, undefined, { ...at, registry } as never)).rejects.toMatchObject({
      code: 'state_conflict',
    });
  });

  it('leaves vendors’ later answers to be compared with the first verdict', async () => {
    const at = setup();
    const reviewed = await reviewVerification(await decided(at), said(3), at);
    const answer = { attempt: 1, provider: 'builtin', round: 1 };
    const finding = { outcome: 'failed' as const, confidence: 0.9, reasons: [], scores: {} };
    await decide(reviewed, { ...answer, finding }, at);
    await decide(reviewed, { ...answer, finding: { ...finding, outcome: 'passed' } }, at);
    const { history } = (await at.verifications.find(reviewed.verificationId)) as InState<'decided'>;
    expect(history.slice(-2).map(({ code }) => code)).toEqual(['answer_repeated', 'answer_contradictory']);
  });

  it('sends no result of a served request, and changes none that is still to be sent', async () => {
    const at = setup();
    const order = { sourceId: 'theirs', imageLink: 'https://images.example/1.jpg', webhookName: 'ours' };
    const record = await decided(at, failed, { served: 'identify', order, failedPosts: 0 });
    at.advance(60);
    const reviewed = await reviewVerification(record, said(3), at);
    expect(writeResult(reviewed)).toBe(writeResult(record));
    expect(judgedIn(reviewed)).toEqual(judgedIn(record));
    const put: unknown[] = [];
    const announcing = {
      ...at,
      put: async (events: readonly unknown[]) => {
        put.push(...events);
        return [];
      },
    };
    await announceChanges([{ sequenceNumber: '1', before: record, after: reviewed }], announcing);
    expect(put).toHaveLength(1);
    expect(at.ordered).toEqual([]);
  });

  it('has a subject’s failures follow what counts', async () => {
    const at = setup();
    const record = await decided(at, failed, { subject: 'a person' });
    const failures = () => at.verifications.failures({ subject: 'a person', since: new Date(0), limit: 5 });
    expect(await failures()).toHaveLength(1);
    const passed = await reviewVerification(record, said(3), at);
    expect(await failures()).toEqual([]);
    await reviewVerification(passed, said(4, { outcome: 'failed' }), at);
    expect(await failures()).toHaveLength(1);
  });

  it('is erased with the rest', async () => {
    const at = setup();
    const erased = await eraseVerification(await reviewVerification(await decided(at), said(3), at), at);
    expect(JSON.stringify(erased)).not.toMatch(/r-17|poor light|0\.1|digest/);
    expect(brokenHistory(erased)).toBeUndefined();
  });
});
