import { afterEach, describe, expect, it, vi } from 'vitest';
import { type DueState, dueShards, dueStates, type Verifications } from '../../shared/domain/ports.ts';
import { sweepReserveSeconds } from '../../shared/domain/times.ts';
import { sweepVerifications } from '../../shared/lifecycle/overdue.ts';
import { shardOf } from '../../shared/stores/verifications.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

const record = anAwaitingVerification();

/** So many verifications whose captures did not come in time. */
async function manyOverdue(count: number) {
  const at = setup();
  for (let one = 0; one < count; one += 1)
    await at.verifications.create(anAwaitingVerification({ sourceId: `s-${one}` }));
  at.advance(7200);
  const left = () => at.verifications.all().filter(({ state }) => state === 'awaiting_captures');
  return { ...at, left };
}

afterEach(() => void vi.useRealTimers());

describe('the sweep', () => {
  it('does not let one bad record stand in another’s way, and says how long it is overdue', async () => {
    const at = setup();
    await at.verifications.create(record);
    await at.verifications.create(anAwaitingVerification({ sourceId: 'visit-8' }));
    at.advance(7200);
    const find = async (id: string) => {
      if (id === record.verificationId) throw new Error('throttled');
      return at.verifications.find(id);
    };
    expect(await sweepVerifications({ ...at, verifications: { ...at.verifications, find } })).toEqual({
      swept: 1,
      failed: 1,
      oldestOverdueSeconds: 3600,
    });
    expect(at.logged).toEqual(['sweep.failed']);
    expect(at.measured).toEqual([{ metric: 'OldestOverdueSeconds', value: 3600 }]);
  });

  it('leaves alone what is not due, or no longer', async () => {
    const at = setup();
    await at.verifications.create(record);
    expect(await sweepVerifications(at)).toEqual({ swept: 0, failed: 0, oldestOverdueSeconds: 0 });
    expect(at.sent).toEqual([]);
  });

  it('leaves nothing behind, however much has piled up: 1,500 in one, and one that always fails is alone left', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'Date'] });
    const at = await manyOverdue(1500);
    const began = Date.now();
    const request = () => new Promise((answered) => setTimeout(answered, 20));
    let under = 0;
    let most = 0;
    const taking =
      <Given extends unknown[], Answer>(call: (...given: Given) => Promise<Answer>) =>
      async (...given: Given): Promise<Answer> => {
        under += 1;
        most = Math.max(most, under);
        await request();
        under -= 1;
        return call(...given);
      };
    const { due, find, move } = at.verifications;
    const verifications: Verifications = { ...at.verifications, due: taking(due), move: taking(move) };
    const poisoned = at.left()[734]?.verificationId;
    const sweeping = sweepVerifications({
      ...at,
      verifications: {
        ...verifications,
        find: taking((id) => (id === poisoned ? Promise.reject(new Error('not a record')) : find(id))),
      },
      captures: { ...at.captures, oldest: taking(at.captures.oldest) },
      remainingMilliseconds: () => began + 50_000 - Date.now(),
    });
    await vi.runAllTimersAsync();
    expect(await sweeping).toEqual({ swept: 1499, failed: 1, oldestOverdueSeconds: 3600 });
    expect(at.left().map(({ verificationId }) => verificationId)).toEqual([poisoned]);
    expect(most).toBeLessThanOrEqual(50); // as many connections as a client opens: one that waits for one times out
  });

  it('ends before its time is up, and tells how far behind it is', async () => {
    const at = await manyOverdue(600);
    let remaining = 11_000;
    const find = (id: string) => {
      remaining -= 10;
      return at.verifications.find(id);
    };
    const swept = await sweepVerifications({
      ...at,
      verifications: { ...at.verifications, find },
      remainingMilliseconds: () => remaining,
    });
    expect(swept).toMatchObject({ failed: 0, oldestOverdueSeconds: 3600 });
    expect(remaining).toBeGreaterThan(1000 * sweepReserveSeconds - 500);
    expect(at.left()).toHaveLength(600 - swept.swept);
    expect(await sweepVerifications(at)).toMatchObject({ oldestOverdueSeconds: 0 });
    expect(at.left()).toEqual([]);
  });

  it('looks at every kind, also where one alone would fill its time', async () => {
    const at = await manyOverdue(2000);
    const queued = anAwaitingVerification({ sourceId: 'queued' });
    await at.verifications.create(queued);
    const { verificationId: id } = queued;
    const fields = { landed: landedFor('spoof_detect'), provider: 'builtin', dueAt: queued.dueAt };
    await at.verifications.move(queued, 'queued', fields);
    let remaining = 10_100;
    const find = (one: string) => {
      remaining -= 1;
      return at.verifications.find(one);
    };
    const verifications = { ...at.verifications, find };
    await sweepVerifications({ ...at, verifications, remainingMilliseconds: () => remaining });
    expect(at.sent, id).toEqual([['builtin', 2]]);
    expect(at.left().length).toBeGreaterThan(1000);
  });

  it('two at once do what one does', async () => {
    const at = await manyOverdue(300);
    const [one, other] = await Promise.all([sweepVerifications(at), sweepVerifications(at)]);
    expect([one.failed, other.failed]).toEqual([0, 0]);
    expect(at.left()).toEqual([]);
    const moves = at.verifications.all().map(({ sequence }) => sequence);
    expect(new Set(moves)).toEqual(new Set([2]));
  });

  it('sends no more messages again than a queue that is far behind can bear, and the longest overdue ones first', async () => {
    const at = setup();
    const seconds = at.now().getTime() / 1000;
    const inShard: number[] = [];
    for (let one = 0; one < 1200; one += 1) {
      const made = anAwaitingVerification({ sourceId: `s-${one}` });
      await at.verifications.create(made);
      const fields = { landed: landedFor('spoof_detect'), provider: 'builtin', dueAt: seconds + one };
      await at.verifications.move(made, 'queued', fields);
      if (shardOf(made.verificationId) === 0) inShard.push(seconds + one);
    }
    at.advance(7200);
    const again: number[] = [];
    const send = async (_: string, { verificationId }: { verificationId: string }) => {
      const found = await at.verifications.find(verificationId);
      if (found?.state === 'queued' && shardOf(verificationId) === 0) again.push(found.dueAt);
    };
    const { oldestOverdueSeconds } = await sweepVerifications({ ...at, send });
    expect(inShard.length).toBeGreaterThan(250);
    expect(again).toEqual(inShard.slice(0, 250));
    expect(oldestOverdueSeconds).toBe(0); // they wait in their queue, which has an alarm of its own
  });

  it('goes through every other partition where one cannot be read, and then fails', async () => {
    const at = await manyOverdue(40);
    const broken: readonly [DueState, number] = ['queued', 3];
    const asked: (readonly [DueState, number])[] = [];
    const due: Verifications['due'] = async (query) => {
      asked.push([query.state, query.shard]);
      if (query.state === broken[0] && query.shard === broken[1]) throw new Error('throttled');
      return at.verifications.due(query);
    };
    await expect(sweepVerifications({ ...at, verifications: { ...at.verifications, due } })).rejects.toThrow(
      'throttled',
    );
    expect(asked).toHaveLength(dueStates.length * dueShards);
    expect(at.left()).toEqual([]);
  });
});
