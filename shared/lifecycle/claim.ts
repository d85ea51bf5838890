import { entriesOf } from '../domain/captures.ts';
import { isVideoLate } from '../domain/challenge.ts';
import type { FaultCode } from '../domain/fault.ts';
import type { Log, Verifications, Work } from '../domain/ports.ts';
import { epochSeconds, leaseMarginSeconds } from '../domain/times.ts';
import { recaptureFor } from '../domain/verdict.ts';
import {
  type Attempt,
  attemptsInPass,
  attemptsPerPass,
  type InState,
  type Verification,
  withEnded,
} from '../domain/verification.ts';
import type { Capabilities } from '../providers/provider.ts';
import { type Deciding, decideUnasked } from './decide.ts';
import type { Gate } from './gate.ts';
import { type EndingWithFault, endWithFault } from './next-step.ts';
import { settled, settledIfMoved, settleOn } from './settle-on.ts';

export interface Claiming extends EndingWithFault, Deciding {
  readonly verifications: Pick<Verifications, 'move' | 'find' | 'note'>;
  /** Whose queue the message came from. */
  readonly provider: Capabilities;
  readonly gate: (record: Verification) => Gate;
  readonly log: Log;
}

/**
 * Claims a verification for one call: moves it to `dispatched` with a lease. Undefined where this message may not, where
 * the provider is passed over, or where the video is too late for its digits, which decides the round. Of two messages,
 * or a message and its repeat, exactly one claims.
 */
export async function claim(
  read: Verification | undefined,
  message: Work,
  dependencies: Claiming,
): Promise<InState<'dispatched'> | undefined> {
  const { verifications, provider, now } = dependencies;
  if (read && mayClaim(read, message, provider.name, now())) {
    if (read.state === 'queued' && isVideoLate(read)) return refuseLateVideo(read, dependencies);
    const reason = await reasonToSkip(read, dependencies);
    if (reason) return skip(read, reason, dependencies);
  }
  return settleOn(read, async (current) => {
    const at = now();
    if (!mayClaim(current, message, provider.name, at)) return settled(undefined);
    const attempt = Math.max(0, ...current.attempts.map((earlier) => earlier.attempt)) + 1;
    const begun = { attempt, provider: provider.name, round: current.round, pass: current.pass };
    const result = await verifications.move(
      current,
      'dispatched',
      {
        landed: current.landed,
        provider: provider.name,
        attempt,
        waitingFor: 'answer',
        dueAt: epochSeconds(at) + provider.timeoutSeconds[current.check] + leaseMarginSeconds,
        attempts: [...withDeadLease(current, at), { ...begun, startedAt: at.toISOString() }],
      },
      { provider: provider.name, attempt },
    );
    return settledIfMoved(result);
  });
}

/** Without a call: a provider would judge the video by digits that were dead, or that the person has never seen. */
async function refuseLateVideo(queued: InState<'queued'>, dependencies: Claiming): Promise<undefined> {
  const { verificationId: verification_id, round } = queued;
  dependencies.log.info('challenge.expired', { verification_id, round });
  await decideUnasked(queued, recaptureFor('challenge_expired'), dependencies);
}

/** This sequence on this provider's queue; or a dead lease of this provider with a call left in the pass. */
function mayClaim(
  record: Verification,
  message: Work,
  provider: string,
  now: Date,
): record is InState<'queued' | 'dispatched'> {
  if (record.state === 'queued') return record.provider === provider && record.sequence === message.sequence;
  return (
    record.state === 'dispatched' &&
    record.provider === provider &&
    record.waitingFor === 'answer' &&
    record.dueAt <= epochSeconds(now) &&
    attemptsInPass(record, provider) < attemptsPerPass
  );
}

/** A takeover ends the attempt whose lease is dead; should its worker live after all, its answer may still be first. */
function withDeadLease(record: InState<'queued' | 'dispatched'>, at: Date): Attempt[] {
  if (record.state === 'queued') return record.attempts;
  return withEnded(record.attempts, record.attempt, { endedAt: at.toISOString(), result: 'lease_expired' });
}

/** Why this provider is passed over without a call: it would not take the capture, or is not being called for now. */
async function reasonToSkip(
  record: InState<'queued' | 'dispatched'>,
  { provider, gate }: Claiming,
): Promise<FaultCode | undefined> {
  const takes = entriesOf(record.declared).every(([name, { contentType }]) =>
    provider.accepts[name]?.includes(contentType),
  );
  if (!takes || !provider.checks.includes(record.check)) return 'capture_type_unsupported';
  return (await gate(record).mayCall()) ? undefined : 'breaker_open';
}

/** On to the next provider, or errored where there is none. No attempt is begun or counted. */
async function skip(
  record: InState<'queued' | 'dispatched'>,
  code: FaultCode,
  dependencies: Claiming,
): Promise<undefined> {
  const { verificationId: verification_id, provider } = record;
  dependencies.log.warn('provider.skipped', { verification_id, provider, code });
  await endWithFault(record, code, dependencies);
}
