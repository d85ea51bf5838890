import type { Verifications } from '../domain/ports.ts';
import { longestPauseMilliseconds, firstPauseMilliseconds as usualPauseMilliseconds } from '../domain/times.ts';
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
 * Waits for a verification to rest: the record as soon as it does, else as it is after `seconds`. Each look is one
 * eventually consistent read.
 */
export async function waitForRest(
  read: Verification,
  seconds: number,
  { verifications, now, sleep, maximumWaitSeconds, firstPauseMilliseconds = usualPauseMilliseconds }: Waiting,
): Promise<Verification> {
  const until = now().getTime() + Math.min(seconds, maximumWaitSeconds) * 1000;
  let current = read;
  for (let pause = firstPauseMilliseconds; !restingStates.includes(current.state); pause *= 1.25) {
    const left = until - now().getTime();
    if (left <= 0) return current;
    await sleep(Math.min(pause, longestPauseMilliseconds, left));
    const next = found(await verifications.find(current.verificationId, { consistent: false, toShow: true }));
    if (next.sequence >= current.sequence) current = next; // an old replica may answer
  }
  return current;
}
