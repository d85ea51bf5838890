/** Reads the value of one key of CDK context. Given as `-c key=value` it is always text, in a file it is not: both are meant. */
export type Read<T> = (value: unknown, key: string) => T;

/** The value as what stands in an error about it. */
const quoted = (value: unknown): string => JSON.stringify(value);

/** True or false. */
export function flag(whenAbsent: boolean): Read<boolean> {
  return (value, key) => {
    if (value === undefined) return whenAbsent;
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw new Error(`Context ${key} must be true or false, not ${quoted(value)}.`);
  };
}

/** One of these words; the first where none is given. */
export function oneOf<const Choice extends string>(...choices: readonly [Choice, ...Choice[]]): Read<Choice> {
  return (value, key) => {
    const choice = value === undefined ? choices[0] : choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    throw new Error(`Context ${key} must be ${choices.join(' or ')}, not ${quoted(value)}.`);
  };
}

/** A whole number in a range. */
export function wholeNumber(range: {
  readonly default: number;
  readonly from: number;
  readonly to: number;
}): Read<number> {
  return (value, key) => {
    const number = value === undefined ? range.default : Number(value);
    if (Number.isInteger(number) && number >= range.from && number <= range.to) return number;
    throw new Error(`Context ${key} must be a whole number from ${range.from} to ${range.to}, not ${quoted(value)}.`);
  };
}

/** Text that looks like this, or nothing. `like` ends the sentence "must be …". */
export function text(like: string, pattern: RegExp): Read<string | undefined> {
  return (value, key) => {
    if (value === undefined) return undefined;
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw new Error(`Context ${key} must be ${like}, not ${quoted(value)}.`);
  };
}

/** What is read where the key is given, and nothing where it is not. */
export function optional<T>(read: Read<T>): Read<T | undefined> {
  return (value, key) => (value === undefined ? undefined : read(value, key));
}

/** Where a page comes from: scheme, host and port. */
export function isOrigin(value: string): boolean {
  return URL.canParse(value) && new URL(value).origin === value;
}

/** An origin, or nothing. */
export const origin: Read<string | undefined> = (value, key) => {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && isOrigin(value)) return value;
  throw new Error(
    `Context ${key} must be an origin like https://verify.example, without a path, not ${quoted(value)}.`,
  );
};

/** A list, or text with commas between its parts. */
export const list: Read<readonly string[]> = (value) => {
  const parts = Array.isArray(value) ? value.map(String) : String(value ?? '').split(',');
  return parts.map((part) => part.trim()).filter((part) => part !== '');
};

/** Origins, or `*` for all of them. A path or a closing slash matches no page. */
export const origins: Read<readonly string[]> = (value, key) => {
  const given = list(value, key);
  const wrong = given.find((part) => part !== '*' && !isOrigin(part));
  if (wrong === undefined) return given;
  throw new Error(`Context ${key} must be origins like https://app.example, without a path, not ${quoted(wrong)}.`);
};

/** The ARN of a resource, taken apart as far as all ARNs are alike. */
export function partsOfArn(arn: string): { readonly region: string; readonly account: string } {
  const [, , , region = '', account = ''] = arn.split(':');
  return { region, account };
}

/** The known word that takes the fewest letters added, left out or changed to become this one. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [first] = known
    .map((candidate) => ({ candidate, edits: edits(word.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((one, other) => one.edits - other.edits);
  return first?.candidate;
}

/** Levenshtein's distance. */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...to].entries()) {
      const [above = 0, diagonal = 0, left = 0] = [row[column + 1], row[column], next[column]];
      next.push(Math.min(above + 1, left + 1, diagonal + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
