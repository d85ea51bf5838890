import { createPrivateKey, createPublicKey, hkdfSync, sign, verify } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { canonicalJson, hashOf } from './audit.ts';
import { capturesPrefix } from './captures.ts';
import type { DeletedVersion } from './erasure.ts';
import { type InState, tenantId, verificationId } from './verification.ts';

/*
 * The receipt of an erasure: a statement made of the tombstone alone, and a signature over its canonical JSON.
 * docs/erasure.md is its format.
 */

const publicKeyPattern = /^[A-Za-z0-9_-]{43}$/;

/** A public key that receipts are verified with, as a JSON Web Key (RFC 8037). `kid` is its thumbprint (RFC 7638). */
export const receiptKey = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().regex(publicKeyPattern),
  x: z.string().regex(publicKeyPattern),
});
export type ReceiptKey = z.infer<typeof receiptKey>;

export const publishedKeys = z.object({ receipt_keys: z.array(receiptKey) });

/** What a statement may lack, because a version of this software that kept less wrote the record or the tombstone. */
export const unknowns = ['versions', 'vendors', 'finished_at', 'tombstone_hash'] as const;

export const receiptStatement = z.strictObject({
  type: z.literal('bonafide.erasure_receipt'),
  version: z.literal(1),
  tenant: tenantId,
  verification_id: verificationId,
  /** When the tombstone was written. */
  erased_at: z.string(),
  /** When nothing was found stored any more. */
  finished_at: z.string().nullable(),
  tombstone_hash: z.string().nullable(),
  versions: z.array(
    z.strictObject({
      key: z.string(),
      version_id: z.string(),
      etag: z.string().nullable(),
      /** By the erasure, after the decision of its round, or before the erasure for another reason. */
      deleted: z.enum(['at_erasure', 'at_decision', 'before_erasure']),
      at: z.string().nullable(),
    }),
  ),
  versions_not_listed: z.int(),
  vendors: z.array(z.string()).nullable(),
  not_known: z.array(z.enum(unknowns)),
});
export type ReceiptStatement = z.infer<typeof receiptStatement>;

export const receipt = z.strictObject({
  statement: receiptStatement,
  signature: z.strictObject({ algorithm: z.literal('Ed25519'), key_id: z.string(), value: z.string() }),
});
export type Receipt = z.infer<typeof receipt>;

/** What the receipt of a finished erasure says: a function of the tombstone, the same each time. */
export function statementOf(tombstone: InState<'erased'>): ReceiptStatement {
  const { tenant, verificationId: id, updatedAt, erasure, history } = tombstone;
  const finished_at = erasure?.finishedAt ?? null;
  const vendors = erasure?.vendors ?? null;
  const tombstone_hash = history.find(({ kind }) => kind === 'moved')?.hash ?? null;
  const known = {
    // Where a version before finished it, that version wrote down nothing of what it deleted.
    versions: erasure?.finishedAt !== undefined && !erasure.incomplete,
    vendors: vendors !== null,
    finished_at: finished_at !== null,
    tombstone_hash: tombstone_hash !== null,
  };
  return {
    type: 'bonafide.erasure_receipt',
    version: 1,
    tenant,
    verification_id: id,
    erased_at: updatedAt,
    finished_at,
    tombstone_hash,
    versions: (erasure?.versions ?? []).map((version) => ({
      key: `${capturesPrefix(id)}${version.key}`,
      version_id: version.versionId,
      etag: version.etag ?? null,
      ...deletionOf(version),
    })),
    versions_not_listed: erasure?.notListed ?? 0,
    vendors,
    not_known: unknowns.filter((name) => !known[name]),
  };
}

function deletionOf({ foundAt, decidedAt }: DeletedVersion) {
  if (foundAt !== undefined) return { deleted: 'at_erasure' as const, at: foundAt };
  if (decidedAt !== undefined) return { deleted: 'at_decision' as const, at: decidedAt };
  return { deleted: 'before_erasure' as const, at: null };
}

/** What is signed: the statement's canonical JSON. */
const signedBytes = (statement: ReceiptStatement) => Buffer.from(canonicalJson(statement), 'utf8');

/** The header of an Ed25519 private key in PKCS #8 (RFC 8410); its 32 bytes follow. */
const privateKeyHeader = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The private key that a secret is for: it is made anew wherever it is needed, and kept nowhere. */
function privateKeyOf(secret: string) {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', 'bonafide erasure receipts, ed25519', 32));
  return createPrivateKey({ key: Buffer.concat([privateKeyHeader, seed]), format: 'der', type: 'pkcs8' });
}

/** The public key of a secret. */
export function receiptKeyOf(secret: string): ReceiptKey {
  return publicKeyNamed(createPublicKey(privateKeyOf(secret)).export({ format: 'jwk' }).x ?? '');
}

/** A public key with its name. */
export function publicKeyNamed(x: string): ReceiptKey {
  return { kty: 'OKP', crv: 'Ed25519', kid: hashOf({ crv: 'Ed25519', kty: 'OKP', x }), x };
}

/** Ed25519 signs the same bytes with the same key alike, each time. */
export function signReceipt(secret: string, statement: ReceiptStatement): Receipt {
  const value = sign(null, signedBytes(statement), privateKeyOf(secret)).toString('base64url');
  return { statement, signature: { algorithm: 'Ed25519', key_id: receiptKeyOf(secret).kid, value } };
}

export type ReceiptCheck =
  | { readonly kind: 'valid'; readonly statement: ReceiptStatement }
  | { readonly kind: 'invalid'; readonly why: string };

const invalid = (why: string): ReceiptCheck => ({ kind: 'invalid', why });

/** Whether one of these keys has signed the receipt, as it stands in a file. How its JSON is written does not matter. */
export function checkReceipt(bytes: Uint8Array, keys: readonly ReceiptKey[]): ReceiptCheck {
  const read = receipt.safeParse(jsonOf(bytes));
  if (!read.success) return invalid('it is not a receipt of this format');
  const { statement, signature } = read.data;
  const key = keys.find(({ kid }) => kid === signature.key_id);
  if (!key) return invalid(`none of the public keys given is its key ${signature.key_id}`);
  if (!isDeepStrictEqual(publicKeyNamed(key.x), key))
    return invalid('its public key does not have the name it is given');
  const value = Buffer.from(signature.value, 'base64url');
  // Base64url spells the last bits in several ways: one text alone is the signature.
  const genuine =
    value.toString('base64url') === signature.value &&
    verify(null, signedBytes(statement), createPublicKey({ key, format: 'jwk' }), value);
  return genuine ? { kind: 'valid', statement } : invalid('the signature is not one of this statement');
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
