import { minuteSeconds } from '../domain/times.ts';

/**
 * Seconds between one try to post to a webhook and the next: six tries in 56 minutes. None is longer than a message of SQS
 * can be delayed.
 */
export const postDelaysSeconds = [1, 10, 15, 15, 15].map((minutes) => minutes * minuteSeconds);

/** Seconds until the next try after so many in vain; undefined where that was the last. */
export function delayAfter(failedPosts: number): number | undefined {
  return postDelaysSeconds[failedPosts - 1];
}
