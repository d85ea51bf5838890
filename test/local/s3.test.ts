import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
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
  type PutObjectCommandInput,
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
      'a header that was not signed',
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

describe('a PUT', () => {
  const errorOf = (text: string) => {
    const element = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(text)?.[1];
    return [element('Code'), element('Message')];
  };

  /** Sends bytes as they are and resolves to what came back, up to the end of the error. */
  async function send(url: string, lines: string[], body = ''): Promise<string> {
    const { pathname, search, host, port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write([`PUT ${pathname}${search} HTTP/1.1`, `host: ${host}`, ...lines, '', body].join('\r\n'));
    let received = '';
    for await (const chunk of socket) {
      received += chunk;
      if (received.includes('</Error>')) break;
    }
    return received;
  }
  const signed = ['content-type: image/jpeg', 'if-none-match: *'];

  it('in chunks is refused before its body has ended', async () => {
    const url = await presignPut('no');
    const answer = await send(url, [...signed, 'transfer-encoding: chunked'], '5\r\nphoto\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 501 /);
    expect(errorOf(answer)).toEqual([
      'NotImplemented',
      'A header you provided implies functionality that is not implemented',
    ]);
    expect(answer).toContain('<Header>Transfer-Encoding</Header>');
    expect(await exists('no')).toBe(false);
  });

  it('that does not say its length is refused', async () => {
    const answer = await send(await presignPut('no'), signed);
    expect(answer).toMatch(/^HTTP\/1.1 411 /);
    expect(errorOf(answer)).toEqual(['MissingContentLength', 'You must provide the Content-Length HTTP header.']);
  });

  it('whose caller hangs up before the length it said stores nothing', async () => {
    const { pathname, search, host, port } = new URL(await presignPut('no', { ContentLength: 10 }));
    const lines = [`PUT ${pathname}${search} HTTP/1.1`, `host: ${host}`, ...signed, 'content-length: 10', '', 'half'];
    const socket = connect(Number(port), '127.0.0.1');
    socket.end(lines.join('\r\n'));
    socket.resume();
    await once(socket, 'close');
    expect(await exists('no')).toBe(false);
  });

  const oneMechanism =
    'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified';
  const without = (name: string) => async () => (await presignPut('no')).replace(new RegExp(`&?${name}=[^&]*`), '');
  const instead = (name: string, value: string) => async () =>
    (await presignPut('no')).replace(new RegExp(`${name}=[^&]*`), `${name}=${value}`);
  const plain = async () => presignPut('no');
  const required =
    'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.';
  const badQuery = 'AuthorizationQueryParametersError';
  const scope = (text: string) => encodeURIComponent(`LOCAL/${text}`);
  const parsing = 'Error parsing the X-Amz-Credential parameter;';
  it.each<[string, () => Promise<string>, Record<string, string>, number, string, string]>([
    ['a left-over Authorization', plain, { authorization: 'Bearer t' }, 400, 'InvalidArgument', oneMechanism],
    [
      'an x-amz header that was not signed',
      plain,
      { 'x-amz-meta-a': '1', 'x-amz-acl': 'private' },
      403,
      'AccessDenied',
      'There were headers present in the request which were not signed',
    ],
    [
      'an expired URL',
      () => presignPut('no', { signingDate: new Date(Date.now() - 61_000) }),
      {},
      403,
      'AccessDenied',
      'Request has expired',
    ],
    [
      'a URL from the future',
      () => presignPut('no', { signingDate: new Date(Date.now() + 16 * 60_000) }),
      {},
      403,
      'AccessDenied',
      'Request is not yet valid',
    ],
    [
      'a Content-MD5 of other bytes',
      plain,
      { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' },
      400,
      'BadDigest',
      'The Content-MD5 you specified did not match what we received.',
    ],
    ['a URL without its algorithm', without('X-Amz-Algorithm'), {}, 400, badQuery, required],
    ['a URL without its expiry', without('X-Amz-Expires'), {}, 400, badQuery, required],
    ['a URL without its signature', without('X-Amz-Signature'), {}, 400, badQuery, required],
    [
      'an expiry that is no number',
      instead('X-Amz-Expires', '1h'),
      {},
      400,
      badQuery,
      'X-Amz-Expires should be a number',
    ],
    [
      'a life of more than a week',
      instead('X-Amz-Expires', '604801'),
      {},
      400,
      badQuery,
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    ],
    [
      'another region',
      instead('X-Amz-Credential', scope('20260101/eu-west-1/s3/aws4_request')),
      {},
      400,
      badQuery,
      `${parsing} the region &apos;eu-west-1&apos; is wrong; expecting &apos;us-east-1&apos;`,
    ],
    [
      'another service',
      instead('X-Amz-Credential', scope('20260101/us-east-1/ec2/aws4_request')),
      {},
      400,
      badQuery,
      `${parsing} incorrect service &quot;ec2&quot;. This endpoint belongs to &quot;s3&quot;.`,
    ],
    [
      'a signature of version 2',
      async () => `${s3.endpoint}/${Bucket}/no?AWSAccessKeyId=LOCAL&Expires=1&Signature=x`,
      {},
      400,
      'InvalidRequest',
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    ],
    [
      'a Bearer token alone',
      async () => `${s3.endpoint}/${Bucket}/no`,
      { authorization: 'Bearer t' },
      400,
      'InvalidArgument',
      'Unsupported Authorization Type',
    ],
  ])('is refused in S3’s words: %s', async (_, url, headers, status, code, message) => {
    const all = { 'content-type': 'image/jpeg', 'if-none-match': '*', ...headers };
    const response = await fetch(await url(), { method: 'PUT', body: 'photo', headers: all });
    const text = await response.text();
    expect([response.status, ...errorOf(text)]).toEqual([status, code, message]);
    expect(text).not.toContain('Bearer');
    expect(await exists('no')).toBe(false);
  });

  it('names the headers that were not signed', async () => {
    const headers = { 'content-type': 'image/jpeg', 'if-none-match': '*', 'x-amz-meta-a': '1', 'x-amz-acl': 'private' };
    const response = await fetch(await presignPut('no'), { method: 'PUT', body: 'photo', headers });
    expect(await response.text()).toContain('<HeadersNotSigned>x-amz-acl, x-amz-meta-a</HeadersNotSigned>');
  });

  it('of the SDK is refused a key too long, an ACL, much metadata and a precondition S3 does not know', async () => {
    const attempts: [Partial<PutObjectCommandInput>, string][] = [
      [{ Key: 'x'.repeat(1025) }, 'KeyTooLongError'],
      [{ ACL: 'public-read' }, 'AccessControlListNotSupported'],
      [{ Metadata: { note: 'x'.repeat(2048) } }, 'MetadataTooLarge'],
      [{ IfNoneMatch: '"etag"' }, 'NotImplemented'],
    ];
    for (const [input, name] of attempts) {
      const command = new PutObjectCommand({ Bucket, Key: 'no', Body: 'x', ...input });
      await expect(client.send(command)).rejects.toMatchObject({ name });
    }
    expect(await exists('no')).toBe(false);
  });

  it('of the SDK whose body is not the one it signed the hash of is refused', async () => {
    const changing = clientOf(s3.endpoint);
    changing.middlewareStack.add(
      (next) => async (call) => {
        Object.assign(call.request as object, { body: 'other' });
        return next(call);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    const command = new PutObjectCommand({ Bucket, Key: 'no', Body: 'hello' });
    await expect(changing.send(command)).rejects.toMatchObject({ name: 'XAmzContentSHA256Mismatch' });
  });
});

describe('a presigned GET', () => {
  it('answers with the headers that its signer asked for', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'get/1', Body: 'x', ContentType: 'text/html' }));
    const command = new GetObjectCommand({ Bucket, Key: 'get/1', ResponseContentType: 'application/octet-stream' });
    const response = await fetch(await getSignedUrl(client, command));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
  });
});

describe('a presigned POST', () => {
  type Changes = {
    fields?: Record<string, string | undefined>;
    file?: string;
    fileField?: string;
    afterFile?: Record<string, string>;
    headers?: Record<string, string>;
    path?: string;
  } & Partial<PresignedPostOptions>;
  async function post(Key: string, changes: Changes = {}) {
    const {
      fields = {},
      file = 'photo',
      fileField = 'file',
      afterFile = {},
      headers,
      path: to = '',
      ...options
    } = changes;
    const presigned = await createPresignedPost(client, {
      Bucket,
      Key,
      Conditions: [['content-length-range', 2, 10]],
      Fields: { 'Content-Type': 'image/jpeg' },
      Expires: 60,
      ...options,
    });
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...presigned.fields, ...fields })) {
      if (value !== undefined) form.append(name, value);
    }
    form.append(fileField, new Blob([file], { type: 'text/html' }), 'selfie.jpg');
    for (const [name, value] of Object.entries(afterFile)) form.append(name, value);
    const response = await fetch(presigned.url + to, { method: 'POST', body: form, headers });
    const text = await response.text();
    refusal = /<Message>(.*?)</.exec(text)?.[1] ?? '';
    return `${response.status} ${/<Code>(.*?)</.exec(text)?.[1] ?? ''}`.trim();
  }
  let refusal = '';

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
    [
      'a file field of another name',
      { fileField: 'photo', Conditions: [['eq', '$photo', 'photo']] },
      '400 InvalidArgument',
    ],
    [
      'a key that comes after the file',
      { fields: { key: undefined }, afterFile: { key: 'no' } },
      '400 InvalidArgument',
    ],
    ['no signature', { fields: { 'X-Amz-Signature': undefined } }, '400 InvalidArgument'],
    ['a left-over Authorization', { headers: { authorization: 'Bearer t' } }, '400 InvalidArgument'],
    ['a body that is no form', { headers: { 'content-type': 'application/json' } }, '412 PreconditionFailed'],
    [
      'a form cut short',
      { headers: { 'content-type': 'multipart/form-data; boundary=x' } },
      '400 MalformedPOSTRequest',
    ],
    [
      'many bytes before the file',
      { fields: { 'x-ignore-a': 'x'.repeat(20_000) } },
      '400 MaxPostPreDataLengthExceededError',
    ],
    ['the URL of an object', { path: '/no' }, '405 MethodNotAllowed'],
  ])('is refused: %s', async (_, changes, refusal) => {
    expect(await post('no', changes)).toBe(refusal);
    expect(await exists('no')).toBe(false);
    expect(await exists('no-other')).toBe(false);
  });

  it.each<[string, Changes]>([
    [
      'POST requires exactly one file upload per request.',
      { fileField: 'photo', Conditions: [['eq', '$photo', 'photo']] },
    ],
    [
      'Bucket POST must contain a field named &apos;key&apos;.  If it is specified, please check the order of the fields.',
      { fields: { key: undefined } },
    ],
    [
      'Invalid according to Policy: Policy Condition failed: [&quot;eq&quot;, &quot;$key&quot;, &quot;no&quot;]',
      { fields: { key: 'other' } },
    ],
    ['Invalid according to Policy: Extra input fields: x-amz-meta-evil', { fields: { 'x-amz-meta-evil': '1' } }],
    ['Invalid according to Policy: Policy expired.', { Expires: -10 }],
    ['Unsupported Authorization Type', { headers: { authorization: 'Bearer t' } }],
  ])('is refused in S3’s words: %s', async (message, changes) => {
    await post('no', changes);
    expect(refusal).toBe(message);
  });

  it('stores what the fields before the file say; those after it count for nothing', async () => {
    expect(await post('post/2', { afterFile: { key: 'no', 'Content-Type': 'text/html', evil: '1' } })).toBe('204');
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'post/2' }));
    expect(head.ContentType).toBe('image/jpeg');
    expect(await exists('no')).toBe(false);
  });

  it('reads conditions as S3 does, and refuses a policy that is none', async () => {
    const field = (Conditions: PresignedPostOptions['Conditions']) =>
      post('no', { Conditions, fields: { 'Content-Type': 'image/png, image/gif' }, Fields: {} });
    expect(await field([['starts-with', '$Content-Type', 'image/j']])).toBe('403 AccessDenied');
    expect(await field([['starts-with', '$content-type', 'image/p']])).toBe('403 AccessDenied');
    const wrong = [['ends-with', '$key', 'x']] as unknown as PresignedPostOptions['Conditions'];
    expect(await field(wrong)).toBe('400 InvalidPolicyDocument');
    expect(await post('post/3', { Conditions: [['starts-with', '$acl', '']] })).toBe('204');
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
    const hash = (algorithm: string) => createHash(algorithm).update('other').digest('base64');
    const attempts: [Partial<PutObjectCommandInput>, string][] = [
      [{ ChecksumCRC32: 'AAAAAA==' }, 'The CRC32 you specified did not match the calculated checksum.'],
      [{ ChecksumSHA256: hash('sha256') }, 'The SHA256 you specified did not match the calculated checksum.'],
      [{ ContentMD5: hash('md5') }, 'The Content-MD5 you specified did not match what we received.'],
      [{ ContentMD5: 'not base64!' }, 'The Content-MD5 you specified was invalid.'],
      [{ ChecksumCRC32: 'AA==' }, 'Value for x-amz-checksum-crc32 header is invalid.'],
      [
        { ChecksumCRC32: 'AAAAAA==', ChecksumSHA256: hash('sha256') },
        'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
      ],
    ];
    for (const [checksum, refusal] of attempts) {
      const command = new PutObjectCommand({ Bucket, Key: 'no', Body: 'hello', ...checksum });
      await expect(client.send(command)).rejects.toThrow(refusal);
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
    await expect.poll(() => delivered.map(({ detail }) => detail.object)).toMatchObject([{ key: 'kept' }]);
    console.error = silenced;
    const got = await clientOf(restarted.endpoint).send(new GetObjectCommand({ Bucket, Key: 'kept' }));
    expect(await got.Body?.transformToString()).toBe('bytes');
    await restarted.stop();
    await rm(killed, { recursive: true });
  });
});

describe('CORS', () => {
  it('lets in the origins of the template, pages of this machine, and no other', async () => {
    const preflight = (origin: string) =>
      fetch(`${s3.endpoint}/${Bucket}/x`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'content-type' },
      });
    const good = await preflight('https://app.example');
    expect([good.status, good.headers.get('access-control-allow-origin')]).toEqual([200, 'https://app.example']);
    expect(good.headers.get('access-control-allow-headers')).toBe('content-type');
    for (const origin of ['http://localhost:5173', 'http://127.0.0.1', 'http://[::1]:1']) {
      const own = await preflight(origin);
      expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    }
    expect((await preflight('https://evil.example')).status).toBe(403);
    expect((await preflight('http://localhost.evil.example')).status).toBe(403);
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
