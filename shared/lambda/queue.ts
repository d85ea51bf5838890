import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { Fault } from '../domain/fault.ts';
import { log } from './log.ts';

/**
 * A queue's function: every message on its own, so that one bad message fails alone.
 * A fault whose table says not to retry is written down and acknowledged; anything else comes again, then the DLQ.
 */
export function queue<Dependencies>(
  connect: () => Dependencies,
  act: (body: string, dependencies: Dependencies) => Promise<unknown>,
) {
  let dependencies: Dependencies | undefined;
  return middy<SQSEvent, SQSBatchResponse>().handler(async ({ Records }) => {
    const outcomes = await Promise.all(
      Records.map(async ({ messageId, body }) => {
        try {
          dependencies ??= connect();
          await act(body, dependencies);
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
