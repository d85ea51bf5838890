import { afterEach, describe, expect, it } from 'vitest';
import { type DynamoDb, startDynamoDb } from '../../local/dynamodb/dynamodb.ts';
import { consumeStream, type StreamConsumer, type StreamSource } from '../../local/event-sources/stream-source.ts';
import { thingsTable } from './fixtures/things-table.ts';

interface Delivered {
  Records: {
    eventName: string;
    dynamodb: { SequenceNumber: string; NewImage?: { n: { N: string } }; OldImage?: unknown };
  }[];
}

let dynamoDb: DynamoDb;
let consumer: StreamConsumer | undefined;
afterEach(async () => {
  await consumer?.stop();
  await dynamoDb.stop();
});

/** Starts a consumer that is given numbered items; `invoke` sees their numbers and says which sequence failed. */
async function consume(
  invoke: (numbers: number[], sequenceNumbers: string[]) => unknown,
  more: Partial<StreamSource> = {},
) {
  const reader = await dynamoDb.changes('things', 'test');
  const started = consumeStream(reader, {
    streamArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/things/stream/local',
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:test',
    region: 'us-east-1',
    viewType: 'NEW_AND_OLD_IMAGES',
    batchSize: 10,
    windowSeconds: 0,
    retries: -1,
    bisects: false,
    reportsFailures: true,
    filters: [],
    firstPauseMs: 1,
    onFailure: undefined,
    invoke: async (event) => {
      const { Records } = event as Delivered;
      const numbers = Records.map(({ dynamodb }) => Number(dynamodb.NewImage?.n.N));
      return invoke(
        numbers,
        Records.map(({ dynamodb }) => dynamodb.SequenceNumber),
      );
    },
    ...more,
  });
  dynamoDb.onChange(started.wake);
  consumer = started;
  return reader;
}

async function begin(count: number) {
  dynamoDb = await startDynamoDb();
  await dynamoDb.call('CreateTable', thingsTable);
  for (let n = 1; n <= count; n++) await put(n);
}
const put = (n: number) =>
  dynamoDb.call('PutItem', { TableName: 'things', Item: { id: { S: `thing-${n}` }, n: { N: String(n) } } });

describe('a stream', () => {
  it('delivers in order, from the oldest, in batches, and hears of new changes at once', async () => {
    await begin(5);
    const batches: number[][] = [];
    await consume((numbers) => void batches.push(numbers), { batchSize: 2 });
    await expect.poll(() => batches).toEqual([[1, 2], [3, 4], [5]]);
    await put(6);
    await expect.poll(() => batches.at(-1)).toEqual([6]);
  });

  it('gives the function only what its filters let through, in the shape of Lambda', async () => {
    await begin(1);
    const events: unknown[] = [];
    await consume(() => undefined, {
      filters: [{ eventName: ['MODIFY'] }],
      invoke: async (event) => void events.push(event),
    });
    await dynamoDb.call('PutItem', { TableName: 'things', Item: { id: { S: 'thing-1' }, n: { N: '7' } } });
    await expect.poll(() => events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      Records: [
        {
          eventName: 'MODIFY',
          eventSource: 'aws:dynamodb',
          eventSourceARN: expect.stringContaining('table/things/stream/'),
          dynamodb: {
            Keys: { id: { S: 'thing-1' } },
            OldImage: { n: { N: '1' } },
            NewImage: { n: { N: '7' } },
            SequenceNumber: expect.stringMatching(/^\d{21}$/),
            StreamViewType: 'NEW_AND_OLD_IMAGES',
          },
        },
      ],
    });
  });

  it('goes on after the last success when the function names what failed', async () => {
    await begin(4);
    const batches: number[][] = [];
    await consume((numbers, sequenceNumbers) => {
      batches.push(numbers);
      const bad = batches.length < 3 ? numbers.indexOf(3) : -1;
      return { batchItemFailures: bad < 0 ? [] : [{ itemIdentifier: sequenceNumbers[bad] }] };
    });
    await expect
      .poll(() => batches)
      .toEqual([
        [1, 2, 3, 4],
        [3, 4],
        [3, 4],
      ]);
  });

  it('cuts a failing batch in two until the bad record is alone, gives that up, and tells', async () => {
    await begin(4);
    const delivered: number[] = [];
    const givenUp: unknown[] = [];
    const reader = await consume(
      (numbers) => {
        if (numbers.includes(3)) throw new Error('never 3');
        delivered.push(...numbers);
      },
      { bisects: true, retries: 2, onFailure: async (description) => void givenUp.push(description) },
    );
    await expect.poll(() => delivered).toEqual([1, 2, 4]);
    expect(givenUp).toMatchObject([
      {
        requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 3 },
        DDBStreamBatchInfo: { batchSize: 1 },
      },
    ]);
    await expect.poll(() => reader.read(10)).toEqual([]);
  });

  it('starts again where it stopped', async () => {
    await begin(3);
    const delivered: number[] = [];
    await consume(
      (numbers) => {
        if (numbers[0] === 2) throw new Error('not yet');
        delivered.push(...numbers);
      },
      { batchSize: 1 },
    );
    await expect.poll(() => delivered).toEqual([1]);
    await consumer?.stop();
    await consume((numbers) => void delivered.push(...numbers), { batchSize: 1 });
    await expect.poll(() => delivered).toEqual([1, 2, 3]);
  });
});
