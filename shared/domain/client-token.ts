import { createHmac, timingSafeEqual } from 'node:crypto';

/** With the number of a hand-off before the MAC it is the token of the device that has claimed it. */
const pattern = /^ct_([a-z2-7]{26})_(\d{1,12})(?:_(\d{1,9}))?_[A-Za-z0-9_-]{43}$/;

/** What a client token is for. */
export interface TokenScope {
  readonly verificationId: string;
  /** The hand-off whose device holds it; absent: the first device. */
  readonly handOff?: number | undefined;
}

/** Lets one client follow one verification until `expiresAt` (epoch seconds). No row: an HMAC over scope and expiry. */
export function signClientToken(secret: string, { verificationId, handOff }: TokenScope, expiresAt: number): string {
  const scope = [verificationId, expiresAt, ...(handOff === undefined ? [] : [handOff])];
  return ['ct', ...scope, mac(secret, scope)].join('_');
}

/** What a token is for, or undefined where this secret has not signed it. Each token has one text. */
export function readClientToken(secret: string, token: string, now: Date): TokenScope | undefined {
  const [, verificationId, expiry, number] = pattern.exec(token) ?? [];
  if (!verificationId || !expiry) return undefined;
  const scope = { verificationId, ...(number !== undefined && { handOff: Number(number) }) };
  // Texts are compared and not what they decode to: base64url spells the last bits in four ways, a number takes zeros.
  const expected = signClientToken(secret, scope, Number(expiry));
  if (expected.length !== token.length || !timingSafeEqual(Buffer.from(expected), Buffer.from(token))) return undefined;
  return Number(expiry) * 1000 > now.getTime() ? scope : undefined;
}

function mac(secret: string, scope: readonly (string | number)[]): string {
  return createHmac('sha256', secret)
    .update(['client_token', ...scope].join('\0'))
    .digest('base64url');
}
