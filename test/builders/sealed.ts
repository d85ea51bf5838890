import { randomBytes } from 'node:crypto';
import type { Endpoint } from '../../shared/domain/endpoint.ts';
import { secretText } from '../../shared/domain/endpoint-secret.ts';
import { sealsUnder } from '../../shared/webhooks/seal.ts';
import { endpointKey, signingSecretOf } from './deployment.ts';
import { anEndpoint } from './endpoint.ts';

/** Seals and opens under the key of the tests' deployment. */
export const seals = sealsUnder(signingSecretOf(endpointKey), randomBytes);

/** An endpoint whose secrets are sealed, and their texts: one, and before it those that `expiring` names by their end. */
export async function aSealedEndpoint({
  expiring = [],
  ...overrides
}: Partial<Endpoint> & { readonly expiring?: readonly number[] } = {}): Promise<{
  readonly endpoint: Endpoint;
  readonly texts: readonly string[];
}> {
  const { secrets: _, ...endpoint } = anEndpoint(overrides);
  const { createdAt } = endpoint;
  const bytes = [undefined, ...expiring].map((expiresAt) => ({ expiresAt, secret: randomBytes(32) }));
  const secrets = bytes.map(async ({ expiresAt, secret }) => ({
    ...(await seals.seal(endpoint.id, secret)),
    createdAt,
    ...(expiresAt !== undefined && { expiresAt }),
  }));
  return {
    endpoint: { ...endpoint, secrets: await Promise.all(secrets) },
    texts: bytes.map((one) => secretText(one.secret)),
  };
}
