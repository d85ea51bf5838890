import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { S3Error } from './error.ts';

/** Checksums a caller may send, by header name. Names only S3 knows are refused and not silently believed. */
const checksums: Record<string, (body: Buffer) => string> = {
  'content-md5': digest('md5'),
  'x-amz-checksum-sha1': digest('sha1'),
  'x-amz-checksum-sha256': digest('sha256'),
  'x-amz-checksum-crc32': (body) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(body));
    return bytes.toString('base64');
  },
};

/** The body a request means: unwrapped from aws-chunked, and equal to every hash and checksum it came with. */
export interface Payload {
  body: Buffer;
  /** The checksums it was verified against, to be given back on request. */
  checksums: Record<string, string>;
}

/** @param values the request's headers, and the `x-amz-*` ones a presigned URL carries in its query */
export function readPayload(raw: Buffer, declared: string, values: Record<string, string | undefined>): Payload {
  const streamed = declared.startsWith('STREAMING-');
  if (streamed && declared !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
    throw new S3Error(501, 'NotImplemented', `The local S3 does not read ${declared}`);
  }
  const { body, trailers } = streamed ? unwrapChunks(raw) : { body: raw, trailers: {} };
  const decodedLength = values['x-amz-decoded-content-length'];
  if (streamed && decodedLength !== undefined && Number(decodedLength) !== body.length) {
    throw new S3Error(400, 'IncompleteBody', 'You did not provide the number of bytes you declared');
  }
  if (/^[0-9a-f]{64}$/.test(declared) && createHash('sha256').update(body).digest('hex') !== declared) {
    const message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    throw new S3Error(400, 'XAmzContentSHA256Mismatch', message);
  }

  const verified: Record<string, string> = {};
  for (const [name, expected] of Object.entries({ ...values, ...trailers })) {
    const named = name === 'content-md5' || /^x-amz-checksum-(?!algorithm|mode|type)/.test(name);
    if (!named || expected === undefined) continue;
    const compute = checksums[name];
    if (!compute) throw new S3Error(501, 'NotImplemented', `The local S3 cannot check ${name}`);
    if (compute(body) !== expected) {
      throw new S3Error(400, 'BadDigest', `The ${name} you specified did not match the calculated checksum.`);
    }
    if (name !== 'content-md5') verified[name] = expected;
  }
  return { body, checksums: verified };
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
    if (lineEnd < 0 || Number.isNaN(size)) throw new S3Error(400, 'IncompleteBody', 'The chunked body is malformed');
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
