import { Fault } from '../domain/fault.ts';
import type { Operators } from '../domain/ports.ts';
import { signInSeconds } from '../domain/times.ts';
import { cookieNamed, cookieOf, sessionBegun } from './authenticate.ts';
import type { PageReply, Request } from './http.ts';
import { log } from './log.ts';

/** An identity provider, as `shared/oidc.ts` connects to one. */
export interface SignInProvider {
  /** Where the browser goes, and what it carries until it comes back. */
  readonly begin: (origin: string) => Promise<{ readonly url: string; readonly carried: string }>;
  /** The verified address of the person who comes back; undefined where this browser began no sign-in. */
  readonly finish: (
    origin: string,
    query: Readonly<Record<string, unknown>>,
    carried: string | undefined,
  ) => Promise<string | undefined>;
}

interface SigningIn {
  readonly operators: Pick<Operators, 'signIn'>;
  /** Absent where the deployment names none. */
  readonly provider?: SignInProvider | undefined;
}

/** Lax: the browser brings it back from the provider's site, where Strict would leave it out. */
const carriedCookie = '__Host-bonafide-sign-in';
const carriedEnded = cookieOf(carriedCookie, '', 'Lax', 0);

/** On to the identity provider. */
export async function beginAtProvider(
  { origin }: Pick<Request<'GET /console/sign-in'>, 'origin'>,
  { provider }: SigningIn,
): Promise<PageReply> {
  if (!provider) throw noProvider();
  const { url, carried } = await provider.begin(origin);
  const cookies = [cookieOf(carriedCookie, carried, 'Lax', signInSeconds)];
  return { status: 302, headers: { ...pageHeaders, location: url }, body: '', cookies };
}

/**
 * Back from it. The answer is a page that goes on to the console by itself and no redirect: a browser that follows one
 * from another site leaves a Strict cookie out, and the console would ask to sign in again.
 */
export async function finishAtProvider(
  { origin, query, cookies }: Pick<Request<'GET /console/callback'>, 'origin' | 'query' | 'cookies'>,
  { operators, provider }: SigningIn,
): Promise<PageReply> {
  if (!provider) throw noProvider();
  const email = await provider.finish(origin, query, cookieNamed(carriedCookie, cookies)).catch((error: unknown) => {
    log.error('sign-in.failed', error); // a wrong secret, an issuer that is down, or an answer that was made up
    return undefined;
  });
  const session = email === undefined ? undefined : await operators.signIn(email);
  if (!session) return { status: 403, headers: pageHeaders, body: notSignedIn, cookies: [carriedEnded] };
  return {
    status: 200,
    headers: pageHeaders,
    body: signedIn,
    cookies: [carriedEnded, sessionBegun(session.token)],
  };
}

const noProvider = () => new Fault('route_unknown', 'This deployment has no identity provider: ask for an invitation.');

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const page = (head: string, text: string) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Bonafide console</title>${head}</head><body><p>${text} <a href="/console">Console</a></p></body></html>`;

const signedIn = page('<meta http-equiv="refresh" content="0; url=/console">', 'You are signed in.');
const notSignedIn = page(
  '',
  'You are not signed in. Begin again, or ask the operator of this deployment to invite the address you used.',
);
