import middy from '@middy/core';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { log } from './log.ts';

/**
 * A table stream's function. Records of one item are in order: the first failure is where the batch is read again, the
 * whole of it where the act itself fails.
 */
export function stream<Dependencies>(
  connect: () => Dependencies,
  act: (records: DynamoDBRecord[], dependencies: Dependencies) => Promise<{ failed: string | undefined }>,
) {
  let dependencies: Dependencies | undefined;
  return middy<DynamoDBStreamEvent, DynamoDBBatchResponse>().handler(async ({ Records }) => {
    try {
      dependencies ??= connect();
      const { failed } = await act(Records, dependencies);
      return { batchItemFailures: failed === undefined ? [] : [{ itemIdentifier: failed }] };
    } catch (error) {
      log.error('batch.failed', error, { records: Records.length });
      throw error;
    }
  });
}
