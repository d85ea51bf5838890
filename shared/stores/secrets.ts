import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { SigningSecret } from '../domain/signing-secret.ts';
import { replacedSecretSeconds, secretCacheSeconds } from '../domain/times.ts';

/** A secret without a text. Its name reaches the log, where a message would not. */
export class SecretEmpty extends Error {
  override readonly name = 'SecretEmpty';
}

/** The value of a secret by its name or ARN, read once and then every five minutes. */
export type ReadSecret = (id: string) => Promise<string>;

export function secretsManager(client: SecretsManagerClient, now: () => Date): ReadSecret {
  const secrets = new Map<string, () => Promise<string>>();
  return (id) => {
    const read = secrets.get(id) ?? remembered(secretCacheSeconds, now, () => stored(client, id, 'AWSCURRENT'));
    secrets.set(id, read);
    return read();
  };
}

/** One secret, read when it is first needed. */
export function secretNamed(id: string, client: SecretsManagerClient, now: () => Date): () => Promise<string> {
  const read = secretsManager(client, now);
  return () => read(id);
}

/**
 * A secret that signs. Secrets Manager keeps the value before the current one as AWSPREVIOUS. Both are read only for
 * what the remembered current value has not signed, and at most every 20 s, whatever strangers send.
 */
export function signingSecret(id: string, client: SecretsManagerClient, now: () => Date): SigningSecret {
  const read = secretsManager(client, now);
  return {
    current: () => read(id),
    valid: remembered(replacedSecretSeconds, now, async () => {
      const current = await stored(client, id, 'AWSCURRENT');
      const previous = await stored(client, id, 'AWSPREVIOUS').catch(noneIfNotFound);
      return previous === undefined ? [current] : [current, previous];
    }),
  };
}

async function stored(client: SecretsManagerClient, id: string, stage: string): Promise<string> {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: id, VersionStage: stage }));
  if (!SecretString) throw new SecretEmpty('The secret has no string value');
  return SecretString;
}

/** A secret that was never replaced has no previous value. */
function noneIfNotFound(error: unknown): undefined {
  if (!(error instanceof ResourceNotFoundException)) throw error;
}

/** What was read, again for as many seconds. */
function remembered<T>(seconds: number, now: () => Date, read: () => Promise<T>): () => Promise<T> {
  let known: { value: T; readAt: number } | undefined;
  return async () => {
    if (known && now().getTime() - known.readAt < seconds * 1000) return known.value;
    known = { value: await read(), readAt: now().getTime() };
    return known.value;
  };
}
