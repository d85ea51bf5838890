import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fault, type FaultCode } from '../../shared/domain/fault.ts';
import { type FormLimits, readForm } from '../../shared/lambda/multipart.ts';

const boundary = '------------------------d74496d66958873e';
const type = `multipart/form-data; boundary=${boundary}`;
const names = { fields: ['api_key', 'languageCode'], files: ['photo', 'id_card'] };

/** One part, as its header lines and its bytes. */
type Part = readonly [headers: string, bytes: string | Uint8Array];

const field = (name: string, value: string | Uint8Array): Part => [
  `Content-Disposition: form-data; name="${name}"`,
  value,
];
const file = (name: string, bytes: string | Uint8Array): Part => [
  `Content-Disposition: form-data; name="${name}"; filename="IMG 1.jpg"\r\nContent-Type: image/jpeg`,
  bytes,
];

function form(...parts: readonly Part[]): Buffer {
  const sections = parts.flatMap(([headers, bytes]) => [`--${boundary}\r\n${headers}\r\n\r\n`, bytes, '\r\n']);
  return Buffer.concat([...sections, `--${boundary}--\r\n`].map((piece) => Buffer.from(piece as string)));
}

const read = (body: Uint8Array, limits?: FormLimits, contentType: string | undefined = type) =>
  readForm(contentType, body, names, limits);

/** What the caller is told, or the form. A body that is neither read nor refused fails the test by its time. */
async function refused(body: Uint8Array, limits?: FormLimits, contentType?: string) {
  const error = await read(body, limits, contentType).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Fault)) throw new Error(`no fault but ${String(error)}`);
  return { code: error.code, detail: error.message };
}

/** Bytes that end the process, or a test that goes on: an error that is thrown where it cannot be caught. */
const uncaught: unknown[] = [];
const note = (error: unknown) => void uncaught.push(error);
beforeAll(() => void process.on('uncaughtException', note).on('unhandledRejection', note));
afterAll(() => {
  process.off('uncaughtException', note).off('unhandledRejection', note);
  expect(uncaught).toEqual([]);
});

describe('a form', () => {
  it('is read as curl, PHP and requests send it', async () => {
    const picture = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) % 256);
    const untyped: Part = ['Content-Disposition: form-data; name="id_card"; filename="id_card.jpg"', picture];
    const { fields, files } = await read(form(field('api_key', 'k-ü'), untyped, file('photo', picture)));
    expect([...fields]).toEqual([['api_key', 'k-ü']]);
    expect([...files.keys()].toSorted()).toEqual(['id_card', 'photo']);
    for (const bytes of files.values()) expect(Buffer.compare(bytes, picture)).toBe(0);
  });

  it('is read with a quoted boundary, a preamble, and bytes behind the last boundary', async () => {
    const spaced = `multipart/form-data; charset=utf-8; boundary="${boundary}"`;
    const body = Buffer.concat([
      Buffer.from('for old readers\r\n'),
      form(file('photo', 'jpeg')),
      Buffer.from('left over'),
    ]);
    const { files } = await read(body, {}, spaced);
    expect(String(files.get('photo'))).toBe('jpeg');
  });

  it('may carry line breaks, boundaries of others and nothing at all in a file', async () => {
    const bytes = `\r\n--${boundary.slice(0, -1)}\r\n--\r\n\r\n--`;
    const { files } = await read(form(file('photo', bytes), file('id_card', '')));
    expect(String(files.get('photo'))).toBe(bytes);
    expect(files.get('id_card')).toHaveLength(0);
  });

  it('takes a field that has a filename as text', async () => {
    expect((await read(form(file('api_key', 'k')))).fields.get('api_key')).toBe('k');
  });

  it('holds no name but those of the route', async () => {
    const { fields, files } = await read(
      form(field('__proto__', 'x'), file('constructor', 'x'), field('toString', 'x'), field('api_key', 'k')),
    );
    expect([[...fields.keys()], [...files.keys()]]).toEqual([['api_key'], []]);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it('may repeat a part that the route does not take', async () => {
    const { files } = await read(form(field('note', 'a'), field('note', 'b'), file('photo', 'p')));
    expect(files.size).toBe(1);
  });
});

const secret = 'S3CRET';
const unreadable = (why: string) => ({
  code: 'request_unreadable' as FaultCode,
  detail: `The form cannot be read: ${why}.`,
});
const invalid = (detail: string) => ({ code: 'request_invalid' as FaultCode, detail });
const twenty = Array.from({ length: 20 }, (_, index) => field(`n${index}`, secret));

describe('a form is refused, and told what to do, when', () => {
  it.each<[string, Buffer, ReturnType<typeof invalid>, FormLimits?]>([
    ['a file comes twice', form(file('photo', secret), file('photo', secret)), invalid('photo: send it once')],
    ['a field comes twice', form(field('api_key', secret), field('api_key', '')), invalid('api_key: send it once')],
    ['a file has no filename', form(field('photo', secret)), invalid('photo: send it as a file, with a filename')],
    [
      'a field is no UTF-8',
      form(field('api_key', Uint8Array.of(0x41, 0xc3, 0x28))),
      invalid('api_key: send text in UTF-8'),
    ],
    ['a field is long', form(field('api_key', secret)), invalid('api_key: send at most 5 bytes'), { fieldBytes: 5 }],
    [
      'a field is longer than any file may be',
      form(field('api_key', secret)),
      invalid('api_key: send at most 3 bytes'),
      { fieldBytes: 3, fileBytes: 2 },
    ],
    [
      'a file is large',
      form(file('photo', secret)),
      { code: 'request_too_large', detail: 'photo: send a file of at most 5 bytes' },
      { fileBytes: 5, fieldBytes: 5 },
    ],
    [
      'a file is larger than files may be and than fields may not be',
      form(file('photo', secret)),
      { code: 'request_too_large', detail: 'photo: send a file of at most 5 bytes' },
      { fileBytes: 5 },
    ],
    [
      'a file is in base64',
      form([`${file('photo', '')[0]}\r\nContent-Transfer-Encoding: BASE64`, secret]),
      invalid('photo: send its bytes as they are, without content-transfer-encoding'),
    ],
    ['a part has no name', form(['Content-Disposition: form-data', secret]), unreadable('a part has no name')],
    ['a part has no headers', form(['', secret]), unreadable('a part has no readable content-disposition')],
    [
      'a part has another disposition',
      form(['Content-Disposition: attachment; name="photo"; filename="a"', secret]),
      unreadable('a part has no readable content-disposition'),
    ],
    [
      'a part never ends its headers',
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="photo"\r\n--${boundary}--\r\n`),
      unreadable('a part has no readable content-disposition'),
    ],
    [
      'a part has 17 headers before its name',
      form([`${'x: y\r\n'.repeat(17)}${field('api_key', '')[0]}`, secret]),
      unreadable('a part has no readable content-disposition'),
    ],
    [
      'the headers of a part are huge',
      form([`x: ${'y'.repeat(9000)}\r\n${field('api_key', '')[0]}`, secret]),
      unreadable('a part has no readable content-disposition'),
    ],
    [
      'it has more parts than allowed',
      form(...twenty, field('api_key', secret)),
      unreadable('it has more than 20 parts'),
    ],
    ['it is empty', Buffer.alloc(0), unreadable('it ends before its last boundary')],
    [
      'it is not multipart at all',
      Buffer.from(`{"api_key":"${secret}"}`),
      unreadable('it ends before its last boundary'),
    ],
    [
      'its boundary is another one',
      Buffer.from(String(form(file('photo', secret))).replaceAll(boundary, 'another')),
      unreadable('it ends before its last boundary'),
    ],
    [
      'a file is cut',
      form(field('api_key', 'k'), file('photo', secret.repeat(50_000))).subarray(0, 100_000),
      unreadable('it ends before its last boundary'),
    ],
  ])('%s', async (_, body, told, limits) => {
    const answer = await refused(body, limits);
    expect(answer).toEqual(told);
    expect(answer.detail).not.toContain(secret);
  });

  it.each([
    ['no content type', undefined],
    ['JSON', 'application/json'],
    ['a urlencoded form', 'application/x-www-form-urlencoded'],
    ['no type at all', 'multipart'],
    ['another multipart', `multipart/mixed; boundary=${boundary}`],
    ['no boundary', 'multipart/form-data'],
    ['an empty boundary', 'multipart/form-data; boundary=""'],
    ['a long boundary', `multipart/form-data; boundary=${'b'.repeat(71)}`],
    ['a quote in the boundary', 'multipart/form-data; boundary="a\\"b"'],
    ['a boundary that is not ASCII', 'multipart/form-data; boundary="ä"'],
  ])('it is declared with %s', async (_, contentType) => {
    const error = await readForm(contentType, form(file('photo', secret)), names).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'request_unreadable', message: expect.stringMatching(/^Send .*form-data/) });
  });
});

/** Of many bodies: how many were read, and how many refused with a Fault. Anything else is thrown. */
async function tally(bodies: Iterable<Uint8Array>) {
  const count = { read: 0, refused: 0 };
  for (const body of bodies) {
    await read(body).then(
      () => (count.read += 1),
      (error: unknown) => {
        if (!(error instanceof Fault)) throw error;
        count.refused += 1;
      },
    );
  }
  return count;
}

describe('whatever is sent is read or refused, and the process goes on', () => {
  const small = form(field('api_key', 'k'), file('photo', 'abc\r\n-'), file('id_card', ''));

  it('a form that is cut at any byte before its last boundary ends', async () => {
    const lastLine = '\r\n'.length;
    const cuts = Array.from({ length: small.length }, (_, end) => small.subarray(0, end));
    expect(await tally(cuts)).toEqual({ read: lastLine, refused: small.length - lastLine });
  });

  it('a form that lacks any of its bytes, or has another in its place', async () => {
    const without = Array.from(small, (_, at) => Buffer.concat([small.subarray(0, at), small.subarray(at + 1)]));
    const changed = Array.from(small, (byte, at) => {
      const copy = Buffer.from(small);
      copy[at] = byte ^ 0x80;
      return copy;
    });
    const { read: taken, refused: told } = await tally([...without, ...changed]);
    expect(taken + told).toBe(2 * small.length);
    expect(told).toBeGreaterThan(small.length / 2);
  });

  it('pieces of forms in any order', async () => {
    const piece = fc.oneof(
      fc.constantFrom<string[]>(
        ...['\r\n', '--', `--${boundary}`, `\r\n--${boundary}`, `\r\n--${boundary}--`, '\r\n\r\n', '\n', ' ', '\0'],
        ...['Content-Disposition: ', 'form-data', '; name="photo"', '; filename="a"', "; filename*=utf-8''%c3", ';=;"'],
        ...['; name="api_key"', '; name*=x', 'Content-Type: a/b; charset=utf-99', 'content-transfer-encoding: base64'],
      ),
      fc.string({ maxLength: 8 }),
      fc.constant(`--${boundary}\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n`),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 24 }), async (pieces) => {
        const { read: taken, refused: told } = await tally([Buffer.from(pieces.join(''))]);
        return taken + told === 1;
      }),
      { numRuns: 3000 },
    );
  });

  it('20,000 parts, and boundaries that nearly are', async () => {
    const many = form(...Array.from({ length: 20_000 }, (): Part => field('a', '')));
    const near = form(file('photo', `\r\n--${boundary.slice(0, -1)}`.repeat(50_000)));
    expect(await tally([many, near])).toEqual({ read: 1, refused: 1 });
  });
});
