import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../shared/domain/endpoint.ts';
import type { Event } from '../../shared/domain/event.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import { announceChanges, type Change } from '../../shared/lifecycle/announce.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

describe('announcing', () => {
  const moved = (sequence: number, state: Verification['state'] = 'queued'): Change => {
    const before = anAwaitingVerification({ sequence: sequence - 1 });
    const fields = {
      sequence,
      state,
      landed: landedFor('spoof_detect'),
      provider: 'builtin',
      fault: 'capture_missing',
    };
    return { sequenceNumber: String(sequence), before, after: { ...before, ...fields } as Verification };
  };
  const surroundings = setup();

  it('announces moves, and nothing else that changes a record', async () => {
    const put: (Event | EndpointEvent)[] = [];
    const noted = { ...moved(2), after: moved(2).before };
    const created = { ...moved(2), before: undefined };
    const purged = { ...moved(2), after: undefined };
    await announceChanges([created, moved(2), noted, moved(3, 'errored'), purged], {
      ...surroundings,
      put: async (events) => {
        put.push(...events);
        return [];
      },
    });
    expect(put.map(({ type }) => type)).toEqual(['verification.queued', 'verification.errored']);
  });

  it('names what was erased by the source_id it had, in the same words each time', async () => {
    const at = setup();
    const before = anAwaitingVerification({ sourceId: 'u-42' });
    await at.verifications.create(before);
    const erased = await at.verifications.move(before, 'erased', {});
    if (erased.kind !== 'moved') throw new Error('moved');
    expect(JSON.stringify(erased.verification)).not.toContain('u-42');
    const put: (Event | EndpointEvent)[] = [];
    const change: Change = { sequenceNumber: '1', before, after: erased.verification };
    for (let time = 0; time < 2; time += 1) {
      const puts = async (events: (Event | EndpointEvent)[]) => {
        put.push(...events);
        return [];
      };
      await announceChanges([change], { ...at, put: puts });
    }
    expect(put[0]).toMatchObject({ type: 'verification.erased', source_id: 'u-42', sequence: 2 });
    expect(put[1]).toEqual(put[0]);
  });

  it('puts ten at a time and only the refused ones again', async () => {
    const puts: number[] = [];
    const result = await announceChanges(
      Array.from({ length: 23 }, (_, index) => moved(index + 2)),
      {
        put: async (events) => {
          puts.push(events.length);
          return events.length === 10 && puts.length === 1 ? [3, 7] : [];
        },
        ...surroundings,
      },
    );
    expect(result).toEqual({ failed: undefined });
    expect(puts).toEqual([10, 2, 10, 3]);
  });

  it('hands back the first change it could not announce', async () => {
    const changes = [moved(2), moved(3), moved(4)];
    expect(
      await announceChanges(changes, {
        put: async (events) => (events.length === 3 ? [1, 2] : events.map((_, index) => index)),
        ...surroundings,
      }),
    ).toEqual({
      failed: '3',
    });
    const throwing = async () => {
      throw new Error('bus');
    };
    expect(await announceChanges(changes, { ...surroundings, put: throwing })).toEqual({ failed: '2' });
  });

  it('hands on what is owed of an order when it comes to rest, before the events, and again where it cannot', async () => {
    const at = setup();
    const order = { sourceId: 'theirs', imageLink: 'https://images.example/1.jpg', webhookName: 'ours' };
    const owing = { order, failedPosts: 0, credit: 'taken' as const };
    const rests = (change: Change): Change => ({ ...change, after: { ...change.after, ...owing } as Verification });
    const erased = { ...moved(5).before, state: 'erased', sequence: 5, refundDue: true } as Verification;
    const changes = [moved(2), rests(moved(3)), rests(moved(4, 'errored')), { ...moved(5), after: erased }];
    const put = async () => [];
    await announceChanges(changes, { ...at, put });
    expect(at.ordered).toEqual(['deliver after 0 in 0 s', 'deliver after 0 in 0 s']);
    const deliver = async () => {
      throw new Error('queue');
    };
    let puts = 0;
    const counted = async () => {
      puts += 1;
      return [];
    };
    expect(await announceChanges(changes, { ...at, put: counted, orders: { deliver } })).toEqual({ failed: '2' });
    expect(puts).toBe(0);
  });

  it('keeps what was decided or errored for the console before the bus is told, and no other move', async () => {
    const at = setup();
    await announceChanges([moved(2), moved(3, 'errored')], { ...at, put: async () => [] });
    expect(at.outcomes.all()).toMatchObject([{ outcome: 'errored', fault: 'capture_missing', tenant: 'acme' }]);
  });

  it('has the batch handed over again where an outcome could not be kept', async () => {
    const put = async () => Promise.reject(new Error('told'));
    const outcomes = { keep: async () => Promise.reject(new Error('throttled')) };
    expect(await announceChanges([moved(3, 'errored')], { ...setup(), outcomes, put })).toEqual({ failed: '3' });
  });
});
