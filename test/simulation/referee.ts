import { brokenHistory, describeBroken } from '../../shared/domain/broken-history.ts';
import { type CaptureName, capturesOf, parseCaptureKey } from '../../shared/domain/captures.ts';
import type { EndpointEvent } from '../../shared/domain/endpoint.ts';
import type { Event } from '../../shared/domain/event.ts';
import { type FaultCode, faults } from '../../shared/domain/fault.ts';
import type { Pinned, Sighting } from '../../shared/domain/ports.ts';
import { type Outcome, ourselves, reviewed } from '../../shared/domain/verdict.ts';
import { attemptsPerPass, type InState, mayMove, type Verification } from '../../shared/domain/verification.ts';
import { nameOf } from '../builders/verification.ts';
import type { SimulatedProvider } from './circumstances.ts';
import type { Process } from './processes.ts';
import { pictureOf } from './vendors.ts';
import { webhookReferee } from './webhooks.ts';

/** Everything that may never be, in the words of the verdict. */
export const wrongs = [
  'illegal moves',
  'unfinished',
  'double decisions',
  'excess calls',
  'moves without an event',
  'events without a move',
  'event ids with two bodies',
  'doubled history entries',
  'histories broken',
  'answers passed over',
  'captures swapped',
  'captures lost',
  'reviews misplaced',
  'hand-offs misjudged',
  'videos misjudged',
  'repeats misjudged',
  'credits miscounted',
  'results lost',
  'results with two bodies',
  'webhooks lost',
  'webhooks not owed',
  'webhooks with two bodies',
  'webhooks unsigned',
  'receipts wrong',
  'verbs failed',
] as const;
export type Wrong = (typeof wrongs)[number];

export interface Violation {
  readonly wrong: Wrong;
  readonly what: string;
}

/** One move to `dispatched`: it entitles its process, and no other, to one call. */
interface Claim {
  readonly of: string;
  readonly provider: string;
  readonly pass: number;
  /** The version of the video that the provider is given. */
  readonly video: string | undefined;
  /** Epoch seconds from which on only a stalled worker is still without an answer: a call takes no longer. */
  readonly stalledFrom: number;
  calls: number;
  /** The vendor answered with a fault that asks for another call. */
  faulted: boolean;
  /** Epoch seconds at which its answer was recorded, or its worker ended without a change. */
  recordedAt: number | undefined;
}

/** An order as it is seen from outside. */
interface OrderSeen {
  refunds: number;
  /** What was posted. */
  body: string | undefined;
  /** Whether the webhook took it. */
  taken: boolean;
  /** Left to an operator. */
  givenUp: boolean;
}

/** What a video says, until when it was to be stored, and when it was. Milliseconds. */
interface Spoken {
  readonly says: string;
  readonly expiresAt: number;
  readonly storedAt: number;
}

/** A capture that a provider of ours has judged, in the order of decisions. */
interface Judged {
  readonly id: string;
  readonly picture: string;
}

/**
 * Watches one run from outside: the table's changes, the vendors' side of every call, the bus. It trusts nothing the
 * records say of themselves that it can count on its own.
 */
export function referee(providers: readonly SimulatedProvider[], seconds: () => number) {
  const violations: Violation[] = [];
  const latest = new Map<string, Verification>();
  const claims = new Map<string, Claim>();
  const claimOf = new Map<Process, Claim>();
  const decidedRounds = new Set<string>();
  const answers = new Set<string>();
  const moved = new Set<string>();
  const bodies = new Map<string, string>();
  /** Hashes that events told, by verification and sequence. */
  const anchors = new Map<string, Map<number, string>>();
  const versions = new Map<string, string>();
  /** Epoch seconds at which the first version of a capture was stored. */
  const storedAt = new Map<string, number>();
  const videos = new Map<string, Spoken>();
  const judged: Judged[] = [];
  const orders = new Map<string, OrderSeen>();
  /** Versions that erasures deleted, by verification. */
  const deleted = new Map<string, Set<string>>();
  const tally = {
    moves: 0,
    reviews: 0,
    calls: 0,
    stalls: 0,
    events: 0,
    accepted: 0,
    refunded: 0,
    posted: 0,
    givenUp: 0,
    left: 0,
  };

  const wrong = (kind: Wrong, what: string) => {
    violations.push({ wrong: kind, what });
  };
  const webhooks = webhookReferee(wrong);

  function claimed(after: Verification & { state: 'dispatched' }, process: Process | undefined): void {
    const provider = providers.find(({ name }) => name === after.provider);
    const claim: Claim = {
      of: `${after.sourceId} (${after.verificationId})`, // a source_id may have two records, of two versions
      provider: after.provider,
      pass: after.pass,
      video: after.landed.video?.versionId,
      stalledFrom: seconds() + (provider?.timeoutSeconds[after.check] ?? 0),
      calls: 0,
      faulted: false,
      recordedAt: undefined,
    };
    claims.set(`${after.verificationId} ${after.attempt}`, claim);
    if (process) claimOf.set(process, claim);
  }

  function moving(before: Verification, after: Verification): void {
    tally.moves += 1;
    const name = `${nameOf(before)} from ${before.state} (${before.sequence}) to ${after.state} (${after.sequence})`;
    moved.add(`evt_${after.verificationId}_${after.sequence}`);
    if (!mayMove(before.state, after.state)) wrong('illegal moves', name);
    if (after.sequence !== before.sequence + 1) wrong('illegal moves', `${name}: not one sequence further`);
    const reopened = before.state === 'decided' && after.state === 'awaiting_captures';
    if (after.round !== before.round + (reopened ? 1 : 0)) wrong('illegal moves', `${name}: round ${after.round}`);
    if (before.state === 'decided' && reopened && before.verdict.outcome !== 'recapture') {
      wrong('illegal moves', `${name}: no recapture was asked for`);
    }
    const leaseOver = after.state === 'dispatched' || after.history.at(-1)?.code === 'lease_expired';
    if (before.state === 'dispatched' && before.waitingFor === 'webhook' && leaseOver) {
      wrong('illegal moves', `${name}: it waited for a webhook, which no lease ends`);
    }
    if (before.state === 'awaiting_captures' && after.state === 'expired') expiring(before);
    if (after.state !== 'decided') return;
    if (before.state === 'decided') reviewing(before, after);
    else deciding(name, after);
  }

  /**
   * Nothing expires whose captures were all stored in time, whatever became of their events. An order ends before its
   * deadline where no image is fetched: what a stranger uploads while it does so may come too late.
   */
  function expiring({ verificationId, check, round, dueAt, sourceId, order }: InState<'awaiting_captures'>): void {
    if (order) return;
    const inTime = (name: CaptureName) => (storedAt.get(`${verificationId} ${round} ${name}`) ?? dueAt + 1) <= dueAt;
    if (capturesOf[check].every(inTime)) wrong('captures lost', `${sourceId} expires in round ${round}`);
  }

  function deciding(name: string, after: Verification & { state: 'decided' }): void {
    recognising(after);
    const round = `${after.verificationId} ${after.round}`;
    if (decidedRounds.has(round)) wrong('double decisions', `${after.sourceId} in round ${after.round}`);
    decidedRounds.add(round);
    if (after.verdict.provider === ourselves) decidedUnasked(after);
    else if (!answers.has(`${round} ${after.verdict.provider} ${after.verdict.outcome}`)) {
      wrong('illegal moves', `${name}: no vendor answered ${after.verdict.outcome} in round ${after.round}`);
    }
  }

  /** A reviewer decided: of the sequence that the review names, and what was decided first stays. */
  function reviewing(before: Verification & { state: 'decided' }, after: Verification & { state: 'decided' }): void {
    tally.reviews += 1;
    const { review, verdict, first } = after;
    const of = `${after.sourceId} reviewed at ${after.sequence}`;
    if (review?.sequence !== before.sequence) wrong('reviews misplaced', `${of}: the reviewer saw ${review?.sequence}`);
    if (verdict.outcome !== review?.outcome || verdict.provider !== reviewed) {
      wrong('reviews misplaced', `${of}: ${review?.outcome}, and ${verdict.outcome} counts`);
    }
    const expected = before.first?.verdict ?? before.verdict;
    if (JSON.stringify(first?.verdict) !== JSON.stringify(expected)) {
      wrong('reviews misplaced', `${of}: the first verdict is another`);
    }
  }

  /** No provider was asked: right where the video came after its digits had died, or says others than are asked for. */
  function decidedUnasked(after: Verification & { state: 'decided' }): void {
    const { sourceId, round, challenge, attempts, verdict } = after;
    const video = videos.get(after.landed.video?.versionId ?? '');
    const late = video && (video.says !== challenge || video.storedAt > video.expiresAt);
    const expired = verdict.outcome === 'recapture' && verdict.reasons.join() === 'challenge_expired';
    if (!late || !expired) wrong('videos misjudged', `${sourceId} in round ${round}: no provider was asked`);
    if (attempts.some((attempt) => attempt.round === round)) {
      wrong('illegal moves', `${sourceId} in round ${round}: decided without a provider though one was asked`);
    }
  }

  /**
   * Which captures were seen before, counted from outside: the order of decisions is the table's. An erasure under way
   * may still be found or not; what came after this verification's own first look accuses it of nothing.
   */
  function recognising({
    verificationId: id,
    landed,
    plan,
    verdict,
    tenant,
  }: Verification & { state: 'decided' }): void {
    if (providers.find(({ name }) => name === verdict.provider)?.answersBy !== 'response') return;
    for (const name of Object.keys(plan.seenBefore) as CaptureName[]) {
      const picture = `${tenant} ${name} ${pictureOf(landed[name]?.versionId ?? '')}`;
      const same = judged.filter((one) => one.picture === picture);
      const firstOwn = same.findIndex((one) => one.id === id);
      const before = firstOwn < 0 ? same : same.slice(0, firstOwn);
      const alive = before.filter((one) => latest.get(one.id)?.state !== 'erased');
      const told = verdict.seenBefore?.includes(name) ?? false;
      if (!told && firstOwn < 0 && alive.length > 0) wrong('repeats misjudged', `${id} repeats ${alive[0]?.id}`);
      if (told && before.length === 0) wrong('repeats misjudged', `${id} repeats none`);
      judged.push({ id, picture });
    }
  }

  /** A provider judges a video by the digits that its speaker was told, and that lived when it was stored. */
  function judges(challenge: string | undefined, claim: Claim): void {
    const video = videos.get(claim.video ?? '');
    if (!video) return;
    if (video.says !== challenge) {
      wrong('videos misjudged', `${claim.of} says ${video.says}, ${claim.provider} was asked for ${challenge}`);
    }
    // S3 tells the whole second.
    if (video.storedAt >= video.expiresAt + 1000)
      wrong('videos misjudged', `${claim.of} came after its digits had died`);
  }

  /** A credit was taken or given back, or an erasure forgot that it is to be. */
  function counting(before: Verification | undefined, after: Verification): void {
    const id = after.verificationId;
    if (!before) {
      if ('credit' in after && after.credit === 'taken')
        orders.set(id, { refunds: 0, body: undefined, taken: false, givenUp: false });
      return;
    }
    const seen = orders.get(id);
    if (before.state !== 'erased' && after.state === 'erased') {
      const owed = before.credit === 'taken' && ['awaiting_captures', 'errored', 'expired'].includes(before.state);
      if (owed !== (after.refundDue ?? false)) wrong('credits miscounted', `${id} erased while ${before.state}`);
      return;
    }
    const marked = before.state !== 'erased' && after.state !== 'erased' && before.credit !== after.credit;
    const forgotten = before.state === 'erased' && after.state === 'erased' && before.refundDue && !after.refundDue;
    if (!marked && !forgotten) return;
    if (seen) seen.refunds += 1;
    if (seen?.refunds !== 1) wrong('credits miscounted', `${id} refunded ${seen?.refunds} times`);
    if (after.state === 'decided') wrong('credits miscounted', `${id} was decided, and refunded`);
  }

  /** The first authentic answer decides: one that finds its round open may not be noted instead. */
  function noting(after: Verification): void {
    const entry = after.history.at(-1);
    if (!('attempts' in after) || entry?.kind !== 'noted' || entry.attempt === undefined) return;
    if (entry.code === 'fault_late') return; // a fault of an attempt that is over decides nothing
    const { round } = after.attempts.find(({ attempt }) => attempt === entry.attempt) ?? {};
    if (round === entry.round && (entry.state === 'queued' || entry.state === 'dispatched')) {
      wrong('answers passed over', `${after.sourceId}: attempt ${entry.attempt} while ${entry.state}`);
    }
  }

  /** What has landed stays what it was, until the next round. */
  function keepsCaptures(before: Verification, after: Verification): void {
    if (!('landed' in before) || !('landed' in after) || before.round !== after.round) return;
    if (before.landed.video && after.challenge !== before.challenge) {
      wrong('videos misjudged', `${after.sourceId} was given other digits though its video had landed`);
    }
    for (const [name, { versionId }] of Object.entries(before.landed)) {
      const now = after.landed[name as CaptureName]?.versionId;
      if (now !== versionId) wrong('captures swapped', `${after.sourceId}'s ${name}: ${versionId}, then ${now}`);
    }
  }

  /** Calls of one provider in one pass: one, one for every fault retried, one for every claim that was interrupted. */
  function countCalls(): void {
    const passes = new Map<string, { calls: number; allowed: number }>();
    for (const claim of claims.values()) {
      const key = `${claim.of}, ${claim.provider}, pass ${claim.pass}`;
      const pass = passes.get(key) ?? { calls: 0, allowed: 1 };
      const interrupted = claim.recordedAt === undefined || claim.recordedAt >= claim.stalledFrom;
      if (interrupted) tally.stalls += 1;
      pass.calls += claim.calls;
      pass.allowed += (claim.faulted ? 1 : 0) + (interrupted ? 1 : 0);
      passes.set(key, pass);
    }
    for (const [key, { calls, allowed }] of passes) {
      const most = Math.min(allowed, attemptsPerPass);
      if (calls > most) wrong('excess calls', `${key}: ${calls} calls, at most ${most} expected`);
    }
  }

  /** What a receipt says at the end: it is finished, and lists what was deleted. */
  function concludeErasure(record: InState<'erased'>): void {
    const listed = foundIn(record);
    // What it found may have been deleted by another worker: a landing that was noticed just before.
    const missing = [...(deleted.get(record.verificationId) ?? [])].filter((version) => !listed.includes(version));
    if (record.erasure?.finishedAt === undefined) wrong('receipts wrong', `${record.verificationId} is not finished`);
    if (missing.length > 0) wrong('receipts wrong', `${missing} were deleted, and are not listed`);
  }

  return {
    violations,
    latest: latest as ReadonlyMap<string, Verification>,
    tally,
    wrong,
    webhooks,

    changed(before: Verification | undefined, after: Verification, process: Process | undefined): void {
      latest.set(after.verificationId, after);
      webhooks.changed({ before, after });
      counting(before, after);
      if (!before) return;
      if (process) {
        const mine = claimOf.get(process);
        if (mine) mine.recordedAt ??= seconds();
      }
      const isMove = after.sequence !== before.sequence || after.state !== before.state;
      const written = after.state === 'erased' && isMove ? after.history.length : newEntries(before, after);
      if (written > 1 || (isMove && written !== 1)) {
        wrong('doubled history entries', `${nameOf(after)} at ${after.sequence}: ${written} lines for one change`);
      }
      keepsCaptures(before, after);
      if (!isMove) {
        if (written > 0) noting(after);
        return;
      }
      moving(before, after);
      if (after.state === 'dispatched') claimed(after, process);
    },

    /** A video was stored, which says what its client was told. */
    spoken(versionId: string, spoken: Spoken): void {
      videos.set(versionId, spoken);
    },

    /** The vendor was called. */
    called(verificationId: string, attempt: number, provider: string, challenge: string | undefined): void {
      tally.calls += 1;
      const claim = claims.get(`${verificationId} ${attempt}`);
      if (claim?.provider === provider) {
        claim.calls += 1;
        judges(challenge, claim);
      } else wrong('excess calls', `${provider} was called for attempt ${attempt}, which it never had`);
    },

    answered(verificationId: string, round: number, provider: string, outcome: Outcome): void {
      answers.add(`${verificationId} ${round} ${provider} ${outcome}`);
    },

    faulted(verificationId: string, attempt: number, code: FaultCode): void {
      const claim = claims.get(`${verificationId} ${attempt}`);
      if (claim && faults[code].attempt === 'retry') claim.faulted = true;
    },

    /** A provider was given these bytes: of one capture of one round it must always be the same version. */
    read({ verificationId, round, name, versionId }: Pinned): void {
      const capture = `${verificationId} ${round} ${name}`;
      const first = versions.get(capture) ?? versionId;
      if (first !== versionId) wrong('captures swapped', `${capture}: ${first}, then ${versionId}`);
      versions.set(capture, first);
    },

    /** A version lies in the bucket. */
    stored(key: string): void {
      const place = parseCaptureKey(key);
      const capture = place && `${place.verificationId} ${place.round} ${place.name}`;
      if (capture && !storedAt.has(capture)) storedAt.set(capture, seconds());
    },

    /** An erasure deletes this: its tombstone must say so by then, or a kill would leave a receipt that lacks it. */
    erasing(verificationId: string, versionId: string): void {
      deleted.set(verificationId, (deleted.get(verificationId) ?? new Set()).add(versionId));
      const record = latest.get(verificationId);
      if (record?.state !== 'erased' || !foundIn(record).includes(versionId))
        wrong('receipts wrong', `${versionId} is deleted, and not on the tombstone`);
      else if (record.dueAt === undefined)
        wrong('receipts wrong', `${verificationId} says that all is deleted, and something is`);
    },

    announced(event: Event | EndpointEvent): void {
      tally.events += 1;
      webhooks.told(event);
      if (!('sequence' in event)) return;
      const body = JSON.stringify(event);
      const before = bodies.get(event.id);
      if (before !== undefined && before !== body) wrong('event ids with two bodies', `${before} and ${body}`);
      bodies.set(event.id, body);
      const [, id = ''] = event.id.split('_');
      anchors.set(id, (anchors.get(id) ?? new Map()).set(event.sequence, event.hash ?? ''));
    },

    /** A result came to its webhook, which took it or not. */
    posted(body: string, taken: boolean): void {
      const { id } = JSON.parse(body) as { id: string };
      const seen = orders.get(id);
      if (!seen) {
        wrong('results lost', `${id} was never ordered, and is posted`);
        return;
      }
      if (seen.body !== undefined && seen.body !== body) wrong('results with two bodies', `${seen.body} and ${body}`);
      seen.body = body;
      seen.taken ||= taken;
    },

    givenUp(id: string, failedPosts: number): void {
      const seen = orders.get(id);
      if (seen) seen.givenUp = true;
      if (failedPosts !== 6) wrong('results lost', `${id} was given up after ${failedPosts} posts in vain`);
    },

    /** What must hold of orders at the end. */
    concludeOrders({ given, left }: { given: number; left: number }): void {
      let refunded = 0;
      for (const [id, { refunds, taken, givenUp }] of orders) {
        const record = latest.get(id);
        refunded += refunds;
        if (record?.state === 'erased') continue;
        if (record?.order && !record.order.givenUp) wrong('results lost', `${id} still waits to be posted`);
        if (taken) tally.posted += 1;
        else if (givenUp) tally.givenUp += 1;
        else wrong('results lost', `${id} is ${record?.state}, and was never posted`);
        if ((record?.state === 'decided') !== (refunds === 0)) {
          wrong('credits miscounted', `${id} is ${record?.state} and was refunded ${refunds} times`);
        }
      }
      tally.accepted += orders.size;
      tally.refunded += refunded;
      tally.left += left;
      if (given !== left + orders.size - refunded) {
        wrong('credits miscounted', `${given} given, ${left} left, ${orders.size} accepted, ${refunded} refunded`);
      }
    },

    ended(process: Process): void {
      const claim = claimOf.get(process);
      if (claim) claim.recordedAt ??= seconds();
    },

    /** Nothing moves any more: what must hold of every run at its end. */
    conclude(left: (verificationId: string) => number, sightings: readonly Sighting[]): void {
      countCalls();
      for (const { place, verificationId } of sightings) {
        const record = latest.get(verificationId);
        const known = record && record.state !== 'erased' && record.sightings?.includes(place);
        if (!known) wrong('unfinished', `${verificationId}: a place outlives ${record?.state}`);
      }
      for (const id of moved) if (!bodies.has(id)) wrong('moves without an event', id);
      for (const id of bodies.keys()) if (!moved.has(id)) wrong('events without a move', id);
      for (const record of latest.values()) {
        const { state, sequence, history } = record;
        const name = nameOf(record);
        const broken = brokenHistory(record, anchors.get(record.verificationId));
        if (broken) wrong('histories broken', `${name}: ${describeBroken(record, broken)}`);
        const due = 'dueAt' in record && record.dueAt !== undefined;
        if (due || ['awaiting_captures', 'queued', 'dispatched'].includes(state))
          wrong('unfinished', `${name}: ${state}`);
        if (record.state === 'erased') concludeErasure(record);
        if (left(record.verificationId) > 0) wrong('unfinished', `${name}: objects outlive ${state}`);
        const moves = history.filter(({ kind }) => kind === 'moved').map((entry) => entry.sequence);
        const complete = state === 'erased' ? 1 : sequence;
        if (
          new Set(moves).size < moves.length ||
          moves.length !== complete ||
          (state === 'erased' && history.length > 1)
        ) {
          wrong('doubled history entries', `${name} at ${sequence}: moves ${moves.join()}`);
        }
      }
    },
  };
}
export type Tally = Referee['tally'];
export type Referee = ReturnType<typeof referee>;

/** Versions that a tombstone says the erasure has found. */
function foundIn({ erasure }: InState<'erased'>): string[] {
  return (erasure?.versions ?? []).flatMap(({ versionId, foundAt }) => (foundAt === undefined ? [] : [versionId]));
}

/** Lines a change that is no erasure has added to the history. */
function newEntries(before: Verification, after: Verification): number {
  return after.history.length - before.history.length;
}
