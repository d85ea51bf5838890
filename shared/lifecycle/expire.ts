import { pinnedOf } from '../domain/captures.ts';
import { earlierOf } from '../domain/erasure.ts';
import type { Captures, Verifications } from '../domain/ports.ts';
import { epochSeconds } from '../domain/times.ts';
import type { InState } from '../domain/verification.ts';
import { postDueAt } from './keep.ts';
import { type LandingLost, landLost } from './land-lost.ts';

export interface Expiring extends LandingLost {
  readonly verifications: LandingLost['verifications'] & Pick<Verifications, 'settle'>;
  readonly captures: LandingLost['captures'] & Pick<Captures, 'removeAll'>;
}

/**
 * Captures never came, or the image of an order was never fetched: nothing expires before the bucket was looked in. What
 * did come goes now; killed in between, the record is still due and the sweep goes on.
 */
export async function expire(read: InState<'awaiting_captures'>, dependencies: Expiring): Promise<void> {
  const record = await landLost(read, dependencies);
  // Of several captures one may be missing still; and another round may have begun.
  if (record?.state === 'awaiting_captures' && record.sequence === read.sequence) await end(record, dependencies);
}

async function end(record: InState<'awaiting_captures'>, dependencies: Expiring): Promise<void> {
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
  {
    verifications,
    captures,
  }: {
    readonly verifications: Pick<Verifications, 'settle'>;
    readonly captures: Pick<Captures, 'removeAll'>;
  },
): Promise<void> {
  await captures.removeAll(record.verificationId, record.round); // a later round may have begun meanwhile
  await verifications.settle(record);
}
