import { timingSafeEqual } from 'node:crypto';
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type * as z from 'zod';
import { Fault } from '../../domain/fault.ts';
import { defaultPolicy } from '../../domain/policy.ts';
import { tenantId } from '../../domain/verification.ts';
import { unlessConditionFails } from '../conditional.ts';
import { type apiKey, type Dependencies, type IssuedKey, type Rows, sha256, type Tenant } from './row.ts';

/** API keys, and the tenants they are made with. */
export interface Keys {
  /** Whose key this is. Throws `api_key_invalid`, the same for every reason. At most one read in 20 s per tenant. */
  readonly authenticate: (key: string | undefined) => Promise<Tenant>;
  /** Makes a tenant with the default policy and its first key, which is shown this once. Throws `state_conflict`. */
  readonly create: (id: string) => Promise<IssuedKey>;
  readonly addKey: (id: string) => Promise<IssuedKey>;
  /** True where there was such a key. */
  readonly revokeKey: (id: string, keyId: string) => Promise<boolean>;
}

/** Keys one tenant may hold at a time: enough to rotate, few enough for one row. */
const maximumKeys = 20;

/** `bf_<tenant>_<256 random bits>`: naming the tenant in the key makes authentication one read of one row. */
const keyPattern = /^bf_([a-z][a-z0-9-]{0,39})_([A-Za-z0-9_-]{43})$/;

export function tenantKeys({ client, table, now, randomBytes }: Dependencies, rows: Rows): Keys {
  function issue(id: string): IssuedKey & { row: z.infer<typeof apiKey> } {
    const key = `bf_${id}_${randomBytes(32).toString('base64url')}`;
    const keyId = `k_${randomBytes(6).toString('hex')}`;
    return { id: keyId, key, row: { id: keyId, sha256: sha256(key).toString('hex'), createdAt: now().toISOString() } };
  }

  return {
    async authenticate(key) {
      const refused = new Fault('api_key_invalid', 'Send a current key of this deployment in the header x-api-key.');
      const [, id] = keyPattern.exec(key ?? '') ?? [];
      const owner = id && key ? await rows.findCached(id) : undefined;
      if (!owner || !key) throw refused;
      const given = sha256(key);
      // Every key is compared, so that the time tells nothing of which one came close.
      const matching = owner.keys.filter(({ sha256: kept }) => timingSafeEqual(Buffer.from(kept, 'hex'), given));
      if (matching.length === 0) throw refused;
      return owner;
    },

    async create(id) {
      const { row, ...issued } = issue(tenantId.parse(id));
      const tenant: Tenant = {
        id,
        createdAt: now().toISOString(),
        keys: [row],
        policy: defaultPolicy,
        credentials: {},
        webhooks: [],
      };
      const created = await unlessConditionFails(
        client.send(
          new PutItemCommand({
            TableName: table,
            Item: marshall(tenant, { removeUndefinedValues: true }),
            ConditionExpression: 'attribute_not_exists(id)',
          }),
        ),
      );
      if (!created) {
        throw new Fault(
          'state_conflict',
          `Tenant ${id} exists already; give it another key with: tenant add-key ${id}`,
        );
      }
      return issued;
    },

    async addKey(id) {
      const { row, ...issued } = issue(tenantId.parse(id));
      const added = await unlessConditionFails(
        client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: marshall({ id }),
            UpdateExpression: 'SET #keys = list_append(#keys, :row)',
            ConditionExpression: 'attribute_exists(id) AND size(#keys) < :maximum',
            ExpressionAttributeNames: { '#keys': 'keys' },
            ExpressionAttributeValues: marshall({ ':row': [row], ':maximum': maximumKeys }),
          }),
        ),
      );
      if (!added) {
        throw new Fault(
          'state_conflict',
          `There is no tenant ${id}, or it holds ${maximumKeys} keys: revoke one first.`,
        );
      }
      return issued;
    },

    async revokeKey(id, keyId) {
      for (;;) {
        const owner = await rows.find(id);
        const index = owner?.keys.findIndex((kept) => kept.id === keyId) ?? -1;
        if (!owner || index < 0) return false;
        const revoked = await unlessConditionFails(
          client.send(
            new UpdateItemCommand({
              TableName: table,
              Key: marshall({ id }),
              UpdateExpression: `REMOVE #keys[${index}]`,
              ConditionExpression: `#keys[${index}].#id = :keyId`, // the list may have shifted since it was read
              ExpressionAttributeNames: { '#keys': 'keys', '#id': 'id' },
              ExpressionAttributeValues: marshall({ ':keyId': keyId }),
            }),
          ),
        );
        if (!revoked) continue;
        rows.forget(id);
        return true;
      }
    },
  };
}
