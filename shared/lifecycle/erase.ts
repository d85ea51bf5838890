import type { Captures, Sightings, Verifications } from '../domain/ports.ts';
import { epochSeconds, erasureSeconds } from '../domain/times.ts';
import { found, type InState, owesRefund, type Verification } from '../domain/verification.ts';
import { settled, settledIfMoved, settleOn } from './settle-on.ts';

export interface Erasing {
  readonly verifications: Pick<Verifications, 'move' | 'settle'>;
  readonly captures: Pick<Captures, 'removeAll'>;
  readonly sightings: Pick<Sightings, 'remove'>;
  readonly now: () => Date;
}

/**
 * Erases a verification: the tombstone first, so that nothing can be decided or stored any more, then every version of
 * every object and every place of its captures' fingerprints. Killed in between, the tombstone is still due and the sweep finishes it. Erasing again looks again.
 */
export async function eraseVerification(
  read: Verification | undefined,
  dependencies: Erasing,
): Promise<InState<'erased'>> {
  const { verifications, now } = dependencies;
  const tombstone = await settleOn(read, async (current) => {
    if (current.state === 'erased') return settled(current);
    const dueAt = epochSeconds(now()) + erasureSeconds;
    const { sightings } = current;
    const tombstone = {
      dueAt,
      ...(sightings && { sightings }),
      ...(keepsRefund(current) && { refundDue: true as const }),
    };
    return settledIfMoved(await verifications.move(current, 'erased', tombstone));
  });
  const erased = found(tombstone);
  await finishErasure(erased, dependencies);
  return erased;
}

/** A refund that is due is still made; and one of an image that was not fetched, and now never will be. */
const keepsRefund = (record: Verification): boolean =>
  owesRefund(record) || (record.state === 'awaiting_captures' && record.credit === 'taken');

/** Erases every record of a source_id, and answers the tombstone of the first: the one that reads find. */
export async function eraseEvery(
  [first, ...others]: readonly Verification[],
  dependencies: Erasing,
): Promise<InState<'erased'>> {
  for (const other of others) await eraseVerification(other, dependencies);
  return eraseVerification(first, dependencies);
}

/**
 * Deletes what the tombstone's verification stored, then takes it off the sweep's list, unless a refund is still due.
 * Doing it twice is doing it once.
 */
export async function finishErasure(
  tombstone: InState<'erased'>,
  { verifications, captures, sightings }: Omit<Erasing, 'now'>,
): Promise<void> {
  await captures.removeAll(tombstone.verificationId);
  await sightings.remove(tombstone.verificationId, tombstone.sightings ?? []);
  if (!tombstone.refundDue) await verifications.settle(tombstone);
}
