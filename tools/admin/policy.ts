import * as z from 'zod';
import { type PolicyInput, policyInput, policyMistakes } from '../../shared/domain/policy.ts';
import { keyCacheSeconds } from '../../shared/domain/times.ts';
import { registry } from '../../shared/providers/registry.ts';
import { mistakesOf } from '../../shared/providers/settings.ts';
import type { Tenant } from '../../shared/stores/tenants/row.ts';
import { type Commands, tenantNamed } from './command.ts';
import { readJson } from './files.ts';
import { findTenant } from './tenant.ts';

export const policyCommands: Commands = {
  'policy show': {
    words: 1,
    run: async ([id = ''], { connect }) => {
      const tenant = await findTenant((await connect()).tenants, id);
      const { policy } = tenant;
      console.log(JSON.stringify(policy, null, 2));
      const mistakes = policyMistakes(policy, registry, tenant);
      if (mistakes.length > 0) console.error(`It could not be set any more:\n  ${mistakes.join('\n  ')}`);
    },
  },
  'policy validate': {
    words: 1,
    run: async ([file = ''], { test }) => {
      await readPolicy(file, { livemode: !test });
      console.log('It can be set.');
    },
  },
  'policy set': {
    words: 2,
    run: async ([id = '', file = ''], { connect }) => {
      const { tenants, logos } = await connect();
      const policy = await readPolicy(file, await findTenant(tenants, id));
      const { logo } = policy.page ?? {};
      if (logo !== undefined && !(await logos.find(tenantNamed(id), logo))) {
        throw new Error(`page.logo: this logo is not stored; store one with: logo set ${id} FILE`);
      }
      const version = await tenants.setPolicy(tenantNamed(id), policy);
      console.log(`Policy ${version} of ${id}: requests use it within ${keyCacheSeconds} s.`);
    },
  },
};

/** A policy file for this tenant, or an error that names every mistake in it. */
export async function readPolicy(file: string, tenant: Pick<Tenant, 'livemode'>): Promise<PolicyInput> {
  const { version: _, ...written } = z
    .looseObject({ version: z.unknown().optional() })
    .parse(await readJson(file, 'give a file; start from: policy show'));
  const parsed = policyInput.safeParse(written);
  const mistakes = parsed.success ? policyMistakes(parsed.data, registry, tenant) : mistakesOf(parsed);
  if (!parsed.success || mistakes.length > 0) throw new Error(`Not a policy:\n  ${mistakes.join('\n  ')}`);
  return parsed.data;
}
