import { describe, expect, it } from 'vitest';
import type { State, Verification } from '../../shared/domain/verification.ts';
import { askAgainAfter, waitForRest, waitForUs } from '../../shared/lifecycle/wait.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

const landed = landedFor('spoof_detect');
const queued = { landed, provider: 'identify', dueAt: 1 } as const;
const fieldsOf = {
  queued,
  'asked, and waiting for the answer': { ...queued, attempt: 1, waitingFor: 'answer' },
  'asked, and waiting for a webhook': { ...queued, attempt: 1, waitingFor: 'webhook' },
} as const;

/** A verification that came as far as `moves` say, one after the other, and a clock that only sleeping moves. */
async function waiting(...moves: readonly (keyof typeof fieldsOf)[]) {
  const at = setup();
  let record: Verification = anAwaitingVerification();
  await at.verifications.create(record);
  const go = async (to: keyof typeof fieldsOf | 'errored') => {
    const { verification } =
      to === 'errored'
        ? mustMove(await at.verifications.move(record, 'errored', { landed, fault: 'provider_unreachable' }))
        : to === 'queued'
          ? mustMove(await at.verifications.move(record, 'queued', queued))
          : mustMove(await at.verifications.move(record, 'dispatched', fieldsOf[to]));
    record = verification;
  };
  for (const move of moves) await go(move);
  const world = { sleptSeconds: 0, after3s: async (): Promise<void> => undefined };
  const sleep = async (milliseconds: number) => {
    const before = world.sleptSeconds;
    world.sleptSeconds += milliseconds / 1000;
    at.advance(milliseconds / 1000);
    if (before < 3 && world.sleptSeconds >= 3) await world.after3s();
  };
  return { world, go, read: record, waits: { ...at, sleep, maximumWaitSeconds: 20 } };
}

function mustMove<Moved extends { kind: string }>(moved: Moved): Extract<Moved, { kind: 'moved' }> {
  if (moved.kind !== 'moved') throw new Error('lost');
  return moved as Extract<Moved, { kind: 'moved' }>;
}

describe('waiting', () => {
  it('answers as soon as the record rests, else as it is when the time is over', async () => {
    const { world, go, read, waits } = await waiting('queued');
    expect((await waitForUs(read, 1, waits)).state).toBe('queued');
    expect(world.sleptSeconds).toBeCloseTo(1);
    world.after3s = () => go('errored');
    const rested = await waitForUs(read, 20, waits);
    expect([rested.state, askAgainAfter(rested)]).toEqual(['errored', undefined]);
    expect(world.sleptSeconds).toBeLessThan(5);
    world.sleptSeconds = 0;
    await waitForUs(rested, 20, waits);
    expect(world.sleptSeconds).toBe(0);
  });

  it.each<[State, number, readonly (keyof typeof fieldsOf)[]]>([
    ['awaiting_captures', 1, []],
    ['dispatched', 5, ['queued', 'asked, and waiting for the answer', 'asked, and waiting for a webhook']],
  ])('is for us, never for a person or a vendor: %s is answered at once, to ask again after %i s', async (...row) => {
    const [state, seconds, moves] = row;
    const { world, read, waits } = await waiting(...moves);
    const answered = await waitForUs(read, 20, waits);
    expect([answered.state, askAgainAfter(answered), world.sleptSeconds]).toEqual([state, seconds, 0]);
  });

  it('goes on while a vendor is asked, and ends when that turns out to answer by webhook', async () => {
    const { world, go, read, waits } = await waiting('queued', 'asked, and waiting for the answer');
    world.after3s = () => go('asked, and waiting for a webhook');
    expect(await waitForUs(read, 20, waits)).toMatchObject({ state: 'dispatched', waitingFor: 'webhook' });
    expect(world.sleptSeconds).toBeGreaterThanOrEqual(3);
    expect(world.sleptSeconds).toBeLessThan(5);
  });

  it('of a call of a vendor’s API goes on while a webhook is awaited: such a call has one answer', async () => {
    const moves = ['queued', 'asked, and waiting for the answer', 'asked, and waiting for a webhook'] as const;
    const { world, read, waits } = await waiting(...moves);
    expect((await waitForRest(read, 20, waits)).state).toBe('dispatched');
    expect(world.sleptSeconds).toBeCloseTo(20);
  });

  it('keeps no caller longer than the deployment lets it, whatever was asked for', async () => {
    const { world, read, waits } = await waiting('queued');
    expect((await waitForUs(read, 20, { ...waits, maximumWaitSeconds: 10 })).state).toBe('queued');
    expect(world.sleptSeconds).toBeCloseTo(10);
  });
});
