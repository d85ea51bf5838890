import { once } from 'node:events';
import { get } from 'node:http';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRoute } from '../../local/http-api/http-api.ts';
import { isRunning } from './fixtures/is-running.ts';
import { apiTemplate, linesOf, start } from './fixtures/start.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';

describe('the HTTP API', () => {
  it('gives a function the event of payload format 2.0 and sends back what it answers', async () => {
    const { stack } = await start(apiTemplate, { ApiUrl: { Value: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } } });
    const { url } = stack;
    expect(stack.outputs.ApiUrl).toBe(url);

    const request = await fetch(`${url}/things/a%3Ab%20c?tag=1&tag=2&x=%2F`, {
      method: 'POST',
      headers: { 'X-Mixed-Case': 'Kept', cookie: 'a=1; b=2', 'content-type': 'application/json' },
      body: '{"é":1}',
    });
    expect(await request.json()).toMatchObject({
      version: '2.0',
      routeKey: 'ANY /things/{id}',
      rawPath: '/things/a%3Ab%20c',
      rawQueryString: 'tag=1&tag=2&x=%2F',
      queryStringParameters: { tag: '1,2', x: '/' },
      pathParameters: { id: 'a:b c' },
      cookies: ['a=1', 'b=2'],
      headers: { 'x-mixed-case': 'Kept' },
      body: '{"é":1}',
      isBase64Encoded: false,
      requestContext: { http: { method: 'POST', sourceIp: '127.0.0.1' }, stage: '$default' },
    });

    const binary = await fetch(`${url}/things/1`, { method: 'PUT', body: new Uint8Array([0, 255]) });
    expect(await binary.json()).toMatchObject({ body: 'AP8=', isBase64Encoded: true });

    const bytes = await fetch(`${url}/things/1?act=bytes`);
    expect([bytes.status, bytes.headers.get('content-type')]).toEqual([201, 'image/png']);
    expect(bytes.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(Buffer.from(await bytes.arrayBuffer())).toEqual(Buffer.from([0, 255]));

    const environment = (await (await fetch(`${url}/things/1?act=environment`)).json()) as Record<string, string>;
    expect(environment.API).toBe(`${url}/x`);
    expect(await stack.invoke('Echo', {})).toMatchObject({ process: expect.any(Number) });
  });

  it('answers under its domain alone, where its own address is closed', async () => {
    const { Api, ...others } = apiTemplate;
    const { stack } = await start({
      ...others,
      Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { ...Api?.Properties, DisableExecuteApiEndpoint: true } },
      Domain: { Type: 'AWS::ApiGatewayV2::DomainName', Properties: { DomainName: 'verify.example' } },
    });
    const statusAt = (host: string) =>
      new Promise((resolve, reject) => {
        const answered = ({ statusCode }: { statusCode?: number }) => resolve(statusCode);
        get(`${stack.url}/things/1`, { headers: { host } }, answered).on('error', reject);
      });
    expect(await Promise.all(['verify.example', 'verify.example:443'].map(statusAt))).toEqual([200, 200]);
    const strange = ['abc.execute-api.us-east-1.amazonaws.com', new URL(stack.url).host, 'verify.example.evil.example'];
    expect(await Promise.all(strange.map(statusAt))).toEqual([403, 403, 403]);
  });

  it.each([
    ['http://localhost:5173', 'http://localhost:5173'],
    ['https://localhost', 'https://localhost'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
    ['http://localhost.evil.example', null],
    ['http://127.0.0.1.evil.example:3000', null],
    ['null', null],
  ])('lets pages of this machine call it: %s', async (origin, allowed) => {
    const { stack } = await start(apiTemplate);
    const url = `${stack.url}/things/1`;
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe(allowed);
    expect(preflight.headers.get('access-control-allow-methods')).toBe(allowed && 'GET');
    expect((await fetch(url, { headers: { origin } })).headers.get('access-control-allow-origin')).toBe(allowed);
  });

  it('takes no more than Lambda would, with the event around it, where it is asked to', async () => {
    const statusOf = async (url: string, bytes: number) =>
      (await fetch(`${url}/things/1`, { method: 'POST', body: new Uint8Array(bytes) })).status;
    const { stack } = await start(apiTemplate, {}, { awsLimits: true });
    const { stack: without } = await start(apiTemplate);
    expect(await statusOf(stack.url, 4_400_000)).toBe(200); // 5.9 MB as base64
    expect(await statusOf(stack.url, 4_800_000)).toBe(413);
    expect(await statusOf(without.url, 4_800_000)).toBe(200);
  });

  it('answers itself what no function should see, and tells nothing of what failed', async () => {
    const { stack } = await start(apiTemplate);
    const say = async (pathname: string, options?: RequestInit) => {
      const response = await fetch(stack.url + pathname, options);
      return [response.status, await response.text()];
    };
    expect(await say('/nowhere')).toEqual([404, '{"message":"Not Found"}']);
    expect(await say('/things/1?act=throw')).toEqual([500, '{"message":"Internal Server Error"}']);
    expect(await say('/things/1', { method: 'POST', body: Buffer.alloc(10_485_761) })).toEqual([
      413,
      '{"message":"Request Entity Too Large"}',
    ]);
    expect((await say('/things/1', { method: 'POST', body: Buffer.alloc(10_485_760) }))[0]).toBe(200);

    const preflight = await fetch(`${stack.url}/things/1`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'GET' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example',
    ]);
    const stranger = await fetch(`${stack.url}/things/1`, { headers: { origin: 'https://evil.example' } });
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    ['starts', 0],
    ['runs', 10],
  ])(
    'frees the places of callers who hang up while their invocation %s; living ones beyond them get 503',
    async (_, begun) => {
      const { stack } = await start(apiTemplate);
      const notes = path.join(temporaryDirectory(), 'notes');
      const callers = new AbortController();
      const hang = async () => {
        const url = `${stack.url}/things/1?act=hang&notes=${encodeURIComponent(notes)}`;
        return (await fetch(url, { signal: callers.signal })).status;
      };
      let refused = 0;
      const answers = Array.from({ length: 100 }, () =>
        hang().then(
          (status) => {
            refused += 1;
            return status;
          },
          () => 'hung up',
        ),
      );
      // The places are taken: all others are answered while those hang.
      await expect.poll(() => refused).toBe(90);
      await expect.poll(() => linesOf(notes).length).toBeGreaterThanOrEqual(begun);
      const beyond = await fetch(`${stack.url}/things/1`);
      expect([beyond.status, await beyond.text()]).toEqual([503, '{"message":"Service Unavailable"}']);
      callers.abort();
      const next = await fetch(`${stack.url}/things/1`);
      expect(next.status).toBe(200);
      await expect.poll(() => linesOf(notes).filter(([, pid]) => isRunning(Number(pid)))).toEqual([]);
      expect((await Promise.all(answers)).sort()).toEqual([...Array(90).fill(503), ...Array(10).fill('hung up')]);
    },
  );

  it('lets a request that changes something run to its end when its caller hangs up', async () => {
    const { stack } = await start(apiTemplate);
    const notes = path.join(temporaryDirectory(), 'notes');
    const steps = () => linesOf(notes).map(([step]) => step);
    const caller = new AbortController();
    const slow = `${stack.url}/things/1?act=slow&notes=${encodeURIComponent(notes)}`;
    const call = fetch(slow, { method: 'POST', signal: caller.signal });
    await expect.poll(steps).toContain('begun');
    caller.abort();
    await expect(call).rejects.toThrow();
    await expect.poll(steps).toEqual(['begun', 'ended']);
  });

  it('listens on this machine only', async () => {
    const { stack } = await start({});
    for (const url of [stack.url, ...Object.values(stack.endpoints)])
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    // The port of every part is closed on other addresses of this machine.
    const other = `http://127.0.0.2:${new URL(stack.endpoints.sqs).port}`;
    await expect(once(get(other), 'response')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it.each<[string, string, string | undefined]>([
    ['GET', '/things', 'GET /things'],
    ['GET', '/things/new', 'GET /things/new'],
    ['GET', '/things/7', 'GET /things/{id}'],
    ['DELETE', '/things/7', 'ANY /things/{id}'],
    ['GET', '/things/7/parts', 'GET /{rest+}'],
    ['POST', '/things/7/parts', '$default'],
    ['GET', '/things/', 'GET /{rest+}'],
  ])('sends %s %s to %s', (method, pathname, expected) => {
    const keys = ['$default', 'GET /{rest+}', 'ANY /things/{id}', 'GET /things/{id}', 'GET /things/new', 'GET /things'];
    const routes = keys.map((routeKey) => ({ routeKey, timeoutMs: 1, request: async () => undefined }));
    expect(findRoute(routes, method, pathname)?.route.routeKey).toBe(expected);
  });
});
