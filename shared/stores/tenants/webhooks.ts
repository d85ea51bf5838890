import { timingSafeEqual } from 'node:crypto';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type Dependencies, type IssuedKey, type Rows, sha256, type Tenant } from './row.ts';

/** Addresses at which vendors post their results. */
export interface Webhooks {
  /** A new token for the webhooks of a provider, shown this once; the old ones are taken for `graceSeconds` more. */
  readonly rotateWebhook: (id: string, provider: string, graceSeconds: number) => Promise<IssuedKey>;
  /** The tenant whose webhook address this is, or undefined: the same work whether the tenant exists or not. */
  readonly ofWebhook: (provider: string, token: string) => Promise<Tenant | undefined>;
}

const tokenPattern = /^wh_([a-z][a-z0-9-]{0,39})_([A-Za-z0-9_-]{43})$/;

export function tenantWebhooks({ client, table, now, randomBytes }: Dependencies, rows: Rows): Webhooks {
  return {
    async rotateWebhook(id, provider, graceSeconds) {
      const owner = await rows.mustFind(id);
      const at = Math.floor(now().getTime() / 1000);
      const token = `wh_${id}_${randomBytes(32).toString('base64url')}`;
      const issued = { id: `w_${randomBytes(6).toString('hex')}`, provider, sha256: sha256(token).toString('hex') };
      const kept = owner.webhooks
        .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > at)
        .map((old) => (old.provider === provider ? { ...old, expiresAt: old.expiresAt ?? at + graceSeconds } : old));
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: marshall({ id }),
          UpdateExpression: 'SET webhooks = :webhooks',
          ExpressionAttributeValues: marshall(
            { ':webhooks': [...kept, { ...issued, createdAt: now().toISOString() }] },
            { removeUndefinedValues: true },
          ),
        }),
      );
      rows.forget(id);
      return { id: issued.id, key: token };
    },

    async ofWebhook(provider, token) {
      const [, id = 'nobody'] = tokenPattern.exec(token) ?? [];
      const owner = await rows.findCached(id);
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
  };
}
