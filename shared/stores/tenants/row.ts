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
import { tolerant } from '../../domain/later.ts';
import { livemode } from '../../domain/livemode.ts';
import { deploymentOwner } from '../../domain/owner.ts';
import { providerName, storedPolicy } from '../../domain/policy.ts';
import { keyCacheSeconds } from '../../domain/times.ts';
import { tenantId } from '../../domain/verification.ts';
import { unlessConditionFails } from '../conditional.ts';

/** A key as it is stored: its SHA-256, never the key. `id` names it for revoking. */
export const apiKey = tolerant({ id: z.string(), sha256: z.string().length(64), createdAt: z.string() });

/** A webhook address: the SHA-256 of its token, and until when an old one is still taken. */
export const webhook = tolerant({
  id: z.string(),
  provider: providerName,
  sha256: z.string().length(64),
  createdAt: z.string(),
  /** Epoch seconds; absent is for good. */
  expiresAt: z.int().optional(),
});
export type Webhook = z.infer<typeof webhook>;

/** A webhook that calls of a served API may name, and its URL. */
export const servedWebhookName = z.string().regex(/^[\w. -]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ . - and space');
export const servedWebhookUrl = z.url({ protocol: /^https?$/ }).max(2048);
/** One row holds them all. */
export const maximumServedWebhooks = 20;

/** Provider → name of the secret with its credentials. */
export const credentials = z.record(providerName, z.string());
export type Credentials = z.infer<typeof credentials>;

/** One tenant: one row. */
export const tenant = z.object({
  id: tenantId,
  createdAt: z.string(),
  livemode,
  keys: z.array(apiKey),
  policy: storedPolicy,
  credentials: credentials.default({}),
  webhooks: z.array(webhook).default([]),
  servedWebhooks: z.record(servedWebhookName, servedWebhookUrl).default({}),
});
export type Tenant = z.infer<typeof tenant>;

/** No tenant can have this id. */
const deploymentId = '*';
/** The deployment's own row: what serves tenants that have none of their own. */
const deployment = tenant
  .pick({ credentials: true, webhooks: true })
  .extend({ id: z.literal(deploymentId).default(deploymentId) });
export type Deployment = z.infer<typeof deployment>;

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
  /** The deployment's own row, as it is stored now: empty where nothing was set. */
  readonly findDeployment: () => Promise<Deployment>;
  /** As it was stored at most `keyCacheSeconds` ago. */
  readonly findDeploymentCached: () => Promise<Deployment>;
  /** The row of a tenant or of `deployment`, or throws `state_conflict`. */
  readonly mustFindOwner: (owner: string) => Promise<Tenant | Deployment>;
  /** False where there is such a row already. */
  readonly insert: (row: Tenant) => Promise<boolean>;
  /** False where the condition does not hold. */
  readonly update: (id: string, update: Omit<UpdateItemCommandInput, 'TableName' | 'Key'>) => Promise<boolean>;
}

export function cachedRows({ client, table, now }: Dependencies): Rows {
  const tenants = cached(find, now);
  const deployments = cached(findDeployment, now);

  async function read(id: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: marshall({ id }) }));
    return Item && unmarshall(Item);
  }

  async function find(id: string): Promise<Tenant | undefined> {
    const row = await read(id);
    return row && tenant.parse(row);
  }

  async function findDeployment(): Promise<Deployment> {
    return deployment.parse((await read(deploymentId)) ?? {});
  }

  async function mustFind(id: string): Promise<Tenant> {
    const found = await find(id);
    if (!found) throw new Fault('state_conflict', `There is no tenant ${id}`);
    return found;
  }

  function forget(id: string): void {
    tenants.forget(id);
    deployments.forget(id);
  }

  return {
    find,
    mustFind,
    findCached: tenants.read,
    findDeployment,
    findDeploymentCached: () => deployments.read(deploymentId),
    mustFindOwner: (owner) => (owner === deploymentOwner ? findDeployment() : mustFind(owner)),

    async insert(row) {
      const Item = marshall(row, { removeUndefinedValues: true });
      const ConditionExpression = 'attribute_not_exists(id)';
      const inserted = await unlessConditionFails(
        client.send(new PutItemCommand({ TableName: table, Item, ConditionExpression })),
      );
      forget(row.id);
      return inserted;
    },

    async update(id, update) {
      const updated = await unlessConditionFails(
        client.send(new UpdateItemCommand({ TableName: table, Key: marshall({ id }), ...update })),
      );
      forget(id);
      return updated;
    },
  };
}

/**
 * What `read` says of an id, for `keyCacheSeconds`. An id that is not there is remembered as one that is: neither the
 * time nor the number of reads tells a caller which tenants exist. Absent ones have a room of their own, so that a
 * caller who invents names does not make the tenants that exist be read again.
 */
export function cached<Row>(read: (id: string) => Promise<Row>, now: () => Date) {
  const present = new Map<string, { row: Row; readAt: number }>();
  const absent = new Map<string, { row: Row; readAt: number }>();

  function forget(id: string): void {
    present.delete(id);
    absent.delete(id);
  }

  return {
    forget,

    async read(id: string): Promise<Row> {
      const known = present.get(id) ?? absent.get(id);
      if (known && now().getTime() - known.readAt < keyCacheSeconds * 1000) return known.row;
      const row = await read(id);
      forget(id);
      remember(row === undefined ? absent : present, id, { row, readAt: now().getTime() });
      return row;
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
