import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CaptureName, type Check, capturesOf, type Landed } from '../../shared/domain/captures.ts';
import { signReference } from '../../shared/domain/reference.ts';
import type { Submission } from '../../shared/providers/provider.ts';

export const verificationId = 'abcdefghijklmnopqrstuvwxyz';
export const referenceSecret = 'a secret of the tests';

/** The smallest thing that begins as a JPEG, and something to make it one of a kind. */
export const jpeg = (text = 'selfie'): Uint8Array =>
  Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from(text.padEnd(64, '.'))]);

export const mp4 = (bytes = 256): Uint8Array => {
  const video = Buffer.alloc(bytes, 'frame');
  video.set(Buffer.from('\0\0\0\x18ftypmp42', 'latin1'));
  return video;
};

export type Bytes = Partial<Record<CaptureName, Uint8Array>>;

export const someCaptures: Readonly<Record<CaptureName, Uint8Array>> = {
  selfie: jpeg('selfie'),
  id_card: jpeg('id card'),
  video: mp4(),
};

/** A submission as `dispatch-verification` makes it. Links are refused unless a test says where captures are served. */
export function submissionOf(check: Check, bytes: Bytes = {}, changes: Partial<Submission> = {}): Submission {
  const capture = (name: CaptureName): Uint8Array => bytes[name] ?? someCaptures[name];
  const landed: Landed = Object.fromEntries(
    capturesOf[check].map((name) => [
      name,
      { versionId: '1', etag: '"1"', bytes: capture(name).length, landedAt: '2026-01-01T00:00:00.000Z' },
    ]),
  );
  return {
    verificationId,
    attempt: 1,
    round: 1,
    check,
    captures: landed,
    openCapture: async (name) => ({ kind: 'bytes', bytes: capture(name) }),
    streamCapture: async (name) => ({
      kind: 'stream',
      stream: ReadableStream.from(inChunks(capture(name))),
      bytes: capture(name).length,
    }),
    linkCapture: () => Promise.reject(new Error('not linked')),
    reference: async () => signReference(referenceSecret, verificationId, 1),
    thresholds: {},
    fingerprinted: [],
    ...(check === 'video_verify' ? { challenge: '123457', languageCode: 'th-TH' } : {}),
    ...changes,
  };
}

function* inChunks(bytes: Uint8Array, size = 64 * 1024): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export interface Post {
  readonly path: string;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

/** Serves captures by link, as S3 would, and takes webhooks, as `receive-result` would. */
export async function startOurSide(): Promise<{
  url: string;
  serve: (bytes: Uint8Array) => string;
  posts: Post[];
  stop: () => Promise<void>;
}> {
  const served = new Map<string, Uint8Array>();
  const posts: Post[] = [];
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method === 'POST') {
      posts.push({ path, text: Buffer.concat(chunks).toString(), headers: request.headers });
      response.end();
      return;
    }
    const bytes = served.get(path);
    response.writeHead(bytes ? 200 : 404, { 'content-type': 'image/jpeg' }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    posts,
    serve: (bytes) => {
      const path = `/capture-${served.size}?signature=secret`;
      served.set(path, bytes);
      return `${url}${path}`;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
