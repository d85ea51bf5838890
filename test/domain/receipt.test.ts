import { createHash, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../shared/domain/audit.ts';
import {
  checkReceipt,
  publicKeyNamed,
  type ReceiptStatement,
  receiptKeyOf,
  signReceipt,
} from '../../shared/domain/receipt.ts';
import { receiptSecret } from '../builders/deployment.ts';

const statement: ReceiptStatement = {
  type: 'bonafide.erasure_receipt',
  version: 1,
  tenant: 'acme',
  verification_id: 'v7xj3g42cem6vojhxcbnppuqad',
  erased_at: '2026-01-01T00:00:00.000Z',
  finished_at: '2026-01-01T00:00:00.500Z',
  tombstone_hash: 'M'.repeat(43),
  versions: [
    {
      key: 'captures/v7xj3g42cem6vojhxcbnppuqad/1/selfie',
      version_id: '3HL4kqtJlcpXroDTDmJrmSpXd3dIbrHY',
      etag: 'b54357faf0632cce46e942fa68356b38',
      deleted: 'at_decision',
      at: '2025-12-31T23:00:00.000Z',
    },
    {
      key: 'captures/v7xj3g42cem6vojhxcbnppuqad/1/selfie',
      version_id: 'v2',
      etag: null,
      deleted: 'at_erasure',
      at: null,
    },
  ],
  versions_not_listed: 0,
  vendors: ['identify'],
  not_known: [],
};
const keys = [receiptKeyOf('the secret of another deployment'), receiptKeyOf(receiptSecret)];
const fileOf = (value: unknown, indent?: number) => Buffer.from(JSON.stringify(value, undefined, indent));

describe('a receipt', () => {
  it('is signed alike each time, over bytes that anybody can make of it', () => {
    const receipt = signReceipt(receiptSecret, statement);
    expect(signReceipt(receiptSecret, structuredClone(statement))).toEqual(receipt);
    const { signature } = receipt;
    expect(signature).toEqual({
      algorithm: 'Ed25519',
      key_id: 'bIz85eq0mRKxTkwECm-8QjwXx32BkR5_nc2TEKcgFyc',
      value: 'C4WGh9k0eJVR-L74lnsRn5VAa96GZN8bBWhe3ymJkyA7fCRh1lTQQYeCtcKN8XLlAoY90oJAhGw6_BTWlp9KCQ',
    });
    const sorted = JSON.parse(JSON.stringify(statement)); // by hand, as the page says: names in order, no spaces
    expect(canonicalJson(sorted)).toMatch(/^\{"erased_at":"2026-01-01T00:00:00.000Z","finished_at":/);
    const [, { kid: _, ...key }] = keys as [unknown, ReturnType<typeof receiptKeyOf>];
    const publicKey = createPublicKey({ key, format: 'jwk' });
    expect(verify(null, Buffer.from(canonicalJson(sorted)), publicKey, Buffer.from(signature.value, 'base64url'))).toBe(
      true,
    );
  });

  it('verifies with the public key alone, however its JSON is written', () => {
    const { statement: said, signature } = signReceipt(receiptSecret, statement);
    for (const file of [fileOf({ statement: said, signature }), fileOf({ signature, statement: said }, 4)]) {
      expect(checkReceipt(file, keys)).toEqual({ kind: 'valid', statement });
    }
  });

  it('does not verify with one bit flipped, whichever', () => {
    const file = fileOf(signReceipt(receiptSecret, statement), 1);
    const passed: string[] = [];
    for (let bit = 0; bit < file.length * 8; bit += 1) {
      const flipped = Buffer.from(file);
      flipped[bit >> 3] = (file[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (checkReceipt(flipped, keys).kind === 'valid') passed.push(`bit ${bit & 7} of byte ${bit >> 3}`);
    }
    expect(passed).toEqual([]);
  });

  it.each([
    ['a key that is not given', [publicKeyNamed('A'.repeat(43))], /none of the public keys/],
    ['a key under another name', [{ ...keys[0], kid: keys[1]?.kid }], /does not have the name/],
  ])('does not verify by %s', (_, given, why) => {
    const check = checkReceipt(fileOf(signReceipt(receiptSecret, statement)), given as typeof keys);
    expect(check).toMatchObject({ kind: 'invalid', why: expect.stringMatching(why) });
  });

  it.each([
    ['no JSON', Buffer.from('{')],
    [
      'a byte order mark',
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), fileOf(signReceipt(receiptSecret, statement))]),
    ],
    ['a field more', fileOf({ ...signReceipt(receiptSecret, statement), more: 1 })],
    ['nothing', Buffer.alloc(0)],
  ])('does not verify as %s', (_, file) => {
    expect(checkReceipt(file, keys)).toMatchObject({ kind: 'invalid', why: 'it is not a receipt of this format' });
  });

  it('names its key by the thumbprint of RFC 7638', () => {
    // Appendix A.3 of RFC 8037.
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
    expect(publicKeyNamed(x).kid).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
    const text = `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`;
    expect(publicKeyNamed(x).kid).toBe(createHash('sha256').update(text).digest('base64url'));
  });
});
