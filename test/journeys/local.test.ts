import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { presignable } from '../../shared/stores/captures.ts';
import { clientOf, newSourceId } from './client.ts';
import { journeysSeenFromInside } from './inside.ts';
import { journeys } from './journeys.ts';
import { type RunningStack, remove, startLocalStack } from './local-stack.ts';

let running: RunningStack;
beforeAll(async () => {
  running = await startLocalStack();
});
afterAll(async () => {
  await running.stop();
  remove(running.dataDirectory);
});

journeys(() => running);

it('an operator’s command says what logs and object keys call a verification', async () => {
  const sourceId = newSourceId();
  const { client_token } = await clientOf(running).request(sourceId);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['tools/admin.ts', 'verification', 'id', 'demo', sourceId],
    { env: { ...process.env, BONAFIDE_DATA: running.dataDirectory } },
  );
  expect(client_token).toContain(stdout.split('\n')[0]);
});

journeysSeenFromInside(() => {
  const { environment, outputs } = running.stack;
  const config = {
    region: environment.AWS_REGION,
    credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
  };
  return {
    ...running,
    tenant: 'demo',
    outputs,
    s3: new S3Client({ ...config, ...presignable, endpoint: environment.AWS_ENDPOINT_URL_S3 }),
    dynamodb: new DynamoDBClient({ ...config, endpoint: environment.AWS_ENDPOINT_URL_DYNAMODB }),
    secretsManager: new SecretsManagerClient({ ...config, endpoint: environment.AWS_ENDPOINT_URL_SECRETS_MANAGER }),
    events: async () => running.events(),
    written: async () => running.written(),
    secrets: [environment.AWS_SECRET_ACCESS_KEY],
  };
});
