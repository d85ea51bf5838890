import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { Fault } from '../../domain/fault.ts';
import { policy, providerName } from '../../domain/policy.ts';
import { tenantId } from '../../domain/verification.ts';
import { unlessConditionFails } from '../conditional.ts';

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

/**
 * How long a revoked key may still be taken by a function that has just seen it, and how long a new tenant may still be
 * unknown to a function that was asked for it before it was made.
 */
export const keyCacheSeconds = 20;
/** Of tenants that exist and of names that do not, each. */
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

/** Reads and writes rows of tenants; what was read is used again for `keyCacheSeconds`. */
export interface Rows {
  /** As it is stored now. */
  readonly find: (id: string) => Promise<Tenant | undefined>;
  /** The same, or throws `state_conflict`. */
  readonly mustFind: (id: string) => Promise<Tenant>;
  /** As it was stored at most `keyCacheSeconds` ago. */
  readonly findCached: (id: string) => Promise<Tenant | undefined>;
  /** False where there is such a row already. */
  readonly insert: (row: Tenant) => Promise<boolean>;
  /** False where the condition does not hold. */
  readonly update: (id: string, update: Omit<UpdateItemCommandInput, 'TableName' | 'Key'>) => Promise<boolean>;
}

export function cachedRows({ client, table, now }: Dependencies): Rows {
  const cache = cached(find, now);

  async function find(id: string): Promise<Tenant | undefined> {
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: marshall({ id }) }));
    return Item ? tenant.parse(unmarshall(Item)) : undefined;
  }

  return {
    find,
    findCached: cache.read,

    async mustFind(id) {
      const found = await find(id);
      if (!found) throw new Fault('state_conflict', `There is no tenant ${id}`);
      return found;
    },

    async insert(row) {
      const Item = marshall(row, { removeUndefinedValues: true });
      const ConditionExpression = 'attribute_not_exists(id)';
      const inserted = await unlessConditionFails(
        client.send(new PutItemCommand({ TableName: table, Item, ConditionExpression })),
      );
      cache.forget(row.id);
      return inserted;
    },

    async update(id, update) {
      const updated = await unlessConditionFails(
        client.send(new UpdateItemCommand({ TableName: table, Key: marshall({ id }), ...update })),
      );
      cache.forget(id);
      return updated;
    },
  };
}

/**
 * What `read` says of an id, for `keyCacheSeconds`. An id that is not there is remembered as one that is: neither the
 * time nor the number of reads tells a caller which tenants exist. Absent ones have a room of their own, so that a
 * caller who invents names does not make the tenants that exist be read again.
 */
function cached<Row>(read: (id: string) => Promise<Row | undefined>, now: () => Date) {
  const present = new Map<string, { row: Row; readAt: number }>();
  const absent = new Map<string, { row: undefined; readAt: number }>();

  return {
    async read(id: string): Promise<Row | undefined> {
      const known = present.get(id) ?? absent.get(id);
      if (known && now().getTime() - known.readAt < keyCacheSeconds * 1000) return known.row;
      const row = await read(id);
      const readAt = now().getTime();
      present.delete(id);
      absent.delete(id);
      if (row === undefined) remember(absent, id, { row, readAt });
      else remember(present, id, { row, readAt });
      return row;
    },

    forget(id: string): void {
      present.delete(id);
      absent.delete(id);
    },
  };
}

/** The oldest gives way. */
function remember<Value>(kept: Map<string, Value>, id: string, value: Value): void {
  const [oldest] = kept.keys();
  if (kept.size >= maximumCached && oldest !== undefined) kept.delete(oldest);
  kept.set(id, value);
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Keys one tenant may hold at a time: enough to rotate, few enough for one row. */
export const maximumKeys = 20;
const noHash = '0'.repeat(64);

/**
 * Those of `kept` that are stored for `text`. All are compared, whole and in constant time, and as many again as a tenant
 * could hold: the time tells nothing of which one came close, nor whether there were any.
 */
export function matching<Kept extends { sha256: string }>(kept: readonly Kept[], text: string): Kept[] {
  const given = sha256(text);
  const isGiven = (stored: string): boolean => timingSafeEqual(Buffer.from(stored, 'hex'), given);
  for (let others = kept.length; others < maximumKeys; others += 1) isGiven(noHash);
  return kept.filter((one) => isGiven(one.sha256));
}
