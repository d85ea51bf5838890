import path from 'node:path';
import type { Part } from '../part.ts';
import type { Template } from '../template.ts';
import {
  type GenerateSecretString,
  type SecretDefinition,
  type SecretsManager,
  startSecretsManager,
} from './secrets-manager.ts';

/** The secrets, in `secrets.json` of the data directory. */
export const secretsManager: Part<unknown, { secrets: SecretsManager }> = async ({ template, dataDirectory }) => {
  const secrets = await startSecretsManager(path.join(dataDirectory, 'secrets.json'), secretsOf(template));
  return { gives: { secrets }, stop: secrets.stop };
};

function secretsOf(template: Template): SecretDefinition[] {
  return template.ofType('AWS::SecretsManager::Secret').map((resource) => {
    const { SecretString, GenerateSecretString: generate } = template.properties(resource);
    return {
      name: resource.name,
      arn: resource.arn,
      ...(SecretString !== undefined && { secretString: String(SecretString) }),
      ...(generate !== undefined && { generate: generate as GenerateSecretString }),
    };
  });
}
