import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readClientToken, signClientToken } from '../../shared/domain/client-token.ts';
import { claimed, codeHashOf } from '../../shared/domain/hand-off.ts';
import { readReference, signReference } from '../../shared/domain/reference.ts';
import { matching, maximumKeys } from '../../shared/stores/tenants/row.ts';

/** The bytes of each comparison in constant time since the test began; they are compared as ever. */
const compared = vi.hoisted((): number[] => []);
vi.mock('node:crypto', async (load) => {
  const crypto = await load<typeof import('node:crypto')>();
  return {
    ...crypto,
    timingSafeEqual: (one: Buffer, other: Buffer) => {
      compared.push(one.byteLength);
      return crypto.timingSafeEqual(one, other);
    },
  };
});
beforeEach(() => void compared.splice(0));

/** The comparisons that `does` makes. */
function comparisonsOf(does: () => unknown): number[] {
  does();
  return compared.splice(0);
}

const kept = (text: string) => ({ sha256: createHash('sha256').update(text).digest('hex') });

describe('What a caller may guess at is compared whole and in constant time:', () => {
  it('keys and webhook tokens, as often whether there are none, others or the right one first', () => {
    const always = Array.from({ length: maximumKeys }, () => 32);
    expect(comparisonsOf(() => matching([], 'guess'))).toEqual(always);
    expect(comparisonsOf(() => matching([kept('a')], 'guess'))).toEqual(always);
    const many = Array.from({ length: maximumKeys }, (_, index) => kept(`key ${index}`));
    expect(comparisonsOf(() => matching(many, 'guess'))).toEqual(always);
    expect(comparisonsOf(() => expect(matching(many, 'key 0')).toEqual(many.slice(0, 1)))).toEqual(always);
  });

  it('client tokens', () => {
    const token = signClientToken('secret', { verificationId: 'a'.repeat(26) }, 60);
    expect(comparisonsOf(() => readClientToken('another secret', token, new Date(0)))).toEqual([token.length]);
  });

  it('codes of hand-offs, also where none is offered', () => {
    const offered = { state: 'offered', number: 1, codeHash: codeHashOf('code'), expiresAt: 9 } as const;
    for (const read of [offered, { state: 'claimed', number: 1 } as const, undefined]) {
      expect(comparisonsOf(() => claimed(read, 'guess', new Date(0)))).toEqual([32]);
    }
    expect(comparisonsOf(() => claimed(offered, 'code', new Date(0)))).toEqual([32]);
  });

  it('references of attempts', () => {
    const reference = signReference('secret', 'a'.repeat(26), 1);
    expect(comparisonsOf(() => readReference('another secret', reference))).toEqual([16]);
  });
});
