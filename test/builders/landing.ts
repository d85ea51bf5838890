/** The message S3's `Object Created` becomes in the queue; `about` and `object` say what differs from a PUT of `key`. */
export function aLandingMessage(key: string | undefined, object: object = {}, about: object = {}): string {
  return JSON.stringify({
    source: 'aws.s3',
    'detail-type': 'Object Created',
    time: '2026-01-01T00:00:00Z',
    detail: { reason: 'PutObject', object: { key, size: 9, etag: 'e', 'version-id': 'v1', ...object } },
    ...about,
  });
}
