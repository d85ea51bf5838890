import { expect, it } from 'vitest';
import { viewBreakers } from '../../shared/api/console.ts';
import { breakerKey } from '../../shared/domain/breaker.ts';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import { listBreakers } from '../../shared/lifecycle/list-breakers.ts';

const open = { openUntil: 1_767_225_600, probeUntil: 0, openings: 2, reason: 'provider_timed_out' };

it('an operator sees every provider of the policy and of the credentials, and whether its breaker is open', async () => {
  const policy = { ...defaultPolicy, routes: { ...defaultPolicy.routes, spoof_detect: ['spoofsense', 'builtin'] } };
  const tenant = { id: 'acme', policy, credentials: { spoofsense: 'ours', identify: 'ours too' } };
  const read: string[] = [];
  const listed = await listBreakers('acme', {
    tenants: {
      find: async () => tenant,
      deploymentCredentials: async () => ({ spoofsense: 'the deployment’s', onesmartlab: 'not asked' }),
    },
    breakers: {
      read: async (key) => {
        read.push(key);
        return key === breakerKey('spoofsense', 'ours') ? open : undefined;
      },
    },
  });
  // One tenant's breaker is not another's: the deployment's credentials have one of their own.
  expect(read.sort()).toEqual(['identify#ours too', 'spoofsense#ours']);
  expect(viewBreakers(listed)).toEqual({
    breakers: [
      { provider: 'builtin', state: 'closed' },
      { provider: 'identify', state: 'closed' },
      {
        ...{ provider: 'spoofsense', state: 'open', open_until: '2026-01-01T00:00:00.000Z', openings: 2 },
        reason: 'provider_timed_out',
      },
    ],
  });
});
