import { Fault } from '../../shared/domain/fault.ts';
import { type In, maximumRetries, type Verification } from '../../shared/domain/verification.ts';
import { epochSeconds, queuedSeconds } from '../../shared/lifecycle/next-step.ts';
import { type Captures, pinnedOf } from '../../shared/stores/captures.ts';
import type { Send } from '../../shared/stores/queues.ts';
import { found, type Moved, type Verifications } from '../../shared/stores/verifications.ts';

export interface Dependencies {
  readonly verifications: Verifications;
  readonly captures: Pick<Captures, 'exists'>;
  readonly send: Send;
  readonly now: () => Date;
}

/** Begins another pass of the route for an errored verification whose captures are still stored. */
export async function retryVerification(
  read: Verification | undefined,
  dependencies: Dependencies,
): Promise<In<'queued'>> {
  const { send } = dependencies;
  let current: Verification | undefined = found(read);
  while (current) {
    if (current.state === 'queued') {
      await send(current.provider, current); // a repeated retry, or one whose message was lost
      return current;
    }
    if (current.state !== 'errored') {
      throw new Fault('state_conflict', `Only an errored verification can be retried; this one is ${current.state}.`);
    }
    const result: Moved<'queued'> = await requeue(current, dependencies);
    if (result.kind === 'moved') {
      await send(result.verification.provider, result.verification);
      return result.verification;
    }
    current = result.current;
  }
  return found(undefined) as never; // purged while it was read: unknown by now
}

async function requeue(
  record: In<'errored'>,
  { verifications, captures, now }: Dependencies,
): Promise<Moved<'queued'>> {
  if (record.retries >= maximumRetries) {
    throw new Fault('retries_spent', `A verification can be retried ${maximumRetries} times; begin a new one.`);
  }
  const stored = await Promise.all(pinnedOf(record).map((pinned) => captures.exists(pinned)));
  if (stored.includes(false)) {
    throw new Fault('captures_gone', 'Captures are kept for a day; begin a new verification.');
  }
  const [provider] = record.plan.route;
  if (!provider) throw new Error('A plan has at least one provider');
  return verifications.move(record, 'queued', {
    landed: record.landed,
    provider,
    pass: record.pass + 1,
    retries: record.retries + 1,
    dueAt: epochSeconds(now()) + queuedSeconds,
  });
}
