import { describe, expect, it } from 'vitest';
import { refuseUnlisted, returnUrl } from '../../shared/domain/return-url.ts';

const page = { returnOrigins: ['https://shop.example', 'http://localhost:3000'] };

/** What becomes of an address under the policy: taken as it was sent, or why not. */
function taken(url: string): string | undefined {
  const { data, error } = returnUrl.safeParse(url);
  if (data === undefined) return error?.issues.map(({ message }) => message).join();
  try {
    refuseUnlisted(data, page);
    return data;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a return_url', () => {
  it.each([
    'https://shop.example',
    'https://shop.example/done?visit=7&next=https%3A%2F%2Fevil.example#end',
    'HTTPS://SHOP.EXAMPLE:443/done',
    'http://localhost:3000/',
    'https://shop.example/a@b',
    'https://shop.example/%0d%0aset-cookie',
    'https://shop.example/?q=\'"><script>alert(1)</script>',
  ])('is taken as it was sent: %s', (url) => {
    expect(taken(url)).toBe(url);
  });

  it.each([
    'https://evil.example/',
    'https://shop.example.evil.example/',
    'https://shop.example:444/',
    'http://shop.example/',
    'http://localhost:3001/',
    'http://localhost/',
    'https://sub.shop.example/',
    'https://evil.example/#https://shop.example',
    'https://evil.example/?https://shop.example',
    'https://shop.example./',
    'https://ѕhop.example/',
  ])('is refused where its origin is not listed, letter by letter: %s', (url) => {
    expect(taken(url)).toBe('request_invalid');
  });

  it.each([
    ['javascript:alert(1)', 'must be an http or https URL without spaces or backslashes'],
    [' https://shop.example', 'must be an http or https URL without spaces or backslashes'],
    ['java\nscript:alert(1)', 'must be an http or https URL without spaces or backslashes'],
    ['data:text/html,<script>alert(1)</script>', 'must be an http or https URL without spaces or backslashes'],
    ['https:shop.example', 'must be an http or https URL without spaces or backslashes'],
    ['//shop.example', 'must be an http or https URL without spaces or backslashes'],
    ['/done', 'must be an http or https URL without spaces or backslashes'],
    ['', 'must be an http or https URL without spaces or backslashes'],
    ['https://shop.example\\@evil.example', 'must be an http or https URL without spaces or backslashes'],
    ['https://shop.example/\tx', 'must be an http or https URL without spaces or backslashes'],
    ['https://shop.example/\u0000', 'must be an http or https URL without spaces or backslashes'],
    ['https://', 'must be an http or https URL without spaces or backslashes'],
    ['https://[', 'must be a URL'],
    ['https://shop.example:99999/', 'must be a URL'],
    ['https://shop.example@evil.example/', 'must not hold a user name or a password'],
    ['https://ada:secret@shop.example/', 'must not hold a user name or a password'],
    ['https://:secret@shop.example/', 'must not hold a user name or a password'],
    [`https://shop.example/${'a'.repeat(2048)}`, 'Too big: expected string to have <=2048 characters'],
  ])('is refused in words: %j', (url, message) => {
    expect(taken(url)).toBe(message);
  });

  it('says which origin, and nothing of the address behind it', () => {
    const refuse = () => refuseUnlisted('https://evil.example/token-of-a-person', page);
    expect(refuse).toThrow('Ask the operator to list the origin');
    try {
      refuse();
    } catch (error) {
      expect(error).toMatchObject({ status: 422, errors: [{ field: '/return_url' }] });
      expect(JSON.stringify(error)).not.toContain('token-of-a-person');
    }
  });

  it('leads nowhere where the policy lists nothing', () => {
    expect(() => refuseUnlisted('https://shop.example/', undefined)).toThrow();
    expect(() => refuseUnlisted('https://shop.example/', { returnOrigins: [] })).toThrow();
    expect(() => refuseUnlisted(undefined, undefined)).not.toThrow();
  });
});
