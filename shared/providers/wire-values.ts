import * as z from 'zod';

/** Below this a number is 0: a table keeps none that is smaller than 1e-130. */
const smallest = 1e-100;

/**
 * A number, or the text of one: vendors send both, sometimes in one body. Only numbers that a table keeps are taken: no
 * infinity, none above what JavaScript counts exactly.
 */
export const looseNumber = z
  .union([
    z.number(),
    z
      .string()
      .trim()
      .regex(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i)
      .transform(Number),
  ])
  .pipe(z.number().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER))
  .transform((value) => (Math.abs(value) < smallest ? 0 : value));

export const looseProbability = looseNumber.pipe(z.number().min(0).max(1));

/** A boolean, or the text of one as some languages print it. */
export const looseBoolean = z.union([
  z.boolean(),
  z
    .string()
    .trim()
    .toLowerCase()
    .pipe(z.enum(['true', 'false']))
    .transform((text) => text === 'true'),
]);

/** What is kept where it can be read and decides nothing: null, another type or nothing in its place costs no verdict. */
export const ifReadable = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().catch(undefined);

/** What a vendor puts where an error would stand and there is none: null, `""`, false, an empty object or list. */
export const noError = z.unknown().refine(isNothing);
export const anError = z.unknown().refine((value) => !isNothing(value));

function isNothing(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() === '';
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === null || value === undefined || value === false;
}

/** JSON, with or without a byte order mark before it; undefined for anything else. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** The JSON of a body in UTF-8, whatever its content type says; undefined for anything else. */
export function jsonOf(body: Uint8Array): unknown {
  try {
    return readJson(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
