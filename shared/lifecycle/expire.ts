import { pinnedOf } from '../domain/captures.ts';
import { earlierOf } from '../domain/erasure.ts';
import type { Captures, Verifications } from '../domain/ports.ts';
import { epochSeconds } from '../domain/times.ts';
import type { InState } from '../domain/verification.ts';
import { postDueAt } from './keep.ts';

export interface Expiring {
  readonly verifications: Pick<Verifications, 'move' | 'settle'>;
  readonly captures: Pick<Captures, 'removeAll'>;
  readonly now: () => Date;
}

/**
 * Captures never came, or the image of an order was never fetched. What did come goes now; killed in between, the record
 * is still due and the sweep goes on.
 */
export async function expire(record: InState<'awaiting_captures'>, dependencies: Expiring): Promise<void> {
  const { verifications, now } = dependencies;
  const stored = pinnedOf(record).length > 0 || record.keptUntil !== undefined;
  const dueAt = stored ? epochSeconds(now()) : postDueAt(record, now());
  const earlier = earlierOf(record);
  const result = await verifications.move(record, 'expired', { earlier, ...(dueAt !== undefined && { dueAt }) });
  if (result.kind === 'moved' && stored) await removeKept(result.verification, dependencies); // lost: a capture came after all
}

/** What came too late, what policy kept, or what an errored verification could have been retried with: its day is over. */
export async function removeKept(
  record: InState<'decided' | 'errored' | 'expired'>,
  { verifications, captures }: Omit<Expiring, 'now'>,
): Promise<void> {
  await captures.removeAll(record.verificationId, record.round); // a later round may have begun meanwhile
  await verifications.settle(record);
}
