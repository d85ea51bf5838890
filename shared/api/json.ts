import { Fault } from '../domain/fault.ts';

/** How deep a body may be nested: far more than any request of ours, far less than a stack. */
const maximumDepth = 20;

/** A number that JavaScript cannot keep as it was written: its text. Every schema refuses it. */
export class InexactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/**
 * The JSON of a body, undefined where there is none. Throws `request_unreadable` for what is not JSON and
 * `request_invalid` for what is nested too deep to be looked at. Numbers that would come back as others (2^53 + 1,
 * 1e400, forty digits) are `InexactNumber`s.
 */
export function readJson(text: string): unknown {
  if (text === '') return undefined;
  const plain = parse(text);
  refuseDepth(plain);
  return JSON.parse(text, exactly);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Fault('request_unreadable', 'The body must be JSON (content-type: application/json).');
  }
}

/** Iterative, because the stack is what a deep body is after. */
function refuseDepth(value: unknown): void {
  const waiting: { value: unknown; depth: number; field: string }[] = [{ value, depth: 0, field: '/' }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, depth, field } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= maximumDepth) {
      const message = `is nested deeper than ${maximumDepth} levels`;
      throw new Fault('request_invalid', 'Send a flatter body.', { errors: [{ field, message }] });
    }
    for (const [name, inner] of Object.entries(value)) {
      waiting.push({ value: inner, depth: depth + 1, field: depth === 0 ? `/${pointerPart(name)}` : field });
    }
  }
}

/** A reviver: the third argument is the text that a primitive was written as. */
function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  const { source } = context;
  return Number.isFinite(value) && decimalOf(source) === decimalOf(String(value)) ? value : new InexactNumber(source);
}

/** A decimal number as its significant digits and exponent: equal for 100, 1e2 and 100.00. */
function decimalOf(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  if (digits === '') return '0';
  const significant = digits.replace(/0+$/, '');
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** The first value in `value` that cannot be kept as it was written, by where it is; undefined where all can. */
export function inexactIn(value: unknown): { path: string[]; text: string } | undefined {
  const waiting: { value: unknown; path: string[] }[] = [{ value, path: [] }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, path } = next;
    if (value instanceof InexactNumber) return { path, text: value.text };
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) waiting.push({ value: inner, path: [...path, name] });
  }
  return undefined;
}

/** RFC 6901: `~` and `/` in a name are escaped. */
export function pointerPart(part: PropertyKey): string {
  return String(part).replaceAll('~', '~0').replaceAll('/', '~1');
}
