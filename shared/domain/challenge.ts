import * as z from 'zod';

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
