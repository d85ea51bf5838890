import { createHmac, timingSafeEqual } from 'node:crypto';
import { Fault } from './fault.ts';

const pattern = /^ct_([a-z2-7]{26})_(\d{1,12})_[A-Za-z0-9_-]{43}$/;

/** Lets one client follow one verification until `expiresAt` (epoch seconds). No row: an HMAC over id and expiry. */
export function signClientToken(secret: string, verificationId: string, expiresAt: number): string {
  return `ct_${verificationId}_${expiresAt}_${mac(secret, verificationId, expiresAt).toString('base64url')}`;
}

/** The verification a token is for; each token has one text. Throws `client_token_invalid`, the same for every reason. */
export function readClientToken(secret: string, token: string, now: Date): string {
  const refused = new Fault('client_token_invalid', 'Ask your server for a new client_token.');
  const [, verificationId, expiry] = pattern.exec(token) ?? [];
  if (!verificationId || !expiry) throw refused;
  // Texts are compared and not what they decode to: base64url spells the last bits in four ways, a number takes zeros.
  const expected = signClientToken(secret, verificationId, Number(expiry));
  if (expected.length !== token.length || !timingSafeEqual(Buffer.from(expected), Buffer.from(token))) throw refused;
  if (Number(expiry) * 1000 <= now.getTime()) throw refused;
  return verificationId;
}

function mac(secret: string, verificationId: string, expiresAt: number): Buffer {
  return createHmac('sha256', secret).update(`client_token\0${verificationId}\0${expiresAt}`).digest();
}
