import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import { headerNotImplemented, invalidRequest, S3Error, unknownHere } from './error.ts';

interface Checksum {
  bytes: number;
  compute: (body: Buffer) => string;
}

/** Checksums a caller may send, by header name. Names only S3 knows are refused and not silently believed. */
const checksums = new Map<string, Checksum>([
  ['x-amz-checksum-sha1', { bytes: 20, compute: digest('sha1') }],
  ['x-amz-checksum-sha256', { bytes: 32, compute: digest('sha256') }],
  [
    'x-amz-checksum-crc32',
    {
      bytes: 4,
      compute(body) {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE(crc32(body));
        return bytes.toString('base64');
      },
    },
  ],
]);
const md5 = digest('md5');

/** The body a request means: unwrapped from aws-chunked, and equal to every hash and checksum it came with. */
export interface Payload {
  body: Buffer;
  /** The checksums it was verified against, to be given back on request. */
  checksums: Record<string, string>;
}

/** Refuses a body whose length its caller does not say, before any of it is read. */
export function checkLength(method: string, headers: IncomingHttpHeaders): void {
  if (method !== 'PUT' && method !== 'POST') return;
  if (headers['transfer-encoding'] !== undefined) {
    // The SDK sends a stream so, and says its length in a header of its own.
    if (String(headers['x-amz-content-sha256']).startsWith('STREAMING-')) return;
    throw headerNotImplemented('Transfer-Encoding');
  }
  if (headers['content-length'] === undefined) throw missingLength();
}

/** @param values the request's headers, and the `x-amz-*` ones a presigned URL carries in its query */
export function readPayload(raw: Buffer, declared: string, values: Record<string, string | undefined>): Payload {
  const streamed = declared.startsWith('STREAMING-');
  if (streamed && declared !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') throw unknownHere(declared);
  const decodedLength = values['x-amz-decoded-content-length'];
  if (streamed && decodedLength === undefined) throw missingLength();
  const { body, trailers } = streamed ? unwrapChunks(raw) : { body: raw, trailers: {} };
  if (streamed && Number(decodedLength) !== body.length) throw incomplete();
  const computed = createHash('sha256').update(body).digest('hex');
  if (/^[0-9a-f]{64}$/.test(declared) && computed !== declared) {
    const message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    const details = { ClientComputedContentSHA256: declared, S3ComputedContentSHA256: computed };
    throw new S3Error(400, 'XAmzContentSHA256Mismatch', message, { details });
  }
  checkMd5(body, values['content-md5']);
  return { body, checksums: verifiedChecksums(body, { ...values, ...trailers }) };
}

function checkMd5(body: Buffer, expected: string | undefined): void {
  if (expected === undefined) return;
  if (!isBase64(expected, 16)) {
    const details = { 'Content-MD5': expected };
    throw new S3Error(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.', { details });
  }
  const computed = md5(body);
  if (computed === expected) return;
  const details = { ExpectedDigest: expected, CalculatedDigest: computed };
  throw new S3Error(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.', { details });
}

function verifiedChecksums(body: Buffer, values: Record<string, string | undefined>): Record<string, string> {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value !== undefined && /^x-amz-checksum-(?!algorithm|mode|type)/.test(name) ? [{ name, value }] : [],
  );
  if (given.length > 1) {
    throw invalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  }
  const [one] = given;
  if (!one) {
    if (values['x-amz-sdk-checksum-algorithm'] === undefined) return {};
    throw invalidRequest(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  const checksum = checksums.get(one.name);
  if (!checksum) throw unknownHere(one.name);
  if (!isBase64(one.value, checksum.bytes)) throw invalidRequest(`Value for ${one.name} header is invalid.`);
  if (checksum.compute(body) === one.value) return { [one.name]: one.value };
  const name = one.name.slice('x-amz-checksum-'.length).toUpperCase();
  throw new S3Error(400, 'BadDigest', `The ${name} you specified did not match the calculated checksum.`);
}

function isBase64(text: string, bytes: number): boolean {
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === text;
}

function missingLength(): S3Error {
  return new S3Error(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
}

function incomplete(): S3Error {
  return new S3Error(400, 'IncompleteBody', 'The request body terminated unexpectedly');
}

function digest(algorithm: string): (body: Buffer) => string {
  return (body) => createHash(algorithm).update(body).digest('base64');
}

/** aws-chunked: `<hex size>\r\n<bytes>\r\n` … `0\r\n<trailer>:<value>\r\n\r\n`. */
function unwrapChunks(raw: Buffer): { body: Buffer; trailers: Record<string, string> } {
  const parts: Buffer[] = [];
  let position = 0;
  for (;;) {
    const lineEnd = raw.indexOf('\r\n', position);
    const size = Number.parseInt(raw.toString('latin1', position, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size)) throw incomplete();
    position = lineEnd + 2;
    if (size === 0) break;
    parts.push(raw.subarray(position, position + size));
    position += size + 2;
  }
  const lines = raw.toString('latin1', position).split('\r\n').filter(Boolean);
  const trailers = lines.map((line) => {
    const [name = '', ...value] = line.split(':');
    return [name.toLowerCase(), value.join(':').trim()];
  });
  return { body: Buffer.concat(parts), trailers: Object.fromEntries(trailers) };
}
