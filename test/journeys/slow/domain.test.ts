import { execFileSync } from 'node:child_process';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { portrait } from '../../../tools/samples.ts';
import { newSourceId } from '../client.ts';
import { type RunningStack, remove, startLocalStack } from '../local-stack.ts';

/* A deployment with a domain: requests name it in `Host`, as they do when DNS has led them to API Gateway. */

const domain = 'verify.example';
const origin = `https://${domain}`;
const context = { domain, certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d' };

let running: RunningStack;

beforeAll(async () => {
  running = await startLocalStack(undefined, { context });
});
afterAll(async () => {
  await running.stop();
  remove(running.dataDirectory);
});

interface Asked {
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** API Gateway is reached by https alone, and says so. */
function call(method: string, path: string, { host = domain, headers = {}, body }: Asked = {}) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const asked = request(`${running.url}${path}`, { method, headers: { host, ...json, ...headers } });
    asked.on('response', async (answer) => {
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) });
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

it('is reached, linked to and uploaded from under its domain, and under no other address', async () => {
  const key = { 'x-api-key': running.apiKey };
  const sourceId = newSourceId();
  const asked = { source_id: sourceId, check: 'spoof_detect', captures: { selfie: { content_type: 'image/jpeg' } } };
  const made = await call('POST', '/verifications', { headers: key, body: asked });
  expect(made.status).toBe(201);
  const view = JSON.parse(made.text);
  expect(view.capture_url).toBe(`${origin}/capture/demo/${sourceId}`);

  const bearer = { authorization: `Bearer ${view.client_token}` };
  const handedOff = await call('POST', `/verifications/${sourceId}/hand-off`, { headers: bearer });
  expect(JSON.parse(handedOff.text).hand_off_url.split('#')[0]).toBe(view.capture_url);

  for (const host of ['abc123.execute-api.us-east-1.amazonaws.com', new URL(running.url).host]) {
    expect((await call('GET', `/verifications/${sourceId}`, { host, headers: key })).status).toBe(403);
  }

  const page = await call('GET', new URL(view.capture_url).pathname);
  expect(page.status).toBe(200);
  const policy = String(page.headers['content-security-policy']);
  expect(policy).toMatch(/connect-src 'self' http/); // itself, and the bucket
  expect(policy).not.toContain('execute-api');

  const { url, headers } = view.uploads.selfie.put;
  const allowedFor = async (from: string) => {
    const asks = {
      origin: from,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'content-type',
    };
    return (await fetch(url, { method: 'OPTIONS', headers: asks })).headers.get('access-control-allow-origin');
  };
  expect(await allowedFor(origin)).toBe(origin);
  expect(await allowedFor('https://abc123.execute-api.us-east-1.amazonaws.com')).toBe(null);
  expect((await fetch(url, { method: 'PUT', headers, body: await portrait() })).ok).toBe(true);

  const read = async () =>
    JSON.parse((await call('GET', `/verifications/${sourceId}?wait=10`, { headers: bearer })).text);
  await expect.poll(async () => (await read()).state).toBe('decided');
});

it('lets operators in from its own pages alone, with a cookie of its own', async () => {
  const env = { ...process.env, BONAFIDE_DATA: running.dataDirectory };
  const words = ['operator', 'invite', 'demo', 'reviewer', 'Ada'];
  const printed = execFileSync(process.execPath, ['tools/admin.ts', ...words], { env, encoding: 'utf8' });
  const [, code] = /#i_(\S+)/.exec(printed) ?? [];
  const signIn = (from: string) => call('POST', '/console/session', { headers: { origin: from }, body: { code } });

  const strange = await signIn('https://abc123.execute-api.us-east-1.amazonaws.com');
  expect([strange.status, JSON.parse(strange.text).code]).toEqual([403, 'origin_forbidden']);
  const own = await signIn(origin);
  expect(own.status).toBe(201);
  const [cookie] = [own.headers['set-cookie'] ?? []].flat();
  expect(cookie).toMatch(/^__Host-bonafide=.*; Path=\/; .*Secure; HttpOnly; SameSite=Strict$/);
  expect(cookie).not.toMatch(/Domain=/i);
  const session = await call('GET', '/console/session', { headers: { cookie: cookie?.split(';')[0] ?? '' } });
  expect(JSON.parse(session.text)).toMatchObject({ tenant: 'demo', operator: { name: 'Ada' } });
});
