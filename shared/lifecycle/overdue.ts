import {
  type Captures,
  type Due,
  type DueState,
  dueShards,
  dueStates,
  type Log,
  type LogFields,
  type Measure,
  type Orders,
  type Verifications,
} from '../domain/ports.ts';
import { epochSeconds, orderExpirySeconds, sweepReserveSeconds } from '../domain/times.ts';
import { attemptsInPass, attemptsPerPass, type InState, type Verification } from '../domain/verification.ts';
import { type Finishing, finishErasure } from './erase.ts';
import { expire, removeKept } from './expire.ts';
import { handOverAgain } from './hand-over.ts';
import { earlier, owesOrder, type Resting, storedUntil } from './keep.ts';
import { type EndingWithFault, endWithFault } from './next-step.ts';

/** Entries read at once of each partition of the index. */
const pageSize = 100;
/** Records worked on at the same time: fewer than the connections that a client of the SDK opens, 50. */
const together = 40;
/**
 * Messages sent again by one sweep, of each partition. Most of what waits for its turn has lost nothing: where a queue is
 * hours behind, sending all of it again every minute would put it further behind.
 */
const reminders = 250;

export interface Sweeping extends EndingWithFault, Finishing {
  readonly verifications: Pick<Verifications, 'due' | 'find' | 'move' | 'land' | 'writeDeletions' | 'settle'>;
  readonly captures: Finishing['captures'] & Pick<Captures, 'removeVersion' | 'removeAll' | 'oldest'>;
  readonly orders: Pick<Orders, 'fetch' | 'deliver'>;
  /** Until the function is ended. */
  readonly remainingMilliseconds: () => number;
  readonly log: Log;
  readonly measure: Measure;
}

export interface Swept {
  readonly swept: number;
  readonly failed: number;
  /** How long the longest overdue record is overdue that this sweep failed at or did not come to; 0 where it left none. */
  readonly oldestOverdueSeconds: number;
}

/** A state's records with one end of their ids, in the index of deadlines. */
interface Partition {
  readonly state: DueState;
  readonly shard: number;
  /** The last entry that was read. */
  last?: Due | undefined;
  isRead: boolean;
  reminders: number;
}

interface Entry {
  readonly due: Due;
  readonly partition: Partition;
}

/**
 * Looks after every record whose deadline has passed: by index, many at a time, until none is left or its time is nearly
 * up. One bad record never stops the others. Two sweeps at once do what one does: every write is fenced.
 */
export async function sweepVerifications(dependencies: Sweeping): Promise<Swept> {
  const { now, log, remainingMilliseconds } = dependencies;
  const counts = { swept: 0, failed: 0 };
  const left: number[] = [];
  const unreadable: unknown[] = [];
  const partitions = dueStates.flatMap((state) =>
    Array.from({ length: dueShards }, (_, shard): Partition => ({ state, shard, isRead: false, reminders })),
  );
  const goesOn = () => remainingMilliseconds() > sweepReserveSeconds * 1000;
  const fail = (error: unknown, fields: LogFields) => {
    counts.failed += 1;
    log.error('sweep.failed', error, fields);
  };
  const entries = inTurns(partitions, goesOn, readPage);
  await Promise.all(Array.from({ length: together }, work));
  left.push(...partitions.flatMap(({ isRead, last }) => (isRead || !last ? [] : [last.dueAt])));
  const oldest = left.reduce<number | undefined>(earlier, undefined);
  const totals = { ...counts, oldestOverdueSeconds: oldest === undefined ? 0 : epochSeconds(now()) - oldest };
  if (counts.swept + counts.failed > 0) log.info('sweep.done', totals);
  dependencies.measure({ metric: 'OldestOverdueSeconds', value: totals.oldestOverdueSeconds });
  if (unreadable.length > 0) throw unreadable[0];
  return totals;

  async function work(): Promise<void> {
    for await (const { due, partition } of entries) {
      if (!goesOn()) left.push(due.dueAt);
      else await sweepEntry(due, partition);
    }
  }

  async function sweepEntry({ verificationId, dueAt }: Due, partition: Partition): Promise<void> {
    try {
      await sweepOne(verificationId, partition, dependencies);
      counts.swept += 1;
    } catch (error) {
      left.push(dueAt);
      fail(error, { verification_id: verificationId, state: partition.state });
    }
  }

  /** One partition that cannot be read stops no other; that it could not fails the sweep in the end. */
  async function readPage(partition: Partition): Promise<readonly Due[]> {
    const { state, shard, last: after } = partition;
    try {
      return await dependencies.verifications.due({ state, shard, now: now(), limit: pageSize, after });
    } catch (error) {
      unreadable.push(error);
      fail(error, { state, shard });
      return [];
    }
  }
}

/** Every entry once, by turns of the partitions: a backlog of one kind holds up no other. */
async function* inTurns(
  partitions: readonly Partition[],
  goesOn: () => boolean,
  readPage: (partition: Partition) => Promise<readonly Due[]>,
): AsyncGenerator<Entry> {
  let open = partitions;
  do {
    const pages = await Promise.all(open.map(readPage));
    for (const [index, partition] of open.entries()) {
      const page = pages[index] ?? [];
      partition.last = page.at(-1) ?? partition.last;
      partition.isRead = page.length < pageSize;
    }
    for (let row = 0; row < pageSize; row += 1) {
      for (const [index, partition] of open.entries()) {
        const due = pages[index]?.[row];
        if (due) yield { due, partition };
      }
    }
    open = open.filter(({ isRead }) => !isRead);
  } while (open.length > 0 && goesOn());
}

/** The index is a little behind the table: the record itself says what is due. */
async function sweepOne(id: string, partition: Partition, dependencies: Sweeping): Promise<void> {
  const record = await dependencies.verifications.find(id);
  if (!record || record.state !== partition.state || !isDue(record, dependencies.now())) return;
  const remind: Remind = async (sendAgain) => {
    if (partition.reminders === 0) return; // the longest overdue had their turn: theirs is likeliest to be lost
    partition.reminders -= 1;
    await sendAgain();
  };
  switch (record.state) {
    case 'awaiting_captures':
      return fetchOrExpire(record, remind, dependencies);
    case 'queued':
      return remind(() => handOverAgain(record, dependencies));
    case 'dispatched':
      return endOverdue(record, remind, dependencies);
    case 'decided':
    case 'errored':
    case 'expired':
      return finishResting(record, remind, dependencies);
    case 'erased':
      if (record.refundDue) await remind(() => dependencies.orders.deliver({ verificationId: id, failedPosts: 0 }));
      await finishErasure(record, dependencies);
      return;
  }
}

/** Sends a message again that may be lost, where not so many were sent already. */
type Remind = (sendAgain: () => Promise<void>) => Promise<void>;

function isDue(record: Verification, now: Date): record is InState<DueState> {
  return 'dueAt' in record && record.dueAt !== undefined && record.dueAt <= epochSeconds(now);
}

/** Captures never came. The message that fetches the image of an order may be lost: it is sent again, up to an end. */
async function fetchOrExpire(
  record: InState<'awaiting_captures'>,
  remind: Remind,
  dependencies: Sweeping,
): Promise<void> {
  const { orders, now } = dependencies;
  const ends = Date.parse(record.createdAt) + orderExpirySeconds * 1000;
  if (record.order && ends > now().getTime()) return remind(() => orders.fetch(record.verificationId));
  await expire(record, dependencies);
}

/** What is owed of an order comes first, and holds up no deletion: its message may be lost. */
async function finishResting(record: Resting, remind: Remind, dependencies: Sweeping): Promise<void> {
  const { orders, captures, now } = dependencies;
  const { verificationId, failedPosts = 0 } = record;
  if (!owesOrder(record)) return removeKept(record, dependencies);
  await remind(() => orders.deliver({ verificationId, failedPosts }));
  const until = storedUntil(record, now());
  if (until !== undefined && until <= epochSeconds(now())) await captures.removeAll(verificationId, record.round);
}

/** A webhook that never came, or a lease whose worker is dead: another call where the pass has one left, else onwards. */
async function endOverdue(record: InState<'dispatched'>, remind: Remind, dependencies: Sweeping): Promise<void> {
  if (record.waitingFor === 'answer' && attemptsInPass(record, record.provider) < attemptsPerPass) {
    return remind(() => handOverAgain(record, dependencies)); // its consumer takes the dead lease over
  }
  await endWithFault(record, record.waitingFor === 'answer' ? 'lease_expired' : 'webhook_overdue', dependencies);
}
