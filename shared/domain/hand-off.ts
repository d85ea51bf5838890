import { createHash, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { tolerant } from './later.ts';

/**
 * How the capture of a verification is handed over to another device. Each hand-off has a number of its own, and so has
 * the token of the device that has claimed it: taking it back, or handing off again, ends that token.
 */
export const handOff = z.discriminatedUnion('state', [
  tolerant({
    state: z.literal('offered'),
    number: z.int().positive(),
    /** SHA-256 of the code, base64url. */
    codeHash: z.string(),
    /** Epoch seconds until which the code may be claimed. */
    expiresAt: z.int(),
  }),
  tolerant({ state: z.literal('claimed'), number: z.int().positive() }),
  tolerant({ state: z.literal('taken_back'), number: z.int().positive() }),
]);
export type HandOff = z.infer<typeof handOff>;

/** The bytes of a code: an attacker guesses no 128 bits, and the QR code stays small. */
export const codeBytes = 16;

/** What is kept of a code. It is of full entropy, so that its hash tells nothing without a key. */
export function codeHashOf(code: string): string {
  return digestOf(code).toString('base64url');
}

const noHash = codeHashOf('');

/** The hand-off once its code is claimed, or undefined where this is not its code, or not in time. */
export function claimed(read: HandOff | undefined, code: string, now: Date): HandOff | undefined {
  const offered = read?.state === 'offered' ? read : undefined;
  const isCode = timingSafeEqual(Buffer.from(offered?.codeHash ?? noHash, 'base64url'), digestOf(code));
  if (!offered || !isCode || offered.expiresAt * 1000 <= now.getTime()) return undefined;
  return { state: 'claimed', number: offered.number };
}

/** The number of the next hand-off: no token of an earlier one has it. */
export function nextNumber(read: HandOff | undefined): number {
  return (read?.number ?? 0) + 1;
}

function digestOf(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}
