import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { startS3 } from '../../local/s3/s3.ts';

const credentials = { accessKeyId: 'LOCAL', secretAccessKey: 'local-secret' };

/** A bucket that keeps versions, as captures lie in one, on the embedded S3. */
export interface TestBucket {
  readonly name: string;
  readonly client: S3Client;
  /** Another client of it: for a test that changes what it sends. */
  readonly connect: () => S3Client;
  readonly stop: () => Promise<void>;
}

export async function startBucket(): Promise<TestBucket> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bucket-'));
  const name = 'captures';
  const bucket = { name, versioned: true, notifies: false, cors: [], lifecycle: [] };
  const s3 = await startS3({ directory, buckets: [bucket], credentials });
  const connect = () => new S3Client({ endpoint: s3.endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
  const client = connect();
  return {
    ...{ name, client, connect },
    async stop() {
      client.destroy();
      await s3.stop();
      await rm(directory, { recursive: true });
    },
  };
}
