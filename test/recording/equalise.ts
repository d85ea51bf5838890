import { createHash } from 'node:crypto';

/** Fields whose whole value is random, or a hash of something random. */
const random = new Set(
  [
    ...['moveId', 'requestHash', 'sha256'],
    ...['versionId', 'VersionId', 'version-id', 'x-amz-version-id', 'sequencer'],
    ...['X-Amz-Date', 'X-Amz-Signature', 'X-Amz-Credential', 'apigw-requestid', 'EventId'],
  ].map((name) => name.toLowerCase()),
);

/** A time so far away is a constant of a test. */
const farAwaySeconds = 10 * 365 * 86_400;

/** Fields that are JSON in base64. */
const encoded = new Set(['Policy', 'next_cursor', 'cursor']);

/** The one verification id that tests give themselves: what is signed with it is the same in every run. */
const fixedId = 'abcdefghijklmnopqrstuvwxyz';

/** Random or timed parts of a text, and what stands for them. Order matters: the longer ones first. */
const parts: readonly [RegExp, string][] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>'],
  [/\d{8}T\d{6}Z/g, '<time>'],
  [/LOCAL(\/|%2F)\d{8}(\/|%2F)/g, 'LOCAL$1<day>$2'],
  [/(127\.0\.0\.1|localhost):\d+/g, '<host>'],
  [/X-Amz-Signature=[0-9a-f]{64}/g, 'X-Amz-Signature=<signature>'],
  [/versionId=[^&\s"]+/g, 'versionId=<version>'],
  [/\b(bf|wh)_([a-z][a-z0-9-]*)_[A-Za-z0-9_-]{43}/g, '$1_$2_<secret>'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>'],
  [new RegExp(`(?<![a-z0-9])(?!${fixedId})[a-z2-7]{26}\\.(\\d+)\\.[0-9a-f]{32}`, 'g'), '<id>.$1.<signature>'],
  [new RegExp(`(?<![a-z0-9])(?!${fixedId})[a-z2-7]{26}(?![a-z0-9])`, 'g'), '<id>'],
  [/(?<=[kw]_)[0-9a-f]{12}\b/g, '<id>'],
  [/journey-\d{13}-\d+/g, 'journey'],
  [/\/capture-\d+/g, '/capture'],
  [/(?<=^(awaiting_captures|queued|dispatched|erased)#)[0-3]$/g, '<shard>'],
  [/boundary=[^;\s]+/g, 'boundary=<boundary>'],
];

/**
 * A value with everything that differs from run to run made equal, and its fields in order. Times that have passed are
 * `<time>`; later ones are told by how long after `now` they are, so that a changed deadline shows.
 */
export function equalised(value: unknown, now: Date, field = ''): unknown {
  if (typeof value === 'string') return equalisedText(value, now, field);
  if (typeof value === 'number') return equalisedNumber(value, now);
  if (value instanceof Set) return [...value].sort();
  if (Array.isArray(value)) return value.map((item) => equalised(item, now));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(withoutMoment(value)).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.sort(byName).map(([name, item]) => [name, equalised(item, now, name)]));
}

/** A second upload is noted when its message comes: in which state the record is by then is chance. */
function withoutMoment(value: object): object {
  if (!('kind' in value && value.kind === 'noted' && 'code' in value && String(value.code).startsWith('capture_'))) {
    return value;
  }
  return { ...value, state: '<any>', sequence: '<any>' };
}

const byName = ([one]: [string, unknown], [other]: [string, unknown]) => (one < other ? -1 : 1);

export function equalisedText(text: string, now: Date, field = ''): unknown {
  if (random.has(field.toLowerCase())) return `<${field}>`;
  if (encoded.has(field)) {
    const decoded = jsonIn(Buffer.from(text, 'base64').toString());
    if (decoded !== undefined) return equalised(decoded, now);
  }
  const json = /^[[{]/.test(text) ? jsonIn(text) : undefined;
  if (json !== undefined) return equalised(json, now);
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text)) {
    const seconds = (Date.parse(text) - now.getTime()) / 1000;
    return seconds > farAwaySeconds ? text : timeIn(seconds);
  }
  if (text.length > 2000) return { characters: text.length, hash: createHash('sha256').update(text).digest('hex') };
  const token = /\bct_[a-z2-7]{26}_(\d+)_[A-Za-z0-9_-]{43}/g;
  const untimed = text.replace(token, (_, seconds) => `ct_<id>_${equalisedNumber(Number(seconds), now)}_<signature>`);
  return parts.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), untimed);
}

/** Epoch seconds and milliseconds of these years are times; all other numbers are what they are. */
function equalisedNumber(value: number, now: Date): unknown {
  if (value > 1.7e9 && value < 2.2e9) return timeIn(value - now.getTime() / 1000);
  if (value > 1.7e12 && value < 2.2e12) return timeIn((value - now.getTime()) / 1000);
  return value;
}

/** Rounded by how far away it is: what is measured is a deadline, not how long its writing took. */
function timeIn(seconds: number): string {
  if (seconds < 3) return '<time>';
  const step = seconds < 3500 ? 5 : seconds < 86_000 ? 60 : 3600;
  return `<time +${Math.round(seconds / step) * step}s>`;
}

export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
