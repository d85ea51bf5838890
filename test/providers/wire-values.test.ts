import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { looseNumber, looseProbability } from '../../shared/providers/wire-values.ts';

describe('A number of a vendor’s', () => {
  it.each([
    [1, 1],
    ['0.97', 0.97],
    [' 97 ', 97],
    ['.5', 0.5],
    ['-1e-3', -0.001],
    [1e-200, 0],
    ['1e-200', 0],
    [-5e-324, 0],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])('may be %j', (given, read) => {
    const parsed = looseNumber.parse(given);
    expect(parsed).toBeCloseTo(read, 12);
    expect(() => marshall({ parsed })).not.toThrow();
  });

  it.each([
    1e20,
    '1e20',
    '12345678901234567890',
    1e300,
    '1e999',
    JSON.parse('1e999'),
    Number.NaN,
    '',
    'one',
    '0x10',
    '1,5',
  ])('is not %j, which no table keeps or no reader understands', (given) => {
    expect(looseNumber.safeParse(given).success).toBe(false);
  });

  it('as a probability is from 0 to 1, however small', () => {
    expect(looseProbability.parse('4.5e-200')).toBe(0);
    for (const given of [-0.1, 1.1, '2']) expect(looseProbability.safeParse(given).success).toBe(false);
  });
});
