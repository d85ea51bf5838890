import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type EventBridge, startEventBridge } from '../../local/eventbridge/eventbridge.ts';
import { type Sqs, startSqs } from '../../local/sqs/sqs.ts';
import { breakerKey } from '../../shared/domain/breaker.ts';
import { epochSeconds } from '../../shared/domain/times.ts';
import { breakerGate } from '../../shared/lifecycle/gate.ts';
import { dynamoBreakers } from '../../shared/stores/breakers.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { idOf } from '../builders/deployment.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';
import { administered } from './administered.ts';

const { admin, amend, client, tenants } = administered();
const region = 'us-east-1';
const directory = mkdtempSync(join(tmpdir(), 'bonafide-operations-'));
const journal = join(directory, 'journal');
const now = () => new Date();
let sqs: Sqs;
let bus: EventBridge;
let messages: SQSClient;

const names = ['captures', 'builtin', 'results', 'webhooks.fifo'];
const undeliverable = (name: string) =>
  name.endsWith('.fifo') ? `${name.replace('.fifo', '')}-undeliverable.fifo` : `${name}-undeliverable`;

beforeAll(async () => {
  const queues = [...names, ...names.map(undeliverable)].map((name) => ({
    name,
    attributes: (name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}) as Record<string, string>,
  }));
  sqs = await startSqs({ directory: join(directory, 'sqs'), queues, region });
  writeFileSync(journal, '');
  bus = await startEventBridge({ buses: ['bus'], rules: [], deliver: async () => undefined, journal, region });
  messages = new SQSClient({ endpoint: sqs.endpoint, region, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
  const told = names.map((name) => {
    const urls = { queue: sqs.urlOf(name), undeliverable: sqs.urlOf(undeliverable(name)) };
    const [short = ''] = name.split('.');
    return [`Queue${short}`, JSON.stringify({ name: short, ...urls })];
  });
  amend(
    { AWS_ENDPOINT_URL_SQS: sqs.endpoint, AWS_ENDPOINT_URL_EVENTBRIDGE: bus.endpoint },
    { BreakersTable: 'breakers', EventsTable: 'events', EventBusName: 'bus', ...Object.fromEntries(told) },
  );
});
afterAll(async () => {
  messages.destroy();
  await Promise.all([sqs.stop(), bus.stop()]);
});

const send = (name: string, MessageBody: string, lane = {}) =>
  messages.send(new SendMessageCommand({ QueueUrl: sqs.urlOf(name), MessageBody, ...lane }));
const waiting = async (name: string): Promise<number> => {
  const { Attributes = {} } = await messages.send(
    new GetQueueAttributesCommand({
      QueueUrl: sqs.urlOf(name),
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  return Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0);
};
const taken = async (name: string) => {
  const QueueUrl = sqs.urlOf(name);
  const { Messages = [] } = await messages.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] }),
  );
  return Messages.map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId]);
};

describe('npm run admin -- redrive', () => {
  it('moves every message back to its queue; the second time there is nothing to move', async () => {
    for (let each = 0; each < 12; each += 1) await send('captures-undeliverable', `landing ${each}`);
    await send('builtin-undeliverable', 'another queue’s');
    expect(await admin('redrive', 'captures')).toEqual({
      code: 0,
      stdout: '12 messages moved back to captures.\n',
      stderr: '',
    });
    expect([await waiting('captures'), await waiting('captures-undeliverable')]).toEqual([12, 0]);
    expect(await admin('redrive', 'captures')).toMatchObject({
      code: 0,
      stdout: 'No message waits behind captures.\n',
    });
    expect(await waiting('captures')).toBe(12);
    expect(await waiting('builtin-undeliverable')).toBe(1);
  });

  it('keeps the lane of a message that has one', async () => {
    for (const lane of ['a', 'b']) {
      const named = { MessageGroupId: lane, MessageDeduplicationId: lane };
      await send('webhooks-undeliverable.fifo', `for ${lane}`, named);
    }
    expect(await admin('redrive', 'webhooks')).toMatchObject({
      code: 0,
      stdout: '2 messages moved back to webhooks.\n',
    });
    const moved = [...(await taken('webhooks.fifo')), ...(await taken('webhooks.fifo'))];
    expect(moved.sort()).toEqual([
      ['for a', 'a'],
      ['for b', 'b'],
    ]);
  });

  it.each([
    ['nothing', 'There is no queue nothing; there are captures, builtin, results, webhooks\n'],
    ['constructor', 'There is no queue constructor; there are captures, builtin, results, webhooks\n'],
    ['events', 'What lies there points into a stream that has gone on: use events replay --since TIME\n'],
  ])('of %s says in one sentence what there is, and moves nothing', async (name, sentence) => {
    expect(await admin('redrive', name)).toEqual({ code: 1, stdout: '', stderr: sentence });
  });
});

describe('npm run admin -- breaker', () => {
  const breakers = () => dynamoBreakers(client(), 'breakers', now);
  const key = breakerKey('identify', 'of-acme');
  const gate = () => breakerGate(key, 60, { breakers: breakers(), counts: new Map(), now });

  beforeAll(async () => {
    await tenants().create('acme');
    await tenants().setCredentials('acme', 'identify', 'of-acme');
    await tenants().setCredentials('deployment', 'identify', 'of-all');
    await tenants().setCredentials('deployment', 'spoofsense', 'of-all');
  });

  it('opens a provider’s for every set of credentials, shows them, and closes them', async () => {
    expect((await admin('breaker', 'list')).stdout).toBe('Every breaker is closed.\n');
    const opened = await admin('breaker', 'open', 'identify', '--minutes', '30');
    expect(opened).toMatchObject({ code: 0, stderr: '' });
    expect(opened.stdout).toContain('(2 sets of credentials)');
    expect(await gate().mayCall()).toBe(false);
    const listed = (await admin('breaker', 'list')).stdout.trim().split('\n').sort();
    expect(listed).toEqual([
      expect.stringMatching(/^identify {2}acme {2}until \S+ {2}opened_by_hand/),
      expect.stringMatching(/^identify {2}deployment {2}until /),
    ]);
    const { openUntil = 0 } = (await breakers().read(key)) ?? {};
    expect(Math.abs(openUntil - epochSeconds(now()) - 1800)).toBeLessThan(30);
    expect(await admin('breaker', 'close', 'identify')).toMatchObject({ code: 0 });
    expect(await gate().mayCall()).toBe(true);
    expect((await admin('breaker', 'list')).stdout).toBe('Every breaker is closed.\n');
  });

  it('of one owner leaves the others’ alone, and is not closed by an answer that was under way', async () => {
    await admin('breaker', 'open', 'identify', 'acme', '--minutes', '5');
    await admin('breaker', 'open', 'identify', 'acme', '--minutes', '1');
    expect((await admin('breaker', 'list')).stdout).toMatch(/^identify {2}acme .*\n$/);
    await gate().ended(undefined);
    expect(await gate().mayCall()).toBe(false);
    expect((await breakers().read(key))?.openUntil).toBeLessThan(epochSeconds(now()) + 120);
    await admin('breaker', 'close', 'identify', 'acme');
    expect(await gate().mayCall()).toBe(true);
  });

  it.each([
    [['open', 'nobody'], 'There is no provider nobody; those with a breaker: identify, spoofsense, onesmartlab'],
    [['close', 'constructor'], 'There is no provider constructor; those with'],
    [['open', 'builtin'], 'builtin runs in the deployment and has no breaker; those with a breaker: identify'],
    [['open', 'onesmartlab'], 'There are no credentials of onesmartlab'],
    [['open', 'spoofsense', 'acme'], 'There are no credentials of spoofsense for acme'],
    [['close', 'identify', 'nobody'], 'There are no credentials of identify for nobody'],
    [['open', 'identify', '--minutes', '0'], '--minutes is a whole number from 1'],
  ])('%j: one sentence, and nothing is changed', async (words, sentence) => {
    const { code, stdout, stderr } = await admin('breaker', ...words);
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([1, '', 1]);
    expect(stderr).toContain(sentence);
    expect((await admin('breaker', 'list')).stdout).toBe('Every breaker is closed.\n');
  });
});

describe('npm run admin -- events replay', () => {
  const detail = z.looseObject({ detail: z.looseObject({ id: z.string() }) });
  const heard = () =>
    readFileSync(journal, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => detail.parse(JSON.parse(line)).detail);

  it('announces what happened since, and nothing from before, under the ids it had', async () => {
    const store = dynamoVerifications({ client: client(), table: 'verifications', now });
    const moved = async (sourceId: string) => {
      const record = anAwaitingVerification({ sourceId });
      await store.create(record);
      await store.move(record, 'queued', { landed: landedFor('spoof_detect'), provider: 'builtin', dueAt: 1 });
    };
    await moved('before');
    await new Promise((resolve) => setTimeout(resolve, 5));
    const since = now().toISOString();
    await moved('after-1');
    await moved('after-2');
    const { code, stdout, stderr } = await admin('events', 'replay', '--since', since);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe('2 events of 2 verifications, announced again under the ids they had.\n');
    const ids = ['after-1', 'after-2'].map((sourceId) => `evt_${idOf(sourceId)}_2`);
    expect(
      heard()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(ids.sort());
    expect(heard()).toContainEqual(
      expect.objectContaining({ type: 'verification.queued', source_id: 'after-1', livemode: true }),
    );
    const until = await admin('events', 'replay', '--since', '2020-01-01', '--until', since);
    expect(until.stdout).toContain('1 events of 1 verifications');
  });

  it.each([
    [[], 'Say since when: --since 2030-01-31T09:00:00Z'],
    [['--since', 'yesterday'], 'yesterday is no time such as 2030-01-31T09:00:00Z'],
    [['--since', '2030-01-01', '--until', '2029-01-01'], '--since 2030-01-01 is not before --until 2029-01-01'],
  ])('with %j says what is wrong, and announces nothing', async (words, sentence) => {
    const before = heard().length;
    expect(await admin('events', 'replay', ...words)).toEqual({ code: 1, stdout: '', stderr: `${sentence}\n` });
    expect(heard()).toHaveLength(before);
  });
});
