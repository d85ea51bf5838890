import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { secretNameOf } from '../../shared/domain/owner.ts';
import { connectors } from '../../shared/providers/connect.ts';
import { registry } from '../../shared/providers/registry.ts';
import { keyCacheSeconds } from '../../shared/stores/tenants/row.ts';
import { type Commands, mistakesOf, ownerNamed, providers } from './command.ts';
import { readFileOr } from './files.ts';

export const credentialsCommands: Commands = {
  'credentials set': {
    words: 3,
    run: async ([provider = '', owner = '', file = ''], { connect }) => {
      const deployment = await connect();
      const secret: unknown = JSON.parse(await readFileOr(file, 'give a file with the settings and credentials'));
      const connector = registry.get(provider)?.remote ? connectors.get(provider) : undefined;
      if (!connector) throw new Error(`${provider} is not a provider with credentials: ${remoteProviders()}`);
      const { settings, credentials } = connector;
      const mistakes = mistakesOf(z.strictObject({ settings, credentials }).safeParse(secret));
      if (mistakes.length > 0) throw new Error(`Not set. ${mistakes.join('\n')}`);
      const name = secretNameOf(deployment.stackName, provider, ownerNamed(owner));
      await putSecret(deployment.secrets, name, JSON.stringify(secret));
      await deployment.tenants.setCredentials(owner, provider, name);
      console.log(`Kept as ${name}; requests use it within ${keyCacheSeconds} s.`);
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

function remoteProviders(): string {
  return providers
    .filter(({ remote }) => remote)
    .map(({ name }) => name)
    .join(', ');
}
