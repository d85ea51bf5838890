import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EndpointFields, endpointTest } from '../../shared/domain/endpoint.ts';
import { secretText } from '../../shared/domain/endpoint-secret.ts';
import type { Fetcher, ManagedEndpoints } from '../../shared/domain/ports.ts';
import { fetcher } from '../../shared/fetching.ts';
import { manageEndpoints } from '../../shared/webhooks/manage.ts';
import { endpointKey, signingSecretOf } from '../builders/deployment.ts';
import { start } from '../builders/verification.ts';
import { memoryEndpoints } from '../simulation/endpoints.ts';

type Posted = Parameters<Fetcher['post']>;

const now = () => new Date();
const newer = 'TheNextKeyOfEndpointsOfTheTests012345';
let endpoints: ReturnType<typeof memoryEndpoints>;
let posted: Posted[];
let answer: Awaited<ReturnType<Fetcher['post']>>;
let managed: ManagedEndpoints;

function managedUnder(...values: [string, ...string[]]): ManagedEndpoints {
  const post: Fetcher['post'] = async (...asked) => {
    posted.push(asked);
    vi.advanceTimersByTime(120);
    return answer;
  };
  const { refusalOf } = fetcher();
  return manageEndpoints({
    endpoints,
    key: signingSecretOf(...values),
    fetcher: { post, refusalOf },
    now,
    randomBytes,
  });
}

beforeEach(() => {
  vi.useFakeTimers({ now: start, toFake: ['Date'] });
  endpoints = memoryEndpoints(now);
  posted = [];
  answer = { kind: 'answered', status: 204 };
  managed = managedUnder(endpointKey);
});
afterEach(() => void vi.useRealTimers());

const fields: EndpointFields = {
  url: 'https://hooks.example/a?token=t',
  types: undefined,
  body: 'thin',
  metadata: false,
  description: '',
  v1a: false,
};
const at = (field: string) => ({ code: 'request_invalid', errors: [expect.objectContaining({ field })] });
const unknown = { code: 'endpoint_unknown', message: 'There is no endpoint with this id.' };

describe('an endpoint', () => {
  it('is made with a secret of 256 bits that is stored sealed, and shown this once', async () => {
    const { endpoint, secret } = await managed.create('acme', fields);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(endpoint).toMatchObject({ state: 'enabled', version: 1, createdAt: start.toISOString() });
    expect(JSON.stringify(await endpoints.list('acme'))).not.toContain(secret.slice('whsec_'.length));
    expect(await managed.show('acme', endpoint.id)).toEqual({ endpoint, publicKeys: [] });
    expect(await managed.list('acme')).toEqual([{ endpoint, publicKeys: [] }]);
  });

  it("is made with its tenant's own secret where there is one", async () => {
    const own = secretText(randomBytes(24));
    expect(await managed.create('acme', { ...fields, secret: own })).toMatchObject({ secret: own });
    for (const wrong of ['secret', secretText(randomBytes(23)), secretText(randomBytes(65))])
      await expect(managed.create('acme', { ...fields, secret: wrong })).rejects.toMatchObject(at('/secret'));
    expect(await managed.list('acme')).toHaveLength(1);
  });

  it('has an address that the fetcher would call, when it is made and when it is changed', async () => {
    const { endpoint } = await managed.create('acme', fields);
    const refused = [
      ...['http://hooks.example/', 'ftp://hooks.example/', 'hooks.example', 'https://user:password@hooks.example/'],
      ...['https://hooks.example:22/', 'https://127.0.0.1/', 'https://[::1]/', 'https://169.254.169.254/latest'],
      ...['https://10.0.0.5/', 'https://100.64.0.1/', 'https://2130706433/', 'https://[fd00::1]/'],
    ];
    for (const url of refused) {
      await expect(managed.create('acme', { ...fields, url }), url).rejects.toMatchObject(at('/url'));
      await expect(managed.change('acme', endpoint.id, { url }), url).rejects.toMatchObject(at('/url'));
    }
    expect(await managed.list('acme')).toMatchObject([{ endpoint: { url: fields.url } }]);
    await managed.change('acme', endpoint.id, { url: 'https://hooks.example/b' });
    expect(await managed.list('acme')).toMatchObject([{ endpoint: { url: 'https://hooks.example/b' } }]);
  });

  it('is refused as the seventeenth, also where twenty are made at once', async () => {
    const made = await Promise.allSettled(Array.from({ length: 20 }, () => managed.create('acme', fields)));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(16);
    for (const one of made) if (one.status === 'rejected') expect(one.reason).toMatchObject(at('/url'));
    expect(await managed.create('other', fields)).toMatchObject({ endpoint: { tenant: 'other' } });
  });

  it('is unknown to another tenant, in the same words as one that is not there', async () => {
    const { endpoint } = await managed.create('acme', fields);
    for (const [tenant, id] of [['other', endpoint.id] as const, ['acme', 'ep_aaaaaaaaaaaaaaaa'] as const]) {
      for (const verb of ['show', 'remove', 'disable', 'enable', 'test'] as const)
        await expect(managed[verb](tenant, id), verb).rejects.toMatchObject(unknown);
      await expect(managed.change(tenant, id, { v1a: true })).rejects.toMatchObject(unknown);
      await expect(managed.rotate(tenant, id, { graceSeconds: 0 })).rejects.toMatchObject(unknown);
    }
    expect(posted).toEqual([]);
  });

  it('changes what is given and nothing else, and is its own again with all types', async () => {
    const { endpoint } = await managed.create('acme', fields);
    const some = await managed.change('acme', endpoint.id, { types: ['verification.decided'], description: 'ours' });
    expect(some.endpoint).toEqual({ ...endpoint, types: ['verification.decided'], description: 'ours', version: 2 });
    const all = await managed.change('acme', endpoint.id, { types: undefined });
    expect(all.endpoint).not.toHaveProperty('types');
    expect((await managed.change('acme', endpoint.id, {})).endpoint.version).toBe(3);
  });

  it('is not lost to another writer: a change that meets one is made on what that wrote', async () => {
    const { endpoint } = await managed.create('acme', fields);
    const { change } = endpoints;
    vi.spyOn(endpoints, 'change').mockImplementationOnce(async (from, asked) => {
      await change(from, { failingSince: start.toISOString() });
      return change(from, asked);
    });
    const changed = await managed.change('acme', endpoint.id, { v1a: true });
    expect(changed.endpoint).toMatchObject({ v1a: true, failingSince: start.toISOString(), version: 3 });
  });

  it('forgets failures and an open breaker with its address', async () => {
    const { endpoint } = await managed.create('acme', fields);
    const breaker = { openUntil: 1, openings: 1 };
    const failing = { failingSince: start.toISOString(), breaker };
    await endpoints.change(endpoint, failing);
    expect((await managed.change('acme', endpoint.id, { url: fields.url })).endpoint).toMatchObject(failing);
    const moved = await managed.change('acme', endpoint.id, { url: 'https://hooks.example/b' });
    expect(moved.endpoint).not.toHaveProperty('failingSince');
    expect(moved.endpoint).not.toHaveProperty('breaker');
  });

  it('is disabled and enabled as often as asked, and keeps when it was stopped and why', async () => {
    const { endpoint } = await managed.create('acme', fields);
    const asked = await managed.disable('acme', endpoint.id);
    const stoppedAt = start.toISOString();
    expect(asked.endpoint).toMatchObject({ state: 'disabled', disabledBecause: 'asked', stoppedAt, version: 2 });
    vi.advanceTimersByTime(1000);
    expect((await managed.disable('acme', endpoint.id)).endpoint).toEqual(asked.endpoint);
    const enabled = await managed.enable('acme', endpoint.id);
    expect(enabled.endpoint).toMatchObject({ state: 'enabled', stoppedAt, version: 3 });
    expect(enabled.endpoint).not.toHaveProperty('disabledBecause');
    expect((await managed.enable('acme', endpoint.id)).endpoint).toEqual(enabled.endpoint);
    await endpoints.change(enabled.endpoint, { state: 'disabled', disabledBecause: 'gone' });
    expect((await managed.disable('acme', endpoint.id)).endpoint.disabledBecause).toBe('gone');
  });

  it('is deleted once, and is unknown then', async () => {
    const { endpoint } = await managed.create('acme', fields);
    await managed.remove('acme', endpoint.id);
    await expect(managed.remove('acme', endpoint.id)).rejects.toMatchObject(unknown);
    expect(await endpoints.of('acme')).toEqual({ keeps: true, endpoints: [] });
  });
});

describe('a secret', () => {
  const secretsOf = async (id: string) => (await endpoints.find('acme', id))?.secrets ?? [];

  it('is replaced by another, and signs beside it while its grace lasts', async () => {
    const { endpoint, secret } = await managed.create('acme', { ...fields, v1a: true });
    const rotated = await managed.rotate('acme', endpoint.id, { graceSeconds: 60 });
    expect(rotated.secret).not.toBe(secret);
    expect(rotated.publicKeys).toHaveLength(2);
    vi.advanceTimersByTime(60_000);
    expect((await managed.show('acme', endpoint.id)).publicKeys).toEqual(rotated.publicKeys.slice(0, 1));
    const own = secretText(randomBytes(32));
    expect(await managed.rotate('acme', endpoint.id, { secret: own, graceSeconds: 0 })).toMatchObject({ secret: own });
    expect(await secretsOf(endpoint.id)).toHaveLength(1);
    const wrong = managed.rotate('acme', endpoint.id, { secret: 'x', graceSeconds: 0 });
    await expect(wrong).rejects.toMatchObject(at('/secret'));
  });

  it('never lives longer for a rotation than it would have, and eight are the most that sign', async () => {
    const { endpoint } = await managed.create('acme', fields);
    const rotate = (graceSeconds: number) => managed.rotate('acme', endpoint.id, { graceSeconds });
    await rotate(10);
    await rotate(3600);
    vi.advanceTimersByTime(11_000);
    for (let valid = 3; valid <= 8; valid += 1) await rotate(3600);
    expect(await secretsOf(endpoint.id)).toHaveLength(8);
    await expect(rotate(3600)).rejects.toMatchObject({ code: 'state_conflict' });
    await rotate(0);
    expect(await secretsOf(endpoint.id)).toHaveLength(1);
  });

  it('signs on under a replaced key of the deployment, and is sealed again under the new one', async () => {
    const { endpoint, secret } = await managed.create('acme', fields);
    const [before] = await secretsOf(endpoint.id);
    expect(await managedUnder(newer, endpointKey).reseal('acme')).toBe(1);
    const [after] = await secretsOf(endpoint.id);
    expect(after?.keyId).not.toBe(before?.keyId);
    await managedUnder(newer).test('acme', endpoint.id);
    const [, { body, headers } = { body: '', headers: {} }] = posted[0] ?? [];
    expect(new Webhook(secret).verify(body, { ...headers })).toBeTruthy();
  });
});

describe('a test', () => {
  it('is one signed endpoint.test, and tells status and milliseconds', async () => {
    const { endpoint, secret } = await managed.create('acme', { ...fields, types: ['verification.erased'] });
    await managed.disable('acme', endpoint.id);
    expect(await managed.test('acme', endpoint.id)).toEqual({ status: 204, milliseconds: 120 });
    const [[url, { body, headers }, limits] = [] as never] = posted;
    expect([url, limits]).toEqual([fields.url, { timeoutSeconds: 15, httpsOnly: true }]);
    const { type, timestamp, data } = new Webhook(secret).verify(body, { ...headers }) as Record<string, unknown>;
    expect([type, timestamp]).toEqual(['endpoint.test', start.toISOString()]);
    const read = endpointTest.parse(data);
    expect(read).toMatchObject({ id: headers['webhook-id'], tenant: 'acme', endpoint_id: endpoint.id });
    expect(posted).toHaveLength(1);
  });

  it('tells in our words why it was not taken, and changes nothing of the endpoint', async () => {
    const { endpoint } = await managed.create('acme', fields);
    const answers: [typeof answer, object][] = [
      [
        { kind: 'answered', status: 500 },
        { status: 500, error: 'status_unexpected' },
      ],
      [
        { kind: 'answered', status: 301 },
        { status: 301, error: 'status_unexpected' },
      ],
      [
        { kind: 'answered', status: 410 },
        { status: 410, error: 'gone' },
      ],
      [{ kind: 'failed', reason: 'timed_out' }, { error: 'timed_out' }],
      [{ kind: 'failed', reason: 'address_forbidden' }, { error: 'address_forbidden' }],
    ];
    for (const [given, told] of answers) {
      answer = given;
      expect(await managed.test('acme', endpoint.id)).toEqual({ milliseconds: 120, ...told });
    }
    expect(await endpoints.find('acme', endpoint.id)).toEqual({ ...endpoint, secrets: endpoint.secrets });
  });
});
