import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { maximumBytesOf } from '../../shared/domain/captures.ts';
import type { Captures, Pinned } from '../../shared/domain/ports.ts';
import { s3Captures } from '../../shared/stores/captures.ts';

const pinned: Pinned = { verificationId: 'a'.repeat(26), round: 1, name: 'selfie', versionId: 'version-1' };
const address = `/bucket/captures/${pinned.verificationId}/1/selfie`;

const asked: { method: string | undefined; url: URL }[] = [];
let declaredBytes = 4;
/** An S3 that has any object, of as many bytes as it says. */
const server = createServer(({ method, url = '' }, response) => {
  asked.push({ method, url: new URL(url, 'http://s3') });
  if (method === 'DELETE') return response.writeHead(204).end();
  response.writeHead(200, { 'content-length': declaredBytes });
  return declaredBytes === 4 && method === 'GET' ? response.end('face') : response.end();
});

let captures: Captures;
beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const client = new S3Client({
    region: 'eu-central-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
  });
  captures = s3Captures(client, 'bucket');
});
afterAll(() => void server.closeAllConnections());

it('what is opened, streamed, linked to, looked for and removed is one version: the one that was noticed', async () => {
  const opened = await captures.open(pinned);
  expect(opened.kind === 'bytes' && Buffer.from(opened.bytes).toString()).toBe('face');
  const streamed = await captures.stream(pinned);
  expect(streamed.kind === 'stream' && (await new Response(streamed.stream).text())).toBe('face');
  expect(await captures.exists(pinned)).toBe(true);
  await captures.removeVersion(pinned);
  const link = { method: 'link', url: new URL(await captures.link(pinned, 60)) };
  const addressed = [...asked.splice(0), link].map(({ method, url }) => [
    method,
    url.pathname,
    url.searchParams.get('versionId'),
  ]);
  expect(addressed).toEqual(['GET', 'GET', 'HEAD', 'DELETE', 'link'].map((method) => [method, address, 'version-1']));
});

it('a link gives the bytes as they lie there, whatever the uploader said of them', async () => {
  const { searchParams } = new URL(await captures.link(pinned, 60));
  expect(Object.fromEntries(searchParams)).toMatchObject({
    'response-content-encoding': 'identity',
    'response-content-disposition': 'inline',
    'response-cache-control': 'no-store',
    'X-Amz-Expires': '60',
  });
});

it('a capture is not read where it is too large, by what S3 says of it', async () => {
  declaredBytes = maximumBytesOf.selfie + 1;
  const tooLarge = { kind: 'too_large', bytes: declaredBytes };
  expect(await captures.open(pinned)).toEqual(tooLarge);
  expect(await captures.stream(pinned)).toEqual(tooLarge);
});
