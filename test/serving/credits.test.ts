import { randomBytes, randomUUID } from 'node:crypto';
import { TransactionCanceledException, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import type { ResultMessage, Tenant } from '../../shared/domain/ports.ts';
import { deliverResult } from '../../shared/lifecycle/deliver.ts';
import { fetchImage } from '../../shared/lifecycle/fetch-image.ts';
import { takeOrder } from '../../shared/lifecycle/order.ts';
import { received } from '../../shared/providers/identify/answers.ts';
import { answerCall, writeResult } from '../../shared/providers/identify/speech.ts';
import { registry } from '../../shared/providers/registry.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { delayAfter } from '../../shared/webhooks/schedule.ts';
import { ids } from '../builders/deployment.ts';
import { simulatedBucket } from '../simulation/bucket.ts';
import { memoryDeliveries } from '../simulation/deliveries.ts';
import { randomOf } from '../simulation/random.ts';
import { startTables } from '../stores/table.ts';

/* Served Identify on the embedded DynamoDB, whose transactions never meet: meetings are injected here. */

let tables: Awaited<ReturnType<typeof startTables>>;
let conflicts = 0;

beforeAll(async () => {
  tables = await startTables();
  const random = randomOf(1, 1);
  tables.client.middlewareStack.add(
    (next) => async (args) => {
      if (!('TransactItems' in args.input) || !random.chance(0.6)) return next(args);
      conflicts += 1;
      throw new TransactionCanceledException({
        message: 'Transaction cancelled',
        CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }],
        $metadata: {},
      });
    },
    { step: 'initialize' },
  );
});
afterAll(() => tables.stop());

const now = () => new Date('2026-01-01T00:00:00Z');
const webhook = { name: 'ours', url: 'https://acme.example/results' };

/** A tenant with so many credits, and the acts of its orders. */
async function withCredits(credits: number) {
  const id = `acme-${randomUUID().slice(0, 8)}`;
  const { client } = tables;
  const tenants = dynamoTenants({ client, table: 'tenants', now, randomBytes });
  await tenants.create(id);
  await tenants.addCredits(id, credits);
  await tenants.setServedWebhook(id, webhook.name, webhook.url);
  const tenant: Tenant = { id, policy: defaultPolicy, credentials: {} };
  const verifications = dynamoVerifications({
    client,
    table: 'verifications',
    tenantsTable: 'tenants',
    now,
    newId: randomUUID,
  });
  const fetches: string[] = [];
  const deliveries: ResultMessage[] = [];
  const orders = {
    fetch: async (verificationId: string) => void fetches.push(verificationId),
    deliver: async (delivery: ResultMessage) => void deliveries.push(delivery),
    giveUp: async () => undefined,
  };
  const ordering = { verifications, tenants, orders, ids, registry, now, newId: randomUUID, randomBelow: () => 0 };
  const log = { info() {}, warn() {}, error() {} };
  const posted: [string, string][] = [];
  return {
    tenants,
    fetches,
    posted,
    left: () => tenants.creditsLeft(id),
    async call(source_id: string, overrides: object = {}, service = 'identify-anti-spoof') {
      const payload = { image_link: 'https://images.example/1.jpg', webhook_name: 'ours', source_id, ...overrides };
      const body = Buffer.from(JSON.stringify({ service, payload }));
      return answerCall(body, (order) => takeOrder(order, tenant, ordering));
    },
    erase: async (verificationId: string) => {
      const record = await verifications.find(verificationId);
      if (record) await verifications.move(record, 'erased', {});
    },
    /** The image of an order is not there. */
    unfetched: (verificationId: string) =>
      fetchImage(verificationId, {
        verifications,
        captures: simulatedBucket().captures,
        fetcher: { get: async () => ({ kind: 'failed', reason: 'unreachable' }) },
        send: async () => undefined,
        sleep: async () => undefined,
        now,
        log,
      }),
    deliver: (verificationId: string) =>
      deliverResult(
        { verificationId, failedPosts: 0 },
        {
          verifications,
          tenants,
          orders,
          deliveries: memoryDeliveries(now),
          writeResult,
          async post(url, body) {
            posted.push([url, body]);
            return { kind: 'answered', status: 200 };
          },
          delayAfter,
          now,
          log,
        },
      ),
  };
}

const spent = { status: 422, body: { message: 'Not enough credits' } };
const invalid = { status: 422, body: { message: 'Invalid payload' } };

it('takes 92 of 100 requests that come at once on 92 credits, and gives one back whose image is never there', async () => {
  const at = await withCredits(92);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => at.call(`request-${index}`)));
  const accepted = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 422);
  for (const { body } of accepted) received.parse(body);
  for (const answer of refused) expect(answer).toEqual(spent);
  console.log(
    `${accepted.length} accepted, ${refused.length} refused, ${await at.left()} left; ${conflicts} conflicts`,
  );
  expect([accepted.length, refused.length, await at.left()]).toEqual([92, 8, 0]);
  expect(new Set(at.fetches).size).toBe(92);
  expect(conflicts).toBeGreaterThan(50);

  const [first = ''] = at.fetches;
  await at.unfetched(first);
  await Promise.all([at.deliver(first), at.deliver(first)]);
  await at.deliver(first);
  console.log(`one never fetched: ${await at.left()} back`);
  expect(await at.left()).toBe(1);
  const bodies = new Set(at.posted.map(([url, body]) => `${url} ${body}`));
  expect([...bodies]).toEqual([expect.stringMatching(/^https:\/\/acme\.example\/results \{"source_event":/)]);
});

it('answers the same request again with today’s credits, also when none is left', async () => {
  const at = await withCredits(2);
  const taken = (remaining_credits: number) => ({
    status: 200,
    body: { message: 'identify-anti-spoof request received', remaining_credits },
  });
  expect(await at.call('one')).toMatchObject(taken(1));
  expect(await at.call('one')).toMatchObject(taken(1));
  expect(await at.call('two')).toMatchObject(taken(0));
  expect(await at.call('one')).toMatchObject(taken(0));
  expect(at.fetches).toHaveLength(2);
});

it('refuses in the document’s order: service, credits, payload', async () => {
  const at = await withCredits(1);
  const other = { status: 422, body: { message: 'Invalid service name' } };
  expect(await at.call('', {}, 'identify-face')).toEqual(other);
  for (const wrong of [
    { source_id: '' },
    { source_id: 7 },
    { source_id: '\ud800' },
    { image_link: 'image.jpg' },
    { image_link: 'file:///etc/passwd' },
    { webhook_name: 'unknown' },
    { webhook_name: '__proto__' },
  ]) {
    expect(await at.call('one', wrong)).toEqual(invalid);
  }
  expect(await at.left()).toBe(1);
  await at.call('one');
  expect(await at.call('', {}, 'identify-face')).toEqual(other);
  expect(await at.call('', {})).toEqual(spent);
  expect(await at.call('two', { webhook_name: 'unknown' })).toEqual(spent);
  expect(at.fetches).toHaveLength(1);
});

it('refuses another body under a source_id, and an erased one', async () => {
  const at = await withCredits(3);
  const { sourceId } = await at.call('one');
  expect(sourceId).toBe('identify.one');
  expect(await at.call('one', { image_link: 'https://images.example/2.jpg' })).toEqual(invalid);
  const [id = ''] = at.fetches;
  await at.erase(id);
  expect(await at.call('one')).toEqual(invalid);
  expect(await at.left()).toBe(2);
});

it('tells back any source_id exactly, and keeps it under one of ours', async () => {
  const at = await withCredits(9);
  const theirs = ['+63 917 123 4567', 'a/b\u0000', '😀', 'x'.repeat(1024), '__proto__'];
  for (const source_id of theirs) {
    const { sourceId = '' } = await at.call(source_id);
    expect(sourceId).toMatch(/^identify\.(__proto__|sha256:[0-9a-f]{64})$/);
  }
  for (const id of at.fetches) {
    await at.unfetched(id);
    await at.deliver(id);
  }
  expect(at.posted.map(([, body]) => JSON.parse(body).payload.source_id)).toEqual(theirs);
  expect(await at.left()).toBe(9);
});

it('fails, and takes no credit, where other transactions never end', async () => {
  const at = await withCredits(1);
  tables.client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== TransactWriteItemsCommand.name) return next(args);
        throw new TransactionCanceledException({
          message: 'Transaction cancelled',
          CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }],
          $metadata: {},
        });
      },
    { step: 'initialize', name: 'never' },
  );
  await expect(at.call('one')).rejects.toThrow('cancelled');
  tables.client.middlewareStack.remove('never');
  expect(await at.left()).toBe(1);
  expect(at.fetches).toEqual([]);
});
