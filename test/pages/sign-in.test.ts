import { execFileSync } from 'node:child_process';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProvider } from '../console/identity-provider.ts';
import { freePort, type RunningStack, remove, startLocalStack } from '../journeys/local-stack.ts';
import { openBrowser } from './browser.ts';

/* An operator comes back from an identity provider of another site, in a browser that keeps its rules about cookies. */

const secretArn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:oidc-AbCdEf';
let running: RunningStack;
let provider: Awaited<ReturnType<typeof startProvider>>;
let browser: Browser;
let person = { email: 'ada@example.com', email_verified: true };

beforeAll(async () => {
  const port = await freePort();
  provider = await startProvider(
    () => person,
    () => `http://127.0.0.1:${port}/console/callback`,
  );
  const context = { oidcIssuer: provider.issuer, oidcClientId: provider.clientId, oidcClientSecret: secretArn };
  running = await startLocalStack(undefined, { port, context });
  const { environment } = running.stack;
  const secrets = new SecretsManagerClient({
    region: environment.AWS_REGION,
    credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
    endpoint: environment.AWS_ENDPOINT_URL_SECRETS_MANAGER,
  });
  await secrets.send(new CreateSecretCommand({ Name: secretArn, SecretString: provider.clientSecret }));
  const invite = ['operator', 'invite', 'demo', 'reviewer', 'Ada', '--email', 'ada@example.com'];
  execFileSync(process.execPath, ['tools/admin.ts', ...invite], {
    env: { ...process.env, BONAFIDE_DATA: running.dataDirectory },
  });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await running?.stop();
  if (running) remove(running.dataDirectory);
  await provider?.stop();
});

const sessionIn = async (context: BrowserContext) => {
  const page = await context.newPage();
  await page.goto(`${running.url}/console`);
  const status = await page.evaluate(async () => (await fetch('/console/session')).status);
  await page.close();
  return status;
};

/** Leaves for the provider, and comes back. */
async function signIn(context: BrowserContext) {
  const page = await context.newPage();
  const statuses: [string, number][] = [];
  page.on('response', (response) => {
    const { origin, pathname } = new URL(response.url());
    if (origin === running.url) statuses.push([pathname, response.status()]);
  });
  await page.goto(`${running.url}/console/sign-in`);
  return { page, statuses };
}

describe('a sign-in at a provider of another site', () => {
  it('comes back by a page and not by a redirect, and the console has the session from then on', async () => {
    const context = await browser.newContext();
    const { page, statuses } = await signIn(context);
    await page.waitForURL(`${running.url}/console`);
    expect(statuses).toContainEqual(['/console/sign-in', 302]);
    expect(statuses).toContainEqual(['/console/callback', 200]);
    const seen = await page.evaluate(async () => {
      const session = await fetch('/console/session');
      return { status: session.status, body: await session.json(), cookies: document.cookie };
    });
    expect(seen).toMatchObject({ status: 200, body: { tenant: 'demo', operator: { name: 'Ada' } }, cookies: '' });
    const kept = await context.cookies(running.url);
    expect(kept.map(({ name, sameSite, httpOnly, secure }) => ({ name, sameSite, httpOnly, secure }))).toEqual([
      { name: '__Host-bonafide', sameSite: 'Strict', httpOnly: true, secure: true },
    ]);
    await context.close();
  });

  it('gives a page of the provider’s site nothing: neither by what it sends nor by what it reads', async () => {
    const context = await browser.newContext();
    const { page } = await signIn(context);
    await page.waitForURL(`${running.url}/console`);
    const evil = await context.newPage();
    await evil.goto(`${provider.issuer}/.well-known/openid-configuration`);
    const read = await evil.evaluate(async (url) => {
      await fetch(`${url}/console/session`, { method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(
        () => {},
      );
      const signOut = { method: 'DELETE', credentials: 'include' } as const;
      await fetch(`${url}/console/session`, signOut).catch(() => {});
      const session = fetch(`${url}/console/session`, { credentials: 'include' });
      return session.then(
        () => 'read',
        () => 'refused',
      );
    }, running.url);
    expect(read).toBe('refused');
    expect(await sessionIn(context)).toBe(200);
    await context.close();
  });

  it('is none of a person who was not invited, who is told so calmly', async () => {
    person = { email: 'eve@example.com', email_verified: true };
    const context = await browser.newContext();
    const { page, statuses } = await signIn(context);
    expect(statuses).toContainEqual(['/console/callback', 403]);
    expect(await page.textContent('body')).toContain('You are not signed in.');
    expect(await sessionIn(context)).toBe(401);
    await context.close();
    person = { email: 'ada@example.com', email_verified: true };
  });
});
