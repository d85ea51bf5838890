// Users for tests, in place of the stand-in that docs/integrate.md shows: known by the cookie `user`; outcomes go to a file.
import { appendFileSync } from 'node:fs';

const users = new Map();

/** Express has a plain object of headers, Next.js a Headers. */
export async function userOf({ headers }) {
  const cookie = typeof headers.get === 'function' ? headers.get('cookie') : headers.cookie;
  const [, name] = /(?:^|; )user=([\w-]+)/.exec(cookie ?? '') ?? [];
  if (name === undefined) return undefined;
  if (!users.has(name)) users.set(name, { verification: `onboarding-${name}` });
  return users.get(name);
}

export async function renewVerification(user) {
  user.verification += '-again';
  return user.verification;
}

export async function recordOutcome(sourceId, outcome) {
  appendFileSync(process.env.OUTCOMES, `${sourceId} ${outcome}\n`);
}
