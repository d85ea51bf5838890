import { globSync, readFileSync } from 'node:fs';

const folder = 'test/fixtures/vendors/documents';

/** The text of a vendor's document, by the three digits it begins with. */
export function documentText(number: string): string {
  const [file] = globSync(`${folder}/${number}_*.txt`);
  if (!file) throw new Error(`There is no document ${number}`);
  return readFileSync(file, 'utf8');
}

/** Where the example bodies of the documents stand: the first group is the body. */
const places = {
  '000 received': ['000', /Sample Response\n\n(\{[\s\S]*?\n\})\n/],
  '000 result': ['000', /Webhook Data Received: JSON\n\n(\{[\s\S]*?\n\})\n/],
  '001 live': ['001', /\nLive Face\n\n(\{[\s\S]*?)\n\n200\n/],
  '001 spoof': ['001', /\nSpoof Face\n\n(\{[\s\S]*?)\n\n200\n/],
  '001 no face': ['001', /\nNo Face\n\n(\{[\s\S]*?)\n\n200\n/],
  '001 bad input': ['001', /\nBad Input\n\n(\{[\s\S]*?)\n\n413\n/],
  '001 too large': ['001', /\nImage Size > 10MB\n\n(.*)\n/],
  '003 live': ['003', /<td>Live Face <\/td>[\s\S]*?<code class="lang-json">([\s\S]*?)\n<\/code>/],
  '003 spoof': ['003', /<td>Spoof Face<\/td>[\s\S]*?<code class="lang-json">([\s\S]*?)\n<\/code>/],
  '003 no face': ['003', /<td>No Face<\/td>[\s\S]*?<code class="lang-json">([\s\S]*?)\n<\/code>/],
  '003 bad input': ['003', /<td>Bad Input<\/td>[\s\S]*?<code class="lang-json">([\s\S]*?)\n<\/code>/],
  '003 too large': ['003', /<td>Image Size > 10MB<\/td>[\s\S]*?<code class="lang-json">(.*)\n<\/code>/],
  '003 face too small': ['003', /<td>Face Size [\s\S]*?<code class="lang-json">([\s\S]*?)\n<\/code>/],
  '002 photoverify': ['002', /\n\/photoverify\n[\s\S]*?- if successful:\n(.*)\n/],
  '002 videoverify': ['002', /\n\/videoverify\n[\s\S]*?- sample successful response:\n(.*)\n/],
  '002 spoofdetect': ['002', /\n\/spoofdetect\n[\s\S]*?- sample successful response:\n(.*)\n/],
  '002 photoverify error': ['002', /\n\/photoverify\n[\s\S]*?- if error exists\n- (.*)\n/],
  '002 videoverify error': ['002', /\n\/videoverify\n[\s\S]*?- if error exists\n- (.*)\n/],
  '002 spoofdetect error': ['002', /\n\/spoofdetect\n[\s\S]*?- if error exists\n- (.*)\n/],
} as const satisfies Record<string, readonly [document: string, place: RegExp]>;

export type Example = keyof typeof places;
export const examples = Object.keys(places) as Example[];

/** An example body of a document: JSON, or text, and what had to be put back so that it is. */
export interface Read {
  readonly body: unknown;
  readonly restored: readonly string[];
}

export function readExample(name: Example): Read {
  const [document, place] = places[name];
  const text = place.exec(documentText(document))?.[1];
  if (!text) throw new Error(`Document ${document} has no place for ${name}`);
  return text.includes('{') ? readJson(text) : { body: text, restored: [] };
}

/** What each document lost on its way: quotes, a leading zero, last braces. Nothing else is put back. */
function readJson(written: string): Read {
  let text = written;
  const restored: string[] = [];
  const quotes = text.match(/[“”]/g)?.length ?? 0;
  if (quotes > 0) restored.push(`${quotes} curly quotes`);
  text = text.replaceAll(/[“”]/g, '"');
  const zeros = [...text.matchAll(/:\s*(\.\d+)/g)].map(([, number]) => number);
  if (zeros.length > 0) restored.push(`0 before ${zeros.join(', ')}`);
  text = text.replaceAll(/(:\s*)(\.\d)/g, '$10$2');
  const bare = text.replaceAll(/"[^"]*"/g, '');
  const missing = bare.split('{').length - bare.split('}').length;
  if (missing > 0) restored.push(`${missing} closing brace`);
  return { body: JSON.parse(text + '}'.repeat(missing)), restored };
}

/** What may be another value at a path, in dots: whether this one may stand for the document's. */
export type Others = Readonly<Record<string, (ours: unknown, theirs: unknown) => boolean>>;

/** In what a body is not the document's: keys, their order, JSON types and values. */
export function differences(theirs: unknown, ours: unknown, others: Others = {}, path = ''): string[] {
  if (typeOf(theirs) !== typeOf(ours)) return [`${path}: ${typeOf(ours)} instead of ${typeOf(theirs)}`];
  if (!isObject(theirs) || !isObject(ours)) {
    const other = others[path];
    const same = other ? other(ours, theirs) : Object.is(ours, theirs);
    return same ? [] : [`${path}: ${JSON.stringify(ours)} instead of ${JSON.stringify(theirs)}`];
  }
  const keys = [Object.keys(theirs).join(), Object.keys(ours).join()];
  if (keys[0] !== keys[1]) return [`${path}: keys ${keys[1]} instead of ${keys[0]}`];
  return Object.entries(theirs).flatMap(([key, value]) =>
    differences(value, ours[key], others, path === '' ? key : `${path}.${key}`),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
