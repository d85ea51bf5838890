import { readFile } from 'node:fs/promises';
import { logoMistake } from '../../shared/domain/logo.ts';
import type { Page } from '../../shared/domain/policy.ts';
import { keyCacheSeconds } from '../../shared/domain/times.ts';
import type { Commands } from './command.ts';
import type { Deployment } from './deployment.ts';
import { findTenant } from './tenant.ts';

/** The logo of a tenant's capture page: a row of its own, named by the policy. */
export const logoCommands: Commands = {
  'logo set': {
    words: 2,
    run: async ([id = '', file = ''], { connect }) => {
      const png = await readFile(file).catch(() => {
        throw new Error(`${file} is not there: give a PNG`);
      });
      const mistake = logoMistake(png);
      if (mistake !== undefined) throw new Error(`${file} ${mistake}`);
      const deployment = await connect();
      await findTenant(deployment.tenants, id);
      const logo = await deployment.logos.keep(id, png);
      const version = await setPage(id, (page) => ({ returnOrigins: [], frameOrigins: [], ...page, logo }), deployment);
      console.log(`Logo ${logo} in policy ${version} of ${id}: pages show it within ${keyCacheSeconds} s.`);
    },
  },
  'logo remove': {
    words: 1,
    run: async ([id = ''], { connect }) => {
      const deployment = await connect();
      const { policy } = await findTenant(deployment.tenants, id);
      const { logo } = policy.page ?? {};
      if (logo === undefined) throw new Error(`Tenant ${id} has no logo`);
      const version = await setPage(id, (page) => page && { ...page, logo: undefined }, deployment);
      await deployment.logos.remove(id, logo);
      console.log(`Policy ${version} of ${id} has no logo.`);
    },
  },
};

async function setPage(
  id: string,
  changed: (page: Page | undefined) => Page | undefined,
  { tenants }: Pick<Deployment, 'tenants'>,
): Promise<number> {
  const { version: _, ...policy } = (await findTenant(tenants, id)).policy;
  return tenants.setPolicy(id, { ...policy, page: changed(policy.page) });
}
