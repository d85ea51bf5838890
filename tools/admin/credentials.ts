import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { secretNameOf } from '../../shared/domain/owner.ts';
import { type Connector, connectors } from '../../shared/providers/connect.ts';
import { registry } from '../../shared/providers/registry.ts';
import { keyCacheSeconds } from '../../shared/stores/tenants/row.ts';
import { type Commands, ownerNamed } from './command.ts';
import { readJson } from './files.ts';

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
    },
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
