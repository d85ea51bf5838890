import * as z from 'zod';
import type { Landed } from './captures.ts';
import { tolerant } from './later.ts';
import { challengeSeconds } from './times.ts';

/** How many digits a person is asked to say in a video. */
export const challengeDigits = 6;

/** A recording of one spoken digit would do for it. */
const oneDigitAlone = /^(\d)\1*$/;

/** A challenge that a caller chose. */
export const givenChallenge = z
  .string()
  .regex(/^[0-9]{6}$/, 'must be 6 digits')
  .refine((digits) => !oneDigitAlone.test(digits), 'must not be one digit six times');

const everyString = 10 ** challengeDigits;
const stringsOfOneDigit = 10;
/** 111,110: as many strings lie between two of one digit alone, 000000, 111111, … 999999. */
const between = (everyString - stringsOfOneDigit) / (stringsOfOneDigit - 1);

/**
 * New digits to say, each string but those of one digit alone equally likely.
 * `randomBelow` gives an unpredictable whole number from 0 to below its limit.
 */
export function newChallenge(randomBelow: (limit: number) => number): string {
  const drawn = randomBelow(everyString - stringsOfOneDigit);
  return String(drawn + 1 + Math.floor(drawn / between)).padStart(challengeDigits, '0');
}

/** One turn of the head: to the person's own left or right, begun at this whole second of the recording. */
export const turn = tolerant({ side: z.enum(['left', 'right']), second: z.int().min(0) });
export type Turn = z.infer<typeof turn>;

/** Those that are asked for: a person needs some time to begin in, and a video may not become long. */
export const turns: readonly Turn[] = [2, 3, 4, 5].flatMap((second) => [
  { side: 'left', second },
  { side: 'right', second },
]);

/** A new turn, each equally likely; `randomBelow` as above. */
export function newTurn(randomBelow: (limit: number) => number): Turn {
  const drawn = turns[randomBelow(turns.length)];
  if (!drawn) throw new RangeError('A number below the limit draws a turn');
  return drawn;
}

/** What a record keeps of the digits that its round asks for. Versions before kept the digits alone: those never die. */
export interface Issued {
  readonly challengeIssuedAt?: string | undefined;
  /** 1 for the first digits of the round, one more with each that replaced dead ones. */
  readonly challengeNumber?: number | undefined;
}

/** Until when a video that says the digits may be stored; undefined where they never die. */
export function challengeExpiresAt({ challengeIssuedAt }: Issued): Date | undefined {
  if (challengeIssuedAt === undefined) return undefined;
  return new Date(Date.parse(challengeIssuedAt) + challengeSeconds * 1000);
}

/**
 * Whether the video of a round was stored after its digits had died, or was made for digits that were dead and replaced:
 * the person in it was not asked for what the record asks for now.
 */
export function isVideoLate(record: Issued & { readonly landed: Landed }): boolean {
  const { video } = record.landed;
  const expiresAt = challengeExpiresAt(record);
  if (!video || !expiresAt) return false;
  if ((video.challengeNumber ?? 1) !== (record.challengeNumber ?? 1)) return true;
  return video.storedAt !== undefined && Date.parse(video.storedAt) > expiresAt.getTime();
}
