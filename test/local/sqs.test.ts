import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { type Queue, type Sqs, startSqs } from '../../local/sqs/sqs.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';

const region = 'us-east-1';
const deadArn = `arn:aws:sqs:${region}:000000000000:dead`;
const queues: Queue[] = [
  { name: 'dead', attributes: {} },
  {
    name: 'work',
    attributes: {
      VisibilityTimeout: '1',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadArn, maxReceiveCount: 2 }),
    },
  },
  { name: 'slow', attributes: { VisibilityTimeout: '600' } },
  { name: 'lanes', attributes: { VisibilityTimeout: '600', FifoQueue: 'true' } },
];

async function open(directory: string) {
  const sqs = await startSqs({ directory, queues, region });
  const client = new SQSClient({
    endpoint: sqs.endpoint,
    region,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const send = (queue: string, MessageBody: string, DelaySeconds?: number) =>
    client.send(new SendMessageCommand({ QueueUrl: sqs.urlOf(queue), MessageBody, DelaySeconds }));
  const receive = async (queue: string, WaitTimeSeconds = 0) => {
    const QueueUrl = sqs.urlOf(queue);
    const MessageSystemAttributeNames = ['All' as const];
    return (await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds, MessageSystemAttributeNames })))
      .Messages?.[0];
  };
  return { sqs, client, send, receive };
}

/** Lets go of the files as a kill does: nothing is said to the queues. */
const restart = async ({ stop }: Sqs, directory: string) => {
  await stop();
  return open(directory);
};

describe('the queues', () => {
  it('delay, hide, show again and give up to the dead letters', async () => {
    const { sqs, send, receive } = await open(temporaryDirectory());
    await send('work', 'later', 1);
    expect(await receive('work')).toBeUndefined();
    expect((await receive('work', 3))?.Body).toBe('later');
    expect(await receive('work')).toBeUndefined();
    expect((await receive('work', 3))?.Attributes?.ApproximateReceiveCount).toBe('2');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await receive('work')).toBeUndefined();
    expect((await receive('dead'))?.Body).toBe('later');
    await sqs.stop();
  });

  it('keep what they hold, and show at once what was in flight, without counting that receive', async () => {
    const directory = temporaryDirectory();
    const before = await open(directory);
    await before.send('slow', 'in flight');
    await before.send('slow', 'done');
    await before.receive('slow');
    const done = await before.receive('slow');
    const QueueUrl = before.sqs.urlOf('slow');
    await before.client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: done?.ReceiptHandle }));
    const after = await restart(before.sqs, directory);
    const again = await after.receive('slow');
    expect([again?.Body, again?.Attributes?.ApproximateReceiveCount]).toEqual(['in flight', '1']);
    expect(await after.receive('slow')).toBeUndefined();
    await after.sqs.stop();
  });

  it('do not lose a message that was made visible by hand', async () => {
    const directory = temporaryDirectory();
    const before = await open(directory);
    await before.send('slow', 'kept');
    const { ReceiptHandle } = (await before.receive('slow')) ?? {};
    const QueueUrl = before.sqs.urlOf('slow');
    await before.client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    expect((await before.receive('slow'))?.Body).toBe('kept');
    const after = await restart(before.sqs, directory);
    expect((await after.receive('slow'))?.Body).toBe('kept');
    await after.sqs.stop();
  });

  it('keep the order of each group, one message at a time, also over a restart', async () => {
    const directory = temporaryDirectory();
    const before = await open(directory);
    const QueueUrl = before.sqs.urlOf('lanes');
    for (const body of ['a1', 'a2', 'a2', 'b1']) {
      const group = { MessageGroupId: body.charAt(0), MessageDeduplicationId: body };
      await before.client.send(new SendMessageCommand({ QueueUrl, MessageBody: body, ...group }));
    }
    expect([await before.receive('lanes'), await before.receive('lanes')].map((one) => one?.Body)).toEqual([
      'a1',
      'b1',
    ]);
    expect(await before.receive('lanes')).toBeUndefined();
    const after = await restart(before.sqs, directory);
    const first = [await after.receive('lanes'), await after.receive('lanes')];
    expect(first.map((one) => one?.Body).sort()).toEqual(['a1', 'b1']);
    expect(await after.receive('lanes')).toBeUndefined();
    const done = first.find((one) => one?.Body === 'a1')?.ReceiptHandle;
    const url = after.sqs.urlOf('lanes');
    await after.client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: done }));
    const second = await after.receive('lanes');
    expect(second?.Body).toBe('a2');
    await after.client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: second?.ReceiptHandle }));
    expect(await after.receive('lanes')).toBeUndefined(); // of two that are called the same, one was taken
    await after.sqs.stop();
  });
});
