import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createPresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type S3, type S3Event, startS3 } from '../../local/s3/s3.ts';

const Bucket = 'captures';
const credentials = { accessKeyId: 'LOCAL', secretAccessKey: 'local-secret' };
const bucket = {
  name: Bucket,
  versioned: true,
  notifies: true,
  cors: [{ AllowedOrigins: ['https://app.example'], AllowedMethods: ['PUT', 'POST'], AllowedHeaders: ['*'] }],
  lifecycle: [],
};
let directory: string;
let s3: S3;
let client: S3Client;
const events: S3Event[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 's3-'));
  s3 = await startS3({ directory, buckets: [bucket], credentials, onEvent: async (event) => void events.push(event) });
  client = clientOf(s3.endpoint);
});
afterAll(async () => {
  await s3.stop();
  await rm(directory, { recursive: true });
});

function clientOf(endpoint: string, keys = credentials): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    credentials: keys,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
}

/** A URL as request-verification gives it out: type, length and "only once" are signed. */
function presignPut(Key: string, more: { ContentLength?: number; signingDate?: Date; keys?: typeof credentials } = {}) {
  const { ContentLength, signingDate, keys } = more;
  const command = new PutObjectCommand({ Bucket, Key, ContentType: 'image/jpeg', ContentLength, IfNoneMatch: '*' });
  const signableHeaders = new Set(['content-type', 'if-none-match', 'content-length']);
  return getSignedUrl(keys ? clientOf(s3.endpoint, keys) : client, command, {
    expiresIn: 60,
    signableHeaders,
    unhoistableHeaders: signableHeaders,
    signingDate,
  });
}

async function put(url: string, body: string, headers: Record<string, string> = {}) {
  const all = { 'content-type': 'image/jpeg', 'if-none-match': '*', ...headers };
  const response = await fetch(url, { method: 'PUT', body, headers: all });
  return `${response.status} ${/<Code>(.*?)</.exec(await response.text())?.[1] ?? ''}`.trim();
}

async function exists(Key: string) {
  return client.send(new HeadObjectCommand({ Bucket, Key })).then(
    () => true,
    () => false,
  );
}

describe('a presigned PUT', () => {
  it('stores exactly what was signed for', async () => {
    expect(await put(await presignPut('put/1', { ContentLength: 5 }), 'photo')).toBe('200');
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'put/1' }));
    expect(head).toMatchObject({ ContentLength: 5, ContentType: 'image/jpeg', VersionId: expect.any(String) });
  });

  const stranger = { accessKeyId: 'LOCAL', secretAccessKey: 'guessed' };
  it.each<[string, () => Promise<string>, string]>([
    ['a wrong signer', async () => put(await presignPut('no', { keys: stranger }), 'x'), '403 SignatureDoesNotMatch'],
    [
      'an unknown key id',
      async () => put(await presignPut('no', { keys: { ...stranger, accessKeyId: 'WHO' } }), 'x'),
      '403 InvalidAccessKeyId',
    ],
    [
      'one that has expired',
      async () => put(await presignPut('no', { signingDate: new Date(Date.now() - 61_000) }), 'x'),
      '403 AccessDenied',
    ],
    [
      'a longer life',
      async () => put((await presignPut('no')).replace('X-Amz-Expires=60', 'X-Amz-Expires=600'), 'x'),
      '403 SignatureDoesNotMatch',
    ],
    [
      'a tampered signature',
      async () => put((await presignPut('no')).replace(/X-Amz-Signature=..../, 'X-Amz-Signature=0000'), 'x'),
      '403 SignatureDoesNotMatch',
    ],
    [
      'a swapped key',
      async () => put((await presignPut('yes')).replace('/yes?', '/no?'), 'x'),
      '403 SignatureDoesNotMatch',
    ],
    [
      'another type',
      async () => put(await presignPut('no'), 'x', { 'content-type': 'text/html' }),
      '403 SignatureDoesNotMatch',
    ],
    [
      'another length',
      async () => put(await presignPut('no', { ContentLength: 4 }), 'too long'),
      '403 SignatureDoesNotMatch',
    ],
    [
      '"only once" taken away',
      async () => put(await presignPut('no'), 'x', { 'if-none-match': 'never' }),
      '403 SignatureDoesNotMatch',
    ],
    [
      'a header nobody signed',
      async () => put(await presignPut('no'), 'x', { 'x-amz-meta-evil': '1' }),
      '403 AccessDenied',
    ],
    ['no signature', () => put(`${s3.endpoint}/${Bucket}/no`, 'x'), '403 AccessDenied'],
  ])('is refused: %s', async (_, attempt, refusal) => {
    expect(await attempt()).toBe(refusal);
    expect(await exists('no')).toBe(false);
  });

  it('works once', async () => {
    const url = await presignPut('put/once');
    expect(await put(url, 'first')).toBe('200');
    expect(await put(url, 'second')).toBe('412 PreconditionFailed');
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'put/once' }));
    expect(await got.Body?.transformToString()).toBe('first');
  });

  it('lets one of ten twins win', async () => {
    const url = await presignPut('put/twins');
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => put(url, `twin ${n}`)));
    expect(answers.sort()).toEqual(['200', ...Array(9).fill('412 PreconditionFailed')]);
    const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'put/twins' }));
    expect(Versions).toHaveLength(1);
  });
});

describe('a presigned POST', () => {
  type Changes = { fields?: Record<string, string>; file?: string } & Partial<PresignedPostOptions>;
  async function post(Key: string, { fields = {}, file = 'photo', ...options }: Changes = {}) {
    const presigned = await createPresignedPost(client, {
      Bucket,
      Key,
      Conditions: [['content-length-range', 2, 10]],
      Fields: { 'Content-Type': 'image/jpeg' },
      Expires: 60,
      ...options,
    });
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...presigned.fields, ...fields })) form.append(name, value);
    form.append('file', new Blob([file], { type: 'text/html' }), 'selfie.jpg');
    const response = await fetch(presigned.url, { method: 'POST', body: form });
    return `${response.status} ${/<Code>(.*?)</.exec(await response.text())?.[1] ?? ''}`.trim();
  }

  it('stores the file with the type of the policy', async () => {
    expect(await post('post/1')).toBe('204');
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'post/1' }));
    expect(head).toMatchObject({ ContentLength: 5, ContentType: 'image/jpeg' });
  });

  it.each<[string, Changes, string]>([
    ['a file too large', { file: 'x'.repeat(11) }, '400 EntityTooLarge'],
    ['a file too small', { file: 'x' }, '400 EntityTooSmall'],
    ['another type', { fields: { 'Content-Type': 'text/html' } }, '403 AccessDenied'],
    ['another key', { fields: { key: 'no-other' } }, '403 AccessDenied'],
    ['a field the policy does not name', { fields: { 'x-amz-meta-evil': '1' } }, '403 AccessDenied'],
    ['one that has expired', { Expires: -10 }, '403 AccessDenied'],
    ['a tampered signature', { fields: { 'X-Amz-Signature': '0'.repeat(64) } }, '403 SignatureDoesNotMatch'],
    [
      'another policy',
      { fields: { Policy: btoa('{"expiration":"2999-01-01T00:00:00Z"}') } },
      '403 SignatureDoesNotMatch',
    ],
    ['no policy', { fields: { Policy: '' } }, '403 AccessDenied'],
  ])('is refused: %s', async (_, changes, refusal) => {
    expect(await post('no', changes)).toBe(refusal);
    expect(await exists('no')).toBe(false);
    expect(await exists('no-other')).toBe(false);
  });
});

describe('the SDK', () => {
  it('puts and gets with checksums, a stream too, and reads a range', async () => {
    const checking = new S3Client({ endpoint: s3.endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
    const Key = 'sdk/a b+é.jpg';
    await checking.send(new PutObjectCommand({ Bucket, Key, Body: 'hello', Metadata: { by: 'sdk' } }));
    const got = await checking.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=1-2' }));
    expect(await got.Body?.transformToString()).toBe('el');
    expect(got).toMatchObject({ ContentRange: 'bytes 1-2/5', Metadata: { by: 'sdk' } });

    const Body = Readable.from([Buffer.alloc(70_000, 1), Buffer.alloc(5, 2)]);
    await checking.send(new PutObjectCommand({ Bucket, Key: 'sdk/stream', Body, ContentLength: 70_005 }));
    const streamed = await checking.send(new GetObjectCommand({ Bucket, Key: 'sdk/stream' }));
    expect((await streamed.Body?.transformToByteArray())?.length).toBe(70_005);
  });

  it('is refused a body that is not the one its checksum is of', async () => {
    const attempts = [
      { ChecksumCRC32: 'AAAAAA==' },
      { ChecksumSHA256: createHash('sha256').update('other').digest('base64') },
      { ContentMD5: createHash('md5').update('other').digest('base64') },
    ];
    for (const checksum of attempts) {
      const command = new PutObjectCommand({ Bucket, Key: 'no', Body: 'hello', ...checksum });
      await expect(client.send(command)).rejects.toThrow('did not match the calculated checksum');
    }
    const wrongSecret = clientOf(s3.endpoint, { ...credentials, secretAccessKey: 'wrong' });
    await expect(wrongSecret.send(new PutObjectCommand({ Bucket, Key: 'no', Body: 'x' }))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
    });
    expect(await exists('no')).toBe(false);
  });

  it('pins, lists and deletes versions, and keeps their bytes no longer than them', async () => {
    const Key = 'versions/1';
    const first = await client.send(new PutObjectCommand({ Bucket, Key, Body: 'one' }));
    const second = await client.send(new PutObjectCommand({ Bucket, Key, Body: 'two' }));
    const marker = await client.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(marker.DeleteMarker).toBe(true);
    expect(await exists(Key)).toBe(false);

    const { VersionId } = first;
    const pinned = await client.send(new GetObjectCommand({ Bucket, Key, VersionId }));
    expect(await pinned.Body?.transformToString()).toBe('one');
    const listed = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'versions/' }));
    expect(listed.Versions?.map((version) => version.VersionId)).toEqual([second.VersionId, VersionId]);
    expect(listed.DeleteMarkers?.map((version) => [version.VersionId, version.IsLatest])).toEqual([
      [marker.VersionId, true],
    ]);
    const page = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'versions/', MaxKeys: 2 }));
    expect(page.IsTruncated).toBe(true);
    const next = await client.send(
      new ListObjectVersionsCommand({
        Bucket,
        Prefix: 'versions/',
        KeyMarker: page.NextKeyMarker,
        VersionIdMarker: page.NextVersionIdMarker,
      }),
    );
    expect(next.Versions?.map((version) => version.VersionId)).toEqual([VersionId]);

    const before = (await readdir(path.join(directory, 'objects'))).length;
    const Objects = [VersionId, second.VersionId, marker.VersionId].map((id) => ({ Key, VersionId: id }));
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    const gone = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'versions/' }));
    expect([gone.Versions, gone.DeleteMarkers]).toEqual([undefined, undefined]);
    expect((await readdir(path.join(directory, 'objects'))).length).toBe(before - 2);
    await expect(client.send(new GetObjectCommand({ Bucket, Key, VersionId }))).rejects.toMatchObject({
      name: 'NoSuchVersion',
    });
  });
});

describe('events', () => {
  it('tell of every object in the shape EventBridge gets', async () => {
    const { VersionId, ETag } = await client.send(new PutObjectCommand({ Bucket, Key: 'events/1', Body: 'hello' }));
    const about = (key: string) => events.find(({ detail }) => (detail.object as { key: string }).key === key);
    await expect.poll(() => about('events/1')).toBeDefined();
    expect(about('events/1')).toMatchObject({
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: {
        bucket: { name: Bucket },
        object: { key: 'events/1', size: 5, etag: ETag?.replaceAll('"', ''), 'version-id': VersionId },
        reason: 'PutObject',
      },
    });
    await expect.poll(() => about('post/1')?.detail.reason).toBe('POST Object');
  });

  it('are delivered after a kill -9 that came between storing and delivering', async () => {
    const killed = await mkdtemp(path.join(tmpdir(), 's3-'));
    const child = fork(path.join(import.meta.dirname, 'fixtures/s3-without-delivery.ts'), [killed]);
    const [endpoint] = (await once(child, 'message')) as [string];
    await clientOf(endpoint).send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'bytes' }));
    child.kill('SIGKILL');
    await once(child, 'close');

    const delivered: S3Event[] = [];
    let failures = 1;
    const onEvent = async (event: S3Event) => {
      if (failures-- > 0) throw new Error('the queue is not there yet');
      delivered.push(event);
    };
    const silenced = console.error;
    console.error = () => undefined;
    const restarted = await startS3({ directory: killed, buckets: [bucket], credentials, onEvent });
    await expect
      .poll(() => delivered.map(({ detail }) => detail.object), { timeout: 5000 })
      .toMatchObject([{ key: 'kept' }]);
    console.error = silenced;
    const got = await clientOf(restarted.endpoint).send(new GetObjectCommand({ Bucket, Key: 'kept' }));
    expect(await got.Body?.transformToString()).toBe('bytes');
    await restarted.stop();
    await rm(killed, { recursive: true });
  });
});

describe('CORS', () => {
  it('lets in the origins of the template and nobody else', async () => {
    const preflight = (origin: string) =>
      fetch(`${s3.endpoint}/${Bucket}/x`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'content-type' },
      });
    const good = await preflight('https://app.example');
    expect([good.status, good.headers.get('access-control-allow-origin')]).toEqual([200, 'https://app.example']);
    expect(good.headers.get('access-control-allow-headers')).toBe('content-type');
    expect((await preflight('https://evil.example')).status).toBe(403);
  });
});

describe('the lifecycle', () => {
  it('hides what is old, then removes it', async () => {
    const old = await mkdtemp(path.join(tmpdir(), 's3-'));
    const start = (days: { current?: number; replaced?: number }) =>
      startS3({ directory: old, credentials, buckets: [{ ...bucket, lifecycle: [{ prefix: 'aged/', ...days }] }] });
    const list = async ({ endpoint }: S3) => {
      const { Versions = [], DeleteMarkers = [] } = await clientOf(endpoint).send(
        new ListObjectVersionsCommand({ Bucket }),
      );
      return { versions: Versions.map(({ Key }) => Key), markers: DeleteMarkers.map(({ Key }) => Key) };
    };
    const before = await start({});
    for (const Key of ['aged/1', 'other/1']) {
      await clientOf(before.endpoint).send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    }
    await before.stop();
    const hidden = await start({ current: 0 });
    await expect.poll(() => list(hidden)).toEqual({ versions: ['aged/1', 'other/1'], markers: ['aged/1'] });
    await hidden.stop();
    const removed = await start({ current: 0, replaced: 0 });
    await expect.poll(() => list(removed)).toEqual({ versions: ['other/1'], markers: [] });
    await removed.stop();
    await rm(old, { recursive: true });
  });
});
