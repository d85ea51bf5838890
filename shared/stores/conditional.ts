import { ConditionalCheckFailedException, TransactionConflictException } from '@aws-sdk/client-dynamodb';

/** True where a conditional write was made, false where its condition did not hold. */
export async function unlessConditionFails(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

/** Tries of one write: a transaction holds an item for some milliseconds, and each try takes as long. */
const tries = 5;

/** A write that DynamoDB refuses while a transaction is at work on the item is sent again: the SDK does not. */
export async function unlessInTransaction<T>(write: () => Promise<T>): Promise<T> {
  for (let left = tries; ; left -= 1) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof TransactionConflictException) || left === 1) throw error;
    }
  }
}
