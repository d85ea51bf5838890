import { createHmac, timingSafeEqual } from 'node:crypto';

const pattern = /^([a-z2-7]{26})\.([1-9]\d{0,5})\.([0-9a-f]{32})$/;

/**
 * `{verification_id}.{attempt}.{HMAC-128}`: what a vendor is given to name an attempt by in its webhook. It needs no row
 * and is known before the call, so a webhook that beats its own response is recognised; only we can make one.
 */
export function signReference(secret: string, verificationId: string, attempt: number): string {
  return `${verificationId}.${attempt}.${mac(secret, verificationId, attempt).toString('hex')}`;
}

/** How an attempt gets its reference, under a secret that is read when the first one is asked for. */
export function referenceOf(readSecret: () => Promise<string>) {
  return async (verificationId: string, attempt: number): Promise<string> =>
    signReference(await readSecret(), verificationId, attempt);
}

/** The attempt a reference names, or undefined for one that we did not make. */
export function readReference(
  secret: string,
  reference: string,
): { verificationId: string; attempt: number } | undefined {
  const [, verificationId, attempt, given] = pattern.exec(reference) ?? [];
  if (!verificationId || !attempt || !given) return undefined;
  const expected = mac(secret, verificationId, Number(attempt));
  if (!timingSafeEqual(expected, Buffer.from(given, 'hex'))) return undefined;
  return { verificationId, attempt: Number(attempt) };
}

function mac(secret: string, verificationId: string, attempt: number): Buffer {
  return createHmac('sha256', secret).update(`reference\0${verificationId}\0${attempt}`).digest().subarray(0, 16);
}
