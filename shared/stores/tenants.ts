import { createHash, timingSafeEqual } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { Fault } from '../domain/fault.ts';
import { defaultPolicy, type PolicyInput, policy, providerName } from '../domain/policy.ts';
import { tenantId } from '../domain/verification.ts';

/** A key as it is stored: its SHA-256, never the key. `id` names it for revoking. */
const apiKey = z.object({ id: z.string(), sha256: z.string().length(64), createdAt: z.string() });

/** A webhook address of this tenant: the SHA-256 of its token, and until when an old one is still taken. */
const webhook = z.object({
  id: z.string(),
  provider: providerName,
  sha256: z.string().length(64),
  createdAt: z.string(),
  /** Epoch seconds; absent is for good. */
  expiresAt: z.int().optional(),
});

/** Provider → name of the secret with its credentials. */
const credentials = z.record(providerName, z.string());
export type Credentials = z.infer<typeof credentials>;

const tenant = z.object({
  id: tenantId,
  createdAt: z.string(),
  keys: z.array(apiKey),
  policy,
  credentials: credentials.default({}),
  webhooks: z.array(webhook).default([]),
});
export type Tenant = z.infer<typeof tenant>;

/** The row whose credentials serve tenants that have none of their own. No tenant can have this id. */
const deployment = '*';

/** How long a revoked key may still be taken by a function that has just seen it. */
export const keyCacheSeconds = 20;
/** Keys one tenant may hold at a time: enough to rotate, few enough for one row. */
const maximumKeys = 20;
const maximumCached = 1000;

/** `bf_<tenant>_<256 random bits>`: naming the tenant in the key makes authentication one read of one row. */
const tokenPattern = /^wh_([a-z][a-z0-9-]{0,39})_([A-Za-z0-9_-]{43})$/;
const keyPattern = /^bf_([a-z][a-z0-9-]{0,39})_([A-Za-z0-9_-]{43})$/;

export interface Tenants {
  /** Whose key this is. Throws `api_key_invalid`, the same for every reason. At most one read in 20 s per tenant. */
  readonly authenticate: (key: string | undefined) => Promise<Tenant>;
  readonly find: (id: string) => Promise<Tenant | undefined>;
  /** Makes a tenant with the default policy and its first key, which is shown this once. Throws `state_conflict`. */
  readonly create: (id: string) => Promise<IssuedKey>;
  readonly addKey: (id: string) => Promise<IssuedKey>;
  /** True where there was such a key. */
  readonly revokeKey: (id: string, keyId: string) => Promise<boolean>;
  /** Replaces the policy by the next version; the versions before stay as rows of their own. Answers the version. */
  readonly setPolicy: (id: string, input: PolicyInput) => Promise<number>;
  /** The deployment's own credentials, for tenants that have none of a provider. At most one read in 20 s. */
  readonly deploymentCredentials: () => Promise<Credentials>;
  /** Says where a provider's credentials are kept; undefined forgets it. `owner` is a tenant or 'deployment'. */
  readonly setCredentials: (owner: CredentialsOwner, provider: string, secret: string | undefined) => Promise<void>;
  /** A new token for the webhooks of a provider, shown this once; the old ones are taken for `graceSeconds` more. */
  readonly rotateWebhook: (id: string, provider: string, graceSeconds: number) => Promise<IssuedKey>;
  /** The tenant whose webhook address this is, or undefined: the same work whether the tenant exists or not. */
  readonly ofWebhook: (provider: string, token: string) => Promise<Tenant | undefined>;
}

/** Who is meant by an operator: one tenant, or every tenant without credentials of its own. */
export type CredentialsOwner = string | 'deployment';

/** A new key: the only time anybody sees it. */
export interface IssuedKey {
  readonly id: string;
  readonly key: string;
}

export interface Dependencies {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly now: () => Date;
  readonly randomBytes: (size: number) => Buffer;
}

export function dynamoTenants({ client, table, now, randomBytes }: Dependencies): Tenants {
  const cached = new Map<string, { tenant: Tenant; readAt: number }>();
  let shared: { credentials: Credentials; readAt: number } | undefined;

  async function find(id: string): Promise<Tenant | undefined> {
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: marshall({ id }) }));
    return Item ? tenant.parse(unmarshall(Item)) : undefined;
  }

  async function findCached(id: string): Promise<Tenant | undefined> {
    const known = cached.get(id);
    if (known && now().getTime() - known.readAt < keyCacheSeconds * 1000) return known.tenant;
    const read = await find(id);
    if (cached.size >= maximumCached) cached.clear();
    if (read) cached.set(id, { tenant: read, readAt: now().getTime() });
    else cached.delete(id);
    return read;
  }

  async function mustFind(id: string): Promise<Tenant> {
    const owner = await find(id);
    if (!owner) throw new Fault('state_conflict', `There is no tenant ${id}`);
    return owner;
  }

  function issue(id: string): IssuedKey & { row: z.infer<typeof apiKey> } {
    const key = `bf_${id}_${randomBytes(32).toString('base64url')}`;
    const keyId = `k_${randomBytes(6).toString('hex')}`;
    return { id: keyId, key, row: { id: keyId, sha256: sha256(key).toString('hex'), createdAt: now().toISOString() } };
  }

  return {
    async authenticate(key) {
      const refused = new Fault('api_key_invalid', 'Send a current key of this deployment in the header x-api-key.');
      const [, id] = keyPattern.exec(key ?? '') ?? [];
      const owner = id && key ? await findCached(id) : undefined;
      if (!owner || !key) throw refused;
      const given = sha256(key);
      // Every key is compared, so that the time tells nothing of which one came close.
      const matching = owner.keys.filter(({ sha256: kept }) => timingSafeEqual(Buffer.from(kept, 'hex'), given));
      if (matching.length === 0) throw refused;
      return owner;
    },

    find,

    async create(id) {
      const { row, ...issued } = issue(tenantId.parse(id));
      const made: Tenant = {
        id,
        createdAt: now().toISOString(),
        keys: [row],
        policy: defaultPolicy,
        credentials: {},
        webhooks: [],
      };
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: marshall(made, { removeUndefinedValues: true }),
            ConditionExpression: 'attribute_not_exists(id)',
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        throw new Fault(
          'state_conflict',
          `Tenant ${id} exists already; give it another key with: tenant add-key ${id}`,
        );
      }
      return issued;
    },

    async addKey(id) {
      const { row, ...issued } = issue(tenantId.parse(id));
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: marshall({ id }),
            UpdateExpression: 'SET #keys = list_append(#keys, :row)',
            ConditionExpression: 'attribute_exists(id) AND size(#keys) < :maximum',
            ExpressionAttributeNames: { '#keys': 'keys' },
            ExpressionAttributeValues: marshall({ ':row': [row], ':maximum': maximumKeys }),
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        throw new Fault(
          'state_conflict',
          `There is no tenant ${id}, or it holds ${maximumKeys} keys: revoke one first.`,
        );
      }
      return issued;
    },

    async setPolicy(id, input) {
      for (;;) {
        const owner = await mustFind(id);
        const version = owner.policy.version + 1;
        const next = policy.parse({ ...input, version });
        // The version before first: killed in between, it stands there twice, which changes nothing.
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: marshall({ id: `${id}/policy/${owner.policy.version}`, policy: owner.policy }),
          }),
        );
        try {
          await client.send(
            new UpdateItemCommand({
              TableName: table,
              Key: marshall({ id }),
              UpdateExpression: 'SET #policy = :next',
              ConditionExpression: '#policy.#version = :read',
              ExpressionAttributeNames: { '#policy': 'policy', '#version': 'version' },
              ExpressionAttributeValues: marshall({ ':next': next, ':read': owner.policy.version }),
            }),
          );
          cached.delete(id);
          return version;
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
        }
      }
    },

    async deploymentCredentials() {
      if (shared && now().getTime() - shared.readAt < keyCacheSeconds * 1000) return shared.credentials;
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: marshall({ id: deployment }) }));
      const read = credentials.parse(Item ? (unmarshall(Item).credentials ?? {}) : {});
      shared = { credentials: read, readAt: now().getTime() };
      return read;
    },

    async setCredentials(owner, provider, secret) {
      const id = owner === 'deployment' ? deployment : (await mustFind(owner)).id;
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: marshall({ id }) }));
      const { [provider]: _, ...others } = credentials.parse(Item ? (unmarshall(Item).credentials ?? {}) : {});
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: marshall({ id }),
          UpdateExpression: 'SET #credentials = :credentials',
          ExpressionAttributeNames: { '#credentials': 'credentials' },
          ExpressionAttributeValues: marshall({ ':credentials': secret ? { ...others, [provider]: secret } : others }),
        }),
      );
      cached.delete(id);
      shared = undefined;
    },

    async rotateWebhook(id, provider, graceSeconds) {
      const owner = await mustFind(id);
      const at = Math.floor(now().getTime() / 1000);
      const token = `wh_${id}_${randomBytes(32).toString('base64url')}`;
      const made = { id: `w_${randomBytes(6).toString('hex')}`, provider, sha256: sha256(token).toString('hex') };
      const kept = owner.webhooks
        .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > at)
        .map((old) => (old.provider === provider ? { ...old, expiresAt: old.expiresAt ?? at + graceSeconds } : old));
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: marshall({ id }),
          UpdateExpression: 'SET webhooks = :webhooks',
          ExpressionAttributeValues: marshall(
            { ':webhooks': [...kept, { ...made, createdAt: now().toISOString() }] },
            { removeUndefinedValues: true },
          ),
        }),
      );
      cached.delete(id);
      return { id: made.id, key: token };
    },

    async ofWebhook(provider, token) {
      const [, id = 'nobody'] = tokenPattern.exec(token) ?? [];
      const owner = await findCached(id);
      const given = sha256(token);
      const at = now().getTime() / 1000;
      const matching = (owner?.webhooks ?? []).filter(
        (kept) =>
          timingSafeEqual(Buffer.from(kept.sha256, 'hex'), given) &&
          kept.provider === provider &&
          (kept.expiresAt === undefined || kept.expiresAt > at),
      );
      return matching.length > 0 ? owner : undefined;
    },

    async revokeKey(id, keyId) {
      for (;;) {
        const owner = await find(id);
        const index = owner?.keys.findIndex((kept) => kept.id === keyId) ?? -1;
        if (!owner || index < 0) return false;
        try {
          await client.send(
            new UpdateItemCommand({
              TableName: table,
              Key: marshall({ id }),
              UpdateExpression: `REMOVE #keys[${index}]`,
              ConditionExpression: `#keys[${index}].#id = :keyId`, // the list may have shifted since it was read
              ExpressionAttributeNames: { '#keys': 'keys', '#id': 'id' },
              ExpressionAttributeValues: marshall({ ':keyId': keyId }),
            }),
          );
          cached.delete(id);
          return true;
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
        }
      }
    },
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
