import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signInSeconds } from '../../shared/domain/times.ts';
import { sessionCookie } from '../../shared/lambda/authenticate.ts';
import { beginAtProvider, finishAtProvider } from '../../shared/lambda/sign-in.ts';
import { identityProvider } from '../../shared/oidc.ts';
import { dynamoOperators } from '../../shared/stores/tenants/operators.ts';
import { startTables } from '../stores/table.ts';
import { startProvider } from './identity-provider.ts';

/** The console, at another site than the provider's localhost. */
const origin = 'http://127.0.0.1:4999';
const written: string[] = [];
vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
  written.push(String(line));
  return true;
});

let person = { email: 'ada@example.com', email_verified: true };
let clock = Date.now();
let tables: Awaited<ReturnType<typeof startTables>>;
let provider: Awaited<ReturnType<typeof startProvider>>;
beforeAll(async () => {
  tables = await startTables();
  provider = await startProvider(
    () => person,
    () => `${origin}/console/callback`,
  );
  await operators().invite('acme', { name: 'Ada', role: 'reviewer', email: 'Ada@example.com' });
});
afterAll(async () => {
  await provider.stop();
  await tables.stop();
});

const now = () => new Date(clock);
const operators = () => dynamoOperators({ client: tables.client, table: 'tenants', now, randomBytes });

/** The sign-in, as one function connects it. */
function deployment(clientSecret = provider.clientSecret) {
  const { issuer, clientId } = provider;
  const secret = async () => clientSecret;
  const connected = identityProvider({ issuer, clientId, clientSecret: secret, loopback: true, now, randomBytes });
  return { operators: operators(), provider: connected };
}

/** A browser that knows both sites, and keeps the cookies of each. */
function browser() {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (host: string) => jars.get(host) ?? jars.set(host, new Map()).get(host) ?? new Map<string, string>();
  const keep = (host: string, cookies: readonly string[]) => {
    for (const cookie of cookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '' || /Max-Age=0\b/.test(cookie)) jarOf(host).delete(name);
      else jarOf(host).set(name, value);
    }
  };
  const sent = (host: string) => [...jarOf(host)].map(([name, value]) => `${name}=${value}`);
  return {
    /** Cookies of the console. */
    cookies: () => sent('127.0.0.1'),
    async begin(at = deployment()) {
      const reply = await beginAtProvider({ origin }, at);
      keep('127.0.0.1', reply.cookies ?? []);
      return reply;
    },
    /** Signs in at the provider, and stands before the address that it sends the browser to. */
    async signIn(location = ''): Promise<URL> {
      let url = new URL(location);
      while (url.origin !== origin) {
        const answer = await fetch(url, { redirect: 'manual', headers: { cookie: sent('localhost').join('; ') } });
        keep('localhost', answer.headers.getSetCookie());
        const next = answer.headers.get('location');
        if (!next) throw new Error(`${answer.status} ${await answer.text()}`);
        url = new URL(next, url);
      }
      return url;
    },
    async finish(callback: URL, at = deployment(), cookies = sent('127.0.0.1')) {
      const reply = await finishAtProvider({ origin, query: Object.fromEntries(callback.searchParams), cookies }, at);
      keep('127.0.0.1', reply.cookies ?? []);
      return reply;
    },
  };
}

const sessionIn = (cookies: readonly string[] = []) =>
  cookies.find((one) => one.startsWith(`${sessionCookie}=`))?.split(/[=;]/)[1];

describe('a sign-in at an identity provider', () => {
  it('begins with PKCE, state and nonce, all different each time, and goes there by redirect', async () => {
    const [one, other] = [await browser().begin(), await browser().begin()];
    expect(one.status).toBe(302);
    const asked = new URL(one.headers.location ?? '');
    expect(asked.origin).toBe(provider.issuer);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      ...{ client_id: 'bonafide', response_type: 'code', scope: 'openid email', code_challenge_method: 'S256' },
      redirect_uri: `${origin}/console/callback`,
    });
    const others = new URL(other.headers.location ?? '').searchParams;
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(asked.searchParams.get(name)?.length).toBeGreaterThan(20);
      expect(asked.searchParams.get(name)).not.toBe(others.get(name));
    }
  });

  it('carries a short cookie that is Lax, sealed, and tells nothing', async () => {
    const { cookies: [cookie = ''] = [], headers } = await browser().begin();
    expect(cookie).toMatch(/^__Host-bonafide-sign-in=[\w-]+; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/);
    const asked = new URL(headers.location ?? '').searchParams;
    const carried = Buffer.from(cookie.split(/[=;]/)[1] ?? '', 'base64url').toString('latin1');
    for (const name of ['state', 'nonce']) expect(carried).not.toContain(asked.get(name));
    expect(signInSeconds).toBe(600);
  });

  it('ends on a page, and no redirect, with the session of the operator who was invited with the address', async () => {
    const at = browser();
    const callback = await at.signIn((await at.begin()).headers.location);
    const reply = await at.finish(callback);
    expect(reply.status).toBe(200);
    expect(reply.headers).not.toHaveProperty('location');
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(reply.headers['content-security-policy']).toMatch(/^default-src 'none'/);
    expect(reply.body).toContain('<meta http-equiv="refresh" content="0; url=/console">');
    expect(reply.cookies).toEqual([
      expect.stringMatching(/^__Host-bonafide-sign-in=; .*Max-Age=0/),
      expect.stringMatching(/^__Host-bonafide=acme_\w{12}_[\w-]{43}; .*SameSite=Strict$/),
    ]);
    const session = await operators().authenticate(sessionIn(reply.cookies));
    expect(session).toMatchObject({ tenant: { id: 'acme' }, operator: { name: 'Ada', role: 'reviewer' } });
  });

  it.each([
    ['was not invited', { email: 'eve@example.com', email_verified: true }],
    ['has not shown the provider that the address is theirs', { email: 'ada@example.com', email_verified: false }],
  ])('signs in no person who %s', async (_, other) => {
    const known = person;
    person = other;
    const at = browser();
    const reply = await at.finish(await at.signIn((await at.begin()).headers.location));
    person = known;
    expect([reply.status, sessionIn(reply.cookies)]).toEqual([403, undefined]);
    expect(reply.body).not.toContain(other.email);
  });

  it('signs in no browser but the one that began it: another’s callback is refused', async () => {
    const [attacker, victim] = [browser(), browser()];
    const callback = await attacker.signIn((await attacker.begin()).headers.location);
    await victim.begin();
    for (const cookies of [[], victim.cookies()]) {
      const reply = await victim.finish(callback, deployment(), cookies);
      expect([reply.status, sessionIn(reply.cookies)]).toEqual([403, undefined]);
    }
  });

  it.each<[string, (callback: URL) => void]>([
    ['a made-up code', (url) => url.searchParams.set('code', 'made-up')],
    ['another state', (url) => url.searchParams.set('state', 'another')],
    ['another issuer', (url) => url.searchParams.set('iss', 'https://evil.example')],
    ['a refusal', (url) => url.searchParams.set('error', 'access_denied')],
  ])('refuses %s', async (_, change) => {
    const at = browser();
    const callback = await at.signIn((await at.begin()).headers.location);
    change(callback);
    const reply = await at.finish(callback);
    expect([reply.status, sessionIn(reply.cookies)]).toEqual([403, undefined]);
  });

  it('works once: the code is spent', async () => {
    const at = browser();
    const callback = await at.signIn((await at.begin()).headers.location);
    const carried = at.cookies();
    expect((await at.finish(callback)).status).toBe(200);
    expect((await at.finish(callback, deployment(), carried)).status).toBe(403);
  });

  it('is over after ten minutes, and a cookie that was changed is none', async () => {
    const at = browser();
    const callback = await at.signIn((await at.begin()).headers.location);
    const carried = at.cookies();
    const changed = carried.map((one) => `${one.slice(0, -6)}AAAAAA`);
    expect((await at.finish(callback, deployment(), changed)).status).toBe(403);
    clock += signInSeconds * 1000;
    expect((await at.finish(callback, deployment(), carried)).status).toBe(403);
    clock -= signInSeconds * 1000;
    expect((await at.finish(callback, deployment(), carried)).status).toBe(200);
  });

  it('fails with another client secret, and no log has a code, a token or an address', async () => {
    const at = browser();
    const wrong = deployment('not the secret');
    const callback = await at.signIn((await at.begin(wrong)).headers.location);
    written.splice(0);
    const reply = await at.finish(callback, wrong);
    expect(reply.status).toBe(403);
    const logged = written.join('');
    expect(logged).toContain('sign-in.failed');
    for (const told of [callback.searchParams.get('code') ?? '?', 'ada@', 'not the secret', ...at.cookies()]) {
      expect(logged).not.toContain(told);
    }
  });

  it('of a deployment that names no provider is no address', async () => {
    const none = { operators: operators() };
    await expect(beginAtProvider({ origin }, none)).rejects.toMatchObject({ code: 'route_unknown' });
    await expect(finishAtProvider({ origin, query: {}, cookies: [] }, none)).rejects.toMatchObject({
      code: 'route_unknown',
    });
  });
});
