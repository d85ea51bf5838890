import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { Fault } from '../../shared/domain/fault.ts';
import { restingStates, state, type Verification } from '../../shared/domain/verification.ts';
import { found, type PageStart, pageStart, type Verifications } from '../../shared/stores/verifications.ts';

/** `?wait=n`: seconds a caller is ready to wait for a resting state. */
export const waitQuery = z.coerce.number('must be a number of seconds, 0 to 20').int().min(0).max(20).default(0);

export const listQuery = z.object({
  state: state.describe('which state to list'),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(400).optional(),
});

export interface WaitDependencies {
  readonly verifications: Verifications;
  readonly now: () => Date;
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

/** First look after this; the next ones further and further apart. Each is one eventually consistent read. */
const firstPauseMilliseconds = 150;
const longestPauseMilliseconds = 1000;

/** The record as soon as it rests, else as it is after `seconds`. */
export async function waitForRest(
  read: Verification,
  seconds: number,
  { verifications, now, sleep = (milliseconds) => setTimeout(milliseconds) }: WaitDependencies,
): Promise<Verification> {
  const until = now().getTime() + seconds * 1000;
  let current = read;
  for (let pause = firstPauseMilliseconds; !restingStates.includes(current.state); pause *= 1.25) {
    const left = until - now().getTime();
    if (left <= 0) return current;
    await sleep(Math.min(pause, longestPauseMilliseconds, left));
    const next = found(await verifications.find(current.verificationId, { consistent: false }));
    if (next.sequence >= current.sequence) current = next; // an old replica may answer
  }
  return current;
}

/** Opaque to callers; holds no tenant, so it opens nobody else's list. */
export function writeCursor({ verificationId, createdAt }: PageStart): string {
  return Buffer.from(JSON.stringify([verificationId, createdAt])).toString('base64url');
}

export function readCursor(cursor: string | undefined): PageStart | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [verificationId, createdAt] = z
      .tuple([z.string(), z.string()])
      .parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return pageStart.parse({ verificationId, createdAt });
  } catch {
    throw new Fault('request_invalid', 'Send next_cursor as the page before gave it.', {
      errors: [{ field: 'cursor', message: 'is not a cursor of this API' }],
    });
  }
}
