import type { CaptureName, ContentType } from '../domain/captures.ts';
import { Fault, type FaultCode } from '../domain/fault.ts';
import {
  type Attempt,
  attemptsInPass,
  attemptsPerPass,
  type In,
  type Verification,
  withEnded,
} from '../domain/verification.ts';
import type { Log } from '../lambda/log.ts';
import type { Answer, Capabilities, Provider } from '../providers/provider.ts';
import { leaseMarginSeconds, webhookSeconds } from '../providers/registry.ts';
import { type Captures, pinnedOf } from '../stores/captures.ts';
import type { Send, Work } from '../stores/queues.ts';
import type { Moved, Verifications } from '../stores/verifications.ts';
import { decide } from './decide.ts';
import type { Gate } from './gate.ts';
import { endWithFault, epochSeconds } from './next-step.ts';

/** The second call comes after a random part of this. */
const backoffSeconds = 10;

export interface Dependencies {
  readonly verifications: Verifications;
  readonly captures: Pick<Captures, 'open' | 'stream' | 'link' | 'removeVersion'>;
  /** Whose queue the message came from. */
  readonly provider: Capabilities;
  /** The provider with the connection that serves this verification. */
  readonly open: (record: In<'dispatched'>) => Promise<Pick<Provider, 'submit'>>;
  readonly gate: (record: Verification) => Gate;
  /** The id a vendor's webhook will name this attempt by. */
  readonly reference: (verificationId: string, attempt: number) => Promise<string>;
  readonly send: Send;
  readonly now: () => Date;
  /** 0 ≤ n < 1 */
  readonly random: () => number;
  readonly log: Log;
}

/**
 * One message of a provider's queue: claims the verification, calls the provider, records what it said.
 * Every message may come twice, late, or while its twin is being worked on: only the claim that moves the record calls.
 */
export async function attemptVerification(message: Work, dependencies: Dependencies): Promise<void> {
  const { verifications, provider, gate, now } = dependencies;
  const read = await verifications.find(message.verification_id);
  if (read && mayClaim(read, message, provider.name, now())) {
    const reason = await reasonToSkip(read, dependencies);
    if (reason) return skip(read, reason, dependencies);
  }
  const claimed = await claim(read, message, dependencies);
  if (claimed === undefined) {
    // The decision may be recorded and its worker dead: the message that comes again finishes the clean-up.
    if (read?.state === 'decided' && decidedBy(read, provider.name)) await removeCaptures(read, dependencies);
    return;
  }
  // A worker that stalled while it claimed has less of its lease left than a call may take: it would call beside whoever
  // takes over. Not begun, the call can be begun again.
  if (claimed.dueAt - epochSeconds(now()) < provider.timeoutSeconds[claimed.check]) {
    return recordFault(claimed, 'lease_expired', dependencies);
  }
  const made = await ask(claimed, dependencies);
  await record(claimed, made, dependencies); // first: what is known of the provider may be lost, its answer may not
  await gate(claimed).ended(made instanceof Fault ? made.code : undefined);
}

async function record(claimed: In<'dispatched'>, made: Answer | Fault, dependencies: Dependencies): Promise<void> {
  if (made instanceof Fault) return recordFault(claimed, made.code, dependencies);
  switch (made.kind) {
    case 'decided': {
      const { verificationId, attempt, round, provider } = claimed;
      const decided = await decide(claimed, { ...made, attempt, round, provider }, dependencies);
      dependencies.log.info('attempt.answered', {
        verification_id: verificationId,
        attempt,
        decided: decided !== undefined,
      });
      if (decided) await removeCaptures(decided, dependencies);
      return;
    }
    case 'accepted':
      return recordAccepted(claimed, dependencies);
  }
}

/** Why this provider is passed over without a call: it would not take the capture, or is not being called for now. */
async function reasonToSkip(
  record: In<'queued'> | In<'dispatched'>,
  { provider, gate }: Dependencies,
): Promise<FaultCode | undefined> {
  const declared = Object.entries(record.declared) as [CaptureName, { contentType: ContentType }][];
  const takes = declared.every(([name, { contentType }]) => provider.accepts[name]?.includes(contentType));
  if (!takes || !provider.checks.includes(record.check)) return 'capture_type_unsupported';
  return (await gate(record).mayCall()) ? undefined : 'breaker_open';
}

/** On to the next provider, or errored where there is none. No attempt is made or counted. */
async function skip(
  record: In<'queued'> | In<'dispatched'>,
  code: FaultCode,
  dependencies: Dependencies,
): Promise<void> {
  const { send, log } = dependencies;
  log.warn('provider.skipped', { verification_id: record.verificationId, provider: record.provider, code });
  const result = await endWithFault(record, code, dependencies);
  if (result.kind === 'moved' && result.verification.state === 'queued') {
    await send(result.verification.provider, result.verification);
  }
}

/** Moves the record to `dispatched`, or undefined where this message may not. */
async function claim(
  read: Verification | undefined,
  message: Work,
  { verifications, provider, now }: Dependencies,
): Promise<In<'dispatched'> | undefined> {
  let current = read;
  while (current && mayClaim(current, message, provider.name, now())) {
    const at = now();
    const number = Math.max(0, ...current.attempts.map((made) => made.attempt)) + 1;
    const made = { attempt: number, provider: provider.name, round: current.round, pass: current.pass };
    const result: Moved<'dispatched'> = await verifications.move(
      current,
      'dispatched',
      {
        landed: current.landed,
        provider: provider.name,
        attempt: number,
        waitingFor: 'answer',
        dueAt: epochSeconds(at) + provider.timeoutSeconds[current.check] + leaseMarginSeconds,
        attempts: [...withDeadLease(current, at), { ...made, startedAt: at.toISOString() }],
      },
      { provider: provider.name, attempt: number },
    );
    if (result.kind === 'moved') return result.verification;
    current = result.current;
  }
  return undefined;
}

/** A takeover ends the attempt whose lease is dead; should its worker live after all, its answer may still be first. */
function withDeadLease(record: In<'queued'> | In<'dispatched'>, at: Date): Attempt[] {
  if (record.state === 'queued') return record.attempts;
  return withEnded(record.attempts, record.attempt, { endedAt: at.toISOString(), result: 'lease_expired' });
}

/** This sequence on this provider's queue; or a dead lease of this provider with a call left in the pass. */
function mayClaim(
  record: Verification,
  message: Work,
  provider: string,
  now: Date,
): record is In<'queued'> | In<'dispatched'> {
  if (record.state === 'queued') return record.provider === provider && record.sequence === message.sequence;
  return (
    record.state === 'dispatched' &&
    record.provider === provider &&
    record.waitingFor === 'answer' &&
    record.dueAt <= epochSeconds(now) &&
    attemptsInPass(record, provider) < attemptsPerPass
  );
}

/** The provider's answer, or the fault it ended with. A bug of an adapter is a fault of its provider. */
async function ask(claimed: In<'dispatched'>, dependencies: Dependencies): Promise<Answer | Fault> {
  const { provider, open, captures, reference, log } = dependencies;
  const { verificationId, attempt } = claimed;
  const pinned = (name: CaptureName) => {
    const capture = pinnedOf(claimed).find((one) => one.name === name);
    if (!capture) throw new Fault('capture_missing', `There is no ${name} in this round.`);
    return capture;
  };
  try {
    const opened = await open(claimed);
    return await opened.submit({
      verificationId,
      sourceId: provider.readsSourceId ? claimed.sourceId : undefined,
      attempt,
      round: claimed.round,
      check: claimed.check,
      captures: claimed.landed,
      openCapture: async (name) => captures.open(pinned(name)),
      streamCapture: async (name) => captures.stream(pinned(name)),
      linkCapture: async (name, seconds) => captures.link(pinned(name), seconds),
      reference: () => reference(verificationId, attempt),
      thresholds: claimed.plan.thresholds[provider.name] ?? {},
      challenge: claimed.challenge,
      languageCode: claimed.languageCode,
    });
  } catch (error) {
    if (error instanceof Fault && error.cause === undefined) return error;
    log.error('provider.failed', error instanceof Fault ? error.cause : error, {
      provider: provider.name,
      verification_id: verificationId,
    });
    return error instanceof Fault ? error : new Fault('provider_failed', `${provider.name} failed.`);
  }
}

async function recordFault(claimed: In<'dispatched'>, code: FaultCode, dependencies: Dependencies): Promise<void> {
  const result = await endWithFault(claimed, code, dependencies);
  const { log, send, random } = dependencies;
  log.warn('attempt.ended', { verification_id: claimed.verificationId, attempt: claimed.attempt, code });
  if (result.kind === 'lost' || result.verification.state === 'errored') return;
  const again = result.verification.provider === claimed.provider;
  const delaySeconds = again ? Math.floor(random() * backoffSeconds) : 0; // full jitter
  await send(result.verification.provider, result.verification, delaySeconds);
}

/** Lost means somebody went on without this attempt, or its webhook was faster than its response: nothing to do. */
async function recordAccepted(claimed: In<'dispatched'>, { verifications, now }: Dependencies): Promise<void> {
  await verifications.accept(claimed, {
    attempts: claimed.attempts.map((made) =>
      made.attempt === claimed.attempt ? { ...made, result: 'accepted' as const } : made,
    ),
    dueAt: epochSeconds(now()) + webhookSeconds,
  });
}

function decidedBy(record: In<'decided'>, provider: string): boolean {
  return record.verdict.provider === provider;
}

/** Captures outlive their decision only where the policy keeps them; the bucket's lifecycle takes what a kill leaves. */
async function removeCaptures(record: In<'decided'>, { captures }: Dependencies): Promise<void> {
  if (record.plan.keepCaptures) return;
  await Promise.all(pinnedOf(record).map((pinned) => captures.removeVersion(pinned)));
}
