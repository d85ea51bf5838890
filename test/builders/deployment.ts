import type { SigningSecret } from '../../shared/domain/signing-secret.ts';
import { verificationIdOf } from '../../shared/domain/verification.ts';

/* The secrets of the deployment that tests and simulation play in: fixed, so that ids and tokens are the same each time. */
export const referenceSecret = 'the reference secret of the tests';
export const clientTokenSecret = 'the client token secret of the tests';

const ids = new Map<string, string>();

/** The verification of a source id. Remembered: a hundred thousand simulated runs ask for the same few. */
export function idOf(sourceId: string, tenant = 'acme'): string {
  const key = JSON.stringify([tenant, sourceId]);
  const id = ids.get(key) ?? verificationIdOf(tenant, sourceId);
  ids.set(key, id);
  return id;
}

/** A signing secret by its values: the current one, and the one before where it was replaced. */
export function signingSecretOf(current: string, ...before: string[]): SigningSecret {
  return { current: async () => current, valid: async () => [current, ...before] };
}
