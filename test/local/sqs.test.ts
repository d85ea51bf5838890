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
  { name: 'lanes.fifo', attributes: { FifoQueue: 'true', VisibilityTimeout: '600' } },
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

  it('go on with a lane whose first message was in flight, in its order', async () => {
    const directory = temporaryDirectory();
    const before = await open(directory);
    const QueueUrl = before.sqs.urlOf('lanes.fifo');
    for (const MessageBody of ['first', 'second']) {
      const lane = { MessageGroupId: 'a', MessageDeduplicationId: MessageBody };
      await before.client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...lane }));
    }
    expect((await before.receive('lanes.fifo'))?.Body).toBe('first');
    const after = await restart(before.sqs, directory);
    const again = await after.receive('lanes.fifo');
    expect(again?.Body).toBe('first');
    expect(await after.receive('lanes.fifo')).toBeUndefined();
    const { ReceiptHandle } = again ?? {};
    await after.client.send(new DeleteMessageCommand({ QueueUrl: after.sqs.urlOf('lanes.fifo'), ReceiptHandle }));
    expect((await after.receive('lanes.fifo'))?.Body).toBe('second');
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
});
