import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { viewLooks } from '../../shared/api/console.ts';
import { Fault } from '../../shared/domain/fault.ts';
import type { OperatorRole } from '../../shared/domain/operator.ts';
import { cookieNamed, sessionBegun, sessionEnded } from '../../shared/lambda/authenticate.ts';
import { http } from '../../shared/lambda/http.ts';

vi.spyOn(process.stdout, 'write').mockImplementation(() => true);

const own = 'https://api.example';
let role: OperatorRole = 'reviewer';
const done: string[] = [];
beforeEach(() => {
  role = 'reviewer';
  done.splice(0);
});

const connect = () => ({
  operators: {
    authenticate: async (token: string | undefined) => {
      done.push(`authenticated ${token}`);
      if (token !== 'good') throw new Fault('session_invalid', 'Sign in to the console again.');
      return { tenant: { id: 'acme' }, operator: { id: 'o_0123456789ab', name: 'Ada', role }, id: 's', expiresAt: 9 };
    },
  },
});

const look = { url: 'https://bucket.example/x', expires_at: '', content_type: 'image/png' };
const handler = http('look-at-capture', connect, {
  'POST /console/verifications/{source_id}/looks': async ({ caller, body }) => {
    done.push(`${caller.tenant.id}’s ${caller.operator.name} looks at the ${body.capture}`);
    return { status: 201, body: look, cookies: ['a=b; Path=/'] };
  },
  'GET /console/verifications/{source_id}/looks': async () => ({ status: 200, body: viewLooks([], []) }),
});

const write = 'POST /console/verifications/{source_id}/looks';

async function call(overrides: Partial<APIGatewayProxyEventV2> = {}, headers: Record<string, string> = {}) {
  const event = {
    routeKey: write,
    pathParameters: { source_id: 'u-42' },
    headers: { origin: own, 'content-type': 'application/json', ...headers },
    cookies: ['__Host-bonafide=good'],
    body: JSON.stringify({ capture: 'selfie' }),
    isBase64Encoded: false,
    requestContext: { domainName: 'api.example' },
    ...overrides,
  } as unknown as APIGatewayProxyEventV2;
  const { statusCode, body, cookies } = await handler(event, {} as Context);
  return { status: statusCode, body: JSON.parse(body ?? 'null'), cookies };
}

describe('a route of the console', () => {
  it('is called by the operator whose session the cookie is, and may set cookies', async () => {
    expect(await call()).toEqual({ status: 201, body: look, cookies: ['a=b; Path=/'] });
    expect(done).toEqual(['authenticated good', 'acme’s Ada looks at the selfie']);
  });

  it.each<[string, readonly string[] | undefined]>([
    ['none', undefined],
    ['another’s', ['__Host-bonafide=bad']],
    ['one of a like name', ['bonafide=good', '__Host-bonafide2=good', '__host-bonafide=good']],
    ['two that say different things', ['__Host-bonafide=good', '__Host-bonafide=bad']],
  ])('refuses a cookie that is %s', async (_, cookies) => {
    const { status, body } = await call({ cookies } as Partial<APIGatewayProxyEventV2>);
    expect([status, body.code]).toEqual([401, 'session_invalid']);
  });

  it('takes neither a key nor a token in the cookie’s place', async () => {
    const { body } = await call({ cookies: [] }, { 'x-api-key': 'good', authorization: 'Bearer good' });
    expect(body.code).toBe('session_invalid');
  });

  it('refuses a viewer where a reviewer is needed, and no one where a viewer is', async () => {
    role = 'viewer';
    const { status, body } = await call();
    expect([status, body.code, done.length]).toEqual([403, 'operator_forbidden', 1]);
    const read = await call(
      { routeKey: 'GET /console/verifications/{source_id}/looks' },
      { origin: 'https://evil.example' },
    );
    expect(read).toEqual({ status: 200, body: { looks: [] }, cookies: undefined });
  });

  it.each<[string, Record<string, string> | undefined]>([
    ['another site', { origin: 'https://evil.example' }],
    ['the same host without TLS', { origin: 'http://api.example' }],
    ['another port', { origin: 'https://api.example:8443' }],
    ['a subdomain', { origin: 'https://x.api.example' }],
    ['no page that says so', { origin: '' }],
    ['a sandboxed frame', { origin: 'null' }],
  ])('refuses a write from %s before anything else of it is looked at', async (_, headers) => {
    const tooLarge = { body: 'x'.repeat(1_000_000), cookies: [] };
    const { status, body } = await call(tooLarge, headers);
    expect([status, body.code, done]).toEqual([403, 'origin_forbidden', []]);
  });

  it('refuses a write without Origin', async () => {
    const { body } = await call({ headers: { 'content-type': 'application/json' } });
    expect(body.code).toBe('origin_forbidden');
  });
});

it('takes the origin that the deployment says it is reached at, where it says one', async () => {
  const placed = http('look-at-capture', () => ({ ...connect(), publicUrl: 'https://verify.example' }), {
    'POST /console/verifications/{source_id}/looks': async () => ({ status: 201, body: look }),
    'GET /console/verifications/{source_id}/looks': async () => ({ status: 200, body: viewLooks([], []) }),
  });
  const from = async (origin: string) => {
    const event = {
      ...{ routeKey: write, pathParameters: { source_id: 'u-42' }, headers: { origin }, isBase64Encoded: false },
      ...{ cookies: ['__Host-bonafide=good'], body: JSON.stringify({ capture: 'selfie' }) },
      requestContext: { domainName: 'api.example' },
    } as unknown as APIGatewayProxyEventV2;
    return (await placed(event, {} as Context)).statusCode;
  };
  expect([await from('https://verify.example'), await from(own)]).toEqual([201, 403]);
});

it('the cookie of a session is for this host alone, over TLS, for no script and no other site, eight hours', () => {
  expect(sessionBegun('t')).toBe('__Host-bonafide=t; Path=/; Max-Age=28800; Secure; HttpOnly; SameSite=Strict');
  expect(sessionEnded).toBe('__Host-bonafide=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict');
  expect(cookieNamed('a', ['b=1', 'a=x=y'])).toBe('x=y');
});
