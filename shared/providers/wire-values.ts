import * as z from 'zod';

/** A number, or the text of one: vendors send both, sometimes in one body. */
export const looseNumber = z.union([
  z.number(),
  z
    .string()
    .trim()
    .regex(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i)
    .transform(Number),
]);

export const looseProbability = looseNumber.pipe(z.number().min(0).max(1));

/** A boolean, or the text of one as some languages print it. */
export const looseBoolean = z.union([
  z.boolean(),
  z.enum(['true', 'True', 'false', 'False']).transform((text) => text.toLowerCase() === 'true'),
]);
