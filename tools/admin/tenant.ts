import { isLive } from '../../shared/domain/livemode.ts';
import { newTenantId } from '../../shared/domain/owner.ts';
import { keyCacheSeconds } from '../../shared/domain/times.ts';
import type { IssuedKey, Tenant } from '../../shared/stores/tenants/row.ts';
import type { Tenants } from '../../shared/stores/tenants/tenants.ts';
import { type Commands, tenantNamed } from './command.ts';

export const tenantCommands: Commands = {
  'tenant create': {
    words: 1,
    run: async ([id = ''], { connect, test }) =>
      printKey(await (await connect()).tenants.create(tenantNamed(id, newTenantId), { test })),
  },
  'tenant add-key': {
    words: 1,
    run: async ([id = ''], { connect }) => printKey(await (await connect()).tenants.addKey(tenantNamed(id))),
  },
  'tenant revoke-key': {
    words: 2,
    run: async ([id = '', keyId = ''], { connect }) => {
      const { tenants } = await connect();
      if (!(await tenants.revokeKey(tenantNamed(id), keyId))) throw new Error(`Tenant ${id} has no key ${keyId}`);
      console.log(`Revoked. Functions that have just seen the key may take it for ${keyCacheSeconds} s more.`);
    },
  },
  'tenant show': {
    words: 1,
    run: async ([id = ''], { connect }) => {
      const tenant = await findTenant((await connect()).tenants, id);
      const { keys, webhooks, ...rest } = { ...tenant, livemode: isLive(tenant) };
      const shown = <T extends { sha256: string }>(kept: readonly T[]) => kept.map(({ sha256: _, ...row }) => row);
      console.log(JSON.stringify({ ...rest, keys: shown(keys), webhooks: shown(webhooks) }, null, 2));
    },
  },
};

/** A tenant by name, or an error that says there is none. */
export async function findTenant(tenants: Tenants, id: string): Promise<Tenant> {
  const found = await tenants.find(tenantNamed(id));
  if (!found) throw new Error(`There is no tenant ${id}`);
  return found;
}

function printKey({ id, key }: IssuedKey): void {
  console.log(`key id  ${id}\napi key ${key}\nThe key is shown this once: only its hash is stored.`);
}
