import { longestRetryAfterSeconds, minuteSeconds } from '../domain/times.ts';

/* Two schedules: an event's at an endpoint, and that of a served result at the webhook its caller named. */

const hourSeconds = 60 * minuteSeconds;

/** Seconds between one try to send an event and the next, before they are lengthened: ten tries in 75 hours. */
export const eventDelaysSeconds = [
  5,
  5 * minuteSeconds,
  30 * minuteSeconds,
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * hourSeconds),
];

/** Each is lengthened by a random part of this, so that what failed together does not come again together. */
export const jitter = 0.2;

/**
 * Seconds until an event is tried again that failed so often; undefined where that was the last. The receiver's
 * `Retry-After` may put it off, by a day at the most, and never hastens it. `random` is 0 ≤ n < 1.
 */
export function nextTryAfter(
  failed: number,
  { retryAfter, now, random }: { retryAfter?: string | undefined; now: Date; random: number },
): number | undefined {
  const delay = eventDelaysSeconds[failed - 1];
  if (delay === undefined) return undefined;
  return Math.max(Math.round(delay * (1 + jitter * random)), retryAfterSeconds(retryAfter, now));
}

/** Seconds that a `Retry-After` asks for, in either of its forms; 0 where it is neither. */
export function retryAfterSeconds(text: string | undefined, now: Date): number {
  if (text === undefined) return 0;
  const date = /^[A-Z][a-z]{2,8}[, ]/.test(text) ? Date.parse(text) : Number.NaN;
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((date - now.getTime()) / 1000);
  return Math.min(longestRetryAfterSeconds, Math.max(0, Number.isNaN(seconds) ? 0 : seconds));
}

/**
 * Seconds between one try to post a served result and the next: six tries in 56 minutes. None is longer than a message of SQS
 * can be delayed.
 */
export const postDelaysSeconds = [1, 10, 15, 15, 15].map((minutes) => minutes * minuteSeconds);

/** Seconds until the next try after so many in vain; undefined where that was the last. */
export function delayAfter(failedPosts: number): number | undefined {
  return postDelaysSeconds[failedPosts - 1];
}
