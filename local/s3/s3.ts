import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BodyTooLarge, listenOnLoopback, readBody } from '../loopback-server.ts';
import { type CorsRule, corsHeaders, preflightRefused } from './cors.ts';
import { headerNotImplemented, S3Error, unknownHere } from './error.ts';
import { deliverEvents, objectCreated, type S3Event } from './events.ts';
import { listing } from './listing.ts';
import { type ObjectVersion, openObjectVersions } from './object-versions.ts';
import { checkLength, readPayload } from './payload.ts';
import { readPostForm } from './post-form.ts';
import { type Credentials, verifySignature } from './signature.ts';
import { document, element, texts, unescapeXml } from './xml.ts';

export type { S3Event } from './events.ts';
export type { Credentials } from './signature.ts';

/** What the template says about a bucket. */
export interface Bucket {
  name: string;
  versioned: boolean;
  /** Whether its events go to EventBridge. */
  notifies: boolean;
  cors: CorsRule[];
  /** Days after which the latest, and the replaced, versions under a prefix go. */
  lifecycle: { prefix: string; current?: number; replaced?: number }[];
}

export interface S3Options {
  directory: string;
  buckets: Bucket[];
  credentials: Credentials;
  port?: number;
  /** What stands for `endpoint` in the URLs that callers are given. A request to it counts as one to `endpoint`. */
  publicOrigin?: string;
  /** Further addresses of this machine to listen on. */
  alsoListenOn?: string[];
  region?: string;
  /** Called at least once for every object created, also after a restart, until it resolves. */
  onEvent?: (event: S3Event) => Promise<void>;
}

export interface S3 {
  endpoint: string;
  publicOrigin: string;
  stop: () => Promise<void>;
}

interface Call {
  request: IncomingMessage;
  bucket: Bucket;
  key: string;
  parameters: URLSearchParams;
  raw: Buffer;
  /** What the signature says the payload is. */
  payload: string;
}

interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

/** Far above any capture, far below this process's memory. */
const largestBodyBytes = 512 * 1024 * 1024;
const longestKeyBytes = 1024;
const largestMetadataBytes = 2048;
const lifecycleSweepMs = 3_600_000;

/** An S3 that trusts no caller: every request must be signed, unexpired and exactly what was signed. */
export async function startS3(options: S3Options): Promise<S3> {
  const objects = openObjectVersions(options.directory);
  const buckets = new Map(options.buckets.map((bucket) => [bucket.name, bucket]));
  const events = deliverEvents(objects, options.onEvent);

  const { credentials, region = 'us-east-1' } = options;
  const signer = { credentials, region };

  const eventOf = (reason: string) => (version: ObjectVersion) => objectCreated(version, reason, region);

  const store = async (call: Call, key: string, body: Buffer, headers: Record<string, string>, reason: string) => {
    const { bucket, request } = call;
    const Size = Buffer.byteLength(key);
    if (Size > longestKeyBytes) {
      const details = { Size, MaxSizeAllowed: longestKeyBytes };
      throw new S3Error(400, 'KeyTooLongError', 'Your key is too long', { details });
    }
    const version = await objects.put({
      bucket: bucket.name,
      key,
      body,
      headers,
      versioned: bucket.versioned,
      onlyIfAbsent: request.headers['if-none-match'] === '*',
      event: bucket.notifies && options.onEvent ? eventOf(reason) : undefined,
    });
    events.wake();
    return version;
  };

  const putObject = async (call: Call): Promise<Reply> => {
    const { headers } = call.request;
    if (headers['x-amz-copy-source']) throw unknownHere('CopyObject');
    if (headers['if-match']) throw unknownHere('if-match of a PUT');
    if (![undefined, '*'].includes(headers['if-none-match'])) throw headerNotImplemented('If-None-Match');
    // A presigned URL carries the x-amz-* values its signer gave in the query.
    const values = Object.fromEntries(
      [...call.parameters, ...Object.entries(headers)].map(([name, value]) => [name.toLowerCase(), String(value)]),
    );
    const { body, checksums } = readPayload(call.raw, call.payload, values);
    const version = await store(call, call.key, body, { ...objectHeaders(values), ...checksums }, 'PutObject');
    return { status: 200, headers: { ...checksums, ...versionHeaders(version) } };
  };

  const postObject = async (request: IncomingMessage, bucket: Bucket, raw: Buffer): Promise<Reply> => {
    const posted = await readPostForm(raw, request.headers, bucket.name, signer);
    const fields = Object.fromEntries(posted.fields);
    const call = { request, bucket, key: posted.key, parameters: new URLSearchParams(), raw, payload: '' };
    const version = await store(call, posted.key, posted.body, objectHeaders(fields), 'POST Object');
    const location = `http://${request.headers.host}/${bucket.name}/${encodeURIComponent(posted.key)}`;
    const headers = { ...versionHeaders(version), location };
    const status = posted.fields.get('success_action_status');
    if (status !== '201') return { status: status === '200' ? 200 : 204, headers };
    const content =
      element('Location', location) +
      element('Bucket', bucket.name) +
      element('Key', posted.key) +
      element('ETag', `"${version.etag}"`);
    return { status: 201, headers, body: document(`<PostResponse>${content}</PostResponse>`) };
  };

  const getObject = async ({ request, bucket, key, parameters }: Call): Promise<Reply> => {
    const versionId = parameters.get('versionId') ?? undefined;
    const version = objects.find(bucket.name, key, versionId);
    if (!version) {
      const code = versionId === undefined ? 'NoSuchKey' : 'NoSuchVersion';
      throw new S3Error(404, code, `The specified ${versionId === undefined ? 'key' : 'version'} does not exist.`);
    }
    if (version.deleteMarker) {
      const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': version.versionId };
      if (versionId !== undefined) throw methodNotAllowed(request, 'DeleteMarker', headers);
      throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.', { headers });
    }
    const wanted = request.headers['if-match'];
    if (wanted !== undefined && wanted !== '*' && wanted.replaceAll('"', '') !== version.etag) {
      throw new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
    }
    const range = rangeOf(request.headers.range, version.size);
    const headers = {
      // A checksum is of the whole object, so a part of it comes without.
      ...shownHeaders(version, !range && request.headers['x-amz-checksum-mode'] === 'ENABLED'),
      ...versionHeaders(version),
      'last-modified': new Date(version.lastModified).toUTCString(),
      'accept-ranges': 'bytes',
      ...overriddenHeaders(parameters),
    };
    const length = range ? range.end - range.start + 1 : version.size;
    const sized = { ...headers, 'content-length': String(length) };
    if (request.method === 'HEAD') return { status: 200, headers: sized };
    const body = await objects.read(version);
    if (!range) return { status: 200, headers: sized, body };
    const contentRange = `bytes ${range.start}-${range.end}/${version.size}`;
    return {
      status: 206,
      headers: { ...sized, 'content-range': contentRange },
      body: body.subarray(range.start, range.end + 1),
    };
  };

  const removeOne = (bucket: Bucket, key: string, versionId: string | undefined) =>
    objects.remove(bucket.name, key, versionId, bucket.versioned);

  const deleteObject = async ({ bucket, key, parameters }: Call): Promise<Reply> => {
    const removed = await removeOne(bucket, key, parameters.get('versionId') ?? undefined);
    const headers = {
      ...(removed?.deleteMarker && { 'x-amz-delete-marker': 'true' }),
      ...(removed && bucket.versioned && { 'x-amz-version-id': removed.versionId }),
    };
    return { status: 204, headers };
  };

  const deleteObjects = async (call: Call): Promise<Reply> => {
    const xml = readPayload(call.raw, call.payload, headerValues(call.request)).body.toString();
    const wanted = texts(xml, 'Object').map((object) => ({
      key: unescapeXml(texts(object, 'Key')[0] ?? ''),
      versionId: texts(object, 'VersionId')[0],
    }));
    if (wanted.length === 0 || wanted.length > 1000) {
      throw new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed');
    }
    const done: string[] = [];
    for (const { key, versionId } of wanted) {
      const removed = await removeOne(call.bucket, key, versionId);
      const marker = removed?.deleteMarker
        ? element('DeleteMarker', true) + element('DeleteMarkerVersionId', removed.versionId)
        : '';
      const version = versionId === undefined ? '' : element('VersionId', versionId);
      done.push(`<Deleted>${element('Key', key)}${version}${marker}</Deleted>`);
    }
    const shown = texts(xml, 'Quiet')[0] === 'true' ? '' : done.join('');
    return { status: 200, body: document(`<DeleteResult>${shown}</DeleteResult>`) };
  };

  const route = (call: Call): Promise<Reply> | Reply => {
    const { request, key, parameters } = call;
    const unknown = ['uploads', 'uploadId', 'tagging', 'acl', 'attributes'].find((name) => parameters.has(name));
    if (unknown) throw unknownHere(unknown);
    switch (`${request.method} ${key ? 'object' : 'bucket'}`) {
      case 'PUT object':
        return putObject(call);
      case 'GET object':
      case 'HEAD object':
        return getObject(call);
      case 'DELETE object':
        return deleteObject(call);
      case 'HEAD bucket':
        return { status: 200 };
      case 'GET bucket':
        return { status: 200, body: listing(objects, call.bucket.name, parameters) };
      case 'POST bucket':
        return deleteObjects(call);
    }
    throw unknownHere(`${request.method} ${request.url?.split('?')[0]}`);
  };

  /** URLs are signed for the endpoint, whatever host their callers are told. */
  const signedHost = (host: string | undefined) => {
    const isPublic = options.publicOrigin !== undefined && host === new URL(options.publicOrigin).host;
    return isPublic ? new URL(server.url).host : host;
  };

  const answer = async (request: IncomingMessage, bucket: Bucket | undefined, key: string): Promise<Reply> => {
    const { method = '', url = '/', headers } = request;
    const parameters = new URLSearchParams(url.split('?')[1]);
    checkLength(method, headers);
    if (!bucket) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
    const takesPost = ['uploads', 'uploadId'].some((name) => parameters.has(name));
    if ((method === 'POST' && key && !takesPost) || method === 'PATCH') throw methodNotAllowed(request, 'OBJECT');
    if (method === 'POST' && !key && !parameters.has('delete')) {
      return postObject(request, bucket, await readBody(request, largestBodyBytes));
    }
    const payload = verifySignature({ method, url, headers: { ...headers, host: signedHost(headers.host) } }, signer);
    return route({ request, bucket, key, parameters, raw: await readBody(request, largestBodyBytes), payload });
  };

  const server = await listenOnLoopback(
    async (request, response) => {
      const path = request.url?.split('?')[0] ?? '/';
      const [, bucketName = '', ...rest] = path.split('/');
      const bucket = buckets.get(bucketName);
      const cors = corsHeaders(bucket?.cors ?? [], request.method ?? '', request.headers);
      let reply: Reply;
      try {
        if (request.method === 'OPTIONS') {
          if (!cors['access-control-allow-origin']) throw preflightRefused();
          reply = { status: 200 };
        } else reply = await answer(request, bucket, decodeKey(rest.join('/')));
      } catch (error) {
        if (request.destroyed && !request.complete) throw error; // the caller hung up while sending
        const refusal = refusalOf(error);
        reply = { status: refusal.status, headers: refusal.headers, body: refusal.toXml(path) };
      }
      const body = request.method === 'HEAD' ? undefined : reply.body;
      response.writeHead(reply.status, {
        'x-amz-request-id': randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase(),
        ...(typeof reply.body === 'string' && { 'content-type': 'application/xml' }),
        ...(request.method !== 'HEAD' && reply.status !== 204 && { 'content-length': Buffer.byteLength(body ?? '') }),
        ...reply.headers,
        ...cors,
      });
      response.end(body);
    },
    options.port,
    options.alsoListenOn,
  );

  const expire = async () => {
    for (const { name, versioned, lifecycle } of buckets.values()) {
      for (const { prefix, ...days } of lifecycle) await objects.expire(name, prefix, versioned, days);
    }
  };
  const expireQuietly = () => void expire().catch((error: unknown) => console.error(error));
  const sweeper = setInterval(expireQuietly, lifecycleSweepMs);
  sweeper.unref();
  expireQuietly();

  return {
    endpoint: server.url,
    publicOrigin: options.publicOrigin ?? server.url,
    async stop() {
      clearInterval(sweeper);
      await server.stop();
      await events.stop();
      objects.close();
    },
  };
}

const ownHeaders = ['content-type', 'cache-control', 'content-disposition', 'content-encoding', 'content-language'];

/** The values of a request or form that belong to the object and come back with it. */
function objectHeaders(values: Record<string, string | undefined>): Record<string, string> {
  const acl = values['x-amz-acl'] ?? values.acl;
  if (acl !== undefined && acl !== 'bucket-owner-full-control') {
    throw new S3Error(400, 'AccessControlListNotSupported', 'The bucket does not allow ACLs');
  }
  const headers: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === 'aws-chunked') continue; // how it was sent, not what it is
    if (ownHeaders.includes(name) || name.startsWith('x-amz-meta-')) headers[name] = value;
  }
  const metadata = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  const Size = metadata.reduce((sum, [name, value]) => sum + name.length - 'x-amz-meta-'.length + value.length, 0);
  if (Size > largestMetadataBytes) {
    const details = { Size, MaxSizeAllowed: largestMetadataBytes };
    const message = 'Your metadata headers exceed the maximum allowed metadata size';
    throw new S3Error(400, 'MetadataTooLarge', message, { details });
  }
  return headers;
}

/** `response-content-type` and its like: what the signer of a URL says the answer's headers are. */
function overriddenHeaders(parameters: URLSearchParams): Record<string, string> {
  return Object.fromEntries(
    [...ownHeaders, 'expires'].flatMap((name) => {
      const value = parameters.get(`response-${name}`);
      return value === null ? [] : [[name, value]];
    }),
  );
}

function shownHeaders({ headers }: ObjectVersion, checksums: boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => checksums || !name.startsWith('x-amz-checksum-')),
  );
}

function versionHeaders({ etag, versionId }: ObjectVersion): Record<string, string> {
  return { etag: `"${etag}"`, ...(versionId !== 'null' && { 'x-amz-version-id': versionId }) };
}

function headerValues({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/** A single `bytes=` range, both ends included; undefined when there is none to honour. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start > end) throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable');
  return { start, end };
}

function decodeKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
}

function refusalOf(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  if (error instanceof BodyTooLarge) {
    return new S3Error(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
  }
  console.error(error);
  return new S3Error(500, 'InternalError', 'We encountered an internal error. Please try again.');
}

function methodNotAllowed({ method = '' }: IncomingMessage, ResourceType: string, headers = {}): S3Error {
  const message = 'The specified method is not allowed against this resource.';
  return new S3Error(405, 'MethodNotAllowed', message, { details: { Method: method, ResourceType }, headers });
}
