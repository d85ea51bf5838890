import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readSecret, secretText } from '../../shared/domain/endpoint-secret.ts';
import { SealingKeyUnusable, SecretSealed, sealsUnder } from '../../shared/webhooks/seal.ts';
import { signingSecretOf } from '../builders/deployment.ts';

const oldest = 'a'.repeat(64);
const old = 'b'.repeat(64);
const current = 'c'.repeat(64);
const under = (...values: [string, ...string[]]) => sealsUnder(signingSecretOf(...values), randomBytes);
const ours = 'ep_aaaaaaaaaaaaaaaa';
const other = 'ep_bbbbbbbbbbbbbbbb';

describe('a sealed secret', () => {
  it('is opened for its own endpoint alone, and reads otherwise at every sealing', async () => {
    const secret = randomBytes(32);
    const [one, two] = [await under(current).seal(ours, secret), await under(current).seal(ours, secret)];
    expect(await under(current).open(ours, one)).toEqual(secret);
    expect(one.keyId).toBe(two.keyId);
    expect(one.sealed).not.toBe(two.sealed);
    await expect(under(current).open(other, one)).rejects.toThrow(SecretSealed);
  });

  it('is not opened with any bit flipped, nor cut short', async () => {
    const { keyId, sealed } = await under(current).seal(ours, randomBytes(24));
    const bytes = Buffer.from(sealed, 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(under(current).open(ours, { keyId, sealed: flipped.toString('base64') })).rejects.toThrow(
        SecretSealed,
      );
    }
    for (const length of [0, 1, 27, 28, bytes.length - 1]) {
      const cut = bytes.subarray(0, length).toString('base64');
      await expect(under(current).open(ours, { keyId, sealed: cut })).rejects.toThrow(SecretSealed);
    }
  });

  it('is opened after its key was replaced, and no more after the next replacement', async () => {
    const secret = randomBytes(64);
    const sealed = await under(oldest).seal(ours, secret);
    expect(await under(old, oldest).open(ours, sealed)).toEqual(secret);
    await expect(under(current, old).open(ours, sealed)).rejects.toThrow(SecretSealed);
    expect((await under(old).seal(ours, secret)).keyId).not.toBe(sealed.keyId);
  });

  it('is made under no key that was not generated', async () => {
    for (const value of ['', 'short', `${current}\n`, ` ${current}`])
      await expect(under(value).seal(ours, randomBytes(32))).rejects.toThrow(SealingKeyUnusable);
  });
});

describe('the text of a secret', () => {
  it('is whsec_ and base64 of 24 to 64 bytes, in one spelling', () => {
    for (const length of [24, 25, 32, 63, 64]) {
      const secret = randomBytes(length);
      expect(readSecret(secretText(secret))).toEqual(secret);
    }
    const text = secretText(Buffer.alloc(25, 0xff));
    const refused = [secretText(randomBytes(23)), secretText(randomBytes(65)), '', 'whsec_', text.slice(6), `${text} `];
    const spelt = [
      text.replaceAll('/', '_'),
      text.replace(/=+$/, ''),
      text.replace('w', 'W'),
      `${text}AAAA`.replace('=', ''),
    ];
    for (const one of [...refused, ...spelt]) expect([one, readSecret(one)]).toEqual([one, undefined]);
  });
});
