import middy from '@middy/core';
import type {
  DynamoDBBatchResponse,
  DynamoDBRecord,
  DynamoDBStreamEvent,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda';
import { Fault } from '../domain/fault.ts';
import type { Log } from './log.ts';

/**
 * A queue's function: every message on its own, so that one bad message fails alone.
 * A fault whose table says not to retry is written down and acknowledged; anything else comes again, then the DLQ.
 */
export function queue(handle: (body: string) => Promise<void>, log: Log) {
  return middy<SQSEvent, SQSBatchResponse>().handler(async ({ Records }) => {
    const outcomes = await Promise.all(
      Records.map(async ({ messageId, body }) => {
        try {
          await handle(body);
          return [];
        } catch (error) {
          const again = !(error instanceof Fault) || error.retry;
          log.error('message.failed', error, { message_id: messageId, again });
          return again ? [{ itemIdentifier: messageId }] : [];
        }
      }),
    );
    return { batchItemFailures: outcomes.flat() };
  });
}

/** A table stream's function. Records of one item are in order: the first failure is where the batch is read again. */
export function stream(handle: (records: DynamoDBRecord[]) => Promise<{ failed: string | undefined }>) {
  return middy<DynamoDBStreamEvent, DynamoDBBatchResponse>().handler(async ({ Records }) => {
    const { failed } = await handle(Records);
    return { batchItemFailures: failed === undefined ? [] : [{ itemIdentifier: failed }] };
  });
}
