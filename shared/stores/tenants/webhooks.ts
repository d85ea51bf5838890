import { marshall } from '@aws-sdk/util-dynamodb';
import { type Dependencies, type IssuedKey, matching, type Rows, sha256, type Tenant } from './row.ts';

/** Addresses at which vendors post their results. */
export interface Webhooks {
  /** A new token for the webhooks of a provider, shown this once; the old ones are taken for `graceSeconds` more. */
  readonly rotateWebhook: (id: string, provider: string, graceSeconds: number) => Promise<IssuedKey>;
  /** The tenant whose webhook address this is, or undefined: the same work whether the tenant exists or not. */
  readonly ofWebhook: (provider: string, token: string) => Promise<Tenant | undefined>;
}

/** Looked up for a token that names no tenant: no tenant has this id. */
const noTenant = '-';
const tokenPattern = /^wh_([a-z][a-z0-9-]{0,39})_([A-Za-z0-9_-]{43})$/;

export function tenantWebhooks({ now, randomBytes }: Pick<Dependencies, 'now' | 'randomBytes'>, rows: Rows): Webhooks {
  return {
    async rotateWebhook(id, provider, graceSeconds) {
      const owner = await rows.mustFind(id);
      const at = Math.floor(now().getTime() / 1000);
      const token = `wh_${id}_${randomBytes(32).toString('base64url')}`;
      const issued = { id: `w_${randomBytes(6).toString('hex')}`, provider, sha256: sha256(token).toString('hex') };
      const kept = owner.webhooks
        .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > at)
        .map((old) => (old.provider === provider ? { ...old, expiresAt: old.expiresAt ?? at + graceSeconds } : old));
      await rows.update(id, {
        UpdateExpression: 'SET webhooks = :webhooks',
        ExpressionAttributeValues: marshall(
          { ':webhooks': [...kept, { ...issued, createdAt: now().toISOString() }] },
          { removeUndefinedValues: true },
        ),
      });
      return { id: issued.id, key: token };
    },

    async ofWebhook(provider, token) {
      const [, id = noTenant] = tokenPattern.exec(token) ?? [];
      const owner = await rows.findCached(id);
      const at = now().getTime() / 1000;
      const taken = matching(owner?.webhooks ?? [], token).some(
        (kept) => kept.provider === provider && (kept.expiresAt === undefined || kept.expiresAt > at),
      );
      return taken ? owner : undefined;
    },
  };
}
