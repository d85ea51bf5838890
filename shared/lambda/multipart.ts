import { MIMEType } from 'node:util';
import { Busboy } from '@fastify/busboy';
import { Fault } from '../domain/fault.ts';

/** The parts that a route takes, by name. A part of another name is ignored, as the vendors do. */
export interface FormNames {
  readonly fields: readonly string[];
  readonly files: readonly string[];
}

export interface FormLimits {
  /** Parts in all, ignored ones among them. @default 20 */
  readonly parts?: number;
  /** Bytes of one text field. @default 4,096 */
  readonly fieldBytes?: number;
  /** Bytes of one file. @default as many as the body has */
  readonly fileBytes?: number;
}

/** What a multipart body holds. A caller's text is never a name here: only names that the route takes are. */
export interface Form {
  readonly fields: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Headers of one part: clients send two or three. What is beyond is not read, so such a part may lose its name. */
const headerPairs = 16;
const headerBytes = 8 * 1024;

const dash = 0x2d;

/** One part as it was sent. */
interface Part {
  readonly name: string | undefined;
  readonly fileName: string | undefined;
  readonly encoding: string;
  readonly bytes: Uint8Array;
  readonly cut: boolean;
}

/**
 * Reads a whole multipart/form-data body. Every mistake of the caller is one Fault, `request_unreadable` for the form and
 * `request_invalid` or `request_too_large` for a part of it, in the form `<part>: <what to do>`; it quotes nothing that was
 * sent. The types that parts declare are not looked at: Python's `requests` declares none.
 */
export async function readForm(
  contentType: string | undefined,
  body: Uint8Array,
  names: FormNames,
  { parts: maximumParts = 20, fieldBytes = 4096, fileBytes = Number.MAX_SAFE_INTEGER }: FormLimits = {},
): Promise<Form> {
  const boundary = boundaryOf(contentType);
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const parts = await partsOf(bytes, boundary, { maximumParts, partBytes: Math.max(fieldBytes, fileBytes) });
  // The parser passes over a part without readable headers in silence.
  if (parts.length !== delimitersOf(bytes, boundary)) throw unreadable('a part has no readable content-disposition');
  if (parts.some(({ name }) => name === undefined)) throw unreadable('a part has no name');

  const fields = new Map<string, string>();
  const files = new Map<string, Uint8Array>();
  for (const part of parts) {
    const name = [...names.fields, ...names.files].find((known) => known === part.name);
    if (name === undefined) continue;
    if (fields.has(name) || files.has(name)) throw invalid(name, 'send it once');
    if (/^(base64|quoted-printable)$/.test(part.encoding)) {
      throw invalid(name, 'send its bytes as they are, without content-transfer-encoding');
    }
    if (names.files.includes(name)) files.set(name, fileOf(name, part, fileBytes));
    else fields.set(name, textOf(name, part, fieldBytes));
  }
  return { fields, files };
}

function fileOf(name: string, { fileName, bytes, cut }: Part, maximumBytes: number): Uint8Array {
  if (fileName === undefined) throw invalid(name, 'send it as a file, with a filename');
  if (cut || bytes.length > maximumBytes) {
    throw new Fault('request_too_large', `${name}: send a file of at most ${maximumBytes} bytes`);
  }
  return bytes;
}

/** A field that has a filename (curl's `-F name=@file`) is text all the same. */
function textOf(name: string, { bytes, cut }: Part, maximumBytes: number): string {
  if (cut || bytes.length > maximumBytes) throw invalid(name, `send at most ${maximumBytes} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid(name, 'send text in UTF-8');
  }
}

function boundaryOf(contentType: string | undefined): string {
  const type = contentType === undefined ? undefined : parsedType(contentType);
  if (type?.essence !== 'multipart/form-data') {
    throw new Fault('request_unreadable', 'Send the request as multipart/form-data, with a boundary.');
  }
  const boundary = type.params.get('boundary') ?? '';
  // RFC 2046 allows 70 characters, fewer kinds than here. A quote or backslash would end the header the parser is given.
  if (!/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,70}$/.test(boundary)) {
    throw new Fault(
      'request_unreadable',
      'Send content-type multipart/form-data with a boundary of 1 to 70 characters.',
    );
  }
  return boundary;
}

function parsedType(contentType: string): MIMEType | undefined {
  try {
    return new MIMEType(contentType);
  } catch {
    return undefined;
  }
}

/**
 * Every part with its bytes, in order. All are taken as files, so that text arrives as bytes too and what is not UTF-8 is
 * seen. The body is given in one write: with more, `finish` never came when bytes followed the last boundary
 * (fastify/busboy#228). A cut body is an error of the parser and, where it cuts a file, of that file's stream as well:
 * without a listener on both it ends the process.
 */
function partsOf(
  body: Buffer,
  boundary: string,
  { maximumParts, partBytes }: { maximumParts: number; partBytes: number },
): Promise<Part[]> {
  return new Promise((resolve, reject) => {
    const parts: Part[] = [];
    const fail = () => reject(unreadable('it ends before its last boundary'));
    try {
      const parser = new Busboy({
        headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
        limits: { parts: maximumParts, fileSize: partBytes, headerPairs, headerSize: headerBytes },
        isPartAFile: () => true,
      });
      parser.on('error', fail);
      parser.on('partsLimit', () => reject(unreadable(`it has more than ${maximumParts} parts`)));
      parser.on('file', (name, stream, fileName, encoding) => {
        const chunks: Buffer[] = [];
        stream.on('error', fail);
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () =>
          parts.push({ name, fileName, encoding, bytes: Buffer.concat(chunks), cut: stream.truncated }),
        );
      });
      parser.on('finish', () => resolve(parts));
      parser.end(body);
    } catch {
      fail();
    }
  });
}

/** How many parts the boundaries make, up to the last one. Counted apart from the parser. */
function delimitersOf(body: Buffer, boundary: string): number {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const onNewLine = Buffer.from(`\r\n--${boundary}`, 'latin1');
  let parts = 0;
  let end = body.subarray(0, delimiter.length).equals(delimiter) ? delimiter.length : after(0);
  while (end !== -1 && !(body[end] === dash && body[end + 1] === dash)) {
    parts += 1;
    end = after(end);
  }
  return parts;

  function after(from: number): number {
    const at = body.indexOf(onNewLine, from);
    return at === -1 ? -1 : at + onNewLine.length;
  }
}

function unreadable(why: string): Fault {
  return new Fault('request_unreadable', `The form cannot be read: ${why}.`);
}

function invalid(part: string, whatToDo: string): Fault {
  return new Fault('request_invalid', `${part}: ${whatToDo}`);
}
