import { type CaptureName, entriesOf, maximumBytesOf, pinnedOf } from '../domain/captures.ts';
import { Fault } from '../domain/fault.ts';
import type { Captures, Log, Verifications, Work } from '../domain/ports.ts';
import { epochSeconds } from '../domain/times.ts';
import { ourselves, recaptureFor } from '../domain/verdict.ts';
import { firstVerdict, type InState } from '../domain/verification.ts';
import type { Answer, Provider } from '../providers/provider.ts';
import { type Answering, recordAnswer } from './answer.ts';
import { type Claiming, claim } from './claim.ts';
import { removeDecided } from './decide.ts';

export interface Asking extends Answering, Claiming {
  readonly verifications: Verifications;
  readonly captures: Pick<Captures, 'open' | 'stream' | 'link' | 'removeVersion'>;
  /** The provider with the connection that serves this verification. */
  readonly open: (record: InState<'dispatched'>) => Promise<Pick<Provider, 'submit'>>;
  /** The id a vendor's webhook will name this attempt by. */
  readonly reference: (verificationId: string, attempt: number) => Promise<string>;
  readonly log: Log;
}

/**
 * Works on one message of a provider's queue: claims the verification, asks the provider, records what it answered.
 * Every message may come twice, late, or while its twin is being worked on: only the claim that moves the record calls.
 */
export async function askProvider(message: Work, dependencies: Asking): Promise<void> {
  const { verifications, provider, gate, now } = dependencies;
  const read = await verifications.find(message.verificationId);
  const claimed = await claim(read, message, dependencies);
  if (claimed === undefined) {
    // The decision may be recorded and its worker dead: the message that comes again finishes the clean-up.
    const deciders = [provider.name, ourselves];
    if (read?.state === 'decided' && deciders.includes(firstVerdict(read).verdict.provider)) {
      await removeDecided(read, dependencies);
    }
    return;
  }
  // A worker that stalled while it claimed has less of its lease left than a call may take: it would call beside the
  // worker that takes over. Not begun, the call can be begun again.
  if (claimed.dueAt - epochSeconds(now()) < provider.timeoutSeconds[claimed.check]) {
    return recordAnswer(claimed, new Fault('lease_expired', 'The worker stalled while it claimed.'), dependencies);
  }
  const unfit = tooLarge(claimed);
  if (unfit) return recordAnswer(claimed, unfit, dependencies); // the provider was not called: nothing is known of it
  const answer = await ask(claimed, dependencies);
  await recordAnswer(claimed, answer, dependencies); // first: what is known of the provider may be lost, its answer may not
  await gate(claimed).ended(answer instanceof Fault ? answer.code : undefined);
}

/** Attempts of this round do not count: one that was repeated must come to the same finding. */
const digitsDoubtedBefore = ({ round, attempts }: InState<'dispatched'>): boolean =>
  attempts.some((attempt) => attempt.round < round && attempt.measurements?.digits_doubted === 1);

/** A PUT without a declared length cannot be capped while it is sent: its size is known, and nothing of it is read. */
function tooLarge({ landed }: InState<'dispatched'>): Answer | undefined {
  const oversized = entriesOf(landed).find(([name, { bytes }]) => bytes > maximumBytesOf[name]);
  if (!oversized) return undefined;
  const [name, { bytes }] = oversized;
  const measurements = { [name === 'id_card' ? 'id_capture_bytes' : 'capture_bytes']: bytes };
  return { kind: 'decided', finding: recaptureFor('capture_too_large'), measurements };
}

/** The provider's answer, or the fault it ended with. A bug of an adapter is a fault of its provider. */
async function ask(claimed: InState<'dispatched'>, dependencies: Asking): Promise<Answer | Fault> {
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
      fingerprinted: entriesOf(claimed.plan.seenBefore).map(([name]) => name),
      barePortraits: claimed.plan.barePortraits,
      challenge: claimed.challenge,
      turn: claimed.turn,
      languageCode: claimed.languageCode,
      digitsDoubted: digitsDoubtedBefore(claimed),
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
