import { createHmac, timingSafeEqual } from 'node:crypto';

const pattern = /^ct_([a-z2-7]{26})_(\d{1,12})_[A-Za-z0-9_-]{43}$/;

/** Lets one client follow one verification until `expiresAt` (epoch seconds). No row: an HMAC over id and expiry. */
export function signClientToken(secret: string, verificationId: string, expiresAt: number): string {
  return `ct_${verificationId}_${expiresAt}_${mac(secret, verificationId, expiresAt).toString('base64url')}`;
}

/** The verification a token is for, or undefined where this secret has not signed it. Each token has one text. */
export function readClientToken(secret: string, token: string, now: Date): string | undefined {
  const [, verificationId, expiry] = pattern.exec(token) ?? [];
  if (!verificationId || !expiry) return undefined;
  // Texts are compared and not what they decode to: base64url spells the last bits in four ways, a number takes zeros.
  const expected = signClientToken(secret, verificationId, Number(expiry));
  if (expected.length !== token.length || !timingSafeEqual(Buffer.from(expected), Buffer.from(token))) return undefined;
  return Number(expiry) * 1000 > now.getTime() ? verificationId : undefined;
}

function mac(secret: string, verificationId: string, expiresAt: number): Buffer {
  return createHmac('sha256', secret).update(`client_token\0${verificationId}\0${expiresAt}`).digest();
}
