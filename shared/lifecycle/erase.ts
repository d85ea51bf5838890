import type { In, Verification } from '../domain/verification.ts';
import type { Captures } from '../stores/captures.ts';
import type { Moved, Verifications } from '../stores/verifications.ts';
import { epochSeconds } from './next-step.ts';

/** A tombstone whose objects were not seen gone by then is finished by the sweep. */
const erasureSeconds = 60;

export interface Dependencies {
  readonly verifications: Verifications;
  readonly captures: Pick<Captures, 'removeAll'>;
  readonly now: () => Date;
}

/**
 * Erases a verification: the tombstone first, so that nothing can be decided or stored any more, then every version of
 * every object. Killed in between, the tombstone is still due and the sweep finishes it.
 */
export async function eraseVerification(read: Verification, dependencies: Dependencies): Promise<In<'erased'>> {
  const { verifications, now } = dependencies;
  let current: Verification | undefined = read;
  while (current && current.state !== 'erased') {
    const dueAt = epochSeconds(now()) + erasureSeconds;
    const result: Moved<'erased'> = await verifications.move(current, 'erased', { dueAt });
    current = result.kind === 'moved' ? result.verification : result.current;
  }
  if (!current) throw new Error('The record was purged while it was being erased');
  if (current.dueAt !== undefined) await finishErasure(current, dependencies);
  return current;
}

/** Deletes what the tombstone's verification stored, then takes it off the sweep's list. */
export async function finishErasure(tombstone: In<'erased'>, { verifications, captures }: Dependencies): Promise<void> {
  await captures.removeAll(tombstone.verificationId);
  await verifications.settle(tombstone);
}
