import { marshall } from '@aws-sdk/util-dynamodb';
import { isDeploymentSecret } from '../../domain/owner.ts';
import type { WebhookOwner } from '../../domain/ports.ts';
import { type Dependencies, type IssuedKey, matching, type Rows, sha256, type Webhook } from './row.ts';

/** Addresses at which vendors post their results. */
export interface Webhooks {
  /**
   * A new token for the webhooks of a provider, shown this once; the old ones are taken for `graceSeconds` more.
   * `owner` is a tenant or `deployment`.
   */
  readonly rotateWebhook: (owner: string, provider: string, graceSeconds: number) => Promise<IssuedKey>;
  /** Whose webhook address this is, or undefined: the same work whether there is such an owner or not. */
  readonly ofWebhook: (provider: string, token: string) => Promise<WebhookOwner | undefined>;
  /**
   * Whether there is an address for results of this provider, where the verification's credentials are kept in
   * `secretName`: the tenant's own, or with the deployment's credentials the deployment's. At most one read of either
   * row in 20 s. Without a tenant: whether there is one for every tenant.
   */
  readonly hasWebhook: (id: string | undefined, provider: string, secretName: string) => Promise<boolean>;
}

/** `wh_<tenant>_<256 random bits>`, and the deployment's own: naming the owner makes a look-up one read of one row. */
const tenantToken = /^wh_([a-z][a-z0-9-]{0,39})_([A-Za-z0-9_-]{43})$/;
const deploymentToken = /^whd_([A-Za-z0-9_-]{43})$/;
/** Looked up for a token that names no owner: no tenant has this id. */
const noTenant = '-';

export function webhookAddresses(
  { now, randomBytes }: Pick<Dependencies, 'now' | 'randomBytes'>,
  rows: Rows,
): Webhooks {
  const takenFor = ({ provider, expiresAt }: Webhook, wanted: string): boolean =>
    provider === wanted && (expiresAt === undefined || expiresAt > now().getTime() / 1000);

  return {
    async rotateWebhook(owner, provider, graceSeconds) {
      const row = await rows.mustFindOwner(owner);
      const at = Math.floor(now().getTime() / 1000);
      const token = `${'keys' in row ? `wh_${row.id}` : 'whd'}_${randomBytes(32).toString('base64url')}`;
      const issued = { id: `w_${randomBytes(6).toString('hex')}`, provider, sha256: sha256(token).toString('hex') };
      const kept = row.webhooks
        .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > at)
        .map((old) => (old.provider === provider ? { ...old, expiresAt: old.expiresAt ?? at + graceSeconds } : old));
      await rows.update(row.id, {
        UpdateExpression: 'SET webhooks = :webhooks',
        ExpressionAttributeValues: marshall(
          { ':webhooks': [...kept, { ...issued, createdAt: now().toISOString() }] },
          { removeUndefinedValues: true },
        ),
      });
      return { id: issued.id, key: token };
    },

    async ofWebhook(provider, token) {
      const ofDeployment = deploymentToken.test(token);
      const [, id = noTenant] = tenantToken.exec(token) ?? [];
      const tenant = ofDeployment ? undefined : await rows.findCached(id);
      const { webhooks = [] } = ofDeployment ? await rows.findDeploymentCached() : (tenant ?? {});
      if (!matching(webhooks, token).some((webhook) => takenFor(webhook, provider))) return undefined;
      return tenant ? { kind: 'tenant', tenant } : { kind: 'deployment' };
    },

    async hasWebhook(id, provider, secretName) {
      const { webhooks = [] } = (id === undefined ? undefined : await rows.findCached(id)) ?? {};
      if (webhooks.some((webhook) => takenFor(webhook, provider))) return true;
      if (!isDeploymentSecret(secretName, provider)) return false;
      return (await rows.findDeploymentCached()).webhooks.some((webhook) => takenFor(webhook, provider));
    },
  };
}
