import * as z from 'zod';
import { isLaterCaptureKey, parseCaptureKey } from '../domain/captures.ts';
import { outdated } from '../domain/later.ts';
import type { Landing } from '../domain/ports.ts';

/** What S3 tells EventBridge of an object. `reason` is PutObject, POST Object, CompleteMultipartUpload or CopyObject. */
const objectCreated = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.literal('Object Created'),
  /** When the object was stored, by S3's own clock. */
  time: z.iso.datetime({ offset: true }),
  detail: z.object({
    reason: z.string(),
    object: z.object({
      key: z.string(),
      size: z.number().int().nonnegative(),
      etag: z.string(),
      'version-id': z.string(),
    }),
  }),
});

/** The capture that a message of the captures queue tells of, or undefined for anything that is not about one. Throws
 * `version_outdated` where a later version's capture landed: this one would let it pass. */
export function readLanding(body: string): Landing | undefined {
  const event = objectCreated.safeParse(jsonOf(body));
  if (!event.success) return undefined;
  const { key, size: bytes, etag, 'version-id': versionId } = event.data.detail.object;
  if (isLaterCaptureKey(key)) throw outdated('the capture of this event');
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
