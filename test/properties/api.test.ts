import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import { jsonObject, readJson, sameJson } from './json.ts';
import { readPolicy, type ServedApi, serveApi } from './served-api.ts';

let api: ServedApi;
beforeAll(async () => {
  api = await serveApi();
});
afterAll(() => api.stop());

interface Call {
  readonly method: string;
  readonly path: string;
  /** JSON text, or a value to write as JSON. */
  readonly body?: unknown;
  /** The tenant's key unless said otherwise. */
  readonly headers?: Record<string, string>;
}

async function send({ method, path, body, headers = { 'x-api-key': api.apiKey } }: Call) {
  const answer = await fetch(api.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

let sources = 0;
const selfie = { selfie: { content_type: 'image/jpeg' } };
const good = () => ({ source_id: `property-${++sources}`, check: 'spoof_detect', captures: selfie });
const problem = z.object({ errors: z.array(z.object({ field: z.string() })) });
const view = z.object({ metadata: z.unknown() });
const largestBodyBytes = 16 * 1024;

/** `kept`, `refused`, or what was wrong with the answer. `metadata` is JSON text and sent as it is. */
async function outcomeOf(metadata: string): Promise<string> {
  const request = good();
  const body = `${JSON.stringify(request).slice(0, -1)},"metadata":${metadata}}`;
  const created = await send({ method: 'POST', path: '/verifications', body });
  if (created.status === 413 && Buffer.byteLength(body) > largestBodyBytes) return 'refused';
  if (created.status === 422) {
    const fields = problem.parse(JSON.parse(created.text)).errors.map(({ field }) => field);
    return fields.length > 0 && fields.every((field) => /^\/?metadata\b/.test(field))
      ? 'refused'
      : `names ${fields.join(', ')}`;
  }
  if (created.status !== 201) return `POST is answered ${created.status}: ${created.text}`;
  const read = await send({ method: 'GET', path: `/verifications/${request.source_id}` });
  if (read.status !== 200) return `GET is answered ${read.status}: ${read.text}`;
  return sameJson(view.parse(readJson(read.text)).metadata, readJson(metadata)) ? 'kept' : `comes back in ${read.text}`;
}

describe('metadata', () => {
  it('of any JSON comes back equal or is 422 naming the field: 10,000 random values', async () => {
    const counts = { kept: 0, refused: 0, values: 0 };
    await fc.assert(
      fc.asyncProperty(jsonObject, async (metadata) => {
        const outcome = await outcomeOf(metadata);
        expect(['kept', 'refused']).toContain(outcome);
        counts[outcome === 'kept' ? 'kept' : 'refused'] += 1;
        counts.values += Object.keys(JSON.parse(metadata)).length;
      }),
      { numRuns: 2700, seed: 1 },
    );
    expect(counts.values).toBeGreaterThanOrEqual(10_000);
    expect(counts.kept).toBeGreaterThan(500); // refusing everything would be no answer
    expect(counts.refused).toBeGreaterThan(50);
  });

  const nested = (depth: number, [open, close]: readonly [string, string]) =>
    open.repeat(depth) + 1 + close.repeat(depth);
  it.each([
    ...['1234567890123456789', '1e200', '1e-200', '1e400', `1${'0'.repeat(30)}`, '7'.repeat(40), '-0.0', '1.50'],
    ...['"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '""', '{"":{"":""}}', '{"__proto__":{"a":1}}'],
  ])('that holds %s comes back equal or is 422 naming the field', async (value) => {
    expect(['kept', 'refused']).toContain(await outcomeOf(`{"value":${value}}`));
  });

  it.each([20, 50, 100, 200, 500, 1000, 2000, 8000])(
    'nested %i deep comes back equal or is 422 naming the field',
    async (depth) => {
      expect(['kept', 'refused']).toContain(await outcomeOf(`{"value":${nested(depth, ['[', ']'])}}`));
      expect(['kept', 'refused']).toContain(await outcomeOf(nested(depth, ['{"":', '}'])));
    },
  );
});

/** Names that every object of JavaScript answers to, whether it was given them or not. */
describe.each(Object.getOwnPropertyNames(Object.prototype))('the name %s', (name) => {
  const anyone = {};
  const segment = encodeURIComponent(name);
  const secret = 'a'.repeat(43);

  it('in a body is a value like any other', async () => {
    const request = (fields: object): Call => ({
      method: 'POST',
      path: '/verifications',
      body: { ...good(), ...fields },
    });
    const video = { check: 'video_verify', captures: { video: { content_type: 'video/mp4' }, id_card: selfie.selfie } };
    const one = good();
    await send({ method: 'POST', path: '/verifications', body: one });
    const again = (body: object): Call => ({
      method: 'POST',
      path: `/verifications/${one.source_id}/captures`,
      body,
    });
    expect(
      await statusesOf({
        provider: request({ provider: name }),
        check: request({ check: name }),
        'content type': request({ captures: { selfie: { content_type: name } } }),
        challenge: request({ ...video, challenge: name }),
        language: request({ ...video, language_code: name }),
        'new content type': again({ captures: { selfie: { content_type: name } } }),
      }),
    ).toEqual({
      provider: 422,
      check: 422,
      'content type': 422,
      challenge: 422,
      language: 422,
      'new content type': 422,
    });
    await neverFails([
      request({ [name]: 1 }),
      request({ captures: { ...selfie, [name]: selfie.selfie } }),
      request({ captures: { [name]: selfie.selfie } }),
      request({ captures: { selfie: { ...selfie.selfie, [name]: 1 } } }),
      again({ [name]: 1 }),
      again({ captures: { [name]: selfie.selfie } }),
      { ...request({}), body: JSON.stringify(name) },
    ]);
  });

  it('as a key or value of metadata comes back, or is 422 naming the field', async () => {
    const metadata = [{ [name]: 1 }, { [name]: { [name]: [name] } }, { a: { [name]: null } }, { a: name }];
    for (const one of metadata) expect(['kept', 'refused']).toContain(await outcomeOf(JSON.stringify(one)));
  });

  it('in a path is the name of nothing', async () => {
    const paths: [string, string][] = [
      ['GET', ''],
      ['GET', '/history'],
      ['POST', '/captures'],
      ['POST', '/retry'],
      ['DELETE', ''],
    ];
    for (const [method, rest] of paths) {
      const path = `/verifications/${segment}${rest}`;
      expect(
        await statusesOf({
          key: { method, path },
          none: { method, path, headers: anyone },
          token: { method, path, headers: { authorization: `Bearer ${name}` } },
        }),
      ).toEqual({ key: 404, none: 401, token: 401 });
    }
    await neverFails([
      { method: 'GET', path: `/${segment}` },
      { method: 'GET', path: `/verifications/a/${segment}` },
      { method: 'GET', path: `/verifications/a`, headers: { 'x-api-key': api.apiKey, [name]: name } },
    ]);
  });

  it('is no endpoint, and nothing of one', async () => {
    const routes: [string, string][] = [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/disable'],
      ['POST', '/enable'],
      ['POST', '/rotate'],
      ['POST', '/test'],
    ];
    for (const [method, rest] of routes) {
      const call = { method, path: `/endpoints/${segment}${rest}`, ...(method === 'PATCH' && { body: {} }) };
      expect(await statusesOf({ key: call, none: { ...call, headers: anyone } })).toEqual({ key: 404, none: 401 });
    }
    const make = (body: unknown): Call => ({ method: 'POST', path: '/endpoints', body });
    const url = 'https://hooks.example/';
    expect(
      await statusesOf({
        url: make({ url: name }),
        type: make({ url, types: [name] }),
        body: make({ url, body: name }),
        secret: make({ url, secret: name }),
        whole: make(JSON.stringify(name)),
      }),
    ).toEqual({ url: 422, type: 422, body: 422, secret: 422, whole: 422 });
    await neverFails([make({ url: 'http://hooks.example/', [name]: 1 }), make({ url, types: { [name]: 1 } })]);
  });

  it('may be a source_id', async () => {
    const path = `/verifications/${segment}`;
    expect(
      await statusesOf({
        created: { method: 'POST', path: '/verifications', body: { ...good(), source_id: name } },
        again: { method: 'POST', path: `${path}/captures` },
        read: { method: 'GET', path },
        history: { method: 'GET', path: `${path}/history` },
        retry: { method: 'POST', path: `${path}/retry` },
        erased: { method: 'DELETE', path },
      }),
    ).toEqual({ created: 201, again: 200, read: 200, history: 200, retry: 409, erased: 200 });
  });

  it('in a query is a value like any other', async () => {
    const list = (query: string): Call => ({ method: 'GET', path: `/verifications?${query}` });
    expect(
      await statusesOf({
        state: list(`state=${segment}`),
        limit: list(`state=queued&limit=${segment}`),
        cursor: list(`state=queued&cursor=${segment}`),
        wait: { method: 'GET', path: `/verifications/a?wait=${segment}` },
        unknown: list(`state=queued&${segment}=1`),
      }),
    ).toEqual({ state: 422, limit: 422, cursor: 422, wait: 422, unknown: 200 });
    await neverFails([
      list(`${segment}=1&${segment}=2`),
      { method: 'GET', path: `/verifications/a?${segment}=${segment}` },
    ]);
  });

  it('in a key or a token opens nothing', async () => {
    const list = (headers: Record<string, string>): Call => ({
      method: 'GET',
      path: '/verifications?state=queued',
      headers,
    });
    expect(
      await statusesOf({
        key: list({ 'x-api-key': name }),
        tenant: list({ 'x-api-key': `bf_${name}_${secret}` }),
        bearer: list({ authorization: `Bearer ${name}` }),
      }),
    ).toEqual({ key: 401, tenant: 401, bearer: 401 });
  });

  it('in a webhook’s address or body is refused, with or without a key', async () => {
    const { webhookToken } = api;
    const webhook = (provider: string, token: string, body: unknown = {}): Call => ({
      method: 'POST',
      path: `/webhooks/${provider}/${token}`,
      body,
      headers: anyone,
    });
    expect(
      await statusesOf({
        provider: webhook(segment, 'x'),
        'provider with a key': { ...webhook(segment, 'x'), headers: { 'x-api-key': api.apiKey } },
        'provider with a good token': webhook(segment, webhookToken),
        token: webhook('identify', segment),
        tenant: webhook('identify', `wh_${segment}_${secret}`),
        both: webhook(segment, segment),
      }),
    ).toEqual({
      provider: 404,
      'provider with a key': 404,
      'provider with a good token': 404,
      token: 404,
      tenant: 404,
      both: 404,
    });
    await neverFails([
      webhook('identify', webhookToken, { [name]: name }),
      webhook('identify', webhookToken, { reference: name, status: name, result: { [name]: name } }),
    ]);
  });

  it('is no provider and no threshold of a policy', () => {
    const { version: _, ...policy } = defaultPolicy;
    for (const changed of [
      { ...policy, routes: { ...policy.routes, spoof_detect: [name] } },
      { ...policy, routes: { ...policy.routes, spoof_detect: ['builtin', name] } },
      { ...policy, thresholds: { [name]: { live: 0.5 } } },
      { ...policy, thresholds: { builtin: { [name]: 0.5 } } },
    ]) {
      const { mistakes, kept } = readPolicy(changed);
      expect(mistakes.length > 0 || !JSON.stringify(kept).includes(name), JSON.stringify(changed)).toBe(true);
    }
  });
});

/** One after the other, in this order. */
async function statusesOf(calls: Record<string, Call>): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  for (const [what, call] of Object.entries(calls)) statuses[what] = (await send(call)).status;
  return statuses;
}

async function neverFails(calls: readonly Call[]): Promise<void> {
  for (const call of calls) expect((await send(call)).status, JSON.stringify(call)).toBeLessThan(500);
}
