import { marshall } from '@aws-sdk/util-dynamodb';
import type * as z from 'zod';
import { Fault } from '../../domain/fault.ts';
import { newTenantId } from '../../domain/owner.ts';
import { defaultPolicy } from '../../domain/policy.ts';
import { tenantId } from '../../domain/verification.ts';
import {
  type apiKey,
  type Dependencies,
  type IssuedKey,
  matching,
  maximumKeys,
  type Rows,
  sha256,
  type Tenant,
} from './row.ts';

/** API keys, and the tenants they are made with. */
export interface Keys {
  /**
   * Whose key this is. Throws `api_key_invalid`, the same for every reason and after the same work, whether there is
   * such a tenant or not. At most one read in 20 s per tenant.
   */
  readonly authenticate: (key: string | undefined) => Promise<Tenant>;
  /**
   * Makes a tenant with the default policy and its first key, which is shown this once: a live one, or with `test` one for
   * tests, for good. Throws `state_conflict`.
   */
  readonly create: (id: string, options?: { readonly test?: boolean }) => Promise<IssuedKey>;
  readonly addKey: (id: string) => Promise<IssuedKey>;
  /** Whether the tenant has any key left. At most one read in 20 s. */
  readonly hasKey: (id: string) => Promise<boolean>;
  /** True where there was such a key. */
  readonly revokeKey: (id: string, keyId: string) => Promise<boolean>;
}

/** `bf_<tenant>_<256 random bits>`: naming the tenant in the key makes authentication one read of one row. */
const keyPattern = /^bf_([a-z][a-z0-9-]{0,39})_([A-Za-z0-9_-]{43})$/;

export function tenantKeys({ now, randomBytes }: Pick<Dependencies, 'now' | 'randomBytes'>, rows: Rows): Keys {
  function issue(id: string): IssuedKey & { row: z.infer<typeof apiKey> } {
    const key = `bf_${id}_${randomBytes(32).toString('base64url')}`;
    const keyId = `k_${randomBytes(6).toString('hex')}`;
    return { id: keyId, key, row: { id: keyId, sha256: sha256(key).toString('hex'), createdAt: now().toISOString() } };
  }

  return {
    async authenticate(key) {
      const [, id] = keyPattern.exec(key ?? '') ?? [];
      if (key !== undefined && id !== undefined) {
        const owner = await rows.findCached(id);
        const right = matching(owner?.keys ?? [], key);
        if (owner && right.length > 0) return owner;
      }
      throw new Fault('api_key_invalid', 'Send a current key of this deployment in the header x-api-key.');
    },

    hasKey: async (id) => ((await rows.findCached(id))?.keys ?? []).length > 0,

    async create(id, { test = false } = {}) {
      const { row, ...issued } = issue(newTenantId.parse(id));
      const created = await rows.insert({
        id,
        createdAt: now().toISOString(),
        ...(test && { livemode: false }),
        keys: [row],
        policy: defaultPolicy,
        credentials: {},
        webhooks: [],
        servedWebhooks: {},
      });
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
      const added = await rows.update(id, {
        UpdateExpression: 'SET #keys = list_append(#keys, :row)',
        ConditionExpression: 'attribute_exists(id) AND size(#keys) < :maximum',
        ExpressionAttributeNames: { '#keys': 'keys' },
        ExpressionAttributeValues: marshall({ ':row': [row], ':maximum': maximumKeys }),
      });
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
        const revoked = await rows.update(id, {
          UpdateExpression: `REMOVE #keys[${index}]`,
          ConditionExpression: `#keys[${index}].#id = :keyId`, // the list may have shifted since it was read
          ExpressionAttributeNames: { '#keys': 'keys', '#id': 'id' },
          ExpressionAttributeValues: marshall({ ':keyId': keyId }),
        });
        if (revoked) return true;
      }
    },
  };
}
