import { type Breaker, breakerKey } from '../domain/breaker.ts';
import type { Breakers, Tenants } from '../domain/ports.ts';

export interface ListingBreakers {
  readonly breakers: Pick<Breakers, 'read'>;
  readonly tenants: Pick<Tenants, 'find' | 'deploymentCredentials'>;
}

/** A provider with its breaker, where that is open. */
export interface ListedBreaker {
  readonly provider: string;
  readonly breaker: Breaker | undefined;
}

/**
 * Every provider that the tenant's policy routes to or that it has credentials of, by name. A provider without credentials
 * runs in this deployment, and has no breaker. One read for each that has some.
 */
export async function listBreakers(tenant: string, { breakers, tenants }: ListingBreakers): Promise<ListedBreaker[]> {
  const found = await tenants.find(tenant);
  if (!found) return [];
  const { policy, credentials } = found;
  const secrets = new Map(Object.entries({ ...(await tenants.deploymentCredentials()), ...credentials }));
  const named = new Set([...Object.values(policy.routes).flat(), ...Object.keys(credentials)]);
  return Promise.all(
    [...named].sort().map(async (provider) => {
      const secret = secrets.get(provider);
      return { provider, breaker: (secret && (await breakers.read(breakerKey(provider, secret)))) || undefined };
    }),
  );
}
