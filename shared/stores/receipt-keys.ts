import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type { ReceiptKeys } from '../domain/ports.ts';
import { publicKeyNamed, receiptKeyOf } from '../domain/receipt.ts';
import type { SigningSecret } from '../domain/signing-secret.ts';

/** The row of public keys, in the tenants' table: no tenant can have this id, and infra grants writing by it. */
const rowKey = { id: 'deployment/receipt-keys' };

/** Key id → public key. */
const row = z.record(z.string(), z.string());

/**
 * Receipts' keys under a secret. Every public key is written into one row before its first signature is given out, so
 * that receipts can be verified however often the secret is replaced.
 */
export function receiptKeys(secret: SigningSecret, client: DynamoDBClient, table: string): ReceiptKeys {
  const written = new Set<string>();

  return {
    async secret() {
      const current = await secret.current();
      const { kid, x } = receiptKeyOf(current);
      if (!written.has(kid)) {
        await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: marshall(rowKey),
            UpdateExpression: 'SET #kid = :x',
            ExpressionAttributeNames: { '#kid': kid },
            ExpressionAttributeValues: marshall({ ':x': x }),
          }),
        );
        written.add(kid);
      }
      return current;
    },

    async published() {
      const valid = (await secret.valid()).map(receiptKeyOf);
      const { Item = {} } = await client.send(new GetItemCommand({ TableName: table, Key: marshall(rowKey) }));
      const { id: _, ...kept } = row.parse(unmarshall(Item));
      const all = [...valid, ...Object.values(kept).toSorted().map(publicKeyNamed)];
      return [...new Map(all.map((key) => [key.kid, key])).values()];
    },
  };
}
