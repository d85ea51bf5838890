import { allocator, type Environment } from '../../functions/analyse-capture/environment.ts';
import type { SourceIds } from '../../shared/domain/ports.ts';
import type { SigningSecret } from '../../shared/domain/signing-secret.ts';
import { legacyVerificationIdOf, subjectKeyOf, verificationIdOf } from '../../shared/domain/verification-id.ts';

/* The secrets of the deployment that tests and simulation play in: fixed, so that ids and tokens are the same each time. */
export const referenceSecret = 'the reference secret of the tests';
export const clientTokenSecret = 'the client token secret of the tests';
export const fingerprintKey = 'the key of fingerprints of the tests';
export const receiptSecret = 'the secret of receipts of the tests';
export const idKey = 'TheKeyOfIdsOfTheTestsWhichIsNeverRotated';
export const endpointKey = 'TheKeyOfEndpointsOfTheTests0123456789';

/** Of a process of the engine's function that is given no message: nothing of it is reached. */
export const engineEnvironment = {
  ...allocator,
  AWS_REGION: 'eu-west-1',
  VERIFICATIONS_TABLE: 'none',
  SIGHTINGS_TABLE: 'none',
  FINGERPRINT_KEY_SECRET: 'none',
  CAPTURES_BUCKET: 'none',
  PROVIDER_QUEUES: '{}',
  MODELS: 'models',
} satisfies Environment & { AWS_REGION: string };

/** Remembered: a hundred thousand simulated runs ask for the same few. */
function remembered(make: (tenant: string, sourceId: string) => string) {
  const ids = new Map<string, string>();
  return (sourceId: string, tenant = 'acme'): string => {
    const asked = JSON.stringify([tenant, sourceId]);
    const id = ids.get(asked) ?? make(tenant, sourceId);
    ids.set(asked, id);
    return id;
  };
}

/** The verification of a source_id. */
export const idOf = remembered((tenant, sourceId) => verificationIdOf(idKey, tenant, sourceId));
/** The one that a version from before the key made of it. */
export const legacyIdOf = remembered(legacyVerificationIdOf);

/** How this deployment finds both. */
export const ids: SourceIds = {
  of: async (tenant, sourceId) => idOf(sourceId, tenant),
  legacyOf: (tenant, sourceId) => legacyIdOf(sourceId, tenant),
  ofSubject: async (tenant, subject) => subjectKeyOf(idKey, tenant, subject),
};

/** A signing secret by its values: the current one, and the one before where it was replaced. */
export function signingSecretOf(current: string, ...before: string[]): SigningSecret {
  return { current: async () => current, valid: async () => [current, ...before] };
}
