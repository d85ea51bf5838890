import * as z from 'zod';
import { parseCaptureKey } from '../domain/captures.ts';
import type { Landing } from '../domain/ports.ts';

/** What S3 tells EventBridge of an object. `reason` is PutObject, POST Object, CompleteMultipartUpload or CopyObject. */
const objectCreated = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.literal('Object Created'),
  /** Of the bucket. EventBridge writes it: a rule of another account cannot give ours. */
  account: z.string(),
  /** When the object was stored, by S3's own clock. */
  time: z.iso.datetime({ offset: true }),
  detail: z.object({
    reason: z.string(),
    bucket: z.object({ name: z.string() }),
    object: z.object({
      key: z.string(),
      size: z.number().int().nonnegative(),
      etag: z.string(),
      'version-id': z.string(),
    }),
  }),
});

/** The bucket that captures land in, and the account that it is in. */
export interface OwnBucket {
  readonly bucket: string;
  readonly account: string;
}

/**
 * The capture that a message of the captures queue tells of, or undefined for anything that is not about one of this
 * bucket. A forged message would have a version pinned that is not there, or one deleted.
 */
export function readLanding(body: string, own: OwnBucket): Landing | undefined {
  const event = objectCreated.safeParse(jsonOf(body));
  if (!event.success) return undefined;
  if (event.data.account !== own.account || event.data.detail.bucket.name !== own.bucket) return undefined;
  const { key, size: bytes, etag, 'version-id': versionId } = event.data.detail.object;
  const place = parseCaptureKey(key);
  return place && { ...place, versionId, etag, bytes, storedAt: event.data.time };
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
