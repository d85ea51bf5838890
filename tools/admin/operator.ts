import { emailAddress, operatorName, operatorRole } from '../../shared/domain/operator.ts';
import { isoOf } from '../../shared/domain/times.ts';
import type { Invitation } from '../../shared/stores/tenants/operators.ts';
import type { Commands, Context } from './command.ts';
import type { Deployment } from './deployment.ts';
import { findTenant } from './tenant.ts';

/** Operators of a tenant, who use the console. */
export const operatorCommands: Commands = {
  'operator invite': {
    words: 3,
    run: async ([tenant = '', role = '', name = ''], context) => {
      const deployment = await deploymentOf(tenant, context);
      const known = operatorRole.safeParse(role);
      if (!known.success) throw new Error(`A role is ${operatorRole.options.join(' or ')}, not ${role}`);
      if (!operatorName.safeParse(name).success) throw new Error('A name is 1 to 100 characters of plain text');
      const { email } = context;
      if (email !== undefined && !emailAddress.safeParse(email).success) throw new Error(`${email} is no address`);
      print(await deployment.operators.invite(tenant, { name, role: known.data, email }), deployment);
    },
  },
  'operator invite-again': {
    words: 2,
    run: async ([tenant = '', id = ''], context) => {
      const deployment = await deploymentOf(tenant, context);
      print(await deployment.operators.inviteAgain(tenant, id), deployment);
    },
  },
  'operator list': {
    words: 1,
    run: async ([tenant = ''], context) => {
      const { operators } = await deploymentOf(tenant, context);
      for (const { id, role, name, revokedAt } of await operators.list(tenant)) {
        console.log(`${id}  ${role.padEnd(8)}  ${name}${revokedAt ? `  revoked ${revokedAt}` : ''}`);
      }
    },
  },
  'operator revoke': {
    words: 2,
    run: async ([tenant = '', id = ''], context) => {
      await (await deploymentOf(tenant, context)).operators.revoke(tenant, id);
      console.log('Revoked: the next request of the operator is refused.');
    },
  },
  'operator sign-out': {
    words: 2,
    run: async ([tenant = '', id = ''], context) => {
      await (await deploymentOf(tenant, context)).operators.signOutEverywhere(tenant, id);
      console.log('Signed out of every browser.');
    },
  },
};

async function deploymentOf(tenant: string, { connect }: Context): Promise<Deployment> {
  const deployment = await connect();
  await findTenant(deployment.tenants, tenant);
  return deployment;
}

/** The code stands behind `#`, which browsers send to no server and no preview of a link opens. */
function print({ operator, code, expiresAt }: Invitation, { apiUrl }: Deployment): void {
  console.log(`operator ${operator.id}  ${operator.role}  ${operator.name}\n${apiUrl}/console#i_${code}`);
  console.log(`The link works once, until ${isoOf(expiresAt)}. Only its hash is stored.`);
}
