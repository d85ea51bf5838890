import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../shared/domain/endpoint.ts';
import { type Event, eventOf } from '../../shared/domain/event.ts';
import type { Verdict } from '../../shared/domain/verdict.ts';
import type { Changes, FieldsOf, Remark, State, Unerased, Verification } from '../../shared/domain/verification.ts';
import { announceAgain, announceChanges, type Change } from '../../shared/lifecycle/announce.ts';
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

describe('announcing again', () => {
  const everything = { since: '2000-01-01T00:00:00.000Z', until: '2100-01-01T00:00:00.000Z' };

  /** A record of every kind of move, and the events that its changes were. */
  async function aLongLife() {
    const at = setup();
    const changes: Change[] = [];
    const move = async <S extends State>(to: S, fields: FieldsOf<S> & Changes, remark: Remark = {}) => {
      const before = await at.verifications.find(made.verificationId);
      if (!before) throw new Error('gone');
      const result = await at.verifications.move(before, to, fields, remark);
      if (result.kind !== 'moved') throw new Error('lost');
      changes.push({ sequenceNumber: String(changes.length), before, after: result.verification });
      at.advance(60);
    };
    const made = anAwaitingVerification({ livemode: false });
    await at.verifications.create(made);
    const landed = landedFor('spoof_detect');
    const verdict: Verdict = {
      outcome: 'recapture',
      confidence: null,
      reasons: [],
      scores: {},
      provider: 'builtin',
      policyVersion: 1,
    };
    await move('queued', { landed, provider: 'builtin', dueAt: 1 });
    await move('dispatched', { landed, provider: 'builtin', attempt: 1, waitingFor: 'answer', dueAt: 1 });
    await move('decided', { landed, verdict }, { outcome: 'recapture' });
    await move('awaiting_captures', { missing: ['selfie'], landed: {}, dueAt: 1, round: 2 });
    await move('queued', { landed, provider: 'builtin', dueAt: 1 });
    await move('errored', { landed, fault: 'provider_failed' }, { code: 'provider_failed' });
    await move('queued', { landed, provider: 'builtin', dueAt: 1 });
    await move('dispatched', { landed, provider: 'builtin', attempt: 2, waitingFor: 'answer', dueAt: 1 });
    await move('decided', { landed, verdict: { ...verdict, outcome: 'failed' } }, { outcome: 'failed' });
    const review = { outcome: 'passed', reason: 'as it looks', reviewer: 'r-1', sequence: 10 } as const;
    await move(
      'decided',
      { landed, verdict: { ...verdict, outcome: 'passed' }, review },
      { outcome: 'passed', review: true },
    );
    const record = changes.at(-1)?.after;
    if (!record || record.state === 'erased') throw new Error('erased');
    const events = changes.map(({ before, after }) => eventOf(before as Unerased, after as Verification));
    return { at, changes, record, events };
  }

  const collecting = () => {
    const put: unknown[] = [];
    return {
      told: put,
      put: async (events: readonly unknown[]) => {
        put.push(...events);
        return [];
      },
    };
  };

  it('tells every move in the words in which it was told, from the record alone', async () => {
    const { at, record, events } = await aLongLife();
    const { told, put } = collecting();
    expect(await announceAgain(record, everything, { ...at, put })).toEqual({ announced: 10, unnamed: 0 });
    expect(told).toEqual(events);
  });

  it('tells what happened within the span alone', async () => {
    const { at, record, events } = await aLongLife();
    const { told, put } = collecting();
    const [since = '', until = ''] = [events[2]?.occurred_at, events[4]?.occurred_at];
    expect(await announceAgain(record, { since, until }, { ...at, put })).toMatchObject({ announced: 2 });
    expect(told).toEqual(events.slice(2, 4));
  });

  it('of an erased one tells that there is something that it cannot name', async () => {
    const { at, record } = await aLongLife();
    const erased = await at.verifications.move(record, 'erased', {});
    if (erased.kind !== 'moved') throw new Error('moved');
    const { told, put } = collecting();
    expect(await announceAgain(erased.verification, everything, { ...at, put })).toEqual({ announced: 0, unnamed: 1 });
    expect(told).toEqual([]);
  });

  it('fails where the bus takes one not, so that it is done again', async () => {
    const { at, record } = await aLongLife();
    const put = async () => [0];
    await expect(announceAgain(record, everything, { ...at, put })).rejects.toThrow(/The bus did not take evt_.*_2:/);
  });
});
