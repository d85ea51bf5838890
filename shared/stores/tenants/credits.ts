import { GetItemCommand, type Update } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type { Dependencies, Rows } from './row.ts';

/** Credits of served calls, in a row of their own beside the tenant's: functions may write it, and no other. */
export interface Credits {
  /** As it is now. None were ever given: 0. */
  readonly creditsLeft: (id: string) => Promise<number>;
  /** Answers what is left then. */
  readonly addCredits: (id: string, credits: number) => Promise<number>;
}

const row = z.object({ left: z.int().nonnegative() });

/** Every such row ends like this, and none else does: infra grants writing by it. */
const keyOf = (tenant: string) => ({ id: `${tenant}/credits` });

export function tenantCredits({ client, table }: Pick<Dependencies, 'client' | 'table'>, rows: Rows): Credits {
  async function creditsLeft(id: string): Promise<number> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: table, Key: marshall(keyOf(id)), ConsistentRead: true }),
    );
    return Item ? row.parse(unmarshall(Item)).left : 0;
  }

  return {
    creditsLeft,

    async addCredits(id, credits) {
      await rows.mustFind(id);
      await rows.update(keyOf(id).id, addition(credits));
      return creditsLeft(id);
    },
  };
}

const addition = (credits: number) => ({
  UpdateExpression: 'ADD #left :credits',
  ExpressionAttributeNames: { '#left': 'left' },
  ExpressionAttributeValues: marshall({ ':credits': credits }),
});

/** The write that gives a credit back. */
export function giveCredit(table: string, tenant: string): Update {
  return { TableName: table, Key: marshall(keyOf(tenant)), ...addition(1) };
}

/** The write that takes a credit, if one is left. */
export function takeCredit(table: string, tenant: string): Update {
  return {
    TableName: table,
    Key: marshall(keyOf(tenant)),
    UpdateExpression: 'SET #left = #left - :one',
    ConditionExpression: '#left >= :one',
    ExpressionAttributeNames: { '#left': 'left' },
    ExpressionAttributeValues: marshall({ ':one': 1 }),
  };
}
