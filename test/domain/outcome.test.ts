import { describe, expect, it } from 'vitest';
import { hasRole } from '../../shared/domain/operator.ts';
import { keptOutcome, outcomeOf } from '../../shared/domain/outcome.ts';
import { moved, type Verification } from '../../shared/domain/verification.ts';
import { anAwaitingVerification, landedFor, start } from '../builders/verification.ts';

const at = (seconds: number, moveId: string) => ({ at: new Date(start.getTime() + seconds * 1000), moveId });
const landed = landedFor('spoof_detect');
const verdict = {
  outcome: 'failed' as const,
  confidence: 0.9,
  reasons: ['presentation_attack_suspected' as const],
  scores: {},
  provider: 'builtin',
  policyVersion: 1,
};

function decided(retries = 0) {
  const queued = moved(
    anAwaitingVerification(),
    'queued',
    { landed, provider: 'builtin', dueAt: 0, retries },
    {},
    at(1, 'm-1'),
  );
  return { queued, decided: moved(queued, 'decided', { landed, verdict }, {}, at(3.5, 'm-2')) };
}

describe('an outcome', () => {
  it('is what was decided, with the seconds from the last landing', () => {
    const { queued, decided: after } = decided();
    const outcome = outcomeOf(queued, after);
    expect(outcome).toMatchObject({
      ...{ tenant: 'acme', at: after.updatedAt, check: 'spoof_detect', outcome: 'failed', provider: 'builtin' },
      ...{ reasons: ['presentation_attack_suspected'], seconds: 3.5 },
    });
    expect(keptOutcome.parse(outcome)).toEqual(outcome);
  });

  it('is what errored, with the provider that was asked last', () => {
    const { queued } = decided();
    const attempts = [{ attempt: 1, provider: 'identify', round: 1, pass: 1, startedAt: queued.updatedAt }];
    const errored = moved(queued, 'errored', { landed, fault: 'provider_refused', attempts }, {}, at(2, 'm-3'));
    const expected = { outcome: 'errored', fault: 'provider_refused', provider: 'identify', reasons: [] };
    expect(outcomeOf(queued, errored)).toMatchObject(expected);
  });

  it('has no seconds after a retry: a person waited in between', () => {
    const { queued, decided: after } = decided(1);
    expect(outcomeOf(queued, after)?.seconds).toBeNull();
  });

  it('is none of a review, a note, an erasure or any other move', () => {
    const { queued, decided: after } = decided();
    const review = { ...after, sequence: 4, moveId: 'm-4' };
    const erased = moved(after, 'erased', {}, {}, at(9, 'm-5'));
    const others: [Verification, Verification][] = [
      [after, review],
      [after, after],
      [after, erased],
      [anAwaitingVerification(), queued],
    ];
    for (const [before, then] of others) expect(outcomeOf(before, then)).toBeUndefined();
  });

  it('has the id of its move, the same each time, and leads to no record: not even to the tombstone', () => {
    const { queued, decided: after } = decided();
    const outcome = outcomeOf(queued, after);
    expect(outcomeOf(queued, after)).toEqual(outcome);
    expect(outcomeOf(queued, { ...after, moveId: 'another' })?.id).not.toBe(outcome?.id);
    const erased = moved(after, 'erased', {}, {}, at(9, 'm-5'));
    expect(JSON.stringify(erased)).not.toContain('m-2');
    for (const known of [after.verificationId, after.sourceId]) expect(JSON.stringify(outcome)).not.toContain(known);
  });
});

it('a reviewer may whatever a viewer may, and not the other way round', () => {
  const may = (['viewer', 'reviewer'] as const).map((role) => [hasRole(role, 'viewer'), hasRole(role, 'reviewer')]);
  expect(may).toEqual([
    [true, false],
    [true, true],
  ]);
});
