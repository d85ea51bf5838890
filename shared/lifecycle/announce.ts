import { eventOf } from '../domain/event.ts';
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
  const moves = changes.flatMap((change) => {
    const move = moveIn(change);
    return move ? [{ ...move, sequenceNumber: change.sequenceNumber }] : [];
  });
  const failed = await announceMoves(changes[0]?.sequenceNumber, moves, dependencies);
  const announced = moves.findIndex(({ sequenceNumber }) => sequenceNumber === failed);
  const measured = failed === undefined ? moves : moves.slice(0, Math.max(0, announced));
  for (const measurement of measured.flatMap(measurementsOf)) dependencies.measure(measurement);
  return { failed };
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
  const { put, orders, outcomes, log } = dependencies;
  try {
    for (const id of moves.flatMap(orderIn)) await orders.deliver({ verificationId: id, failedPosts: 0 });
    await tellEndpoints(moves, dependencies);
    const decided = moves.flatMap(({ before, after }) => outcomeOf(before, after) ?? []);
    await Promise.all(decided.map(outcomes.keep));
  } catch (error) {
    log.error('announce.failed', error);
    return begin; // none of the events is put yet
  }
  for (let start = 0; start < moves.length; start += perPut) {
    let left = moves.slice(start, start + perPut);
    for (let tries = 0; left.length > 0; tries += 1) {
      const [first] = left;
      if (tries === triesPerBatch) return first?.sequenceNumber;
      try {
        const refused = await put(left.map(({ event }) => event));
        left = left.filter((_, index) => refused.includes(index));
      } catch (error) {
        log.error('announce.failed', error);
        return first?.sequenceNumber;
      }
    }
  }
  return undefined;
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
