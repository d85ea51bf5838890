import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { SealedSecret } from '../domain/endpoint.ts';
import { readSigned, type SigningSecret } from '../domain/signing-secret.ts';

/** A sealed secret that no key of the deployment opens. Its name reaches the log; no secret does. */
export class SecretSealed extends Error {
  override readonly name = 'SecretSealed';
}

/** The deployment's key is not one that was generated. */
export class SealingKeyUnusable extends Error {
  override readonly name = 'SealingKeyUnusable';
}

/** Signing secrets are stored sealed: who reads the table alone can sign nothing. */
export interface Seals {
  readonly seal: (endpointId: string, secret: Uint8Array) => Promise<Pick<SealedSecret, 'keyId' | 'sealed'>>;
  /** Throws `SecretSealed` for one that was changed, was sealed for another endpoint, or whose key is gone. */
  readonly open: (endpointId: string, secret: Pick<SealedSecret, 'keyId' | 'sealed'>) => Promise<Buffer>;
}

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** AES-256-GCM under the deployment's key: its current value seals, and opens beside the one before. */
export function sealsUnder(key: SigningSecret, randomBytes: (size: number) => Buffer): Seals {
  return {
    async seal(endpointId, secret) {
      const { id, bytes } = keyOf(await key.current());
      const nonce = randomBytes(nonceBytes);
      const sealing = createCipheriv(cipher, bytes, nonce).setAAD(Buffer.from(endpointId));
      const sealed = Buffer.concat([nonce, sealing.update(secret), sealing.final(), sealing.getAuthTag()]);
      return { keyId: id, sealed: sealed.toString('base64') };
    },

    async open(endpointId, { keyId, sealed }) {
      const opened = await readSigned(key, (value) => {
        const { id, bytes } = keyOf(value);
        return id === keyId ? openWith(bytes, endpointId, Buffer.from(sealed, 'base64')) : undefined;
      });
      if (!opened)
        throw new SecretSealed(`No key opens a secret of ${endpointId}: docs/runbook.md#the-key-of-endpoints`);
      return opened;
    },
  };
}

/** AES's key, and what it is called beside what it sealed: neither tells the other or the value. */
function keyOf(value: string): { id: string; bytes: Buffer } {
  if (!/^[A-Za-z0-9]{32,}$/.test(value))
    throw new SealingKeyUnusable('The key of endpoints must be as generated: docs/runbook.md#the-key-of-endpoints');
  const derived = Buffer.from(hkdfSync('sha256', value, '', 'secrets of endpoints', 40));
  return { id: derived.subarray(32).toString('hex'), bytes: derived.subarray(0, 32) };
}

function openWith(key: Buffer, endpointId: string, sealed: Buffer): Buffer | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const opening = createDecipheriv(cipher, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(endpointId))
    .setAuthTag(sealed.subarray(-tagBytes));
  try {
    return Buffer.concat([opening.update(sealed.subarray(nonceBytes, -tagBytes)), opening.final()]);
  } catch {
    return undefined; // not ours, or not this endpoint's
  }
}
