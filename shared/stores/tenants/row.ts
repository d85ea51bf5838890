import { createHash } from 'node:crypto';
import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { Fault } from '../../domain/fault.ts';
import { policy, providerName } from '../../domain/policy.ts';
import { tenantId } from '../../domain/verification.ts';

/** A key as it is stored: its SHA-256, never the key. `id` names it for revoking. */
export const apiKey = z.object({ id: z.string(), sha256: z.string().length(64), createdAt: z.string() });

/** A webhook address of this tenant: the SHA-256 of its token, and until when an old one is still taken. */
export const webhook = z.object({
  id: z.string(),
  provider: providerName,
  sha256: z.string().length(64),
  createdAt: z.string(),
  /** Epoch seconds; absent is for good. */
  expiresAt: z.int().optional(),
});

/** Provider → name of the secret with its credentials. */
export const credentials = z.record(providerName, z.string());
export type Credentials = z.infer<typeof credentials>;

/** One tenant: one row. */
export const tenant = z.object({
  id: tenantId,
  createdAt: z.string(),
  keys: z.array(apiKey),
  policy,
  credentials: credentials.default({}),
  webhooks: z.array(webhook).default([]),
});
export type Tenant = z.infer<typeof tenant>;

/** How long a revoked key may still be taken by a function that has just seen it. */
export const keyCacheSeconds = 20;
const maximumCached = 1000;

export interface Dependencies {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly now: () => Date;
  readonly randomBytes: (size: number) => Buffer;
}

/** Something new that opens a door: the only time `key` is seen, stored is its hash. `id` names it. */
export interface IssuedKey {
  readonly id: string;
  readonly key: string;
}

/** Reads rows of tenants; what was read is used again for `keyCacheSeconds`. */
export interface Rows {
  /** As it is stored now. */
  readonly find: (id: string) => Promise<Tenant | undefined>;
  /** The same, or throws `state_conflict`. */
  readonly mustFind: (id: string) => Promise<Tenant>;
  /** As it was stored at most `keyCacheSeconds` ago. */
  readonly findCached: (id: string) => Promise<Tenant | undefined>;
  /** To be called after every write of the row. */
  readonly forget: (id: string) => void;
}

export function cachedRows({ client, table, now }: Dependencies): Rows {
  const cached = new Map<string, { tenant: Tenant; readAt: number }>();

  async function find(id: string): Promise<Tenant | undefined> {
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: marshall({ id }) }));
    return Item ? tenant.parse(unmarshall(Item)) : undefined;
  }

  return {
    find,

    async mustFind(id) {
      const found = await find(id);
      if (!found) throw new Fault('state_conflict', `There is no tenant ${id}`);
      return found;
    },

    async findCached(id) {
      const known = cached.get(id);
      if (known && now().getTime() - known.readAt < keyCacheSeconds * 1000) return known.tenant;
      const read = await find(id);
      if (cached.size >= maximumCached) cached.clear();
      if (read) cached.set(id, { tenant: read, readAt: now().getTime() });
      else cached.delete(id);
      return read;
    },

    forget: (id) => void cached.delete(id),
  };
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
