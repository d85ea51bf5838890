import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dueShards } from '../shared/domain/ports.ts';
import { epochSeconds } from '../shared/domain/times.ts';
import { dynamoVerifications } from '../shared/stores/verifications.ts';
import { DynamoDbError } from './dynamodb/dynalite.ts';
import type { DynamoDb } from './dynamodb/dynamodb.ts';
import type { Part } from './part.ts';
import type { Credentials } from './s3/signature.ts';
import { region } from './template.ts';

const endOfTime = new Date(8.64e15);
const page = 1000;

/**
 * Makes due what the last run left under way: this process has the data to itself and its functions have not begun, so
 * every lease is dead. The workers that take the messages up again, and the sweep, need not wait for its end.
 */
export const deadLeases: Part<{ dynamoDb: DynamoDb; credentials: Credentials }, unknown> = async (
  { template },
  { dynamoDb, credentials },
) => {
  const table = template.outputs().VerificationsTable;
  if (table === undefined) return { gives: {} };
  const client = new DynamoDBClient({ endpoint: dynamoDb.endpoint, region, credentials });
  const now = () => new Date();
  const { due } = dynamoVerifications({ client, table, now });
  for (const state of ['queued', 'dispatched'] as const) {
    for (let shard = 0; shard < dueShards; shard++) {
      const found = await due({ state, shard, now: endOfTime, limit: page });
      for (const { verificationId } of found) await expireLease(dynamoDb, table, verificationId, epochSeconds(now()));
    }
  }
  client.destroy();
  return { gives: {} };
};

/** Not where a vendor's webhook is waited for: the vendor has not died. */
async function expireLease(dynamoDb: DynamoDb, TableName: string, verificationId: string, at: number): Promise<void> {
  const condition = '#dueAt > :at AND (#state = :queued OR (#state = :dispatched AND #waitingFor = :answer))';
  await dynamoDb
    .call('UpdateItem', {
      TableName,
      Key: { verificationId: { S: verificationId } },
      UpdateExpression: 'SET #dueAt = :at',
      ConditionExpression: condition,
      ExpressionAttributeNames: { '#dueAt': 'dueAt', '#state': 'state', '#waitingFor': 'waitingFor' },
      ExpressionAttributeValues: {
        ':at': { N: String(at) },
        ':queued': { S: 'queued' },
        ':dispatched': { S: 'dispatched' },
        ':answer': { S: 'answer' },
      },
    })
    .catch((error: unknown) => {
      if (!(error instanceof DynamoDbError && error.type === 'ConditionalCheckFailedException')) throw error;
    });
}
