import {
  type Captures,
  type DueState,
  dueShards,
  dueStates,
  type Log,
  type Orders,
  type Verifications,
} from '../domain/ports.ts';
import { epochSeconds, orderExpirySeconds } from '../domain/times.ts';
import { attemptsInPass, attemptsPerPass, type InState, type Verification } from '../domain/verification.ts';
import { type Finishing, finishErasure } from './erase.ts';
import { expire, removeKept } from './expire.ts';
import { handOverAgain } from './hand-over.ts';
import { owesOrder, type Resting, storedUntil } from './keep.ts';
import { type EndingWithFault, endWithFault } from './next-step.ts';

/** Records looked at in one sweep, per state and shard: a sweep's work is bounded whatever has piled up. */
const batch = 25;

export interface Sweeping extends EndingWithFault, Finishing {
  readonly verifications: Pick<Verifications, 'due' | 'find' | 'move' | 'writeDeletions' | 'settle'>;
  readonly captures: Finishing['captures'] & Pick<Captures, 'removeVersion' | 'removeAll'>;
  readonly orders: Pick<Orders, 'fetch' | 'deliver'>;
  readonly log: Log;
}

/** Looks after every record whose deadline has passed: by index, in bounded batches; one bad record never stops the others. */
export async function sweepVerifications(dependencies: Sweeping): Promise<{ swept: number; failed: number }> {
  const { verifications, now, log } = dependencies;
  const totals = { swept: 0, failed: 0 };
  for (const state of dueStates) {
    const shards = Array.from({ length: dueShards }, (_, shard) => shard);
    const overdue = await Promise.all(
      shards.map((shard) => verifications.due({ state, shard, now: now(), limit: batch })),
    );
    for (const id of overdue.flat()) {
      try {
        await sweepOne(id, state, dependencies);
        totals.swept += 1;
      } catch (error) {
        totals.failed += 1;
        log.error('sweep.failed', error, { verification_id: id, state });
      }
    }
  }
  if (totals.swept + totals.failed > 0) log.info('sweep.done', totals);
  return totals;
}

/** The index is a little behind the table: the record itself says what is due. */
async function sweepOne(id: string, state: DueState, dependencies: Sweeping): Promise<void> {
  const record = await dependencies.verifications.find(id);
  if (!record || record.state !== state || !isDue(record, dependencies.now())) return;
  switch (record.state) {
    case 'awaiting_captures':
      return fetchOrExpire(record, dependencies);
    case 'queued':
      return handOverAgain(record, dependencies); // its message may be lost
    case 'dispatched':
      return endOverdue(record, dependencies);
    case 'decided':
    case 'errored':
    case 'expired':
      return finishResting(record, dependencies);
    case 'erased':
      if (record.refundDue) await dependencies.orders.deliver({ verificationId: id, failedPosts: 0 });
      await finishErasure(record, dependencies);
      return;
  }
}

function isDue(record: Verification, now: Date): record is InState<DueState> {
  return 'dueAt' in record && record.dueAt !== undefined && record.dueAt <= epochSeconds(now);
}

/** Captures never came. The message that fetches the image of an order may be lost: it is sent again, up to an end. */
async function fetchOrExpire(record: InState<'awaiting_captures'>, dependencies: Sweeping): Promise<void> {
  const ends = Date.parse(record.createdAt) + orderExpirySeconds * 1000;
  if (!record.order || ends <= dependencies.now().getTime()) return expire(record, dependencies);
  await dependencies.orders.fetch(record.verificationId);
}

/** What is owed of an order comes first, and holds up no deletion: its message may be lost. */
async function finishResting(record: Resting, dependencies: Sweeping): Promise<void> {
  const { orders, captures, now } = dependencies;
  if (!owesOrder(record)) return removeKept(record, dependencies);
  await orders.deliver({ verificationId: record.verificationId, failedPosts: record.failedPosts ?? 0 });
  const until = storedUntil(record, now());
  if (until !== undefined && until <= epochSeconds(now()))
    await captures.removeAll(record.verificationId, record.round);
}

/** A webhook that never came, or a lease whose worker is dead: another call where the pass has one left, else onwards. */
async function endOverdue(record: InState<'dispatched'>, dependencies: Sweeping): Promise<void> {
  if (record.waitingFor === 'answer' && attemptsInPass(record, record.provider) < attemptsPerPass) {
    return handOverAgain(record, dependencies); // its consumer takes the dead lease over
  }
  await endWithFault(record, record.waitingFor === 'answer' ? 'lease_expired' : 'webhook_overdue', dependencies);
}
