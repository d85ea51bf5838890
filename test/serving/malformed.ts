import type { routes } from '../../shared/api/operations.ts';
import { randomOf } from '../simulation/random.ts';

/** A request that something is wrong with, and what. */
export interface Malformed {
  readonly name: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

interface Options {
  readonly apiKey: string;
  readonly count: number;
  readonly seed: number;
}

type Random = ReturnType<typeof randomOf>;
type Body = Uint8Array;

const text = (value: string): Body => Buffer.from(value);
const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex');
const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const mp4 = Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1');

/** Requests to one route, the same for the same seed. Some are only odd: those may well be judged. */
export function* malformedRequests(
  { path, request, vendor }: Pick<(typeof routes)[number], 'path' | 'request' | 'vendor'>,
  { apiKey, count, seed }: Options,
): Generator<Malformed> {
  const random = randomOf(seed, path.length);
  const maximumBytes = request.maximumBodyBytes ?? 0;
  for (let index = 0; index < count; index += 1) {
    const kinds = request.bodyMedia ? formKinds : jsonKinds;
    const kind = kinds[index % kinds.length];
    if (!kind) return;
    const made = kind.make(random, { apiKey, maximumBytes: Math.min(maximumBytes, 11_000_000), vendor });
    const headers = { 'x-api-key': apiKey, ...made.headers };
    yield { name: `${kind.name} #${index}`, headers, body: made.body };
  }
}

interface Kind {
  readonly name: string;
  readonly make: (
    random: Random,
    about: { apiKey: string; maximumBytes: number; vendor: string | undefined },
  ) => { headers?: Record<string, string>; body: Body };
}

const flipped = (bytes: Body, random: Random, times: number): Body => {
  const copy = Buffer.from(bytes);
  for (let flip = 0; flip < times; flip += 1) copy[random.below(copy.length)] = random.below(256);
  return copy;
};
const cut = (bytes: Body, random: Random): Body => bytes.subarray(0, random.below(bytes.length));
const nested = (depth: number, inside: string): string => `${'['.repeat(depth)}${inside}${']'.repeat(depth)}`;

const goodJson = JSON.stringify({
  data: jpeg.toString('base64'),
  service: 'identify-anti-spoof',
  payload: { image_link: 'https://example.com/a.jpg', webhook_name: 'none', source_id: 'fuzz' },
});

const oddValues = [
  'null',
  '1',
  'true',
  '[]',
  '{}',
  '""',
  '"a"',
  '1e400',
  '"\\ud800"',
  '-0',
  '"data:,"',
  '"===="',
] as const;
const types = [
  'application/json',
  'text/plain',
  'application/octet-stream',
  'multipart/form-data',
  '',
  'a/b; c="',
] as const;

const jsonKinds: readonly Kind[] = [
  { name: 'a flipped byte', make: (random) => ({ body: flipped(text(goodJson), random, 1 + random.below(4)) }) },
  { name: 'a truncation', make: (random) => ({ body: cut(text(goodJson), random) }) },
  {
    name: 'an odd value',
    make: (random) => ({
      body: text(
        `{"data":${random.pick(oddValues)},"service":${random.pick(oddValues)},"payload":${random.pick(oddValues)}}`,
      ),
    }),
  },
  {
    name: 'another type',
    make: (random) => ({ headers: { 'content-type': random.pick(types) }, body: cut(text(goodJson), random) }),
  },
  { name: 'deep', make: (random) => ({ body: text(`{"data":${nested(100 + random.below(30_000), '1')}}`) }) },
  { name: 'a duplicate', make: () => ({ body: text('{"data":"a","data":"%%","payload":1,"payload":{}}') }) },
  {
    name: '__proto__',
    make: (random) => ({
      body: text(`{"__proto__":{"data":"${jpeg.toString('base64')}"},"constructor":${random.below(9)}}`),
    }),
  },
  {
    name: 'not UTF-8',
    make: () => ({ body: Buffer.concat([text('{"data":"'), Buffer.from([0xff, 0xfe, 0xc0]), text('"}')]) }),
  },
  {
    name: 'not base64',
    make: (random) => ({
      body: text(
        JSON.stringify({
          data: random.pick(['%%%', 'AAAA=A', 'ÄÖ', '====', 'A', 'data:image/jpeg;base64,', '\u0000']),
        }),
      ),
    }),
  },
  {
    name: 'no picture',
    make: (random) => ({
      body: text(
        JSON.stringify({ data: random.pick([png, mp4, jpeg.subarray(0, 2), text('GIF89a')]).toString('base64') }),
      ),
    }),
  },
  { name: 'nothing', make: () => ({ body: new Uint8Array() }) },
  { name: 'a scalar', make: (random) => ({ body: text(random.pick(oddValues)) }) },
  { name: 'noise', make: (random) => ({ body: flipped(new Uint8Array(1 + random.below(4000)), random, 4000) }) },
  { name: 'a long name', make: (random) => ({ body: text(`{"${'n'.repeat(random.below(200_000))}":1}`) }) },
  {
    name: 'many names',
    make: (random) => ({
      body: text(`{${Array.from({ length: random.below(20_000) }, (_, at) => `"k${at}":0`).join(',')}}`),
    }),
  },
  {
    name: 'another key',
    make: (random) => ({
      headers: { 'x-api-key': random.pick(['', 'no', '__proto__', 'ÿ', 'a'.repeat(4000)]) },
      body: text(goodJson),
    }),
  },
];

const boundary = 'fuzz-boundary';
interface Part {
  readonly name: string;
  readonly fileName?: string;
  readonly content: Body;
  readonly headers?: string;
}
function formOf(parts: readonly Part[], end = `--${boundary}--\r\n`): Body {
  const pieces = parts.flatMap(({ name, fileName, content, headers = '' }) => [
    text(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${fileName === undefined ? '' : `; filename="${fileName}"`}\r\n${headers}\r\n`,
    ),
    content,
    text('\r\n'),
  ]);
  return Buffer.concat([...pieces, text(end)]);
}
const withBoundary = { 'content-type': `multipart/form-data; boundary=${boundary}` };
const key = (apiKey: string): Part => ({ name: 'api_key', content: text(apiKey) });
const file = (name: string, content: Body): Part => ({ name, fileName: `${name}.bin`, content });
const spoken = (digits: string, language: string): Part[] => [
  { name: 'audiochallenge', content: text(digits) },
  { name: 'languageCode', content: text(language) },
];
const complete = (apiKey: string) =>
  formOf([
    key(apiKey),
    file('id_card', jpeg),
    file('photo', text('no picture')),
    file('video', text('no video')),
    ...spoken('123457', 'en-US'),
  ]);
const form = (parts: readonly Part[], end?: string) => ({ headers: withBoundary, body: formOf(parts, end) });

const formKinds: readonly Kind[] = [
  {
    name: 'a flipped byte',
    make: (random, { apiKey }) => ({
      headers: withBoundary,
      body: flipped(complete(apiKey), random, 1 + random.below(6)),
    }),
  },
  {
    name: 'a truncation',
    make: (random, { apiKey }) => ({ headers: withBoundary, body: cut(complete(apiKey), random) }),
  },
  { name: 'no parts', make: (_, { apiKey }) => form([key(apiKey)]) },
  {
    name: 'a part too few',
    make: (random, { apiKey }) => form([key(apiKey), file(random.pick(['id_card', 'photo', 'video']), text('x'))]),
  },
  {
    name: 'a part twice',
    make: (_, { apiKey }) => form([key(apiKey), file('photo', jpeg), file('photo', jpeg), file('id_card', jpeg)]),
  },
  { name: 'the key twice', make: (_, { apiKey }) => form([key(apiKey), key('other'), file('photo', text('x'))]) },
  {
    name: 'another key',
    make: (random) => form([key(random.pick(['', 'no', '__proto__', 'ÿ', 'k'.repeat(5000)])), file('photo', jpeg)]),
  },
  { name: 'no key', make: () => form([file('photo', jpeg), file('id_card', jpeg)]) },
  {
    name: 'text for a file',
    make: (_, { apiKey }) => form([key(apiKey), { name: 'photo', content: jpeg }, { name: 'id_card', content: jpeg }]),
  },
  {
    name: 'not pictures',
    make: (random, { apiKey }) =>
      form([
        key(apiKey),
        file('photo', random.pick([mp4, text('GIF89a'), new Uint8Array()])),
        file('id_card', text('<svg/>')),
      ]),
  },
  {
    name: 'not a video',
    make: (random, { apiKey }) =>
      form([
        key(apiKey),
        file('video', random.pick([jpeg, text('x'), new Uint8Array()])),
        file('id_card', jpeg),
        ...spoken('123457', 'en-US'),
      ]),
  },
  {
    name: 'odd digits',
    make: (random, { apiKey }) =>
      form([
        key(apiKey),
        file('video', mp4),
        file('id_card', jpeg),
        ...spoken(random.pick(['', '12345', '1234567', '111111', '１２３４５６', 'abcdef', '12 345']), 'en-US'),
      ]),
  },
  {
    name: 'an odd language',
    make: (random, { apiKey }) =>
      form([
        key(apiKey),
        file('video', mp4),
        file('id_card', jpeg),
        ...spoken('123457', random.pick(['th-TH', 'x', '__proto__', 'en_US', '🙂', 'e'.repeat(4000)])),
      ]),
  },
  {
    name: '__proto__',
    make: (_, { apiKey }) =>
      form([
        key(apiKey),
        file('__proto__', jpeg),
        { name: 'constructor', content: text('x') },
        file('hasOwnProperty', jpeg),
      ]),
  },
  {
    name: 'not UTF-8',
    make: () => form([{ name: 'api_key', content: Buffer.from([0xff, 0xfe, 0xc0]) }, file('photo', jpeg)]),
  },
  {
    name: 'another boundary',
    make: (random, { apiKey }) => ({
      headers: { 'content-type': `multipart/form-data; boundary=${random.pick(['other', '""', 'a'.repeat(300), ''])}` },
      body: complete(apiKey),
    }),
  },
  {
    name: 'another type',
    make: (random, { apiKey }) => ({ headers: { 'content-type': random.pick(types) }, body: complete(apiKey) }),
  },
  { name: 'no last boundary', make: (_, { apiKey }) => form([key(apiKey), file('photo', jpeg)], '') },
  {
    name: 'bytes behind',
    make: (_, { apiKey }) => form([key(apiKey), file('photo', text('x'))], `--${boundary}--\r\nmore and more`),
  },
  {
    name: 'many parts',
    make: (random, { apiKey }) =>
      form([
        key(apiKey),
        ...Array.from({ length: 100 + random.below(2000) }, (_, at) => ({ name: `p${at}`, content: text('') })),
      ]),
  },
  {
    name: 'long headers',
    make: (random, { apiKey }) =>
      form([key(apiKey), { ...file('photo', jpeg), headers: `X-A: ${'h'.repeat(random.below(100_000))}\r\n` }]),
  },
  {
    name: 'an odd file name',
    make: (random, { apiKey }) =>
      form([
        key(apiKey),
        {
          name: 'photo',
          fileName: random.pick(['../../etc/passwd', '\u0000', '"', ';', 'a'.repeat(9000)]),
          content: text('x'),
        },
      ]),
  },
  {
    name: 'an encoding',
    make: (random, { apiKey }) =>
      form([
        key(apiKey),
        {
          ...file('photo', text('eA==')),
          headers: `Content-Transfer-Encoding: ${random.pick(['base64', 'quoted-printable', 'x'])}\r\n`,
        },
      ]),
  },
  { name: 'huge', make: (_, { maximumBytes }) => ({ headers: withBoundary, body: new Uint8Array(maximumBytes + 1) }) },
  { name: 'nothing', make: () => ({ headers: withBoundary, body: new Uint8Array() }) },
  { name: 'JSON', make: () => ({ body: text(goodJson) }) },
];
