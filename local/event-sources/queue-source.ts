import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { matchesPattern } from '../event-pattern.ts';

/** An event source mapping from a queue to a function. */
export interface QueueSource {
  queueUrl: string;
  queueArn: string;
  region: string;
  batchSize: number;
  /** How long to gather a batch. */
  windowSeconds: number;
  /** How many batches may be with the function at the same time. */
  concurrency: number;
  /** Whether the function names the messages that failed; otherwise a batch succeeds or fails as one. */
  reportsFailures: boolean;
  /** Event patterns; a message that none matches is deleted unseen. */
  filters: unknown[];
  invoke: (event: unknown) => Promise<unknown>;
}

const mostPerReceive = 10;
const longPollSeconds = 20;

/** Feeds a queue to a function. What fails is left alone and comes back when its visibility timeout is over. */
export function consumeQueue(client: SQSClient, source: QueueSource): { stop: () => Promise<void> } {
  const stopped = new AbortController();

  const receive = async (count: number, waitSeconds: number): Promise<Message[]> => {
    const command = new ReceiveMessageCommand({
      QueueUrl: source.queueUrl,
      MaxNumberOfMessages: Math.min(count, mostPerReceive),
      WaitTimeSeconds: waitSeconds,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
    return (await client.send(command, { abortSignal: stopped.signal })).Messages ?? [];
  };

  const gather = async (): Promise<Message[]> => {
    const batch = await receive(source.batchSize, longPollSeconds);
    const until = Date.now() + source.windowSeconds * 1000;
    while (batch.length > 0 && batch.length < source.batchSize) {
      const secondsLeft = Math.ceil((until - Date.now()) / 1000);
      if (secondsLeft <= 0) break;
      batch.push(...(await receive(source.batchSize - batch.length, secondsLeft)));
    }
    return batch;
  };

  const remove = async (messages: Message[]) => {
    for (let start = 0; start < messages.length; start += mostPerReceive) {
      const Entries = messages.slice(start, start + mostPerReceive).map(({ ReceiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle,
      }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: source.queueUrl, Entries }));
    }
  };

  const handle = async (received: Message[]) => {
    const wanted = received.filter((message) => isWanted(message, source.filters));
    await remove(received.filter((message) => !wanted.includes(message)));
    if (wanted.length === 0) return;
    const result = await source.invoke({ Records: wanted.map((message) => recordOf(message, source)) });
    const failed = source.reportsFailures ? failedIds(result) : new Set<string>();
    // Like Lambda: an answer that cannot be understood, or names a message that was not sent, fails the whole batch.
    const known = new Set(wanted.map(({ MessageId }) => MessageId));
    if (!failed || [...failed].some((id) => !known.has(id))) return;
    await remove(wanted.filter(({ MessageId = '' }) => !failed.has(MessageId)));
  };

  /** One receive at a time, whatever the concurrency: each that waits holds a socket, and an SDK client has fifty. */
  const poll = async () => {
    const underway = new Set<Promise<void>>();
    while (!stopped.signal.aborted) {
      try {
        const batch = await gather();
        if (batch.length === 0) continue;
        // The function's own failure is in its log; the messages come back by themselves.
        const handled = handle(batch)
          .catch(() => undefined)
          .finally(() => underway.delete(handled));
        underway.add(handled);
        if (underway.size >= source.concurrency) await Promise.race(underway);
      } catch (error) {
        if (stopped.signal.aborted) break;
        console.error(error);
        await sleep(1000);
      }
    }
    await Promise.all(underway);
  };
  const polled = poll();

  return {
    async stop() {
      stopped.abort();
      await polled;
    },
  };
}

/** The ids in `batchItemFailures`, or undefined when there is no telling. */
export function failedIds(result: unknown): Set<string> | undefined {
  const failures = (result as { batchItemFailures?: unknown } | null)?.batchItemFailures;
  if (failures === undefined || failures === null) return new Set();
  if (!Array.isArray(failures)) return undefined;
  const ids = failures.map((failure) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier);
  return ids.every((id) => typeof id === 'string' && id !== '') ? new Set(ids as string[]) : undefined;
}

function isWanted(message: Message, filters: unknown[]): boolean {
  if (filters.length === 0) return true;
  let body: unknown = message.Body;
  try {
    body = JSON.parse(message.Body ?? '');
  } catch {}
  return filters.some((filter) => matchesPattern(filter, { body }));
}

function recordOf(message: Message, { queueArn, region }: QueueSource) {
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes,
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
        name,
        { stringValue: value.StringValue, binaryValue: value.BinaryValue, dataType: value.DataType },
      ]),
    ),
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}
