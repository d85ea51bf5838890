import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectVersionsCommand,
  type ObjectVersion,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { captureKey, capturesPrefix, maximumBytesOf, parseCaptureKey } from '../domain/captures.ts';
import { bareEtag } from '../domain/erasure.ts';
import { Fault } from '../domain/fault.ts';
import type { Captures, Landing, Pinned, Uploads } from '../domain/ports.ts';
import { bodyLimits } from './limits.ts';

/**
 * A client whose presigned URLs carry no checksum of a body it has not seen.
 * `new S3Client({ ...presignable, ...bodyLimits })`: the SDK's default bakes the CRC32 of nothing into every signed PUT.
 */
export const presignable = { requestChecksumCalculation: 'WHEN_REQUIRED' } as const;

export function s3Uploads(client: S3Client, bucket: string): Uploads {
  return {
    async presign(
      { verificationId, round, name, challengeNumber },
      { contentType, contentLength },
      { expiresInSeconds, maximumBytes },
    ) {
      const key = captureKey(verificationId, round, name, challengeNumber);
      const put = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        ContentType: contentType,
        ContentLength: contentLength,
        IfNoneMatch: '*', // a second PUT is 412: no upload is overwritten
      });
      const [url, post] = await Promise.all([
        getSignedUrl(client, put, {
          expiresIn: expiresInSeconds,
          signableHeaders: new Set(['host', 'content-type', 'content-length', 'if-none-match']),
        }),
        createPresignedPost(client, {
          Bucket: bucket,
          Key: key,
          Expires: expiresInSeconds,
          Fields: { 'Content-Type': contentType },
          Conditions: [
            ['eq', '$Content-Type', contentType],
            contentLength
              ? ['content-length-range', contentLength, contentLength]
              : ['content-length-range', 1, maximumBytes],
          ],
        }),
      ]);
      return {
        put: {
          url,
          headers: {
            'content-type': contentType,
            'if-none-match': '*',
            ...(contentLength ? { 'content-length': String(contentLength) } : {}),
          },
        },
        post: { url: post.url, fields: post.fields },
      };
    },
  };
}

/**
 * A PUT may carry headers that its signature does not cover, and S3 answers them to a GET. What a vendor fetches is the
 * bytes, whatever the uploader said of them: `content-encoding: gzip` would have it unpack what our engine reads raw.
 */
const asUploaded = {
  ResponseContentEncoding: 'identity',
  ResponseContentDisposition: 'inline',
  ResponseCacheControl: 'no-store',
} as const;

/** What a function with captures reads from its environment. */
export interface CaptureSettings {
  readonly CAPTURES_BUCKET: string;
  /** False, or absent, where S3 makes ETags of the bytes or the function keeps none. */
  readonly KEEPS_ETAGS?: 'true' | 'false';
}

/** The bucket of captures, as functions reach it. */
export function connectCaptures({ CAPTURES_BUCKET, KEEPS_ETAGS }: CaptureSettings): Captures {
  return s3Captures(new S3Client(bodyLimits), CAPTURES_BUCKET, { keepsEtags: KEEPS_ETAGS === 'true' });
}

export function s3Captures(client: S3Client, bucket: string, { keepsEtags = false } = {}): Captures {
  const address = ({ verificationId, round, name, challengeNumber, versionId }: Pinned) => ({
    Bucket: bucket,
    Key: captureKey(verificationId, round, name, challengeNumber),
    VersionId: versionId,
  });

  /** The object's body, or that it is too large: known from the answer's headers, before any of it is read. */
  async function body(pinned: Pinned) {
    const object = await client.send(new GetObjectCommand(address(pinned))).catch((error: unknown) => {
      if (isMissing(error)) throw new Fault('capture_missing', `The ${pinned.name} is no longer stored.`);
      throw error;
    });
    const bytes = object.ContentLength ?? Number.POSITIVE_INFINITY;
    if (object.Body && bytes <= maximumBytesOf[pinned.name]) return { kind: 'body', body: object.Body, bytes } as const;
    if (object.Body && 'destroy' in object.Body) object.Body.destroy();
    return { kind: 'too_large', bytes } as const;
  }

  /** What S3 says of an object without its bytes; undefined where it is gone. */
  async function head(pinned: Pinned): Promise<HeadObjectCommandOutput | undefined> {
    try {
      return await client.send(new HeadObjectCommand(address(pinned)));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  return {
    async put({ verificationId, round, name, contentType, bytes }) {
      const { VersionId, ETag } = await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: captureKey(verificationId, round, name),
          ContentType: contentType,
          Body: bytes,
        }),
      );
      if (!VersionId || !ETag) throw new Error('The bucket keeps no versions');
      return { versionId: VersionId, etag: ETag };
    },

    async open(pinned) {
      const opened = await body(pinned);
      if (opened.kind === 'too_large') return opened;
      return { kind: 'bytes', bytes: await opened.body.transformToByteArray() };
    },

    async stream(pinned) {
      const opened = await body(pinned);
      if (opened.kind === 'too_large') return opened;
      const stream = opened.body.transformToWebStream() as ReadableStream<Uint8Array>;
      return { kind: 'stream', stream, bytes: opened.bytes };
    },

    link: (pinned, seconds) =>
      getSignedUrl(client, new GetObjectCommand({ ...address(pinned), ...asUploaded }), { expiresIn: seconds }),

    exists: async (pinned) => (await head(pinned)) !== undefined,

    typeOf: async (pinned) => (await head(pinned))?.ContentType,

    async removeVersion(pinned) {
      await client.send(new DeleteObjectCommand(address(pinned)));
    },

    async removeAll(verificationId, lastRound) {
      for await (const { versions } of pagesUnder(capturesPrefix(verificationId))) {
        await remove(versions.filter(({ Key }) => (parseCaptureKey(Key)?.round ?? 1) <= lastRound));
      }
    },

    async oldest(verificationId, round) {
      const oldest = new Map<string, Landing>();
      for await (const { versions } of pagesUnder(`${capturesPrefix(verificationId)}${round}/`)) {
        for (const { Key, VersionId: versionId, ETag, Size: bytes, LastModified } of versions) {
          const place = parseCaptureKey(Key);
          if (!place || !bytes || !ETag || !LastModified) continue;
          const storedAt = LastModified.toISOString();
          const known = oldest.get(Key);
          // S3 lists the newest version of a key first: of two of one second, the second is the older.
          if (known && known.storedAt < storedAt) continue;
          oldest.set(Key, { ...place, versionId, etag: bareEtag(ETag), bytes, storedAt });
        }
      }
      return [...oldest.values()];
    },

    async stored(verificationId) {
      const { versions, IsTruncated } = await listPage(capturesPrefix(verificationId));
      const prefix = capturesPrefix(verificationId).length;
      return {
        versions: versions.map(({ Key, VersionId, ETag, Size, LastModified }) => {
          const storedAt = LastModified?.toISOString();
          return { key: Key.slice(prefix), versionId: VersionId, etag: ETag, bytes: Size, storedAt };
        }),
        more: IsTruncated ?? false,
      };
    },

    async removeVersions(verificationId, versions) {
      const prefix = capturesPrefix(verificationId);
      await remove(versions.map(({ key, versionId }) => ({ Key: `${prefix}${key}`, VersionId: versionId })));
    },

    keepsEtags,
  };

  async function* pagesUnder(prefix: string) {
    let keyMarker: string | undefined;
    let versionMarker: string | undefined;
    do {
      const page = await listPage(prefix, keyMarker, versionMarker);
      yield page;
      keyMarker = page.IsTruncated ? page.NextKeyMarker : undefined;
      versionMarker = page.NextVersionIdMarker;
    } while (keyMarker);
  }

  /** A page of the versions of everything that lies under a prefix, those that only mark a key as deleted too. */
  async function listPage(Prefix: string, KeyMarker?: string, VersionIdMarker?: string) {
    const page = await client.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix, KeyMarker, VersionIdMarker }),
    );
    const listed: Listed[] = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    const versions = listed.map(({ Key = '', VersionId = '', ...rest }) => ({ ...rest, Key, VersionId }));
    return { ...page, versions };
  }

  async function remove(versions: readonly { Key: string; VersionId: string }[]): Promise<void> {
    if (versions.length === 0) return;
    const Objects = versions.map(({ Key, VersionId }) => ({ Key, VersionId }));
    const { Errors = [] } = await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
    );
    if (Errors.length > 0) throw new Error(`S3 kept ${Errors.length} objects: ${Errors[0]?.Code}`);
  }
}

/** What a listing says of a version; of one that marks its key as deleted neither ETag nor size. */
type Listed = Pick<ObjectVersion, 'Key' | 'VersionId' | 'ETag' | 'Size' | 'LastModified'>;

const missing = ['NoSuchKey', 'NoSuchVersion', 'NotFound'];

function isMissing(error: unknown): boolean {
  return (
    error instanceof S3ServiceException && (missing.includes(error.name) || error.$metadata.httpStatusCode === 404)
  );
}
