import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { secretCacheSeconds } from '../domain/times.ts';

/** A secret without a text. Its name reaches the log, where a message would not. */
export class SecretEmpty extends Error {
  override readonly name = 'SecretEmpty';
}

/** The value of a secret by its name or ARN, read once and then every five minutes. */
export type ReadSecret = (id: string) => Promise<string>;

export function secretsManager(client: SecretsManagerClient, now: () => Date): ReadSecret {
  const kept = new Map<string, { value: string; readAt: number }>();
  return async (id) => {
    const known = kept.get(id);
    if (known && now().getTime() - known.readAt < secretCacheSeconds * 1000) return known.value;
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: id }));
    if (!SecretString) throw new SecretEmpty('The secret has no string value');
    kept.set(id, { value: SecretString, readAt: now().getTime() });
    return SecretString;
  };
}

/** One secret, read when it is first needed. */
export function secretNamed(id: string, client: SecretsManagerClient, now: () => Date): () => Promise<string> {
  const read = secretsManager(client, now);
  return () => read(id);
}
