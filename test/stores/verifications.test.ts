import { randomBytes } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenHistory } from '../../shared/domain/broken-history.ts';
import { accountFor, type Erasure, erasureOf } from '../../shared/domain/erasure.ts';
import {
  type Due,
  dueStates,
  type Listed,
  type ListQuery,
  type PageStart,
  type Verifications,
} from '../../shared/domain/ports.ts';
import type { Verdict } from '../../shared/domain/verdict.ts';
import {
  attemptsPerPass,
  type InState,
  maximumNotes,
  type State,
  states,
  transitions,
  type Verification,
} from '../../shared/domain/verification.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications, shardOf } from '../../shared/stores/verifications.ts';
import { anAwaitingVerification, landedFor, start } from '../builders/verification.ts';
import { memoryVerifications } from '../simulation/verifications.ts';
import { startTables } from './table.ts';

let clock = start.getTime();
let ids = 0;
const now = () => new Date(clock);
const newId = () => `id-${++ids}`;

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const verdict: Verdict = {
  outcome: 'recapture',
  confidence: null,
  reasons: ['too_dark'],
  scores: {},
  provider: 'builtin',
  policyVersion: 1,
};

let sources = 0;
const fresh = () => `source-${++sources}`;

async function awaitingIn(store: Verifications, overrides: Parameters<typeof anAwaitingVerification>[0] = {}) {
  const record = anAwaitingVerification({ sourceId: fresh(), ...overrides });
  expect((await store.create(record)).kind).toBe('created');
  return record;
}

function won<S extends State>(result: Awaited<ReturnType<Verifications['move']>>, state: S): InState<S> {
  if (result.kind !== 'moved' || result.verification.state !== state) throw new Error(`not moved to ${state}`);
  return result.verification as InState<S>;
}

async function queuedIn(store: Verifications, overrides = {}) {
  const record = await awaitingIn(store, overrides);
  const landed = landedFor('spoof_detect');
  return won(await store.move(record, 'queued', { landed, provider: 'builtin', dueAt: 1 }), 'queued');
}

async function dispatchedIn(store: Verifications, overrides = {}) {
  const queued = await queuedIn(store, overrides);
  return won(
    await store.move(queued, 'dispatched', {
      landed: queued.landed,
      provider: 'builtin',
      attempt: 1,
      waitingFor: 'answer',
      dueAt: 2,
      attempts: [{ attempt: 1, provider: 'builtin', round: 1, pass: 1, startedAt: now().toISOString() }],
    }),
    'dispatched',
  );
}

async function decidedIn(store: Verifications, overrides = {}) {
  const dispatched = await dispatchedIn(store, overrides);
  return won(await store.move(dispatched, 'decided', { landed: dispatched.landed, verdict }), 'decided');
}

/** A store, and its credits by tenant. */
interface Opened {
  readonly store: Verifications;
  readonly give: (tenant: string, credits: number) => Promise<unknown>;
  readonly left: (tenant: string) => Promise<number>;
}

function inMemory(): Opened {
  const credits = new Map<string, number>();
  return {
    store: memoryVerifications({ now, newId, credits }),
    give: async (tenant, given) => credits.set(tenant, (credits.get(tenant) ?? 0) + given),
    left: async (tenant) => credits.get(tenant) ?? 0,
  };
}

function inDynamo(): Opened {
  const { client } = tables;
  const tenants = dynamoTenants({ client, table: 'tenants', now, randomBytes });
  return {
    store: dynamoVerifications({ client, table: 'verifications', now, newId, tenantsTable: 'tenants' }),
    async give(tenant, given) {
      await tenants.create(tenant).catch(() => undefined);
      await tenants.addCredits(tenant, given);
    },
    left: tenants.creditsLeft,
  };
}

describe.each([
  ['memory', inMemory],
  ['DynamoDB', inDynamo],
])('verifications in %s', (_, open) => {
  let opened: Opened;
  let store: Verifications;
  beforeAll(() => {
    opened = open();
    store = opened.store;
  });
  const read = async (record: Verification) => (await store.find(record.verificationId)) as Verification;

  async function stillAwaiting(record: Verification): Promise<InState<'awaiting_captures'>> {
    const current = await read(record);
    if (current.state !== 'awaiting_captures') throw new Error('still awaiting');
    return current;
  }

  it('keeps what it was given, field by field', async () => {
    const record = await awaitingIn(store, { metadata: { visit: { room: 4 } }, check: 'photo_verify' });
    expect(await read(record)).toEqual(record);
  });

  it('answers a second making with the first record', async () => {
    const record = await awaitingIn(store);
    const again = await store.create({ ...record, moveId: 'another', requestHash: '0'.repeat(64) });
    expect(again).toEqual({ kind: 'exists', verification: record });
  });

  describe('an order that was paid with a credit', () => {
    const order = { sourceId: 'theirs', imageLink: 'https://images.example/1.jpg', webhookName: 'ours' };
    const paid = (tenant: string, overrides = {}) =>
      anAwaitingVerification({
        tenant,
        sourceId: fresh(),
        served: 'identify',
        order,
        failedPosts: 0,
        credit: 'taken',
        ...overrides,
      });
    let tenants = 0;
    async function withCredits(credits: number): Promise<string> {
      const tenant = `t-${++tenants}`;
      await opened.give(tenant, credits);
      return tenant;
    }
    async function madeIn(tenant: string) {
      const record = paid(tenant);
      expect(await store.createPaid(record)).toEqual({ kind: 'created', verification: record });
      return record;
    }
    async function erroredIn(tenant: string) {
      const record = await madeIn(tenant);
      const landed = landedFor('spoof_detect');
      const queued = won(await store.move(record, 'queued', { landed, provider: 'builtin', dueAt: 1 }), 'queued');
      return won(await store.move(queued, 'errored', { landed, fault: 'provider_failed', dueAt: 9 }), 'errored');
    }

    it('takes one credit with the record, none where there is a record, and makes none where no credit is left', async () => {
      const tenant = await withCredits(1);
      const record = await madeIn(tenant);
      expect(await opened.left(tenant)).toBe(0);
      expect(await store.createPaid(record)).toMatchObject({ verification: record }); // also without a credit
      expect(await store.createPaid({ ...record, moveId: 'another' })).toEqual({
        kind: 'exists',
        verification: record,
      });
      const other = paid(tenant);
      expect(await store.createPaid(other)).toEqual({ kind: 'unpaid' });
      expect(await store.find(other.verificationId)).toBeUndefined();
      expect(await store.createPaid(paid(`never-${tenant}`))).toEqual({ kind: 'unpaid' });
      expect(await opened.left(tenant)).toBe(0);
    });

    it('gives the credit back once, however many ask', async () => {
      const tenant = await withCredits(1);
      const errored = await erroredIn(tenant);
      const refunds = await Promise.all([1, 2, 3].map(() => store.refund(errored)));
      expect(refunds.map(({ kind }) => kind).sort()).toEqual(['lost', 'lost', 'moved']);
      expect(await opened.left(tenant)).toBe(1);
      const refunded = await read(errored);
      expect(refunded).toEqual({ ...errored, credit: 'refunded' });
      for (const lost of refunds) if (lost.kind === 'lost') expect(lost.current).toEqual(refunded);
    });

    it('gives it back once where an erasure was read before the refund, or the other way round', async () => {
      const tenant = await withCredits(2);
      const first = await erroredIn(tenant);
      await store.refund(first);
      const erasure = { dueAt: 5, refundDue: true } as const;
      expect((await store.move(first, 'erased', erasure)).kind).toBe('lost');
      const second = await erroredIn(tenant);
      const tombstone = won(await store.move(second, 'erased', erasure), 'erased');
      expect(await store.refund(second)).toEqual({ kind: 'lost', current: tombstone });
      expect(await opened.left(tenant)).toBe(1);
      expect((await store.refund(tombstone)).kind).toBe('moved');
      expect((await store.refund(tombstone)).kind).toBe('lost');
      expect(await opened.left(tenant)).toBe(2);
      const { refundDue: _, ...refunded } = tombstone;
      expect(await read(tombstone)).toEqual(refunded);
    });

    it('counts a post in vain once, and forgets link and webhook when it is over', async () => {
      const errored = await erroredIn(await withCredits(1));
      const counts = await Promise.all([1, 2].map(() => store.countPost(errored, { failedPosts: 1, dueAt: 70 })));
      expect(counts.map(({ kind }) => kind).sort()).toEqual(['lost', 'moved']);
      const counted = await read(errored);
      expect(counted).toEqual({ ...errored, failedPosts: 1, dueAt: 70 });
      await store.closeOrder(errored, 80); // as it was read before that
      const { order: _, failedPosts: __, ...closed } = errored;
      expect(await read(errored)).toEqual({ ...closed, dueAt: 80 });
      expect((await store.countPost(errored, { failedPosts: 1, dueAt: 90 })).kind).toBe('lost');
      await store.closeOrder(errored, undefined);
      expect(await read(errored)).not.toHaveProperty('dueAt');
    });

    it('gives up an order once, and keeps its link and webhook', async () => {
      const errored = await erroredIn(await withCredits(1));
      if (!errored.order) throw new Error('ordered');
      const ordered = { ...errored, order: errored.order };
      const fields = { failedPosts: 6, dueAt: undefined };
      const ends = await Promise.all([1, 2].map(() => store.giveUpOrder(ordered, fields)));
      expect(ends.map(({ kind }) => kind).sort()).toEqual(['lost', 'moved']);
      const { dueAt: _, ...rest } = ordered;
      expect(await read(errored)).toEqual({ ...rest, failedPosts: 6, order: { ...ordered.order, givenUp: true } });
    });

    it('does not bring back with a refund what was forgotten since it was read', async () => {
      const errored = await erroredIn(await withCredits(1));
      await store.closeOrder(errored, 80);
      expect((await store.refund(errored)).kind).toBe('moved');
      const { order: _, failedPosts: __, ...closed } = errored;
      expect(await read(errored)).toEqual({ ...closed, dueAt: 80, credit: 'refunded' });
    });

    it('keeps nothing of it in a tombstone', async () => {
      const record = await madeIn(await withCredits(1));
      const tombstone = won(await store.move(record, 'erased', { dueAt: 5 }), 'erased');
      expect(Object.keys(tombstone)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/order|credit|refund/)]),
      );
    });
  });

  it('knows nothing of an id it was never given', async () => {
    expect(await store.find('a'.repeat(26))).toBeUndefined();
  });

  it('moves: one sequence further, one line of history, only the fields of the new state', async () => {
    clock += 1000;
    const queued = await queuedIn(store);
    expect(queued).toMatchObject({ state: 'queued', sequence: 2, updatedAt: now().toISOString() });
    expect(queued).not.toHaveProperty('missing');
    expect(queued.history).toHaveLength(2);
    expect(await read(queued)).toEqual(queued);
  });

  it('makes a move again over notes that were written since its record was read, and covers them', async () => {
    const record = await awaitingIn(store);
    const landed = landedFor('spoof_detect');
    for (let each = 0; each < 3; each += 1) await store.note(record, 'capture_overwritten');
    const racing = Array.from({ length: maximumNotes - 3 }, () => store.note(record, 'capture_late'));
    const queued = won(await store.move(record, 'queued', { landed, provider: 'builtin', dueAt: 1 }), 'queued');
    await Promise.all(racing);
    const after = await read(record);
    expect(after).toMatchObject({ state: 'queued', sequence: 2, notes: maximumNotes });
    expect(brokenHistory(after)).toBeUndefined();
    const covered = queued.history.length - 2;
    expect(covered).toBeGreaterThanOrEqual(3);
    expect(after.history.slice(0, covered + 2)).toEqual(queued.history);
    const erased = won(await store.move(queued, 'erased', {}), 'erased'); // from before the notes that came after it
    expect(brokenHistory(erased)).toBeUndefined();
  });

  it('still loses a move to another, with or without notes beside it', async () => {
    const record = await awaitingIn(store);
    await store.note(record, 'capture_overwritten');
    const expired = won(await store.move(record, 'expired', {}), 'expired');
    await store.note(record, 'capture_late');
    expect(await store.move(record, 'erased', {})).toEqual({ kind: 'lost', current: await read(expired) });
  });

  it('tells the loser of a race what it lost to, and changes nothing for it', async () => {
    const record = await awaitingIn(store);
    const landed = landedFor('spoof_detect');
    const [one, two] = await Promise.all([
      store.move(record, 'queued', { landed, provider: 'builtin', dueAt: 1 }),
      store.move(record, 'expired', {}),
    ]);
    const [winner, loser] = one.kind === 'moved' ? [one, two] : [two, one];
    if (winner.kind !== 'moved' || loser.kind !== 'lost') throw new Error('exactly one must win');
    expect(loser.current).toEqual(winner.verification);
    expect(await read(record)).toEqual(winner.verification);
  });

  it('moves no record that was read at an earlier sequence, though the state is the same again', async () => {
    const first = await dispatchedIn(store);
    const back = won(
      await store.move(first, 'queued', { landed: first.landed, provider: 'builtin', dueAt: 3 }),
      'queued',
    );
    const second = won(
      await store.move(back, 'dispatched', {
        landed: back.landed,
        provider: 'builtin',
        attempt: 2,
        waitingFor: 'answer',
        dueAt: 4,
      }),
      'dispatched',
    );
    expect(await store.move(first, 'errored', { landed: first.landed, fault: 'provider_failed' })).toEqual({
      kind: 'lost',
      current: second,
    });
  });

  it('refuses a move the table of transitions does not have, before any request', async () => {
    const record = await awaitingIn(store);
    await expect(async () => store.move(record, 'decided', { landed: {}, verdict })).rejects.toThrow(
      'cannot move from awaiting_captures to decided',
    );
  });

  it('takes two captures landing at the same time: one is not the last, the other decides again and is', async () => {
    const record = await awaitingIn(store, { check: 'photo_verify' });
    const { selfie, id_card } = landedFor('photo_verify');
    const both = await Promise.all([
      store.land(record, { missing: ['id_card'], landed: { selfie } }),
      store.land(record, { missing: ['selfie'], landed: { id_card } }),
    ]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(['lost', 'moved']);
    const current = await read(record);
    if (current.state !== 'awaiting_captures') throw new Error('still awaiting');
    expect(current.sequence).toBe(1);
    expect(current.missing).toHaveLength(1);
    // Read before that landing: may not move to queued, or it would forget the other capture.
    const stale = await store.move(record, 'queued', { landed: { selfie }, provider: 'builtin', dueAt: 1 });
    expect(stale).toEqual({ kind: 'lost', current });
    expect(await store.move(record, 'expired', {})).toEqual({ kind: 'lost', current });
    const last = { landed: { selfie, id_card }, provider: 'builtin', dueAt: 1 };
    expect((await store.move(current, 'queued', last)).kind).toBe('moved');
  });

  it('puts new digits in the place of dead ones without moving, once, and never where the video has landed', async () => {
    const issued = (second: number, challengeNumber: number) => ({
      challenge: `12345${challengeNumber}`,
      challengeIssuedAt: `2026-01-01T00:00:0${second}.000Z`,
      challengeNumber,
      turn: { side: 'left' as const, second: challengeNumber },
    });
    const record = await awaitingIn(store, { check: 'video_verify', ...issued(0, 1) });
    const both = await Promise.all([store.renew(record, issued(1, 2)), store.renew(record, issued(2, 2))]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(['lost', 'moved']);
    const current = await stillAwaiting(record);
    expect(both.map((one) => (one.kind === 'moved' ? one.verification : one.current))).toEqual([current, current]);
    expect(current).toMatchObject({ sequence: 1, challengeNumber: 2, updatedAt: record.updatedAt });
    expect(current.history).toEqual(record.history);
    const { video, id_card } = landedFor('video_verify');
    // A landing read before the new digits does not bring the old ones back, and stops newer ones.
    const landing = await store.land(record, { missing: ['id_card'], landed: { video } });
    expect(landing).toMatchObject({ kind: 'moved', verification: { challengeIssuedAt: current.challengeIssuedAt } });
    expect((await store.renew(current, issued(3, 3))).kind).toBe('lost');
    const last = { landed: { video, id_card }, provider: 'builtin', dueAt: 1 };
    const queued = won(await store.move(await stillAwaiting(record), 'queued', last), 'queued');
    expect(queued).toMatchObject({ challenge: current.challenge, challengeNumber: 2, turn: { second: 2 } });
  });

  it('takes a step of a hand-off without moving, of two once, and keeps it through moves that were read before', async () => {
    const record = await awaitingIn(store);
    const offer = { state: 'offered', number: 1, codeHash: 'hash', expiresAt: 5 } as const;
    const offers = [store.handOff(record, offer), store.handOff(record, { ...offer, codeHash: 'other' })];
    expect((await Promise.all(offers)).map(({ kind }) => kind).sort()).toEqual(['lost', 'moved']);
    const offered = await stillAwaiting(record);
    expect(offered).toMatchObject({ sequence: 1, updatedAt: record.updatedAt, history: record.history });
    const claimed = { state: 'claimed', number: 1 } as const;
    const claims = [store.handOff(offered, claimed), store.handOff(offered, claimed)];
    expect((await Promise.all(claims)).map(({ kind }) => kind).sort()).toEqual(['lost', 'moved']);
    // The same state of another number is another step.
    expect((await store.handOff(offered, { state: 'taken_back', number: 2 })).kind).toBe('lost');
    const last = { landed: landedFor('spoof_detect'), provider: 'builtin', dueAt: 1 };
    const queued = won(await store.move(record, 'queued', last), 'queued');
    expect(queued).toMatchObject({ handOff: claimed });
    expect((await store.handOff(offered, { state: 'taken_back', number: 2 })).kind).toBe('lost');
    const ended = await store.handOff(queued, { state: 'taken_back', number: 2 });
    expect(ended).toMatchObject({ kind: 'moved', verification: { state: 'queued', sequence: 2 } });
  });

  it('accepts without moving, and then no takeover or failover read before it goes through', async () => {
    const claimed = await dispatchedIn(store);
    const accepted = await store.accept(claimed, { attempts: claimed.attempts, dueAt: 900 });
    if (accepted.kind !== 'moved') throw new Error('accepted');
    expect(accepted.verification).toMatchObject({ waitingFor: 'webhook', dueAt: 900, sequence: claimed.sequence });
    expect(accepted.verification.history).toEqual(claimed.history);
    const failover = { landed: claimed.landed, fault: 'lease_expired' as const };
    expect((await store.move(claimed, 'errored', failover)).kind).toBe('lost');
    const { landed, attempts, attempt, provider } = claimed;
    expect((await store.move(claimed, 'queued', { landed, attempts, provider, dueAt: 3 })).kind).toBe('lost');
    const takeover = { landed, attempts, attempt: attempt + 1, provider, waitingFor: 'answer', dueAt: 3 } as const;
    expect((await store.move(claimed, 'dispatched', takeover)).kind).toBe('lost');
    expect((await store.move(claimed, 'decided', { landed: claimed.landed, verdict })).kind).toBe('moved');
    expect((await store.accept(claimed, { attempts: claimed.attempts, dueAt: 901 })).kind).toBe('lost');
  });

  it('keeps a note made between reading and moving', async () => {
    const queued = await queuedIn(store);
    await store.note(queued, 'capture_overwritten');
    const moved = await store.move(queued, 'errored', { landed: queued.landed, fault: 'capture_missing' });
    if (moved.kind !== 'moved') throw new Error('moved');
    expect(moved.verification.history.map(({ code }) => code)).toEqual([
      undefined,
      undefined,
      'capture_overwritten',
      undefined,
    ]);
    expect(moved.verification.notes).toBe(1);
  });

  it('stops keeping notes at twenty and counts the rest; notes neither move nor touch the time', async () => {
    const queued = await queuedIn(store);
    for (let note = 0; note < maximumNotes + 5; note += 1) await store.note(await read(queued), 'answer_repeated');
    await store.note(queued, 'answer_repeated'); // read long ago
    const noted = await read(queued);
    expect(noted).toMatchObject({ notes: maximumNotes, notesDropped: 6, sequence: 2, updatedAt: queued.updatedAt });
    expect(noted.history).toHaveLength(2 + maximumNotes);
    expect(Buffer.byteLength(JSON.stringify(noted.history[5]))).toBeLessThan(300);
  });

  it('erases to a tombstone that takes no notes and moves nowhere', async () => {
    const record = await decidedIn(store, { metadata: { name: 'kept by the caller' } });
    const tombstone = won(await store.move(record, 'erased', { dueAt: 5 }), 'erased');
    await store.note(record, 'answer_late');
    await store.note(tombstone, 'answer_late');
    const stored = await read(record);
    expect(stored).toEqual(tombstone);
    expect(Object.keys(stored).sort()).toEqual(
      [
        'verificationId tenant check round sequence createdAt updatedAt purgeAt moveId',
        'history notes notesDropped state dueAt goesOnFrom',
      ]
        .join(' ')
        .split(' ')
        .sort(),
    );
    expect(stored.history).toEqual([expect.objectContaining({ state: 'erased', sequence: tombstone.sequence })]);
    await store.settle(tombstone);
    expect(await read(record)).not.toHaveProperty('dueAt');
    await store.settle(tombstone); // twice is once
    expect(await read(record)).not.toHaveProperty('dueAt');
  });

  it('puts on a tombstone what is about to be deleted, of two workers once, and settles it when neither has more', async () => {
    const keeping = { now: now(), keepsEtags: true, isVendor: () => true };
    const record = await decidedIn(store);
    const erasure = erasureOf(record, keeping);
    const tombstone = won(await store.move(record, 'erased', { dueAt: 5, erasure }), 'erased');
    const finding = (versionId: string, before?: Erasure) =>
      accountFor(before ?? erasure, [{ key: '1/selfie', versionId }], { now: now(), keepsEtags: true })
        .erasure as Erasure;
    const one = await store.writeDeletions(tombstone, { erasure: finding('late'), dueAt: 6 });
    const two = await store.writeDeletions(tombstone, { erasure: finding('other'), dueAt: 7 });
    expect([one.kind, two]).toEqual(['moved', { kind: 'lost', current: await read(record) }]);
    expect(await store.settle(tombstone)).toEqual({ kind: 'lost', current: await read(record) });
    expect(await read(record)).toMatchObject({ dueAt: 6, sequence: tombstone.sequence, erasure: { step: 1 } });
    const listed = won(one, 'erased');
    const settledOne = won(await store.settle(listed), 'erased');
    expect(settledOne).toEqual(await read(record));
    expect(settledOne.erasure).toMatchObject({ step: 2, finishedAt: now().toISOString() });
    expect(settledOne).not.toHaveProperty('dueAt');
    expect(await store.settle(listed)).toMatchObject({ kind: 'lost' });

    const more = { erasure: finding('later', settledOne.erasure), dueAt: 8 };
    const again = won(await store.writeDeletions(settledOne, more), 'erased');
    expect(again.erasure?.versions.map(({ versionId }) => versionId)).toContain('later');
    expect(again.erasure).not.toHaveProperty('finishedAt');
    expect(again).toEqual(await read(record));
  });

  it('writes the deadline of a move also where the sweep took the same one out meanwhile', async () => {
    const dispatched = await dispatchedIn(store);
    const dueAt = 4_000_000_000; // due in no other test
    const kept = { landed: dispatched.landed, verdict, dueAt };
    const recapture = won(await store.move(dispatched, 'decided', kept), 'decided');
    await store.settle(recapture);
    const round = { round: 2, missing: ['selfie' as const], landed: {}, dueAt };
    const reopened = won(await store.move(recapture, 'awaiting_captures', round), 'awaiting_captures');
    expect(reopened.dueAt).toBe(dueAt);
    expect(await read(recapture)).toMatchObject({ state: 'awaiting_captures', dueAt });
  });

  it('finds the failed verdicts of a subject, the latest first, and those of no other', async () => {
    const subject = `subject of ${_}`;
    const failedIn = async (verdictOf: Partial<Verdict>, of: { subject?: string } = { subject }) => {
      clock += 1000;
      const claimed = await dispatchedIn(store, of);
      const decision = { landed: claimed.landed, verdict: { ...verdict, ...verdictOf } };
      return won(await store.move(claimed, 'decided', decision), 'decided');
    };
    const before = now();
    const first = await failedIn({ outcome: 'failed' });
    await failedIn({ outcome: 'recapture' });
    await failedIn({ outcome: 'passed' });
    await failedIn({ outcome: 'failed' }, {});
    await failedIn({ outcome: 'failed' }, { subject: `another ${subject}` });
    const second = await failedIn({ outcome: 'failed' });
    await store.note(second, 'answer_repeated');
    const failures = (since: Date, limit = 5) => store.failures({ subject, since, limit });
    expect(await failures(before)).toEqual([second.updatedAt, first.updatedAt]);
    expect(await failures(before, 1)).toEqual([second.updatedAt]);
    expect(await failures(new Date(first.updatedAt))).toEqual([second.updatedAt]);
    await store.move(second, 'erased', {});
    expect(await failures(before)).toEqual([first.updatedAt]);
  });

  it('lists what was erased without its source_id', async () => {
    const tenant = `eraser-${_.length}`;
    await store.move(await awaitingIn(store, { tenant }), 'erased', {});
    const { items } = await store.list({ tenant, states: ['erased'], limit: 1 });
    expect(items).toHaveLength(1);
    expect(items[0]).not.toHaveProperty('sourceId');
  });

  it('makes every arrow of the table and no other', async () => {
    const reach: Record<State, (source: string) => Promise<Verification>> = {
      awaiting_captures: (source) => awaitingIn(store, { sourceId: source }),
      queued: (source) => queuedIn(store, { sourceId: source }),
      dispatched: (source) => dispatchedIn(store, { sourceId: source }),
      decided: (source) => decidedIn(store, { sourceId: source }),
      errored: async (source) => {
        const at = await queuedIn(store, { sourceId: source });
        return won(await store.move(at, 'errored', { landed: at.landed, fault: 'capture_missing' }), 'errored');
      },
      expired: async (source) =>
        won(await store.move(await awaitingIn(store, { sourceId: source }), 'expired', {}), 'expired'),
      erased: async (source) =>
        won(await store.move(await awaitingIn(store, { sourceId: source }), 'erased', {}), 'erased'),
    };
    const landed = landedFor('spoof_detect');
    const fields = {
      awaiting_captures: { missing: ['selfie' as const], landed: {}, dueAt: 99_999_999_999, round: 2 },
      queued: { landed, provider: 'builtin', dueAt: 1 },
      dispatched: { landed, provider: 'builtin', attempt: attemptsPerPass, waitingFor: 'answer' as const, dueAt: 1 },
      decided: { landed, verdict },
      errored: { landed, fault: 'capture_missing' as const },
      expired: {},
      erased: {},
    };
    for (const from of states) {
      for (const to of states) {
        const record = await reach[from](fresh());
        const legal = transitions[from].some((next) => next === to);
        const outcome = await (async () => store.move(record, to, fields[to] as never))().then(
          ({ kind }) => kind,
          () => 'refused',
        );
        expect(`${from} → ${to}: ${outcome}`).toBe(`${from} → ${to}: ${legal ? 'moved' : 'refused'}`);
      }
    }
  });

  it('lists a tenant’s verifications of one state, newest first, page by page', async () => {
    const tenant = `lister-${_.length}`;
    for (let day = 1; day <= 5; day += 1) {
      await awaitingIn(store, { tenant, createdAt: `2026-02-0${day}T00:00:00.000Z` });
    }
    await queuedIn(store, { tenant });
    const first = await store.list({ tenant, states: ['awaiting_captures'], limit: 3 });
    const second = await store.list({ tenant, states: ['awaiting_captures'], limit: 3, after: first.next });
    expect([...first.items, ...second.items].map(({ createdAt }) => createdAt.slice(0, 10))).toEqual([
      '2026-02-05',
      '2026-02-04',
      '2026-02-03',
      '2026-02-02',
      '2026-02-01',
    ]);
    expect(second.next).toBeUndefined();
    expect((await store.list({ tenant, states: ['queued'], limit: 3 })).items).toHaveLength(1);
    expect(Object.keys(first.items[0] ?? {})).not.toContain('history');
  });

  it('lists every state in one order, narrowed by time, check and outcome, every page full but the last', async () => {
    const tenant = `narrow-${_.length}`;
    const at = (second: number) => `2026-03-01T00:00:${String(second).padStart(2, '0')}.000Z`;
    // Two of every second, some of them of the same millisecond in the same state, some in another.
    for (let index = 0; index < 12; index += 1) {
      const overrides = { tenant, createdAt: at(Math.floor(index / 2)) };
      if (index % 3 === 0) await decidedIn(store, overrides);
      else if (index % 3 === 1) await awaitingIn(store, overrides);
      else await awaitingIn(store, { ...overrides, check: 'photo_verify' });
    }
    const pages = async (narrowed: Partial<ListQuery>) => {
      const found: Listed[][] = [];
      let after: PageStart | undefined;
      do {
        const page = await store.list({ tenant, states, limit: 5, ...narrowed, after });
        found.push(page.items);
        after = page.next;
      } while (after);
      return found;
    };
    const all = await pages({});
    expect(all.map(({ length }) => length)).toEqual([5, 5, 2]);
    const times = all.flat().map(({ createdAt }) => createdAt);
    expect(times).toEqual([...times].sort().reverse());
    expect(new Set(all.flat().map(({ verificationId }) => verificationId)).size).toBe(12);

    const sizes = async (narrowed: Partial<ListQuery>) => (await pages(narrowed)).map(({ length }) => length);
    expect(await sizes({ from: at(2), to: at(4) })).toEqual([4]);
    expect(await sizes({ check: 'photo_verify', limit: 3 })).toEqual([3, 1]);
    expect(await sizes({ outcome: 'recapture', states: ['decided'], limit: 2 })).toEqual([2, 2]);
    expect(await sizes({ outcome: 'failed', states: ['decided'] })).toEqual([0]);
    expect(await sizes({ states: ['awaiting_captures'], limit: 8 })).toEqual([8]);
  });

  it('finds what is due by state, overdue longest first, and nothing that rests', async () => {
    const late = await awaitingIn(store, { dueAt: 100 });
    const later = await awaitingIn(store, { dueAt: 200 });
    const future = await awaitingIn(store, { dueAt: 99_999_999_999 });
    const decided = await decidedIn(store);
    const due = async (at: number) => {
      const ids: string[] = [];
      for (const state of dueStates) {
        for (let shard = 0; shard < 4; shard += 1) {
          const page = await store.due({ state, shard, now: new Date(at * 1000), limit: 500 });
          ids.push(...page.map(({ verificationId }) => verificationId));
        }
      }
      return ids;
    };
    const found = await due(300);
    expect(found).toEqual(expect.arrayContaining([late.verificationId, later.verificationId]));
    expect(found).not.toContain(future.verificationId);
    expect(found).not.toContain(decided.verificationId);
    const shard = shardOf(late.verificationId);
    const inShard = await store.due({ state: 'awaiting_captures', shard, now: new Date(300_000), limit: 1 });
    expect(inShard).toEqual([{ verificationId: late.verificationId, dueAt: 100 }]);
  });

  it('goes on with what is due behind the last of a page, also where that has moved meanwhile', async () => {
    const dueAt = [100, 100, 100, 200, 300];
    for (const one of dueAt) await awaitingIn(store, { dueAt: one });
    const now = new Date(300_000);
    let found = 0;
    for (let shard = 0; shard < 4; shard += 1) {
      const all = await store.due({ state: 'awaiting_captures', shard, now, limit: 500 });
      const paged: Due[] = [];
      let page: readonly Due[] = [];
      do {
        page = await store.due({ state: 'awaiting_captures', shard, now, limit: 2, after: page.at(-1) });
        paged.push(...page);
        const last = page.at(-1);
        const record = last && (await store.find(last.verificationId));
        if (record?.state === 'awaiting_captures') await store.move(record, 'expired', {});
      } while (page.length === 2);
      expect(paged).toEqual(all);
      found += paged.length;
    }
    expect(found).toBeGreaterThanOrEqual(dueAt.length);
  });
});

it('reads a tombstone that still has a source_id, as an earlier version left it, and forgets it with the next erasure', async () => {
  const store = dynamoVerifications({ client: tables.client, table: 'verifications', now, newId });
  const record = await awaitingIn(store);
  const tombstone = won(await store.move(record, 'erased', { dueAt: 5 }), 'erased');
  const key = marshall({ verificationId: record.verificationId });
  const rowOf = async () =>
    (await tables.client.send(new GetItemCommand({ TableName: 'verifications', Key: key }))).Item ?? {};
  await tables.client.send(
    new PutItemCommand({ TableName: 'verifications', Item: { ...(await rowOf()), sourceId: { S: record.sourceId } } }),
  );
  expect(await store.find(record.verificationId)).toEqual(tombstone);
  await store.settle(tombstone);
  expect(await rowOf()).toMatchObject({ state: { S: 'erased' } });
  expect(JSON.stringify(await rowOf())).not.toContain(record.sourceId);
});

it('leaves nothing in the row of a hand-off that began after the record was read to be erased', async () => {
  const store = dynamoVerifications({ client: tables.client, table: 'verifications', now, newId });
  const read = await awaitingIn(store);
  const offer = { state: 'offered', number: 1, codeHash: 'hash', expiresAt: 5 } as const;
  expect((await store.handOff(read, offer)).kind).toBe('moved');
  won(await store.move(read, 'erased', { dueAt: 5 }), 'erased');
  const Key = marshall({ verificationId: read.verificationId });
  const { Item } = await tables.client.send(new GetItemCommand({ TableName: 'verifications', Key }));
  expect(Object.keys(Item ?? {})).toContain('state');
  expect(Item).not.toHaveProperty('handOff');
  expect((await store.handOff(read, { ...offer, number: 2 })).kind).toBe('lost');
});

it('knows its own move again when the answer to the winning write was lost', async () => {
  const client = new DynamoDBClient({ region: 'us-east-1' });
  const dynamo = mockClient(client);
  const store = dynamoVerifications({ client, table: 'verifications', now, newId: () => 'mine' });
  const from = anAwaitingVerification();
  const landed = landedFor('spoof_detect');
  const winner = { ...from, state: 'queued', sequence: 2, moveId: 'mine', landed, provider: 'builtin', dueAt: 1 };
  dynamo.on(UpdateItemCommand).rejects(
    new ConditionalCheckFailedException({
      message: 'The conditional request failed',
      $metadata: {},
      Item: marshall(winner, { removeUndefinedValues: true }),
    }),
  );
  const result = await store.move(from, 'queued', { landed, provider: 'builtin', dueAt: 1 });
  expect(result).toMatchObject({ kind: 'moved', verification: { state: 'queued', sequence: 2 } });
});
