import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { presignable } from '../../shared/stores/captures.ts';
import { portrait } from '../../tools/samples.ts';
import { clientOf, newSourceId, put } from './client.ts';
import { journeysSeenFromInside } from './inside.ts';
import { journeys } from './journeys.ts';
import { type RunningStack, remove, startLocalStack } from './local-stack.ts';

let running: RunningStack;
let hook: Awaited<ReturnType<typeof startHook>>;
beforeAll(async () => {
  running = await startLocalStack();
  hook = await startHook(); // before the journeys: an announcer that knows of no endpoint believes that for 20 s
});
afterAll(async () => {
  hook.stop();
  await running.stop();
  remove(running.dataDirectory);
});

interface Received {
  readonly type: string;
  readonly data: { source_id: string; sequence: number; verdict?: { outcome: string } };
}

/** An endpoint of the demo tenant's for whole events, which refuses the first decision of the verification named `refuses`. */
async function startHook() {
  const received: Received[] = [];
  let refused = false;
  const server = createServer(async (request, response) => {
    const event = new Webhook(secret).verify(
      await text(request),
      request.headers as Record<string, string>,
    ) as Received;
    received.push(event);
    const refuses = !refused && event.type === 'verification.decided' && event.data.source_id === hook.refuses;
    refused ||= refuses;
    response.writeHead(refuses ? 503 : 204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const { secret } = (await clientOf(running).call('POST', '/endpoints', { url, body: 'full' })).body;
  return { received, refuses: '', stop: () => server.close().closeAllConnections() };
}

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

it('a selfie’s events reach an endpoint in their order, signed, and one that was refused comes again', async () => {
  const client = clientOf(running);
  const sourceId = newSourceId();
  hook.refuses = sourceId;
  await put(await client.request(sourceId), await portrait());
  await client.verdict(sourceId);
  const received = () => hook.received.filter(({ data }) => data.source_id === sourceId);
  for (let tried = 0; received().length < 4 && tried < 150; tried += 1) await setTimeout(200);
  expect(received().map(({ type, data }) => [type, data.sequence])).toEqual([
    ['verification.queued', 2],
    ['verification.dispatched', 3],
    ['verification.decided', 4],
    ['verification.decided', 4],
  ]);
  const [queued, , refused, taken] = received();
  expect([queued?.data.verdict, refused?.data.verdict?.outcome]).toEqual([undefined, 'passed']);
  expect(taken).toEqual(refused);
  let deliveries: { event_id: string; attempts: { status: number }[] }[] = [];
  for (let tried = 0; deliveries[0]?.attempts.length !== 2 && tried < 50; tried += 1) {
    deliveries = (await client.call('GET', `/deliveries?source_id=${sourceId}`)).body.deliveries;
    await setTimeout(100);
  }
  expect(deliveries.map(({ attempts }) => attempts.map(({ status }) => status))).toEqual([[503, 204], [204], [204]]);
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
