import { type ProviderCredentials, providerCredentials } from './credentials.ts';
import { type Credits, tenantCredits } from './credits.ts';
import { type Keys, tenantKeys } from './keys.ts';
import { type Policies, tenantPolicies } from './policies.ts';
import { cachedRows, type Dependencies, type Rows } from './row.ts';
import { type ServedWebhooks, tenantServedWebhooks } from './served-webhooks.ts';
import { type Webhooks, webhookAddresses } from './webhooks.ts';

/** Who may use this deployment, and what they have decided. */
export interface Tenants
  extends Pick<Rows, 'find'>,
    Keys,
    Policies,
    ProviderCredentials,
    Webhooks,
    ServedWebhooks,
    Credits {}

export function dynamoTenants(dependencies: Dependencies): Tenants {
  const rows = cachedRows(dependencies);
  return {
    find: rows.find,
    ...tenantKeys(dependencies, rows),
    ...tenantPolicies(dependencies, rows),
    ...providerCredentials(rows),
    ...webhookAddresses(dependencies, rows),
    ...tenantServedWebhooks(rows),
    ...tenantCredits(dependencies, rows),
  };
}
