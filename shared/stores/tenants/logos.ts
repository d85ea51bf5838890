import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { logoHashOf } from '../../domain/logo.ts';
import type { Logos } from '../../domain/ports.ts';
import type { Dependencies } from './row.ts';

/** What an operator does with them. */
export interface KeptLogos extends Logos {
  /** Stores a PNG, also where it is there already; answers what it is called. */
  readonly keep: (tenant: string, png: Uint8Array) => Promise<string>;
  /** Doing it twice is doing it once. */
  readonly remove: (tenant: string, hash: string) => Promise<void>;
}

const row = z.object({ png: z.instanceof(Uint8Array) });

/** A row of its own for each, beside the tenant's: the tenant is read with every request, and is small. */
const keyOf = (tenant: string, hash: string) => ({ id: `${tenant}/logo/${hash}` });

export function dynamoLogos({ client, table }: Pick<Dependencies, 'client' | 'table'>): KeptLogos {
  return {
    async find(tenant, hash) {
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: marshall(keyOf(tenant, hash)) }));
      return Item && row.parse(unmarshall(Item)).png;
    },

    async keep(tenant, png) {
      const hash = logoHashOf(png);
      await client.send(new PutItemCommand({ TableName: table, Item: marshall({ ...keyOf(tenant, hash), png }) }));
      return hash;
    },

    async remove(tenant, hash) {
      await client.send(new DeleteItemCommand({ TableName: table, Key: marshall(keyOf(tenant, hash)) }));
    },
  };
}
