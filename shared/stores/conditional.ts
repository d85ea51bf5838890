import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  type CancellationReason,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  TransactionCanceledException,
  TransactionConflictException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';

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

/** What an update writes and takes out. */
export function updateExpression(assignments: readonly string[], removed: readonly string[]): string {
  const clauses = [['SET', assignments] as const, ['REMOVE', removed] as const];
  return clauses.flatMap(([verb, parts]) => (parts.length > 0 ? [`${verb} ${parts.join(', ')}`] : [])).join(' ');
}

/** Tries of one write: many that want one item at once, such as a row of credits, go one by one. */
const tries = 20;
const firstPauseMilliseconds = 10;
const longestPauseMilliseconds = 500;

/** A write that DynamoDB refuses while a transaction is at work on the item is sent again: the SDK does not. */
export function unlessInTransaction<T>(write: () => Promise<T>): Promise<T> {
  return whileInConflict(write, (error) => error instanceof TransactionConflictException);
}

/**
 * Sends a transaction, and again while another one is at work on its items. Undefined where it was written, the reason of
 * each item where a condition did not hold.
 */
export async function transact(
  client: DynamoDBClient,
  TransactItems: TransactWriteItem[],
): Promise<readonly CancellationReason[] | undefined> {
  try {
    await whileInConflict(() => client.send(new TransactWriteItemsCommand({ TransactItems })), isConflict);
    return undefined;
  } catch (error) {
    if (error instanceof TransactionCanceledException && reasonsOf(error).some(isUnmet)) return reasonsOf(error);
    throw error;
  }
}

export const isUnmet = (reason: CancellationReason | undefined) => reason?.Code === 'ConditionalCheckFailed';

const reasonsOf = ({ CancellationReasons = [] }: TransactionCanceledException) => CancellationReasons;

/** A condition that does not hold may hold again once the other transaction is through, but need not: it is told at once. */
function isConflict(error: unknown): boolean {
  if (!(error instanceof TransactionCanceledException) || reasonsOf(error).some(isUnmet)) return false;
  return reasonsOf(error).some(({ Code }) => Code === 'TransactionConflict');
}

/** With pauses that grow, each of a random length, so that those that met do not meet again. */
async function whileInConflict<T>(write: () => Promise<T>, isConflict: (error: unknown) => boolean): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await write();
    } catch (error) {
      if (!isConflict(error) || tried === tries) throw error;
      await setTimeout(randomInt(Math.min(longestPauseMilliseconds, firstPauseMilliseconds * 2 ** tried)));
    }
  }
}
