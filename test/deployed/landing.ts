import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import * as z from 'zod';
import type { UploadsView } from '../../shared/api/verifications.ts';
import type { Inside } from '../journeys/inside.ts';
import { aws } from './account.ts';

/** What S3 said of the selfie, as the queue of captures has it. */
export async function landingOf(
  uploads: UploadsView,
  { outputs, s3 }: Pick<Inside, 's3'> & { readonly outputs: Readonly<Record<string, string>> },
): Promise<string> {
  const key = uploads.uploads.selfie?.post.fields.key ?? '';
  const { Versions = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: outputs.CapturesBucket, Prefix: key }),
  );
  const [version] = Versions;
  if (!version) throw new Error(`Nothing lies at ${key}`);
  return JSON.stringify({
    version: '0',
    id: '00000000-0000-0000-0000-000000000000',
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: await aws<string>('sts', 'get-caller-identity', '--query', 'Account'),
    time: version.LastModified,
    region: process.env.AWS_REGION ?? 'us-east-1',
    resources: [`arn:aws:s3:::${outputs.CapturesBucket}`],
    detail: {
      version: '0',
      bucket: { name: outputs.CapturesBucket },
      object: { key, size: version.Size, etag: version.ETag?.replaceAll('"', ''), 'version-id': version.VersionId },
      reason: 'PutObject',
    },
  });
}

/** The queue and the dead letters behind it, as an output `Queue…` of the stack names them. */
export const queueIn = (output: string) =>
  z.object({ queue: z.url(), undeliverable: z.url() }).parse(JSON.parse(output));

/** The rule by which the bucket's events come to the queue of captures. */
export async function captureRule(): Promise<string> {
  const names = await aws<string[]>('events', 'list-rules', '--query', "Rules[?contains(Name, 'landed')].Name");
  if (names.length !== 1 || !names[0]) throw new Error(`There is not one rule of captures: ${names.join(', ')}`);
  return names[0];
}
