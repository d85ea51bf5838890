import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactGetItemsCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DynamoDb, startDynamoDb } from '../../local/dynamodb/dynamodb.ts';
import { thingsTable } from './fixtures/things-table.ts';

const table = 'things';
let dynamoDb: DynamoDb;
let client: DynamoDBClient;

beforeAll(async () => {
  dynamoDb = await startDynamoDb({ timeToLiveSweepMs: 50 });
  client = clientOf(dynamoDb);
  await client.send(new CreateTableCommand(thingsTable));
});
afterAll(() => dynamoDb.stop());

function clientOf({ endpoint }: DynamoDb): DynamoDBClient {
  return new DynamoDBClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
}

const put = (id: string, more = {}) =>
  client.send(new PutItemCommand({ TableName: table, Item: { id: { S: id }, ...more } }));
const get = async (id: string) =>
  (await client.send(new GetItemCommand({ TableName: table, Key: { id: { S: id } }, ConsistentRead: true }))).Item;

describe('a failed condition', () => {
  const onlyNew = (id: string) =>
    new PutItemCommand({
      TableName: table,
      Item: { id: { S: id } },
      ConditionExpression: 'attribute_not_exists(id)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });

  it('tells the loser the item it lost to', async () => {
    await put('taken', { owner: { S: 'first' } });
    const error = await client.send(onlyNew('taken')).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConditionalCheckFailedException);
    expect((error as ConditionalCheckFailedException).Item).toEqual({ id: { S: 'taken' }, owner: { S: 'first' } });
  });

  it('has no item to tell where there was none', async () => {
    const update = new UpdateItemCommand({
      TableName: table,
      Key: { id: { S: 'absent' } },
      UpdateExpression: 'SET n = :n',
      ConditionExpression: 'attribute_exists(id)',
      ExpressionAttributeValues: { ':n': { N: '1' } },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const error = await client.send(update).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConditionalCheckFailedException);
    expect((error as ConditionalCheckFailedException).Item).toBeUndefined();
    expect(await get('absent')).toBeUndefined();
  });

  it('lets exactly one of twenty racers win', async () => {
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => client.send(onlyNew('race'))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a transaction', () => {
  it('writes all of its items, and its index entries', async () => {
    await client.send(
      new TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName: table, Item: { id: { S: 't1' }, state: { S: 'together' } } } },
          {
            Update: {
              TableName: table,
              Key: { id: { S: 't2' } },
              UpdateExpression: 'SET #s = :s',
              ExpressionAttributeNames: { '#s': 'state' },
              ExpressionAttributeValues: { ':s': { S: 'together' } },
            },
          },
        ],
      }),
    );
    const { Count } = await client.send(
      new QueryCommand({
        TableName: table,
        IndexName: 'by-state',
        KeyConditionExpression: '#s = :s',
        ExpressionAttributeNames: { '#s': 'state' },
        ExpressionAttributeValues: { ':s': { S: 'together' } },
      }),
    );
    expect(Count).toBe(2);
  });

  it('writes nothing when one condition fails, and says which and what was there', async () => {
    await put('guard', { n: { N: '1' } });
    const write = new TransactWriteItemsCommand({
      TransactItems: [
        { Put: { TableName: table, Item: { id: { S: 'never' } } } },
        {
          ConditionCheck: {
            TableName: table,
            Key: { id: { S: 'guard' } },
            ConditionExpression: 'attribute_not_exists(id)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          },
        },
      ],
    });
    const error = (await client.send(write).catch((caught: unknown) => caught)) as TransactionCanceledException;
    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect(error.CancellationReasons?.map(({ Code }) => Code)).toEqual(['None', 'ConditionalCheckFailed']);
    expect(error.CancellationReasons?.[1]?.Item).toEqual({ id: { S: 'guard' }, n: { N: '1' } });
    expect(await get('never')).toBeUndefined();
    expect(await get('guard')).toBeDefined();
  });

  it('is applied once per client token, and reads back in one go', async () => {
    const write = () =>
      new TransactWriteItemsCommand({
        ClientRequestToken: 'token-1',
        TransactItems: [
          {
            Update: {
              TableName: table,
              Key: { id: { S: 'counter' } },
              UpdateExpression: 'ADD n :one',
              ExpressionAttributeValues: { ':one': { N: '1' } },
            },
          },
        ],
      });
    await client.send(write());
    await client.send(write());
    const read = new TransactGetItemsCommand({
      TransactItems: [
        { Get: { TableName: table, Key: { id: { S: 'counter' } } } },
        { Get: { TableName: table, Key: { id: { S: 'missing' } } } },
      ],
    });
    expect((await client.send(read)).Responses).toEqual([{ Item: { id: { S: 'counter' }, n: { N: '1' } } }, {}]);
  });
});

describe('the change feed', () => {
  it('has both images in order, nothing for a write that changes nothing, and keeps what is not acknowledged', async () => {
    const reader = await dynamoDb.changes(table, 'test');
    for (const change of await reader.read(1000)) await reader.acknowledge(change.sequenceNumber);
    await put('fed', { n: { N: '1' } });
    await put('fed', { n: { N: '1' } });
    await put('fed', { n: { N: '2' } });
    await client.send(new DeleteItemCommand({ TableName: table, Key: { id: { S: 'fed' } } }));

    const changes = await reader.read(10);
    expect(changes.map(({ eventName }) => eventName)).toEqual(['INSERT', 'MODIFY', 'REMOVE']);
    expect(changes[1]).toMatchObject({
      keys: { id: { S: 'fed' } },
      oldImage: { n: { N: '1' } },
      newImage: { n: { N: '2' } },
    });
    const numbers = changes.map(({ sequenceNumber }) => sequenceNumber);
    expect([...numbers].sort()).toEqual(numbers);

    await reader.acknowledge(numbers[0] ?? '');
    expect((await reader.read(10)).map(({ eventName }) => eventName)).toEqual(['MODIFY', 'REMOVE']);
    await reader.acknowledge(numbers[2] ?? '');
    expect(await reader.read(10)).toEqual([]);
  });
});

describe('time to live', () => {
  it('removes what has expired, says who did it, and leaves the rest', async () => {
    const reader = await dynamoDb.changes(table, 'expiry');
    const now = Math.floor(Date.now() / 1000);
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName: table,
        TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
      }),
    );
    await put('old', { expires: { N: String(now - 10) } });
    await put('young', { expires: { N: String(now + 1000) } });
    await put('text', { expires: { S: '1' } });
    await expect.poll(() => get('old')).toBeUndefined();
    expect(await get('young')).toBeDefined();
    expect(await get('text')).toBeDefined();
    const removal = (await reader.read(1000)).find(({ eventName }) => eventName === 'REMOVE');
    expect(removal?.userIdentity?.principalId).toBe('dynamodb.amazonaws.com');
  });
});

describe('after a kill -9 at any database write', () => {
  const write = async (directory: string, fatalWrite: number) => {
    const writer = fork(path.join(import.meta.dirname, 'fixtures/dynamodb-writer.ts'), [directory, `${fatalWrite}`]);
    let acknowledged = 0;
    writer.on('message', (round) => {
      acknowledged = Number(round);
    });
    const [code] = await once(writer, 'close');
    return { acknowledged, finished: code === 0 };
  };

  it('item, index and feed agree, and nothing acknowledged is gone', async () => {
    let finished = false;
    let kills = 0;
    for (; !finished; kills++) {
      const directory = await mkdtemp(path.join(tmpdir(), 'dynamodb-'));
      const written = await write(directory, kills + 1);
      finished = written.finished;

      const restarted = await startDynamoDb({ directory });
      const { Items } = await restarted.call('Scan', { TableName: table });
      const items = Items as { id: { S: string }; n: { N: string } }[];
      const number = (id: string) => Number(items.find((item) => item.id.S === id)?.n.N ?? 0);
      expect(number('mover')).toBeGreaterThanOrEqual(written.acknowledged);
      expect(number('counter')).toBe(number('mover'));

      const indexed = await restarted.call('Scan', { TableName: table, IndexName: 'by-state' });
      expect(indexed.Items).toEqual(items.filter(({ id }) => id.S === 'mover'));

      const changes = await (await restarted.changes(table, 'test')).read(100);
      const moves = changes.filter(({ keys }) => keys.id?.S === 'mover').map(({ newImage }) => Number(newImage?.n?.N));
      expect(moves).toEqual(Array.from({ length: number('mover') }, (_, index) => index + 1));
      await restarted.stop();
      await rm(directory, { recursive: true });
    }
    expect(kills).toBeGreaterThan(3);
  });
});
