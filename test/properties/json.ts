import * as fc from 'fast-check';

/** Strings with all that JSON can escape: lone surrogates, NUL, combining marks, names of `Object.prototype`. */
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 4 })
      .map((units) => String.fromCharCode(...units)),
  },
  { weight: 3, arbitrary: fc.constantFrom('', '\u0000', ...Object.getOwnPropertyNames(Object.prototype)) },
);

/** Numbers as JSON writes them, beyond what a double or a database column can hold. */
const digits = (most: number) => fc.bigInt({ min: 0n, max: 10n ** BigInt(most) }).map(String);
const number = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.tuple(fc.constantFrom('', '-'), digits(60)).map(([sign, whole]) => sign + whole),
  fc
    .tuple(fc.constantFrom('', '-'), digits(40), digits(40), fc.integer({ min: -400, max: 400 }))
    .map(([sign, whole, fraction, exponent]) => `${sign}${whole}.${fraction}e${exponent}`),
  fc.constantFrom('-0', '1e200', '1e-200', '1e126', '1e-131', '1e400', '9007199254740993', '1234567890123456789'),
);

const plain = fc.oneof(
  text.map((value) => JSON.stringify(value)),
  number,
  fc.constantFrom('true', 'false', 'null'),
);

const long = fc.integer({ min: 100, max: 3000 }).map((length) => JSON.stringify('x'.repeat(length)));

/** Up to the 16 KB that a body may have, and beyond. */
const deep = fc
  .tuple(fc.integer({ min: 1, max: 9000 }), fc.boolean())
  .map(([depth, objects]) => `${(objects ? '{"":' : '[').repeat(depth)}1${(objects ? '}' : ']').repeat(depth)}`);

const objectOf = (value: fc.Arbitrary<string>, { maxLength }: { maxLength: number }) =>
  fc
    .uniqueArray(fc.tuple(text, value), { maxLength, size: 'max', selector: ([name]) => name })
    .map((members) => `{${members.map(([name, written]) => `${JSON.stringify(name)}:${written}`).join()}}`);

const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 8, arbitrary: plain },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join()}]`) },
    { weight: 2, arbitrary: objectOf(tie('value'), { maxLength: 4 }) },
  ),
}));

/**
 * The text of a JSON object of up to eight random values. Texts and not values, because what JavaScript has read has
 * lost some of them: the last digits of a large integer, a number above 1.8e308.
 */
export const jsonObject = objectOf(
  fc.oneof({ weight: 100, arbitrary: value }, { weight: 1, arbitrary: long }, { weight: 1, arbitrary: deep }),
  { maxLength: 8 },
);

/** A number of a JSON text, as it was written there. */
class NumberText {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

/** `JSON.parse` that keeps numbers as they were written. */
export function readJson(text: string): unknown {
  return JSON.parse(text, (_, value, context?: { source?: string }) =>
    typeof value === 'number' ? new NumberText(context?.source ?? '') : value,
  );
}

/** Two values of `readJson` say the same: integers digit by digit, other numbers as doubles, members in any order. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (one instanceof NumberText && other instanceof NumberText) return sameNumber(one.source, other.source);
  if (!isObject(one) || !isObject(other)) return one === other;
  const names = Object.keys(one);
  return (
    Array.isArray(one) === Array.isArray(other) &&
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && sameJson(one[name], other[name]))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function sameNumber(one: string, other: string): boolean {
  const integer = /^-?\d+$/;
  return integer.test(one) && integer.test(other) ? BigInt(one) === BigInt(other) : Number(one) === Number(other);
}
