import { pinnedOf } from '../domain/captures.ts';
import { Fault } from '../domain/fault.ts';
import type { Captures, Moved } from '../domain/ports.ts';
import { found, type InState, maximumRetries, type Verification } from '../domain/verification.ts';
import { firstOfRoute, type HandingOver, handOver, handOverAgain } from './hand-over.ts';
import { refuseServed } from './refuse-served.ts';
import { settled, settledIfMoved, settleOn } from './settle-on.ts';

export interface Retrying extends HandingOver {
  readonly captures: Pick<Captures, 'exists'>;
}

/** Begins another pass of the route for an errored verification whose captures are still stored. */
export async function retryVerification(
  read: Verification | undefined,
  dependencies: Retrying,
): Promise<InState<'queued'>> {
  const queued = await settleOn(read, async (current) => {
    if (current.state !== 'erased') refuseServed(current);
    if (current.state === 'queued') {
      await handOverAgain(current, dependencies); // a repeated retry, or one whose message was lost
      return settled(current);
    }
    if (current.state !== 'errored') {
      throw new Fault('state_conflict', `Only an errored verification can be retried; this one is ${current.state}.`);
    }
    return settledIfMoved(await requeue(current, dependencies));
  });
  return found(queued);
}

async function requeue(record: InState<'errored'>, dependencies: Retrying): Promise<Moved<'queued'>> {
  if (record.retries >= maximumRetries) {
    throw new Fault('retries_spent', `A verification can be retried ${maximumRetries} times; begin a new one.`);
  }
  const stored = await Promise.all(pinnedOf(record).map((pinned) => dependencies.captures.exists(pinned)));
  if (stored.includes(false)) {
    throw new Fault('captures_gone', 'Captures are kept for a day; begin a new verification.');
  }
  const { landed, pass, retries } = record;
  const again = { landed, provider: firstOfRoute(record), pass: pass + 1, retries: retries + 1 };
  return handOver(record, again, dependencies);
}
