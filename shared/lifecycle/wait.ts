import type { Verifications } from '../domain/ports.ts';
import {
  longestPauseMilliseconds,
  untilCapturesSeconds,
  untilWebhookSeconds,
  firstPauseMilliseconds as usualPauseMilliseconds,
} from '../domain/times.ts';
import { found, restingStates, type Verification } from '../domain/verification.ts';

export interface Waiting {
  readonly verifications: Pick<Verifications, 'find'>;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** The longest this deployment lets a caller wait. */
  readonly maximumWaitSeconds: number;
  /** Before the first look. @default 150 */
  readonly firstPauseMilliseconds?: number;
}

/**
 * When to ask again where a person or a vendor has to do something first, in seconds; undefined where it is ours to do, or
 * done. Waiting for them would hold an execution for as long as they please, and an account has as few as ten.
 */
export function askAgainAfter(record: Verification): number | undefined {
  if (record.state === 'awaiting_captures') return untilCapturesSeconds;
  if (record.state === 'dispatched' && record.waitingFor === 'webhook') return untilWebhookSeconds;
  return undefined;
}

/** Waits for a verification to rest: the record as soon as it does, else as it is after `seconds`. */
export function waitForRest(read: Verification, seconds: number, waiting: Waiting): Promise<Verification> {
  return waitWhile(({ state }) => !restingStates.includes(state), read, seconds, waiting);
}

/** The same, and answers at once when a person or a vendor has to do something first. */
export function waitForUs(read: Verification, seconds: number, waiting: Waiting): Promise<Verification> {
  const isOurs = (record: Verification) => !restingStates.includes(record.state) && askAgainAfter(record) === undefined;
  return waitWhile(isOurs, read, seconds, waiting);
}

/** Each look is one eventually consistent read. */
async function waitWhile(
  isToCome: (record: Verification) => boolean,
  read: Verification,
  seconds: number,
  { verifications, now, sleep, maximumWaitSeconds, firstPauseMilliseconds = usualPauseMilliseconds }: Waiting,
): Promise<Verification> {
  const until = now().getTime() + Math.min(seconds, maximumWaitSeconds) * 1000;
  let current = read;
  for (let pause = firstPauseMilliseconds; isToCome(current); pause *= 1.25) {
    const left = until - now().getTime();
    if (left <= 0) return current;
    await sleep(Math.min(pause, longestPauseMilliseconds, left));
    const next = found(await verifications.find(current.verificationId, { consistent: false }));
    if (next.sequence >= current.sequence) current = next; // an old replica may answer
  }
  return current;
}
