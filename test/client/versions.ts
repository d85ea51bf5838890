import { ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { capturesPrefix } from '../../shared/domain/captures.ts';
import type { RunningStack } from '../journeys/local-stack.ts';

/** How many versions a local stack stores of a verification; the verification's id stands in its token. */
export async function versionsOf({ stack }: RunningStack, clientToken: string): Promise<number> {
  const { environment, outputs } = stack;
  const s3 = new S3Client({
    region: environment.AWS_REGION,
    endpoint: environment.AWS_ENDPOINT_URL_S3,
    credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
  });
  const [, id = ''] = clientToken.split('_');
  const Prefix = capturesPrefix(id);
  const listed = await s3.send(new ListObjectVersionsCommand({ Bucket: outputs.CapturesBucket, Prefix }));
  s3.destroy();
  return listed.Versions?.length ?? 0;
}
