import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import schema from '../../docs/webhooks.schema.json' with { type: 'json' };
import { presignable } from '../../shared/stores/captures.ts';
import { portrait } from '../../tools/samples.ts';
import { startOurSide } from '../contracts/submission.ts';
import { clientOf, newSourceId, put } from './client.ts';
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

it('npm run listen forwards what happens to a verification, signed, each body as its schema says', async () => {
  const { url, posts, stop } = await startOurSide();
  const listening = spawn(process.execPath, ['tools/listen.ts', '--forward', `${url}/hook`], {
    env: { ...process.env, BONAFIDE_DATA: running.dataDirectory },
  });
  let said = '';
  for (const stream of [listening.stdout, listening.stderr]) stream.on('data', (line) => (said += line));
  try {
    await expect.poll(() => said, { timeout: 30_000 }).toContain('Listening');
    const client = clientOf(running);
    const sourceId = newSourceId();
    await put(await client.request(sourceId), await portrait());
    await client.verdict(sourceId);
    const types = () =>
      posts.filter((post) => post.text.includes(`"${sourceId}"`)).map((post) => JSON.parse(post.text).type);
    await expect.poll(types, { timeout: 60_000 }).toContain('verification.decided');
    expect(types()).toEqual(['verification.queued', 'verification.dispatched', 'verification.decided']);
    const [, secret = ''] = /Signed with (\S+)/.exec(said) ?? [];
    const validates = new Ajv2020({ strict: false }).compile(schema);
    for (const { text: body, headers } of posts) {
      expect(validates(new Webhook(secret).verify(body, headers as Record<string, string>))).toBe(true);
    }
    expect(said).toMatch(new RegExp(`verification\\.decided ${sourceId} 4 passed → 200 in `));
    expect(said).not.toContain(running.apiKey);
  } finally {
    listening.kill();
    await stop();
  }
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
