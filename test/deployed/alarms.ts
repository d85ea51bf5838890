import { setTimeout as sleep } from 'node:timers/promises';
import { type DynamoDBClient, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { clientOf, newSourceId, type Target } from '../journeys/client.ts';
import { aws, ringing } from './account.ts';

interface Deployed extends Target {
  readonly dynamodb: DynamoDBClient;
  readonly outputs: { readonly VerificationsTable: string };
}

/** Alarms of one metric ring where they are deployed. Those of metric math, which the emulator does not know, are read by test/infra. */
export function alarmsThatRing(deployed: () => Deployed): void {
  describe('alarms of one metric', () => {
    const waitingForPeople = async () =>
      (await aws<string[]>('sqs', 'list-queues', '--query', 'QueueUrls')).filter((url) =>
        /undeliverable|rolledback/.test(url),
      );
    afterAll(async () => {
      for (const url of await waitingForPeople()) await aws('sqs', 'purge-queue', '--queue-url', url);
    });

    it('ring for a message that waits for a person, each for its own queue', async () => {
      const queues = await waitingForPeople();
      expect(queues.length).toBeGreaterThan(10);
      expect(await ringing(/notempty/)).toEqual([]);
      const [first = '', ...others] = queues;
      await send(first);
      await expect.poll(() => ringing(/notempty/), slowly).toEqual([expect.stringContaining(constructOf(first))]);
      for (const url of others) await send(url);
      await expect.poll(async () => (await ringing(/notempty/)).length, slowly).toBe(queues.length);
    });

    it('ring for what the sweep cannot move, by the metric that the function itself writes', async () => {
      const { dynamodb, outputs } = deployed();
      const client = clientOf(deployed());
      const sourceId = newSourceId();
      await client.request(sourceId);
      const [Item] = (await dynamodb.send(new ScanCommand({ ...of(outputs), ...named(sourceId) }))).Items ?? [];
      const Key = { verificationId: Item?.verificationId ?? { S: '' } };
      const giveBack = await takeGrants(/sweepverifications/);
      try {
        const values = { ':due': { N: `${Math.floor(Date.now() / 1000) - 3600}` } };
        const update = { UpdateExpression: 'SET dueAt = :due', ExpressionAttributeValues: values };
        await dynamodb.send(new UpdateItemCommand({ ...of(outputs), Key, ...update }));
        await expect.poll(() => ringing(/sweepbehind/), { timeout: 150_000, interval: 5000 }).toHaveLength(1);
      } finally {
        await giveBack();
      }
      await expect
        .poll(async () => (await client.read(sourceId)).state, { timeout: 150_000, interval: 5000 })
        .toBe('expired');
    });
  });
}

const of = ({ VerificationsTable: TableName }: { readonly VerificationsTable: string }) => ({ TableName });
const named = (sourceId: string) => ({
  FilterExpression: 'sourceId = :sourceId',
  ExpressionAttributeValues: { ':sourceId': { S: sourceId } },
});

/** Takes from a function's role that it may change verifications, and answers how it is given back. */
async function takeGrants(name: RegExp): Promise<() => Promise<void>> {
  const functions = await aws<{ FunctionName: string; Role: string }[]>(
    'lambda',
    'list-functions',
    '--query',
    'Functions',
  );
  const role =
    functions
      .find(({ FunctionName }) => name.test(FunctionName))
      ?.Role.split('/')
      .at(-1) ?? '';
  const ofRole = ['--role-name', role];
  const policies = await aws<string[]>('iam', 'list-role-policies', ...ofRole, '--query', 'PolicyNames');
  const taken = await Promise.all(
    policies.map(async (policy) => {
      const named = [...ofRole, '--policy-name', policy];
      const document = await aws<object>('iam', 'get-role-policy', ...named, '--query', 'PolicyDocument');
      return { named, document: JSON.stringify(document) };
    }),
  );
  const put = (change: (document: string) => string) =>
    Promise.all(
      taken.map(({ named, document }) =>
        aws('iam', 'put-role-policy', ...named, '--policy-document', change(document)),
      ),
    );
  await put((document) => document.replaceAll('dynamodb:UpdateItem', 'dynamodb:DescribeTable'));
  return async () => void (await put((document) => document));
}

const slowly = { interval: 1000 };

async function send(url: string): Promise<void> {
  const fifo = url.endsWith('.fifo') ? ['--message-group-id', 'test', '--message-deduplication-id', 'test'] : [];
  await aws('sqs', 'send-message', '--queue-url', url, '--message-body', '{"a":"test"}', ...fifo);
  await sleep(100);
}

/** `captureintakecapturesundeliverable` of the queue's name, as the alarm's has it too. */
const constructOf = (url: string): string => (url.split('/').at(-1)?.split('-')[1] ?? '').replace(/[0-9A-F]{8}$/, '');
