import type { ObjectVersion, ObjectVersions } from './object-versions.ts';
import { document, element } from './xml.ts';

/** Answers ListObjectVersions and ListObjectsV2. Delimiters are not known: nothing here lists folders. */
export function listing(objects: ObjectVersions, bucket: string, parameters: URLSearchParams): string {
  const encoded = parameters.get('encoding-type') === 'url';
  const name = (key: string) => element('Key', encoded ? encodeURIComponent(key).replaceAll('%2F', '/') : key);
  return parameters.has('versions')
    ? listVersions(objects, bucket, parameters, name)
    : listObjects(objects, bucket, parameters, name);
}

function listVersions(
  objects: ObjectVersions,
  bucket: string,
  parameters: URLSearchParams,
  name: (key: string) => string,
): string {
  const prefix = parameters.get('prefix') ?? '';
  const limit = limitOf(parameters);
  const found = objects.list(bucket, {
    prefix,
    afterKey: parameters.get('key-marker') ?? '',
    afterVersionId: parameters.get('version-id-marker') ?? '',
    limit: limit + 1,
  });
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  const entries = page.map((version) => {
    const about =
      name(version.key) +
      element('VersionId', version.versionId) +
      element('IsLatest', version.isLatest) +
      element('LastModified', version.lastModified);
    return version.deleteMarker
      ? `<DeleteMarker>${about}</DeleteMarker>`
      : `<Version>${about}${contentOf(version)}</Version>`;
  });
  const next = last ? element('NextKeyMarker', last.key) + element('NextVersionIdMarker', last.versionId) : '';
  const content = head(bucket, prefix, limit, Boolean(last)) + next + entries.join('');
  return document(`<ListVersionsResult>${content}</ListVersionsResult>`);
}

function listObjects(
  objects: ObjectVersions,
  bucket: string,
  parameters: URLSearchParams,
  name: (key: string) => string,
): string {
  const prefix = parameters.get('prefix') ?? '';
  const limit = limitOf(parameters);
  const start = parameters.get('continuation-token') ?? parameters.get('start-after') ?? '';
  const everything = { prefix, afterKey: start, afterVersionId: '', limit: -1 };
  const current = objects.list(bucket, everything).filter(({ isLatest, deleteMarker }) => isLatest && !deleteMarker);
  const page = current.slice(0, limit);
  const last = current.length > limit ? page.at(-1) : undefined;
  const entries = page.map(
    (version) =>
      `<Contents>${name(version.key)}${element('LastModified', version.lastModified)}${contentOf(version)}</Contents>`,
  );
  const next = last ? element('NextContinuationToken', last.key) : '';
  const count = element('KeyCount', page.length);
  const content = head(bucket, prefix, limit, Boolean(last)) + count + next + entries.join('');
  return document(`<ListBucketResult>${content}</ListBucketResult>`);
}

function limitOf(parameters: URLSearchParams): number {
  return Math.min(Number(parameters.get('max-keys') ?? 1000), 1000);
}

function head(bucket: string, prefix: string, limit: number, truncated: boolean): string {
  return (
    element('Name', bucket) + element('Prefix', prefix) + element('MaxKeys', limit) + element('IsTruncated', truncated)
  );
}

function contentOf({ etag, size }: ObjectVersion): string {
  return element('ETag', `"${etag}"`) + element('Size', size) + element('StorageClass', 'STANDARD');
}
