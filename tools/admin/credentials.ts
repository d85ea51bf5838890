import { setTimeout } from 'node:timers/promises';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { Fault } from '../../shared/domain/fault.ts';
import { deploymentOwner, secretNameOf } from '../../shared/domain/owner.ts';
import { keyCacheSeconds } from '../../shared/domain/times.ts';
import { type Connector, connectors } from '../../shared/providers/connect.ts';
import { registry } from '../../shared/providers/registry.ts';
import type { Tenants } from '../../shared/stores/tenants/tenants.ts';
import { type Commands, ownerNamed } from './command.ts';
import type { Deployment } from './deployment.ts';
import { parseJson, readJson } from './files.ts';
import { findTenant } from './tenant.ts';

export const credentialsCommands: Commands = {
  'credentials set': {
    words: 3,
    run: async ([provider = '', owner = '', file = ''], { connect }) => {
      const connector = connectorOf(provider);
      const stored = await readJson(file, 'give a file with the settings and credentials; docs/providers.md has one');
      const read = connector.read(stored);
      if (read.kind === 'mistakes') throw new Error(`Not set:\n  ${read.mistakes.join('\n  ')}`);
      const { tenants, secrets, stackName } = await connect();
      const name = secretNameOf(stackName, provider, ownerNamed(owner));
      await putSecret(secrets, name, JSON.stringify(stored));
      await tenants.setCredentials(owner, provider, name);
      console.log(`Kept as ${name}; requests use it within ${keyCacheSeconds} s.`);
      console.log(`${provider} sends captures to ${read.address}`);
      await remarkOnWebhook(provider, owner, name, tenants);
    },
  },
  'credentials check': {
    words: 2,
    run: async ([provider = '', owner = ''], { connect }) =>
      check(connectorOf(provider), provider, owner, await connect()),
  },
  'credentials forget': {
    words: 2,
    run: async ([provider = '', owner = ''], { connect }) => {
      const { tenants } = await connect();
      await tenants.setCredentials(ownerNamed(owner), provider, undefined);
      console.log(`Forgotten: new requests of ${owner} do not use ${provider}. The secret itself stays where it was.`);
    },
  },
};

/** Asks the vendor whether it takes the credentials that serve an owner: its own, or else the deployment's. */
async function check(connector: Connector, provider: string, owner: string, deployment: Deployment): Promise<void> {
  const { tenants, secrets } = deployment;
  const tenant = owner === deploymentOwner ? undefined : await findTenant(tenants, owner);
  const secretName = tenant?.credentials[provider] ?? (await tenants.deploymentCredentials())[provider];
  if (!secretName) {
    const remedy = `npm run admin -- credentials set ${provider} ${owner} FILE`;
    throw new Error(`There are no credentials of ${provider} for ${owner}: ${remedy}`);
  }
  const read = connector.read(await readSecret(secrets, secretName));
  if (read.kind === 'mistakes') throw new Error(`${secretName} is not valid:\n  ${read.mistakes.join('\n  ')}`);
  const { probe } = read.connect({ fetch, sleep: (seconds) => setTimeout(seconds * 1000) });
  if (!probe) throw new Error(`${provider} cannot be asked without a capture`);
  console.log(`Asks ${read.address} with ${secretName}. ${probe.costs}`);
  await probe.run().catch((error: unknown) => {
    throw error instanceof Fault ? new Error(meaningOf(error)) : error;
  });
  console.log(`ok: ${provider} takes the credentials.`);
  await remarkOnWebhook(provider, owner, secretName, tenants);
}

/** Says so where a provider's results would have nowhere to go. */
async function remarkOnWebhook(provider: string, owner: string, secretName: string, tenants: Tenants): Promise<void> {
  if (registry.get(provider)?.answersBy !== 'webhook') return;
  const tenantId = owner === deploymentOwner ? undefined : owner;
  if (await tenants.hasWebhook(tenantId, provider, secretName)) return;
  console.log(`Its results have no address yet: npm run admin -- webhook rotate ${provider} ${owner}`);
}

/** What a probe's fault tells an operator, in a word and then in a sentence. */
function meaningOf({ code, message }: Fault): string {
  switch (code) {
    case 'provider_unauthorized':
      return `wrong key: ${message}`;
    case 'provider_credits_spent':
      return `spent: ${message}`;
    case 'provider_unreachable':
    case 'provider_timed_out':
      return `unreachable: ${message}`;
    case 'provider_throttled':
      return `throttled: ${message} Try again later.`;
    default:
      return `unclear: ${message} That says nothing about the key; the address may be wrong.`;
  }
}

async function readSecret(client: SecretsManagerClient, SecretId: string): Promise<unknown> {
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId })).catch((error: unknown) => {
    if (error instanceof ResourceNotFoundException) throw new Error(`There is no secret ${SecretId}: set it again`);
    throw error;
  });
  return parseJson(SecretString, SecretId);
}

async function putSecret(client: SecretsManagerClient, Name: string, SecretString: string): Promise<void> {
  try {
    await client.send(new CreateSecretCommand({ Name, SecretString }));
  } catch (error) {
    if (!(error instanceof ResourceExistsException)) throw error;
    await client.send(new PutSecretValueCommand({ SecretId: Name, SecretString }));
  }
}

/** How a remote provider is connected, or an error that names those there are. */
function connectorOf(provider: string): Connector {
  const connector = registry.get(provider)?.remote ? connectors.get(provider) : undefined;
  const remote = [...registry.values()].filter((one) => one.remote).map(({ name }) => name);
  if (!connector) throw new Error(`${provider} is not a provider with credentials: ${remote.join(', ')}`);
  return connector;
}
