import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { problemView } from '../../shared/api/verifications.ts';
import { Fault } from '../../shared/domain/fault.ts';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import { http } from '../../shared/lambda/http.ts';
import { queue } from '../../shared/lambda/queue.ts';
import { signingSecretOf } from '../builders/deployment.ts';

const lines: string[] = [];
vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
  lines.push(String(line));
  return true;
});
afterEach(() => void lines.splice(0));
const context = {} as Context;

function event(overrides: Partial<APIGatewayProxyEventV2> = {}): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: 'POST /verifications/{source_id}/captures',
    rawPath: '/verifications/u-42/captures',
    rawQueryString: '',
    pathParameters: { source_id: 'u-42' },
    headers: { 'content-type': 'application/json', 'x-api-key': 'good' },
    isBase64Encoded: false,
    requestContext: {} as APIGatewayProxyEventV2['requestContext'],
    ...overrides,
  };
}

const tenant = { id: 'acme', policy: defaultPolicy, credentials: {} };
const connect = () => ({
  tenants: {
    authenticate: async (key: string | undefined) => {
      if (key === 'good') return tenant;
      throw new Fault('api_key_invalid', 'Send a current key.');
    },
    hasKey: async () => true,
  },
  verifications: { find: async () => undefined },
  clientTokenSecret: signingSecretOf('secret'),
  now: () => new Date(0),
});

const view = {
  source_id: 'u-42',
  livemode: true,
  check: 'spoof_detect',
  state: 'awaiting_captures',
  round: 1,
  sequence: 1,
} as const;

/** The wrapper around an act that does as it is told, at a route that takes a key or a token and an optional body. */
async function answer(act: (body: unknown) => unknown, overrides: Partial<APIGatewayProxyEventV2> = {}) {
  const does = async ({ body }: { body: unknown }) => {
    const uploads = {
      ...view,
      client_token: JSON.stringify(await act(body)),
      capture_url: '',
      expires_at: '',
      uploads: {},
    };
    return { status: 200 as const, body: uploads };
  };
  const handler = http('request-verification', connect, {
    'POST /verifications': does,
    'POST /verifications/{source_id}/captures': does,
  });
  const { statusCode, headers, body } = await handler(event(overrides), context);
  return { status: statusCode, headers, type: headers?.['content-type'], body: JSON.parse(body ?? 'null') };
}

/** Where a request reached this deployment, as its act is told. */
async function originOf(overrides: Partial<APIGatewayProxyEventV2>, publicUrl?: string): Promise<string | undefined> {
  const does = async ({ origin }: { origin: string }) => {
    const uploads = { ...view, client_token: '', capture_url: origin, expires_at: '', uploads: {} };
    return { status: 200 as const, body: uploads };
  };
  const acts = { 'POST /verifications': does, 'POST /verifications/{source_id}/captures': does };
  const { body } = await http(
    'request-verification',
    () => ({ ...connect(), publicUrl }),
    acts,
  )(event(overrides), context);
  return JSON.parse(body ?? 'null').capture_url;
}

const captures = (type: string) => JSON.stringify({ captures: { selfie: { content_type: type } } });

describe('an HTTP function', () => {
  it('answers what its route answers', async () => {
    const { status, type, body } = await answer((parsed) => parsed, { body: captures('image/png') });
    expect({ status, type }).toEqual({ status: 200, type: 'application/json' });
    expect(body).toMatchObject({ ...view, client_token: captures('image/png') });
  });

  it('reads a body that API Gateway handed over as base64', async () => {
    const body = Buffer.from(captures('image/png')).toString('base64');
    const answered = await answer((parsed) => parsed, { body, isBase64Encoded: true });
    expect(answered.body.client_token).toBe(captures('image/png'));
  });

  it('turns a fault into its problem, with the source_id it is about', async () => {
    const { status, type, body } = await answer(() => {
      throw new Fault('source_id_conflict', 'Use another.');
    });
    expect({ status, type }).toEqual({ status: 409, type: 'application/problem+json' });
    expect(problemView.parse(body)).toEqual({
      type: 'urn:bonafide:problem:source_id_conflict',
      title: 'This source_id is taken by another request',
      status: 409,
      detail: 'Use another.',
      code: 'source_id_conflict',
      source_id: 'u-42',
      retryable: false,
    });
  });

  it('says when a request may come again, where the fault knows it', async () => {
    const answered = await answer(() => {
      throw new Fault('subject_locked', 'Wait.', { retryAfterSeconds: 90 });
    });
    expect(answered).toMatchObject({ status: 429, headers: { 'retry-after': '90' } });
  });

  it('names every field that is wrong', async () => {
    const { status, body } = await answer((parsed) => parsed, {
      routeKey: 'POST /verifications',
      pathParameters: {},
      body: '{"check":"dna","captures":{"selfie":{"content_type":1},"tail/wing~":{}},"colour":1}',
    });
    expect(status).toBe(422);
    expect(body.errors.map(({ field }: { field: string }) => field)).toEqual([
      '/source_id',
      '/check',
      '/captures/selfie/content_type',
      '/captures/tail~1wing~0',
      '/colour',
    ]);
  });

  it('names a parameter by its name, not by a pointer into a body', async () => {
    const { status, body } = await answer((parsed) => parsed, { pathParameters: { source_id: 'a b' } });
    expect(status).toBe(422);
    expect(body.errors.map(({ field }: { field: string }) => field)).toEqual(['source_id']);
  });

  it('asks for the key before it looks at anything else', async () => {
    const wrong = { pathParameters: { source_id: 'a b' }, body: '{"a":', headers: {} };
    expect(await answer((parsed) => parsed, wrong)).toMatchObject({ status: 401, body: { code: 'api_key_invalid' } });
  });

  it('says of a bug nothing but that there was one, and writes down where', async () => {
    const { status, body } = await answer(() => {
      throw new Error('secret-key-123 at https://bucket/x?X-Amz-Signature=abc');
    });
    expect(status).toBe(500);
    expect(JSON.stringify(body) + lines.join('')).not.toMatch(/secret-key|Signature/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'ERROR', event: 'request.failed', error: 'Error' });
    // Counted, for the alarm that takes a new version back.
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      Failures: 1,
      _aws: { CloudWatchMetrics: [{ Namespace: 'Bonafide' }] },
    });
    expect(lines[0]).toContain('http.test.ts');
  });

  it.each([
    ['{"a":', 400, 'request_unreadable'],
    ['x'.repeat(20_000), 413, 'request_too_large'],
    ['ü'.repeat(8193), 413, 'request_too_large'],
  ])('refuses a body it cannot take', async (body, status, code) => {
    expect(await answer((parsed) => parsed, { body })).toMatchObject({ status, body: { code } });
  });

  it('tells its act where it was reached: at its own address by https, or where the operator says', async () => {
    const requestContext = { domainName: 'api.example' } as APIGatewayProxyEventV2['requestContext'];
    const key = { 'x-api-key': 'good' };
    expect(await originOf({ requestContext })).toBe('https://api.example');
    const http = { ...key, 'x-forwarded-proto': 'http' };
    expect(await originOf({ requestContext, headers: http })).toBe('http://api.example');
    const headers = { ...key, host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'evil' };
    expect(await originOf({ requestContext, headers })).toBe('https://api.example');
    expect(await originOf({ requestContext, headers: http }, 'https://verify.example')).toBe('https://verify.example');
  });

  it('knows no route that it was not given', async () => {
    const answered = await answer(() => 1, { routeKey: 'GET /verifications' });
    expect(answered.body.code).toBe('route_unknown');
  });
});

describe('a function that speaks a vendor’s words', () => {
  const routes = ['POST /antispoofing', 'POST /prod/antispoofing', 'POST /robust', 'POST /prod/robust'] as const;

  async function vendorAnswer(act: (body: Uint8Array) => unknown, overrides: Partial<APIGatewayProxyEventV2> = {}) {
    const does = async ({ body }: { body: Uint8Array }) => ({ status: 200, body: act(body), sourceId: 'spoofsense.1' });
    const acts = Object.fromEntries(routes.map((route) => [route, does])) as Record<
      (typeof routes)[number],
      typeof does
    >;
    const handler = http('serve-spoofsense', connect, acts, (error, caller) => ({
      status: 418,
      body: `${error instanceof Fault ? error.code : 'a bug'} of ${caller?.tenant.id ?? 'a stranger'}`,
    }));
    return handler(event({ routeKey: 'POST /robust', pathParameters: {}, ...overrides }), context);
  }

  it('has the bytes of the body, whatever they are said to be, and names the verification', async () => {
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    const body = { body: bytes.toString('base64'), isBase64Encoded: true };
    const answered = await vendorAnswer((given) => [...given], body);
    expect(answered).toMatchObject({
      statusCode: 200,
      headers: { 'content-type': 'application/json', 'x-bonafide-source-id': 'spoofsense.1' },
      body: '[255,0,254]',
    });
  });

  it('sends text as it is', async () => {
    const answered = await vendorAnswer(() => 'too long');
    expect(answered).toMatchObject({ headers: { 'content-type': 'text; charset=utf-8' }, body: 'too long' });
  });

  it.each([
    ['a key that is not known', { headers: { 'x-api-key': 'bad' } }, 'api_key_invalid of a stranger'],
    ['a body that is too large', { body: 'x'.repeat(10_485_761) }, 'request_too_large of a stranger'],
    ['another route', { routeKey: 'POST /nowhere' }, 'route_unknown of a stranger'],
  ])('refuses in them what never reaches its act: %s', async (_, overrides, said) => {
    const answered = await vendorAnswer(() => 'reached', overrides);
    expect(answered).toMatchObject({ statusCode: 418, body: said });
  });

  it('says in them what its act refuses, and of a bug nothing else', async () => {
    const refuse = () => {
      throw new Fault('capture_type_unsupported', 'x');
    };
    const fail = () => {
      throw new Error('secret-key-123');
    };
    expect(await vendorAnswer(refuse)).toMatchObject({ statusCode: 418, body: 'capture_type_unsupported of acme' });
    expect(await vendorAnswer(fail)).toMatchObject({ statusCode: 418, body: 'a bug of acme' });
    expect(lines.join('')).not.toContain('secret-key');
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(['request.failed']);
  });
});

describe('a queue’s function', () => {
  const records = (...bodies: string[]) => ({
    Records: bodies.map((body, index) => ({ messageId: `m${index}`, body })) as never,
  });

  it('lets one bad message fail alone', async () => {
    const handler = queue(connect, async (body) => {
      if (body === 'bad') throw new Error('no');
    });
    expect(await handler(records('good', 'bad', 'good'), context)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm1' }],
    });
  });

  it('acknowledges a fault that another try would not change', async () => {
    const handler = queue(connect, async (body) => {
      throw new Fault(body === 'later' ? 'provider_unreachable' : 'capture_missing', 'x');
    });
    expect(await handler(records('later', 'never'), context)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
  });
});
