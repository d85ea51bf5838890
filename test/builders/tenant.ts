import { defaultPolicy } from '../../shared/domain/policy.ts';
import type { Tenant } from '../../shared/stores/tenants/row.ts';

/** A tenant without keys, with the default policy. Say only what your test is about. */
export function aTenant(id: string, overrides: Partial<Tenant> = {}): Tenant {
  return {
    id,
    createdAt: '2026-01-01T00:00:00.000Z',
    keys: [],
    policy: defaultPolicy,
    credentials: {},
    webhooks: [],
    servedWebhooks: {},
    ...overrides,
  };
}
