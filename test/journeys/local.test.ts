import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import {
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { Ajv2020 } from 'ajv/dist/2020.js';
import sharp from 'sharp';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import schema from '../../docs/webhooks.schema.json' with { type: 'json' };
import { presignable } from '../../shared/stores/captures.ts';
import { portrait } from '../../tools/samples.ts';
import type { LocalStack } from '../../tools/target.ts';
import { startOurSide } from '../contracts/submission.ts';
import { selfieOfPair } from '../engine/people.ts';
import { clientOf, newSourceId, put } from './client.ts';
import { journeysSeenFromInside } from './inside.ts';
import { journeys } from './journeys.ts';
import { type RunningStack, remove, startLocalStack } from './local-stack.ts';
import { pageJourneys } from './pages.ts';
import { everythingKept, type Stores, searchFor } from './remains.ts';

let running: RunningStack;
let hook: Awaited<ReturnType<typeof startHook>>;
beforeAll(async () => {
  running = await startLocalStack();
  hook = await startHook(); // before the journeys: an announcer that knows of no endpoint believes that for 20 s
});
afterAll(async () => {
  await hook.stop();
  await running.stop();
  remove(running.dataDirectory);
});

const configOf = (environment: LocalStack['environment']) => ({
  region: environment.AWS_REGION,
  credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
});

interface Received {
  readonly type: string;
  readonly data: { source_id: string; sequence: number; verdict?: { outcome: string } };
}

/**
 * An endpoint of the demo tenant's for whole events. Its thread is its own: a receiver that answers late has its breaker
 * opened, and this one searches whole stores.
 */
async function startHook() {
  const receiver = new Worker(new URL('receiver.ts', import.meta.url));
  const [url] = await once(receiver, 'message');
  const received: Received[] = [];
  receiver.on('message', ({ headers, body }) => received.push(new Webhook(secret).verify(body, headers) as Received));
  const asked = { url, body: 'full', metadata: true };
  const { id, secret } = (await clientOf(running).call('POST', '/endpoints', asked)).body;
  const refuse = (sourceId: string) => receiver.postMessage(sourceId);
  return { id, received, refuse, stop: () => receiver.terminate() };
}

journeys(() => running);
pageJourneys(() => running);

it('the capture page is at the address of the API, and leads back to an origin that the policy lists', async () => {
  const { admin } = running;
  // A tenant of its own: functions believe for 20 s what they read of one.
  const [, apiKey = ''] = /^api key (\S+)/m.exec(await admin('tenant', 'create', 'shop')) ?? [];
  const client = clientOf({ url: running.url, apiKey });
  const policy = JSON.parse(await admin('policy', 'show', 'shop'));
  const file = join(running.dataDirectory, 'policy.json');
  writeFileSync(file, JSON.stringify({ ...policy, page: { returnOrigins: ['https://shop.example'] } }));
  await admin('policy', 'set', 'shop', file);
  const sourceId = newSourceId();
  const return_url = 'https://shop.example/done?visit=7\'"><script>#end';
  const body = { source_id: sourceId, check: 'spoof_detect', captures: { selfie: { content_type: 'image/jpeg' } } };
  const ask = () => client.call('POST', '/verifications', { ...body, return_url });
  const { status, body: view } = await ask();
  expect([status, (await ask()).status]).toEqual([201, 200]);
  expect(view.capture_url).toBe(`${running.url}/capture/shop/${sourceId}`);
  expect((await client.problem('POST', '/verifications', body)).code).toBe('source_id_conflict');
  const bearer = { authorization: `Bearer ${view.client_token}` };
  const read = await client.call('GET', `/verifications/${sourceId}`, undefined, bearer);
  expect(read.body).toMatchObject({ return_url, handed_off: false });
  expect(running.written()).not.toContain('shop.example');
});

it('a tenant’s name, colours, logo and frames are on its capture page, as its policy says', async () => {
  const admin = (...words: string[]) =>
    promisify(execFile)(process.execPath, ['tools/admin.ts', ...words], {
      env: { ...process.env, BONAFIDE_DATA: running.dataDirectory },
    });
  await admin('tenant', 'create', 'branded');
  const policy = JSON.parse((await admin('policy', 'show', 'branded')).stdout);
  const page = {
    frameOrigins: ['https://shop.example'],
    name: '"><script>alert(1)</script>',
    colours: { accent: '#112233' },
    language: 'de',
  };
  const [policyFile, logoFile] = ['branded.json', 'logo.png'].map((file) => join(running.dataDirectory, file)) as [
    string,
    string,
  ];
  writeFileSync(policyFile, JSON.stringify({ ...policy, page }));
  await admin('policy', 'set', 'branded', policyFile);
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#112233' } })
    .png()
    .toBuffer();
  writeFileSync(logoFile, png);
  await admin('logo', 'set', 'branded', logoFile);

  const opened = await fetch(`${running.url}/capture/branded/visit-1`);
  expect(opened.headers.get('content-security-policy')).toContain('frame-ancestors https://shop.example;');
  const html = await opened.text();
  expect(html).toContain('<html lang="de">');
  expect(html).not.toContain('<script>');
  const [, logo = ''] = /(\/logos\/branded\/[0-9a-f]{64})/.exec(html) ?? [];
  const { status, headers } = await fetch(`${running.url}${logo}`);
  expect(status).toBe(200);
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'image/png',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
  });
  const shown = await (await fetch(`${running.url}${logo}`)).arrayBuffer();
  expect(Buffer.from(shown).equals(png)).toBe(true);
  expect((await fetch(`${running.url}${logo.replace('branded', 'demo')}`)).status).toBe(404);
});

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

it('an operator’s command verifies a receipt, with the keys of the deployment or of a file', async () => {
  const client = clientOf(running);
  const sourceId = newSourceId();
  await client.request(sourceId);
  await client.call('DELETE', `/verifications/${sourceId}`);
  const file = join(running.dataDirectory, 'receipt.json');
  const keys = join(running.dataDirectory, 'bonafide.json');
  const { body } = await client.call('GET', `/verifications/${sourceId}/receipt`);
  writeFileSync(file, JSON.stringify(body, undefined, 2));
  const published = await fetch(`${running.url}/.well-known/bonafide.json`);
  expect(published.headers.get('cache-control')).toBe('public, max-age=300');
  writeFileSync(keys, await published.text());
  const verify = (...options: string[]) =>
    promisify(execFile)(process.execPath, ['tools/admin.ts', 'receipt', 'verify', file, ...options], {
      env: { ...process.env, BONAFIDE_DATA: running.dataDirectory },
    });
  expect((await verify()).stdout).toMatch(/^valid: verification \w{26} of demo was erased at /);
  expect((await verify('--keys', keys)).stdout).toMatch(/^valid: /);
  const forged = { ...body, statement: { ...body.statement, erased_at: '2020-01-01T00:00:00.000Z' } };
  writeFileSync(file, JSON.stringify(forged));
  await expect(verify('--keys', keys)).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'invalid: the signature is not one of this statement\n',
  });
});

describe('after DELETE', () => {
  const stores = (): Stores => {
    const { environment, outputs } = running.stack;
    const config = configOf(environment);
    return {
      bucket: outputs.CapturesBucket,
      dynamodb: new DynamoDBClient({ ...config, endpoint: environment.AWS_ENDPOINT_URL_DYNAMODB }),
      s3: new S3Client({ ...config, endpoint: environment.AWS_ENDPOINT_URL_S3 }),
      sqs: new SQSClient({ ...config, endpoint: environment.AWS_ENDPOINT_URL_SQS }),
      written: () => `${running.written()}${JSON.stringify(running.events())}`,
    };
  };

  it('no row, message, object or log has a byte run of the captures, a score or a word of the request', async () => {
    const client = clientOf(running);
    const decided = newSourceId();
    const awaiting = newSourceId();
    // Of its own bytes: other journeys' verifications, which are not erased, have the score of the picture itself.
    const selfie = await sharp(await selfieOfPair())
      .jpeg({ quality: 71 })
      .toBuffer();
    const metadata = { metadata: { name: 'Unforgettable Person' } };
    await put(await client.request(decided, { ...metadata, subject: 'subject-of-the-erased' }), selfie);
    const { verdict, sequence } = await client.verdict(decided);
    const review = { sequence, outcome: 'failed', reason: 'Unrepeatable reason', reviewer: 'unmentionable-reviewer' };
    expect((await client.call('POST', `/verifications/${decided}/review`, review)).status).toBe(200);
    const photos = { selfie: { content_type: 'image/jpeg' }, id_card: { content_type: 'image/jpeg' } };
    const waits = await client.request(awaiting, { ...metadata, check: 'photo_verify', captures: photos });
    await put(waits, selfie);
    const scores = Object.values(verdict?.scores ?? {}).flatMap((score) => (score === null ? [] : [String(score)]));
    const score = scores.find((one) => one.length > 8) ?? '';
    expect(score).toMatch(/^0\.\d+/); // one that is no other number by chance
    const words = ['Unforgettable', 'Unrepeatable', 'unmentionable', 'subject-of-the-erased'];
    const personal = { captures: [selfie], texts: [...words, score.slice(0, 9)] };

    const remainsOf = searchFor(personal);
    const before = remainsOf(await everythingKept(stores()));
    expect(before.join('\n')).toMatch(/table [\s\S]*: Unforgettable[\s\S]*: unmentionable/);
    expect(before.join('\n')).toContain(`: ${score.slice(0, 9)}`);
    expect(before.join('\n')).toMatch(/object captures\/\w+\/1\/selfie: bytes of a capture/);

    for (const sourceId of [decided, awaiting]) {
      expect((await client.call('DELETE', `/verifications/${sourceId}`)).status).toBe(200);
    }
    const kept = await everythingKept(stores());
    expect(remainsOf(kept)).toEqual([]);
    expect(kept.filter(({ where }) => where.startsWith('table')).length).toBeGreaterThan(3);
    const receipts = [decided, awaiting].map(async (sourceId) => {
      const { body } = await client.call('GET', `/verifications/${sourceId}/receipt`);
      return body.statement.versions.map(({ deleted }: { deleted: string }) => deleted);
    });
    expect(await Promise.all(receipts)).toEqual([['at_decision'], ['at_erasure']]);

    // One score in a row of whatever table; and sixteen bytes of a picture.
    const { dynamodb } = stores();
    const { TableNames = [] } = await dynamodb.send(new ListTablesCommand({}));
    for (const planted of [score, Buffer.from(selfie.subarray(3000, 3030)).toString('base64')]) {
      const rows = await Promise.all(
        TableNames.map(async (TableName) => {
          const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
          const names = (Table?.KeySchema ?? []).map(({ AttributeName = '' }) => AttributeName);
          const Key = marshall(Object.fromEntries(names.map((name) => [name, 'planted'])));
          await dynamodb.send(new PutItemCommand({ TableName, Item: { ...Key, ...marshall({ planted }) } }));
          return { TableName, Key };
        }),
      );
      const found = remainsOf(await everythingKept(stores()));
      for (const row of rows) await dynamodb.send(new DeleteItemCommand(row));
      expect(found.map((where) => where.split(':')[0]).toSorted()).toEqual(
        TableNames.map((name) => `table ${name}`).toSorted(),
      );
    }
  });
});

it('a selfie’s events reach an endpoint in their order, signed, and one that was refused comes again', async () => {
  const client = clientOf(running);
  const sourceId = newSourceId();
  hook.refuse(sourceId);
  await put(await client.request(sourceId), await portrait());
  await client.verdict(sourceId);
  const received = () => hook.received.filter(({ data }) => data.source_id === sourceId);
  await expect.poll(() => received().length, { timeout: 180_000 }).toBeGreaterThanOrEqual(4);
  expect(received().map(({ type, data }) => [type, data.sequence])).toEqual([
    ['verification.queued', 2],
    ['verification.dispatched', 3],
    ['verification.decided', 4],
    ['verification.decided', 4],
  ]);
  const [queued, , refused, taken] = received();
  expect([queued?.data.verdict, refused?.data.verdict?.outcome]).toEqual([undefined, 'passed']);
  expect(taken).toEqual(refused);
  type Listed = { endpoint_id: string; attempts: { status: number }[] };
  const attempts = async () => {
    const listed: Listed[] = (await client.call('GET', `/deliveries?source_id=${sourceId}`)).body.deliveries;
    const ours = listed.filter(({ endpoint_id }) => endpoint_id === hook.id); // journeys leave endpoints behind
    return ours.map((delivery) => delivery.attempts.map(({ status }) => status));
  };
  await expect.poll(attempts).toEqual([[503, 204], [204], [204]]);
});

it('npm run listen forwards what happens to a verification, signed, each body as its schema says', async () => {
  const { url, posts, stop } = await startOurSide();
  const listening = spawn(process.execPath, ['tools/listen.ts', '--forward', `${url}/hook`], {
    env: { ...process.env, BONAFIDE_DATA: running.dataDirectory },
  });
  let said = '';
  for (const stream of [listening.stdout, listening.stderr]) stream.on('data', (line) => (said += line));
  try {
    await expect.poll(() => said).toContain('Listening');
    const client = clientOf(running);
    const sourceId = newSourceId();
    await put(await client.request(sourceId), await portrait());
    await client.verdict(sourceId);
    const types = () =>
      posts.filter((post) => post.text.includes(`"${sourceId}"`)).map((post) => JSON.parse(post.text).type);
    await expect.poll(types).toContain('verification.decided');
    expect(types()).toEqual(['verification.queued', 'verification.dispatched', 'verification.decided']);
    const [, secret = ''] = /Signed with (\S+)/.exec(said) ?? [];
    const validates = new Ajv2020({ strict: false }).compile(schema);
    for (const { text: body, headers } of posts) {
      expect(validates(new Webhook(secret).verify(body, headers as Record<string, string>))).toBe(true);
    }
    await expect.poll(() => said).toMatch(new RegExp(`verification\\.decided ${sourceId} 4 passed → 200 in `));
    expect(said).not.toContain(running.apiKey);
  } finally {
    listening.kill();
    await stop();
  }
});

journeysSeenFromInside(() => {
  const { environment, outputs } = running.stack;
  const config = configOf(environment);
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
