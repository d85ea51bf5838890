import { eventOf, eventsOfHistory } from '../domain/event.ts';
import { Fault } from '../domain/fault.ts';
import { outcomeOf } from '../domain/outcome.ts';
import type { Log, Measure, Orders, Outcomes, PutEvents } from '../domain/ports.ts';
import { owesRefund, type Verification } from '../domain/verification.ts';
import { isResting, owesOrder, owesResult } from './keep.ts';
import { measurementsOf } from './measure.ts';
import { type Move, type TellingEndpoints, tellEndpoints } from './tell-endpoints.ts';

/** One change of the verifications table: the record as it was and as it became. */
export interface Change {
  readonly sequenceNumber: string;
  readonly before: Verification | undefined;
  readonly after: Verification | undefined;
}

export interface Announcing extends TellingEndpoints {
  readonly put: PutEvents;
  readonly orders: Pick<Orders, 'deliver'>;
  readonly outcomes: Pick<Outcomes, 'keep'>;
  readonly log: Log;
  readonly measure: Measure;
}

type Putting = Pick<Announcing, 'put'> & { readonly log: Pick<Log, 'error'> };

const perPut = 10;
const triesPerBatch = 3;

/**
 * Every move in these changes becomes one event, in the table's order. Answers the first change that could not be
 * announced: the stream hands over everything from there again, and a repeat carries the same id and body. What was
 * announced is measured.
 */
export async function announceChanges(
  changes: readonly Change[],
  dependencies: Announcing,
): Promise<{ failed: string | undefined }> {
  const { moves, unknown } = movesIn(changes, dependencies.log);
  const refused = await announceMoves(changes[0]?.sequenceNumber, moves, dependencies);
  const announced = moves.findIndex(({ sequenceNumber }) => sequenceNumber === refused);
  const measured = refused === undefined ? moves : moves.slice(0, Math.max(0, announced));
  for (const measurement of measured.flatMap(measurementsOf)) dependencies.measure(measurement);
  return { failed: refused ?? unknown };
}

/**
 * Orders that came to rest are handed on first, then the tenant's endpoints are told and outcomes kept for the console,
 * and the bus last: what it refuses holds up none of them. Answers where the stream is to begin again.
 */
async function announceMoves(
  begin: string | undefined,
  moves: readonly (Move & { readonly sequenceNumber: string })[],
  dependencies: Announcing,
): Promise<string | undefined> {
  const { orders, outcomes, log } = dependencies;
  try {
    for (const id of moves.flatMap(orderIn)) await orders.deliver({ verificationId: id, failedPosts: 0 });
    await tellEndpoints(moves, dependencies);
    const decided = moves.flatMap(({ before, after }) => outcomeOf(before, after) ?? []);
    await Promise.all(decided.map(outcomes.keep));
  } catch (error) {
    log.error('announce.failed', error);
    return begin; // none of the events is put yet
  }
  return (await putEach(moves, dependencies))?.sequenceNumber;
}

/** What happened between these times, ISO 8601, the second not among it. */
export interface Span {
  readonly since: string;
  readonly until: string;
}

/**
 * Announces the moves of a record within a span once more, of its history: to the bus, and to endpoints that were never told.
 * Each under its own id and in the same words, so a receiver that has it drops it, and an endpoint that took it is sent nothing.
 * Answers how many there were, and how many could not be told: of an erased record there is only the erasure, without a name.
 */
export async function announceAgain(
  record: Verification,
  { since, until }: Span,
  dependencies: Putting & TellingEndpoints,
): Promise<{ readonly announced: number; readonly unnamed: number }> {
  const isWithin = (at: string): boolean => at >= since && at < until;
  if (record.state === 'erased')
    return { announced: 0, unnamed: record.history.filter(({ at }) => isWithin(at)).length };
  const events = eventsOfHistory(record).filter(({ occurred_at }) => isWithin(occurred_at));
  const moves = events.map((event) => ({ event, before: record, after: record }));
  await tellEndpoints(moves, dependencies);
  const failed = await putEach(moves, dependencies);
  if (failed) throw new Error(`The bus did not take ${failed.event.id}: do it again`);
  return { announced: moves.length, unnamed: 0 };
}

/** Puts the events of these moves on the bus, in their order; answers the first that it did not take. */
async function putEach<One extends Pick<Move, 'event'>>(
  moves: readonly One[],
  { put, log }: Putting,
): Promise<One | undefined> {
  for (let start = 0; start < moves.length; start += perPut) {
    let left = moves.slice(start, start + perPut);
    for (let tries = 0; left.length > 0; tries += 1) {
      const [first] = left;
      if (tries === triesPerBatch) return first;
      try {
        const refused = await put(left.map(({ event }) => event));
        left = left.filter((_, index) => refused.includes(index));
      } catch (error) {
        log.error('announce.failed', error);
        return first;
      }
    }
  }
  return undefined;
}

interface Moves {
  readonly moves: readonly (Move & { readonly sequenceNumber: string })[];
  /** The first change of which this version knows no event: those after it wait behind it for a version that does. */
  readonly unknown: string | undefined;
}

function movesIn(changes: readonly Change[], log: Log): Moves {
  const moves: (Move & { sequenceNumber: string })[] = [];
  for (const change of changes) {
    const { sequenceNumber } = change;
    try {
      const move = moveIn(change);
      if (move) moves.push({ ...move, sequenceNumber });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      log.error('announce.failed', error);
      return { moves, unknown: sequenceNumber };
    }
  }
  return { moves, unknown: undefined };
}

/** The verification of which something is owed from this move on: the result of an order, its refund, or its end. */
function orderIn({ before, after }: Move): string[] {
  if (after.state === 'erased') {
    const resultWaits = isResting(before) && owesResult(before);
    return owesRefund(after) || resultWaits ? [after.verificationId] : [];
  }
  if (before.state === 'decided' && after.state === 'decided') return []; // a review: no result is sent of it
  return isResting(after) && owesOrder(after) ? [after.verificationId] : [];
}

/** Notes, landings and `accepted` change a record without moving it: only a higher sequence is a move. */
function moveIn({ before, after }: Change): Move | undefined {
  if (!before || !after) return undefined; // made, or purged by the table's TTL
  if (before.state === 'erased') return undefined; // a tombstone moves nowhere
  return after.sequence > before.sequence ? { before, after, event: eventOf(before, after) } : undefined;
}
