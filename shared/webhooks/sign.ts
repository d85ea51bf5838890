import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { answered } from '../domain/delivery.ts';
import type { Endpoint, SealedSecret } from '../domain/endpoint.ts';
import type { Fetcher, PostSigned, SignWebhook } from '../domain/ports.ts';
import { endpointAnswerSeconds, epochSeconds } from '../domain/times.ts';
import type { Seals } from './seal.ts';

/** Secrets that sign at a time, the newest first: the current one, and replaced ones whose grace is not over. */
export function validSecrets(secrets: readonly SealedSecret[], at: Date): readonly SealedSecret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > epochSeconds(at));
}

/**
 * Signs as Standard Webhooks 1.0 says: `v1` with every valid secret, and beside it `v1a` where the endpoint asked for it,
 * separated by spaces. A receiver takes a message that one of them fits.
 */
export function webhookSigner({ open }: Pick<Seals, 'open'>): SignWebhook {
  return async (endpoint, message) => signedBy(await openValid(endpoint, message.at, open), message, endpoint);
}

/** Of a call of an endpoint's address: at every send, and when it is chosen. */
export const endpointLimits = { timeoutSeconds: endpointAnswerSeconds, httpsOnly: true } as const;

/** Posts JSON to an endpoint, signed for this moment. */
export function signedSender({ post }: Pick<Fetcher, 'post'>, sign: SignWebhook, now: () => Date): PostSigned {
  return async (endpoint, { id, body }) => {
    const at = now();
    const headers = { 'content-type': 'application/json', ...(await sign(endpoint, { id, at, body })) };
    const answer = await post(endpoint.url, { body, headers }, endpointLimits);
    const tried = { at: at.toISOString(), ...answered(answer, now().getTime() - at.getTime()) };
    return { tried, retryAfter: answer.kind === 'answered' ? answer.retryAfter : undefined };
  };
}

/** The headers of a body that these secrets sign. */
export function signedBy(
  secrets: readonly Uint8Array[],
  { id, at, body }: Parameters<SignWebhook>[1],
  { v1a }: Pick<Endpoint, 'v1a'>,
): Awaited<ReturnType<SignWebhook>> {
  const signatures = [
    ...secrets.map((secret) => new Webhook(secret, { format: 'raw' }).sign(id, at, body)),
    ...(v1a ? secrets.map((secret) => signAsymmetric(secret, `${id}.${epochSeconds(at)}.${body}`)) : []),
  ];
  return {
    'webhook-id': id,
    'webhook-timestamp': String(epochSeconds(at)),
    'webhook-signature': signatures.join(' '),
  };
}

/** What verifies an endpoint's `v1a` signatures at a time, the newest first: `whpk_` and the ed25519 key in base64. */
export async function publicKeysOf(
  endpoint: Pick<Endpoint, 'id' | 'secrets'>,
  at: Date,
  { open }: Pick<Seals, 'open'>,
): Promise<string[]> {
  const secrets = await openValid(endpoint, at, open);
  return secrets.map((secret) => {
    const { x = '' } = createPublicKey(signingKeyOf(secret)).export({ format: 'jwk' });
    return `whpk_${Buffer.from(x, 'base64url').toString('base64')}`;
  });
}

function openValid({ id, secrets }: Pick<Endpoint, 'id' | 'secrets'>, at: Date, open: Seals['open']) {
  return Promise.all(validSecrets(secrets, at).map((secret) => open(id, secret)));
}

function signAsymmetric(secret: Uint8Array, text: string): string {
  return `v1a,${sign(null, Buffer.from(text), signingKeyOf(secret)).toString('base64')}`;
}

/** RFC 8410: what stands before the 32 bytes of an ed25519 private key in PKCS #8. */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** An ed25519 key of the secret's own, so that no other has to be stored. The public key tells nothing of the secret. */
function signingKeyOf(secret: Uint8Array): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', 'standard webhooks v1a', 32));
  return createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });
}
