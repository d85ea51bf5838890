import type { OwnBucket } from '../../shared/stores/landings.ts';

/** The bucket of tests and simulation. */
export const ownBucket: OwnBucket = { bucket: 'captures', account: '000000000000' };

/** The message S3's `Object Created` becomes in the queue; `about` and `object` say what differs from a PUT of `key`. */
export function aLandingMessage(key: string | undefined, object: object = {}, about: object = {}): string {
  return JSON.stringify({
    source: 'aws.s3',
    'detail-type': 'Object Created',
    account: ownBucket.account,
    time: '2026-01-01T00:00:00Z',
    detail: {
      reason: 'PutObject',
      bucket: { name: ownBucket.bucket },
      object: { key, size: 9, etag: 'e', 'version-id': 'v1', ...object },
    },
    ...about,
  });
}
