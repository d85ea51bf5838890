import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Sqs, startSqs } from '../../local/sqs/sqs.ts';
import type { Fetcher } from '../../shared/domain/ports.ts';
import type { Verdict } from '../../shared/domain/verdict.ts';
import { announceChanges, type Change } from '../../shared/lifecycle/announce.ts';
import { sweepDeliveries } from '../../shared/lifecycle/overdue-deliveries.ts';
import { sendWebhook } from '../../shared/lifecycle/send-webhook.ts';
import { dynamoDeliveries } from '../../shared/stores/deliveries.ts';
import { dynamoKeptEvents } from '../../shared/stores/kept-events.ts';
import { dynamoEndpoints } from '../../shared/stores/tenants/endpoints.ts';
import { readSenderMessage, sqsWebhooks } from '../../shared/stores/webhook-queue.ts';
import { bodyOf } from '../../shared/webhooks/body.ts';
import { nextTryAfter } from '../../shared/webhooks/schedule.ts';
import { signedSender, webhookSigner } from '../../shared/webhooks/sign.ts';
import { aSealedEndpoint, seals } from '../builders/sealed.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';
import { startTables } from '../stores/table.ts';

const verdict: Verdict = {
  outcome: 'passed',
  confidence: 0.9,
  reasons: [],
  scores: { live: 0.9 },
  provider: 'builtin',
  policyVersion: 1,
};

let tables: Awaited<ReturnType<typeof startTables>>;
let queues: Sqs;
let sqs: SQSClient;
beforeAll(async () => {
  tables = await startTables();
  const lanes = { name: 'webhooks', attributes: { VisibilityTimeout: '600', FifoQueue: 'true' } };
  queues = await startSqs({
    directory: mkdtempSync(join(tmpdir(), 'bonafide-')),
    queues: [lanes, { name: 'deliveries', attributes: {} }],
    region: 'us-east-1',
  });
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  sqs = new SQSClient({ endpoint: queues.endpoint, region: 'us-east-1', credentials });
  for (const client of [tables.client, sqs]) count(client as SQSClient); // both count alike
});
afterAll(async () => {
  await queues.stop();
  await tables.stop();
});

/** Requests by name, as they leave the clients. */
let requests: Record<string, number>;
beforeEach(() => {
  requests = {};
});
function count(client: SQSClient): void {
  client.middlewareStack.add(
    (next, context) => (args) => {
      const { commandName = '' } = context as { commandName?: string };
      requests[commandName] = (requests[commandName] ?? 0) + 1;
      return next(args);
    },
    { step: 'initialize' },
  );
}

async function world() {
  const at = setup();
  const changes: Change[] = [];
  at.verifications.onChange = (before, after) =>
    void changes.push({ sequenceNumber: `${changes.length}`, before, after });
  const [webhooksQueue, deliveriesQueue] = [queues.urlOf('webhooks'), queues.urlOf('deliveries')];
  const stores = {
    endpoints: dynamoEndpoints({ client: tables.client, table: 'tenants', now: at.now }),
    keptEvents: dynamoKeptEvents(tables.client, 'events', at.now),
    deliveries: dynamoDeliveries(tables.client, 'deliveries', at.now),
    webhooks: sqsWebhooks(sqs, { webhooks: webhooksQueue, deliveries: deliveriesQueue }),
  };
  const posts: { body: string; headers: Record<string, string> }[] = [];
  const status = { next: 204 };
  const receive = async (): Promise<string | undefined> => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: webhooksQueue }));
    const [message] = Messages;
    if (!message) return undefined;
    const receiver: Pick<Fetcher, 'post'> = {
      async post(_, { body, headers }) {
        posts.push({ body, headers: { ...headers } });
        return { kind: 'answered', status: status.next };
      },
    };
    await sendWebhook(webhookIn(message.Body ?? ''), {
      ...at,
      ...stores,
      bodyOf,
      nextTryAfter,
      postSigned: signedSender(receiver, webhookSigner(seals), at.now),
      put: async () => [],
    });
    await sqs.send(new DeleteMessageCommand({ QueueUrl: webhooksQueue, ReceiptHandle: message.ReceiptHandle }));
    return message.Body;
  };
  return {
    ...at,
    ...stores,
    changes,
    posts,
    status,
    receive,
    announce: () => announceChanges(changes, { ...at, ...stores, put: async () => [] }),
  };
}

function webhookIn(body: string) {
  const message = readSenderMessage(body);
  if (message.kind !== 'webhook') throw new Error(message.kind);
  return message.webhook;
}

async function decide({ verifications }: Awaited<ReturnType<typeof world>>, tenant: string): Promise<void> {
  const record = anAwaitingVerification({ tenant, sourceId: `u-${randomBytes(4).toString('hex')}` });
  const landed = landedFor('spoof_detect');
  await verifications.create(record);
  const queued = await verifications.move(record, 'queued', { landed, provider: 'builtin', dueAt: 1 });
  if (queued.kind === 'lost') throw new Error('queued');
  await verifications.move(queued.verification, 'decided', { landed, verdict, dueAt: 2 });
}

it('an event costs one write, and each delivery that is taken one write, one read, a tenth of a send and one receive', async () => {
  const at = await world();
  const tenant = 'counts';
  const made = await Promise.all(Array.from({ length: 3 }, () => aSealedEndpoint({ tenant })));
  for (const { endpoint } of made) await at.endpoints.create(endpoint);
  await decide(at, tenant);
  requests = {};
  expect(await at.announce()).toEqual({ failed: undefined });
  // Two events to three endpoints: six messages in one request, and one look at the tenant's endpoints.
  expect(requests).toEqual({ GetItemCommand: 1, PutItemCommand: 2, SendMessageBatchCommand: 1 });
  requests = {};
  for (let message = 0; message < 6; message += 1) await at.receive();
  expect(requests).toEqual({
    ReceiveMessageCommand: 6,
    DeleteMessageCommand: 6,
    GetItemCommand: 6, // the event; endpoints are known from the announcing
    PutItemCommand: 6,
  });
  expect(at.posts).toHaveLength(6);
  for (const { body, headers } of at.posts) {
    const valid = made.some(({ texts }) => texts.some((text) => signs(new Webhook(text), headers, body)));
    expect(valid).toBe(true);
  }
});

/** The package's own `verify` looks at the clock; this is all the rest of it. */
function signs(webhook: Webhook, headers: Record<string, string>, body: string): boolean {
  const signature = webhook.sign(
    headers['webhook-id'] ?? '',
    new Date(Number(headers['webhook-timestamp']) * 1000),
    body,
  );
  return headers['webhook-signature']?.split(' ').includes(signature) ?? false;
}

it('a tenant without an endpoint pays one read in twenty seconds', async () => {
  const at = await world();
  await decide(at, 'without');
  requests = {};
  await at.announce();
  await at.announce();
  expect(requests).toEqual({ GetItemCommand: 1 });
});

it('keeps the order of a verification’s events, holds back the next of a lane, and tries again what failed', async () => {
  const at = await world();
  const tenant = 'orders';
  const { endpoint } = await aSealedEndpoint({ tenant });
  await at.endpoints.create(endpoint);
  await decide(at, tenant);
  await at.announce();
  const QueueUrl = queues.urlOf('webhooks');
  const first = (await sqs.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }))).Messages?.[0];
  expect(webhookIn(first?.Body ?? '').eventId).toMatch(/_2$/);
  at.status.next = 500;
  expect(webhookIn((await at.receive()) ?? '').eventId).toMatch(/_2$/);
  at.status.next = 204;
  expect(webhookIn((await at.receive()) ?? '').eventId).toMatch(/_3$/);
  expect(await at.receive()).toBeUndefined();
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queues.urlOf('deliveries'), WaitTimeSeconds: 10 }),
  );
  const later = readSenderMessage(Messages[0]?.Body ?? '');
  expect(later).toMatchObject({ kind: 'later', webhook: { failed: 1, endpointId: endpoint.id } });
  const { advance } = at;
  advance(6 + 121);
  expect(await sweepDeliveries(at)).toEqual({ sent: 1 });
  if (later.kind === 'later') await at.webhooks.send([later.webhook]); // SQS takes one of the two
  expect(webhookIn((await at.receive()) ?? '')).toMatchObject({ failed: 1 });
  expect(await at.receive()).toBeUndefined();
  const { items } = await at.deliveries.list({ tenant, endpointId: endpoint.id, limit: 10 });
  expect(items.map(({ state }) => state)).toEqual(['delivered', 'delivered']);
});
