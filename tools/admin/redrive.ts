import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Commands } from './command.ts';
import type { Queue } from './operations.ts';

/** How long a message that is being moved is hidden from another redrive. */
const hiddenSeconds = 60;

export const redriveCommands: Commands = {
  redrive: {
    words: 1,
    run: async ([name = ''], { connect }) => {
      const { queues, sqs } = (await connect()).operations();
      const queue = queues.get(name);
      if (!queue) {
        const why = pointers.get(name);
        throw new Error(why ?? `There is no queue ${name}; there are ${[...queues.keys()].join(', ')}`);
      }
      const moved = await redrive(queue, sqs);
      console.log(moved === 0 ? `No message waits behind ${name}.` : `${moved} messages moved back to ${name}.`);
    },
  },
};

/** Queues that hold no work to do again: only where and when something was not done. */
const pointers: ReadonlyMap<string, string> = new Map([
  ['events', 'What lies there points into a stream that has gone on: use events replay --since TIME'],
  ['sweeps', 'The next sweep does the same work: there is nothing to move back'],
]);

/**
 * Moves what could not be delivered back to its queue, and says how much that was. Each message is sent before it is deleted:
 * killed in between, it is there twice, and every function does a message that comes twice once. Two at a time move each
 * message once.
 */
async function redrive({ queue, undeliverable }: Queue, sqs: SQSClient): Promise<number> {
  for (let moved = 0; ; ) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: undeliverable,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 2,
        VisibilityTimeout: hiddenSeconds,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['MessageGroupId'],
      }),
    );
    if (Messages.length === 0) return moved;
    // One after the other: a FIFO queue keeps the order in which they are sent.
    for (const message of Messages) {
      await sqs.send(new SendMessageCommand({ QueueUrl: queue, ...copyOf(message) }));
      await sqs.send(new DeleteMessageCommand({ QueueUrl: undeliverable, ReceiptHandle: message.ReceiptHandle }));
      moved += 1;
    }
  }
}

/** Under its id of now: sent again after a kill, SQS drops the second of a FIFO queue. */
function copyOf({ MessageId, Body, MessageAttributes, Attributes }: Message) {
  const { MessageGroupId } = Attributes ?? {};
  const lane = MessageGroupId === undefined ? {} : { MessageGroupId, MessageDeduplicationId: MessageId };
  return { MessageBody: Body, ...(MessageAttributes && { MessageAttributes }), ...lane };
}
