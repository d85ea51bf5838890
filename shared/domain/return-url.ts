import * as z from 'zod';
import { Fault } from './fault.ts';
import type { Page } from './policy.ts';

const unreadable = 'must be an http or https URL without spaces or backslashes';

/**
 * Where the hosted capture page leads the person back to. Kept and followed as it was sent; what browsers would read
 * otherwise than it is written (spaces, control characters, a backslash) is refused.
 */
export const returnUrl = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[^\s\\]+$/i, { error: unreadable, abort: true })
  // Not in the pattern, which the document has: other languages' regular expressions know no \p{Cc}.
  .refine((url) => !/\p{Cc}/u.test(url), { error: unreadable, abort: true })
  .refine((url) => URL.canParse(url), { error: 'must be a URL', abort: true })
  .refine((url) => !hasCredentials(url), 'must not hold a user name or a password');

function hasCredentials(url: string): boolean {
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}

/** Refuses an address whose origin does not stand in the policy, letter by letter: the page would lead people anywhere. */
export function refuseUnlisted(url: string | undefined, page: Pick<Page, 'returnOrigins'> | undefined): void {
  if (url === undefined) return;
  const { origin } = new URL(url);
  if (page?.returnOrigins.includes(origin)) return;
  const message = `${origin} is not one of page.returnOrigins in the policy of this tenant`;
  throw new Fault('request_invalid', 'Ask the operator to list the origin, or send another return_url.', {
    errors: [{ field: '/return_url', message }],
  });
}
