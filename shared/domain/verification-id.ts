import { createHash, createHmac } from 'node:crypto';
import { base32 } from './base32.ts';
import type { SourceIds } from './ports.ts';

/** The deployment's key of ids is not one that was generated. Its name reaches the log; the key reaches nothing. */
export class IdKeyUnusable extends Error {
  override readonly name = 'IdKeyUnusable';
}

/** As generated: letters and digits, no space and no line end that a copied text may have got. */
const keyPattern = /^[A-Za-z0-9]{32,}$/;

/**
 * base32(HMAC-SHA-256(key, tenant ‖ 0 ‖ source_id)), 26 characters: the key of a verification's record and the folder of
 * its captures. One read from either side, nothing of the caller's in a path, and an attacker without the deployment's
 * key cannot find the phone number that a source_id was made of.
 */
export function verificationIdOf(key: string, tenant: string, sourceId: string): string {
  return written(hmacUnder(key, `${tenant}\0${sourceId}`));
}

/** HMAC-SHA-256(key, 0 ‖ tenant ‖ 0 ‖ subject) as hex. No tenant is '', so that no subject has the hash of a source_id. */
export function subjectKeyOf(key: string, tenant: string, subject: string): string {
  return hmacUnder(key, `\0${tenant}\0${subject}`).toString('hex');
}

function hmacUnder(key: string, text: string): Buffer {
  if (!keyPattern.test(key))
    throw new IdKeyUnusable('The key of ids must be as generated: docs/runbook.md#the-key-of-ids');
  return createHmac('sha256', key).update(text).digest();
}

/** The id that versions without a key gave: base32(SHA-256(tenant ‖ 0 ‖ source_id)). No new record gets it. */
export function legacyVerificationIdOf(tenant: string, sourceId: string): string {
  return written(createHash('sha256').update(`${tenant}\0${sourceId}`).digest());
}

/** The ids under a key that is read when the first one is asked for, and where wanted the ids from before it. */
export function idsUnder(readKey: () => Promise<string>, { legacy }: { readonly legacy: boolean }): SourceIds {
  return {
    of: async (tenant, sourceId) => verificationIdOf(await readKey(), tenant, sourceId),
    legacyOf: (tenant, sourceId) => (legacy ? legacyVerificationIdOf(tenant, sourceId) : undefined),
    ofSubject: async (tenant, subject) => subjectKeyOf(await readKey(), tenant, subject),
  };
}

const written = (digest: Buffer) => base32(digest, 26);
