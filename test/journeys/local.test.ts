import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Webhook } from 'standardwebhooks';
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

it('a test reaches an endpoint on this machine, signed as the official package verifies', async () => {
  const client = clientOf(running);
  const received: { headers: Record<string, string>; body: string }[] = [];
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers as Record<string, string>, body: await text(request) });
    response.writeHead(202).end('never shown');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=secret-of-the-url`;
  const { id, secret } = (await client.call('POST', '/endpoints', { url })).body;
  const rotated = (await client.call('POST', `/endpoints/${id}/rotate`, { grace_seconds: 60 })).body;
  const tested = await client.call('POST', `/endpoints/${id}/test`);
  expect(tested.body).toEqual({ delivered: true, status: 202, milliseconds: expect.any(Number) });
  expect(received).toHaveLength(1);
  for (const { headers, body } of received) {
    for (const one of [secret, rotated.secret]) {
      expect(new Webhook(one).verify(body, headers)).toMatchObject({
        type: 'endpoint.test',
        data: { endpoint_id: id },
      });
    }
  }
  await client.call('DELETE', `/endpoints/${id}`);
  server.close();
  for (const hidden of ['secret-of-the-url', secret, rotated.secret]) expect(running.written()).not.toContain(hidden);
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
