import { randomBytes } from 'node:crypto';
import { type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { captureName } from '../domain/captures.ts';
import { orLater } from '../domain/later.ts';
import { operatorId } from '../domain/operator.ts';
import type { Looks } from '../domain/ports.ts';
import { verificationId } from '../domain/verification.ts';

/** Ids and times alone: no name, nothing of the caller's, nothing of the person. */
const look = z.object({
  verificationId,
  at: z.string(),
  operatorId,
  capture: orLater(captureName),
  round: z.int(),
  purgeAt: z.int(),
});

/** So many are told of one verification. */
const mostTold = 100;

/** A row for each look, beside the records: it stays when the record is erased, and ends when the record would have. */
export function dynamoLooks(client: DynamoDBClient, table: string): Looks {
  return {
    async write(given) {
      const position = `${given.at}#${randomBytes(6).toString('hex')}`; // two may look in one millisecond
      const Item = marshall({ ...look.parse(given), position });
      await client.send(new PutItemCommand({ TableName: table, Item }));
    },

    async of(id) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'verificationId = :id',
          ExpressionAttributeValues: marshall({ ':id': id }),
          ScanIndexForward: false,
          Limit: mostTold,
          ConsistentRead: true,
        }),
      );
      return Items.map((item) => look.parse(unmarshall(item)));
    },
  };
}
