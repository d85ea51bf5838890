import { execFileSync } from 'node:child_process';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import type { consoleVerificationView, lookView } from '../../shared/api/console.ts';
import { routes } from '../../shared/api/operations.ts';
import { presignable } from '../../shared/stores/captures.ts';
import { portrait } from '../../tools/samples.ts';
import { type Client, clientOf, newSourceId, put } from './client.ts';
import { declared } from './declared.ts';
import { type RunningStack, remove, startLocalStack } from './local-stack.ts';
import { everythingKept, searchFor } from './remains.ts';

/* Operators, over HTTP, as the page of the console calls it: a browser with its cookie, and who is none. */

let running: RunningStack;
let client: Client;
let face: Uint8Array;
let reviewer: Browser;
let viewer: Browser;
let stranger: Browser;
/** Decided by the engine, and errored by the sandbox: its captures are kept for a day. */
let decided: string;
let errored: string;

beforeAll(async () => {
  running = await startLocalStack();
  client = clientOf(running);
  face = await portrait();
  admin('tenant', 'create', 'other');
  reviewer = await signedIn('demo', 'reviewer', 'Ada');
  viewer = await signedIn('demo', 'viewer', 'Bob');
  stranger = await signedIn('other', 'reviewer', 'Eve');
  decided = newSourceId();
  errored = `${newSourceId()}.sandbox-fault-provider_refused`;
  await put(await client.request(decided), face);
  await put(await client.request(errored, { provider: 'sandbox' }), face);
  await client.verdict(decided);
  await client.verdict(errored);
});
afterAll(async () => {
  await running.stop();
  remove(running.dataDirectory);
});

function admin(...words: readonly string[]): string {
  return execFileSync(process.execPath, ['tools/admin.ts', ...words], {
    env: { ...process.env, BONAFIDE_DATA: running.dataDirectory },
    encoding: 'utf8',
  });
}

const invited = (tenant: string, role: string, name: string) => {
  const printed = admin('operator', 'invite', tenant, role, name);
  const [, id = ''] = /^operator (\S+)/.exec(printed) ?? [];
  const [link = '', code = ''] = /\S+\/console#i_(\S+)/.exec(printed) ?? [];
  return { id, link, code };
};

/** What a page of the console asks with, and what it was answered. */
type Browser = Awaited<ReturnType<typeof signedIn>>;

async function signedIn(tenant: string, role: string, name: string) {
  const { id, code } = invited(tenant, role, name);
  const answer = await spend(code);
  const [cookie = ''] = answer.headers.getSetCookie();
  return { id, cookie, ...calling(cookie.split(';')[0] ?? '') };
}

const spend = (code: string, origin = running.url) =>
  fetch(`${running.url}/console/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ code }),
  });

function calling(cookie: string) {
  const call = async (method: string, path: string, body?: unknown, origin: string | undefined = running.url) => {
    const answer = await fetch(`${running.url}${path}`, {
      method,
      headers: { cookie, 'content-type': 'application/json', ...(origin && { origin }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const read = { status: answer.status, body: text ? JSON.parse(text) : undefined };
    declared(method, path, read);
    return { ...read, headers: answer.headers };
  };
  return { call };
}

describe('an invitation', () => {
  it('is not spent by what opens its link, and works once when it is pressed', async () => {
    const { link, code } = invited('demo', 'viewer', 'Cy');
    for (let opened = 0; opened < 2; opened += 1) await fetch(link); // as previews of messengers do: no fragment is sent
    const first = await spend(code);
    expect(first.status).toBe(201);
    expect(await first.json()).toMatchObject({ tenant: 'demo', operator: { name: 'Cy', role: 'viewer' } });
    const second = await spend(code);
    expect([second.status, await second.json()]).toMatchObject([410, { code: 'invitation_invalid' }]);
  });

  it('is not spent from another site, not even from one that may call the API', async () => {
    const { code } = invited('demo', 'viewer', 'Di');
    const answer = await spend(code, 'http://localhost:5173');
    expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'origin_forbidden' }]);
    expect((await spend(code)).status).toBe(201);
  });
});

describe('a session', () => {
  it('is a cookie that no script and no other site has', () => {
    expect(reviewer.cookie).toMatch(
      /^__Host-bonafide=demo_\w{12}_[\w-]{43}; Path=\/; Max-Age=28800; Secure; HttpOnly; SameSite=Strict$/,
    );
  });

  it('says who is signed in, and ends when the operator signs out', async () => {
    const { call, id } = await signedIn('demo', 'viewer', 'Flo');
    const { status, body } = await call('GET', '/console/session');
    expect([status, body.operator]).toEqual([200, { id, name: 'Flo', role: 'viewer' }]);
    const out = await call('DELETE', '/console/session');
    expect([out.body, out.headers.getSetCookie()[0]]).toEqual([
      { signed_out: true },
      expect.stringContaining('Max-Age=0'),
    ]);
    expect(await call('GET', '/console/session')).toMatchObject({ status: 401, body: { code: 'session_invalid' } });
  });

  it('is over with the operator at once', async () => {
    const { call, id } = await signedIn('demo', 'viewer', 'Gil');
    expect(admin('operator', 'list', 'demo')).toContain(`${id}  viewer    Gil`);
    admin('operator', 'revoke', 'demo', id);
    expect(await call('GET', '/console/verifications?state=all')).toMatchObject({ status: 401 });
    expect(admin('operator', 'list', 'demo')).toMatch(new RegExp(`${id}  viewer    Gil  revoked`));
  });

  it('of none is what everything but the sign-in refuses', async () => {
    const { call } = calling('');
    expect(await call('GET', '/console/settings')).toMatchObject({ status: 200, body: { oidc: false } });
    for (const route of routes) {
      const { method, path, callers } = route;
      if (!callers.some((one) => one === 'operator')) continue;
      const { status, body } = await call(method, path.replace('{source_id}', decided), bodyOf(route));
      expect([method, path, status, body.code]).toEqual([method, path, 401, 'session_invalid']);
    }
  });
});

/** What a route takes, so that nothing but who calls is wrong. */
function bodyOf({ method, path }: { readonly method: string; readonly path: string }): unknown {
  if (method !== 'POST') return undefined;
  if (path.endsWith('/review')) return { sequence: 1, outcome: 'passed', reason: 'x' };
  if (path.endsWith('/looks')) return { capture: 'selfie' };
  return undefined;
}

const ofVerifications = routes.filter(({ path }) => path.startsWith('/console/verifications/{source_id}'));
const writes = routes.filter(({ path, method }) => path.startsWith('/console/') && method !== 'GET');

describe('what an operator may not', () => {
  it.each(ofVerifications.map((route) => [route.key, route] as const))(
    '%s of another tenant: 404',
    async (_, route) => {
      const answer = await stranger.call(route.method, route.path.replace('{source_id}', decided), bodyOf(route));
      expect([answer.status, answer.body.code]).toEqual([404, 'verification_unknown']);
    },
  );

  it('see anything of another tenant in lists', async () => {
    const { body } = await stranger.call('GET', '/console/verifications?state=all');
    const { body: outcomes } = await stranger.call('GET', '/console/outcomes');
    expect([body.verifications, outcomes.outcomes]).toEqual([[], []]);
  });

  it.each(ofVerifications.filter(({ role }) => role === 'reviewer').map((route) => [route.key, route] as const))(
    '%s as a viewer: 403',
    async (_, route) => {
      const answer = await viewer.call(route.method, route.path.replace('{source_id}', decided), bodyOf(route));
      expect([answer.status, answer.body.code]).toEqual([403, 'operator_forbidden']);
    },
  );

  it.each(writes.map((route) => [route.key, route] as const))(
    '%s from another site, whatever origins may call the API: 403, and no credentials',
    async (_, route) => {
      const { method, path } = route;
      for (const origin of ['http://localhost', 'http://localhost:5173', 'https://evil.example', 'null']) {
        const at = path.replace('{source_id}', decided);
        const { status, body, headers } = await reviewer.call(method, at, bodyOf(route), origin);
        expect([origin, status, body.code]).toEqual([origin, 403, 'origin_forbidden']);
        expect(headers.get('access-control-allow-credentials')).toBeNull();
      }
      expect((await reviewer.call('GET', '/console/session')).status).toBe(200);
    },
  );
});

describe('an operator', () => {
  it('finds verifications by state, and sees one whole', async () => {
    const { body } = await viewer.call('GET', '/console/verifications?state=decided&outcome=passed&limit=100');
    expect(body.verifications.map((row: { source_id: string }) => row.source_id)).toContain(decided);
    const one = await viewer.call('GET', `/console/verifications/${errored}`);
    const { verification, history, captures } = one.body as z.infer<typeof consoleVerificationView>;
    expect(verification).toMatchObject({
      state: 'errored',
      fault: 'provider_refused',
      attempts: [{ provider: 'sandbox' }],
    });
    expect(history.at(-1)).toMatchObject({ state: 'errored' });
    const capture = { name: 'selfie', round: 1, content_type: 'image/jpeg', bytes: face.byteLength };
    expect(captures).toEqual([expect.objectContaining(capture)]);
    const done = await viewer.call('GET', `/console/verifications/${decided}`);
    expect(done.body.captures).toEqual([]); // deleted with the decision
  });

  it('sees which providers are not asked', async () => {
    const { body } = await viewer.call('GET', '/console/breakers');
    expect(body.breakers).toEqual([{ provider: 'builtin', state: 'closed' }]);
  });

  it('sees what was decided and errored, and then only what is newer', async () => {
    const told = async (after = '') => (await viewer.call('GET', `/console/outcomes${after}`)).body;
    await expect.poll(async () => (await told()).outcomes.length).toBe(2);
    const { outcomes, cursor } = await told();
    expect(outcomes).toContainEqual(
      expect.objectContaining({ outcome: 'passed', provider: 'builtin', check: 'spoof_detect', reasons: [] }),
    );
    expect(outcomes).toContainEqual(
      expect.objectContaining({ outcome: 'errored', provider: 'sandbox', fault: 'provider_refused' }),
    );
    for (const { seconds } of outcomes) expect(seconds).toBeGreaterThan(0);
    const sourceId = newSourceId();
    await put(await client.request(sourceId), face);
    await client.verdict(sourceId);
    const known = new Set(outcomes.map(({ id }: { id: string }) => id));
    const newer = async () => {
      const { outcomes: again } = await told(`?after=${cursor}`);
      return again.filter(({ id }: { id: string }) => !known.has(id));
    };
    await expect.poll(async () => (await newer()).length).toBe(1);
    expect(JSON.stringify(await told())).not.toContain(sourceId);
    expect((await viewer.call('GET', '/console/outcomes?after=made-up')).status).toBe(422);
  });

  it('retries what errored', async () => {
    const sourceId = `${newSourceId()}.sandbox-fault-provider_refused`;
    await put(await client.request(sourceId, { provider: 'sandbox' }), face);
    await client.verdict(sourceId);
    const { status, body } = await reviewer.call('POST', `/console/verifications/${sourceId}/retry`);
    expect([status, body.state]).toEqual([202, 'queued']);
    await expect.poll(async () => (await client.read(sourceId)).attempts.length).toBe(2);
  });

  it('puts a verdict right, under the operator’s own name and id', async () => {
    const { sequence } = await client.read(decided);
    const review = { sequence, outcome: 'failed', reason: 'A mask <b>of</b> paper' };
    const named = await reviewer.call('POST', `/console/verifications/${decided}/review`, {
      ...review,
      reviewer: 'Eve',
    });
    expect([named.status, named.body.code]).toEqual([422, 'request_invalid']);
    const { status, body } = await reviewer.call('POST', `/console/verifications/${decided}/review`, review);
    expect([status, body.review]).toEqual([200, { ...review, reviewer: `Ada (${reviewer.id})` }]);
    expect((await client.read(decided)).verdict).toMatchObject({ outcome: 'failed', provider: 'review' });
  });
});

describe('a look at a capture', () => {
  const look = async (by: Browser, sourceId: string) =>
    by.call('POST', `/console/verifications/${sourceId}/looks`, { capture: 'selfie' });

  it('gives a reviewer the bytes for a minute, to no cache, and is written down', async () => {
    const { status, body } = await look(reviewer, errored);
    const { url, expires_at, content_type } = body as z.infer<typeof lookView>;
    expect([status, content_type]).toEqual([201, 'image/jpeg']);
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('60');
    expect(new URL(url).searchParams.get('versionId')).toMatch(/./);
    expect(Date.parse(expires_at) - Date.now()).toBeLessThanOrEqual(60_000);
    const capture = await fetch(url);
    expect(capture.headers.get('cache-control')).toBe('no-store');
    expect(Buffer.from(await capture.arrayBuffer()).equals(Buffer.from(face))).toBe(true);
    const { body: listed } = await viewer.call('GET', `/console/verifications/${errored}/looks`);
    expect(listed.looks).toEqual([
      { at: expect.any(String), operator: `Ada (${reviewer.id})`, capture: 'selfie', round: 1 },
    ]);
  });

  it('is none where a viewer asks, or the capture is gone', async () => {
    expect((await look(viewer, errored)).body.code).toBe('operator_forbidden');
    const { status, body } = await look(reviewer, decided);
    expect([status, body.code]).toEqual([409, 'captures_gone']);
    const { body: listed } = await viewer.call('GET', `/console/verifications/${decided}/looks`);
    expect(listed.looks).toEqual([]);
  });

  it('is known after an erasure, which leaves nothing else of the person', async () => {
    const sourceId = `person-491701234567.${newSourceId()}.sandbox-fault-provider_refused`;
    await put(await client.request(sourceId, { provider: 'sandbox', metadata: { name: 'Maximiliane' } }), face);
    await client.verdict(sourceId);
    await look(reviewer, sourceId);
    const { status, body } = await reviewer.call('DELETE', `/console/verifications/${sourceId}`);
    expect([status, body.state]).toEqual([200, 'erased']);
    expect((await look(reviewer, sourceId)).body.code).toBe('captures_gone');
    const { body: listed } = await viewer.call('GET', `/console/verifications/${sourceId}/looks`);
    expect(listed.looks).toHaveLength(1);
    const left = searchFor({ captures: [], texts: ['491701234567', 'Maximiliane'] });
    await expect.poll(async () => left(await everythingKept(stores()))).toEqual([]);
  });
});

function stores() {
  const { environment, outputs } = running.stack;
  const config = {
    region: environment.AWS_REGION,
    credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
  };
  return {
    dynamodb: new DynamoDBClient({ ...config, endpoint: environment.AWS_ENDPOINT_URL_DYNAMODB }),
    s3: new S3Client({ ...config, ...presignable, endpoint: environment.AWS_ENDPOINT_URL_S3, forcePathStyle: true }),
    bucket: outputs.CapturesBucket,
    sqs: new SQSClient({ ...config, endpoint: environment.AWS_ENDPOINT_URL_SQS }),
    written: () => running.written(),
  };
}

it('no log has the code of an invitation, what opens a session, or the address of a capture', async () => {
  const { code } = invited('demo', 'reviewer', 'Zoe');
  const cookie = (await spend(code)).headers.getSetCookie()[0]?.split(/[=;]/)[1] ?? '?';
  const { call } = calling(`__Host-bonafide=${cookie}`);
  const { body } = await call('POST', `/console/verifications/${errored}/looks`, { capture: 'selfie' });
  const written = running.written();
  for (const told of [code, cookie, cookie.slice(-43), new URL(body.url).searchParams.get('X-Amz-Signature') ?? '?']) {
    expect(told.length).toBeGreaterThan(40);
    expect(written).not.toContain(told);
  }
});
