import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import { registry } from '../../shared/providers/registry.ts';
import { dynamoLogos } from '../../shared/stores/tenants/logos.ts';
import { type Vendor, vendor } from '../../tools/vendor-simulator/behaviour.ts';
import { startVendorSimulator, type VendorSimulator } from '../../tools/vendor-simulator/server.ts';
import { credentialsOf } from '../contracts/credentials.ts';
import { administered } from './administered.ts';

const { admin, client, secret, tenants, write } = administered();
const withCredentials = [...registry.values()].flatMap(({ name, remote }) => (remote ? [name] : []));

describe('npm run admin', () => {
  it('makes a tenant, shows it without its key, and takes a key away', async () => {
    const created = await admin('tenant', 'create', 'acme');
    expect(created.code).toBe(0);
    const [key = '', id = ''] = [/bf_acme_\S+/.exec(created.stdout)?.[0], /k_\S+/.exec(created.stdout)?.[0]];
    expect((await tenants().authenticate(key)).id).toBe('acme');
    const shown = await admin('tenant', 'show', 'acme');
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: 'acme', keys: [{ id }] });
    expect(shown.stdout).not.toMatch(/sha256|bf_/);
    expect((await admin('tenant', 'revoke-key', 'acme', id)).code).toBe(0);
    expect((await tenants().find('acme'))?.keys).toEqual([]);
    expect(await admin('tenant', 'revoke-key', 'acme', id)).toMatchObject({
      code: 1,
      stderr: `Tenant acme has no key ${id}\n`,
    });
  });

  it('makes a tenant for tests where it is told to, and a live one otherwise', async () => {
    expect((await admin('tenant', 'create', 'tried', '--test')).code).toBe(0);
    expect(await tenants().find('tried')).toMatchObject({ livemode: false });
    expect(JSON.parse((await admin('tenant', 'show', 'tried')).stdout)).toMatchObject({ livemode: false });
    await admin('tenant', 'create', 'real');
    expect(await tenants().find('real')).not.toHaveProperty('livemode');
    expect(JSON.parse((await admin('tenant', 'show', 'real')).stdout)).toMatchObject({ livemode: true });
    expect(await admin('tenant', 'create', 'real', '--test')).toMatchObject({ code: 1 });
    expect(await tenants().find('real')).not.toHaveProperty('livemode');
  });

  it('says what there is where it does not know the command, or lacks a word', async () => {
    for (const words of [[], ['tenant'], ['tenant', 'create'], ['constructor', 'x'], ['tenant', 'make', 'acme']]) {
      expect(await admin(...words)).toMatchObject({ code: 2, stdout: expect.stringContaining('npm run admin --') });
    }
    expect((await admin('--help')).code).toBe(0);
  });
});

describe('npm run admin, of what a tenant’s apps call here,', () => {
  it('adds credits and shows what is left', async () => {
    await admin('tenant', 'create', 'served');
    expect(await admin('credits', 'show', 'served')).toMatchObject({ code: 0, stdout: '0 credits\n' });
    expect(await admin('credits', 'add', 'served', '92')).toMatchObject({ code: 0, stdout: '92 credits\n' });
    expect(await admin('credits', 'add', 'served', '8')).toMatchObject({ code: 0, stdout: '100 credits\n' });
    expect(await tenants().creditsLeft('served')).toBe(100);
    for (const wrong of ['0', '1.5', 'many']) {
      expect(await admin('credits', 'add', 'served', wrong)).toMatchObject({ code: 1 });
    }
    expect(await admin('credits', 'add', 'nobody', '1')).toMatchObject({
      code: 1,
      stderr: 'There is no tenant nobody\n',
    });
    expect((await admin('credits', 'show', 'nobody')).code).toBe(1);
  });

  it('sets, lists and removes webhooks by name', async () => {
    await admin('tenant', 'create', 'posted');
    expect((await admin('served-webhook', 'set', 'posted', 'ours', 'https://a.example/1')).code).toBe(0);
    expect((await admin('served-webhook', 'set', 'posted', 'ours', 'https://a.example/2')).code).toBe(0);
    expect((await admin('served-webhook', 'list', 'posted')).stdout).toBe('ours  https://a.example/2\n');
    for (const [name, url] of [
      ['ours', 'ftp://a.example'],
      ['a/b', 'https://a.example'],
    ]) {
      expect((await admin('served-webhook', 'set', 'posted', name ?? '', url ?? '')).code).toBe(1);
    }
    expect((await admin('served-webhook', 'remove', 'posted', 'ours')).code).toBe(0);
    expect((await admin('served-webhook', 'remove', 'posted', 'ours')).code).toBe(1);
    expect((await admin('served-webhook', 'list', 'posted')).stdout).toBe('');
  });
});

describe('npm run admin, of a tenant’s endpoints,', () => {
  const printed = async (...words: string[]) => {
    const { code, stdout, stderr } = await admin('endpoint', ...words);
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  };

  it('makes, shows, changes, stops, rotates and deletes one, and prints its secret at making and rotating alone', async () => {
    await admin('tenant', 'create', 'hooked');
    const { secret, ...made } = await printed('create', 'hooked', 'https://hooks.example/a');
    const id: string = made.id;
    expect(secret).toMatch(/^whsec_/);
    expect(made).toMatchObject({ types: null, body: 'thin', metadata: false, v1a: false, state: 'enabled' });
    expect(await printed('list', 'hooked')).toEqual({ endpoints: [made] });
    expect(await printed('show', 'hooked', id)).toEqual(made);
    const file = write('endpoint.json', { types: ['verification.decided'], body: 'full', v1a: true });
    const changed = await printed('change', 'hooked', id, file);
    expect(changed).toMatchObject({ types: ['verification.decided'], public_keys: [expect.stringMatching(/^whpk_/)] });
    expect(await printed('disable', 'hooked', id)).toMatchObject({ state: 'disabled', disabled_because: 'asked' });
    expect(await printed('enable', 'hooked', id)).toEqual(changed);
    expect((await printed('rotate', 'hooked', id)).public_keys).toHaveLength(2);
    expect((await printed('rotate', 'hooked', id, '--grace-seconds', '0')).public_keys).toHaveLength(1);
    const own = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    expect(await printed('rotate', 'hooked', id, write('own.json', { secret: own }))).toMatchObject({ secret: own });
    expect((await admin('endpoint', 'reseal', 'hooked')).stdout).toBe(
      'Sealed under the current key: the secrets of 1 endpoints.\n',
    );
    expect(await printed('delete', 'hooked', id)).toEqual({ id, state: 'deleted' });
    expect(await admin('endpoint', 'show', 'hooked', id)).toMatchObject({
      code: 1,
      stderr: 'There is no endpoint with this id.\n',
    });
  });

  it('sends a test to one on this machine', async () => {
    await admin('tenant', 'create', 'tested');
    const server = createServer((_, response) => response.writeHead(503).end('never shown')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const file = write('here.json', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
    const { id } = await printed('create', 'tested', file);
    const tested = { delivered: false, status: 503, milliseconds: expect.any(Number), error: 'status_unexpected' };
    expect(await printed('test', 'tested', id)).toEqual(tested);
    server.close();
  });

  it('says which field is wrong, and of which tenant nothing is known', async () => {
    await admin('tenant', 'create', 'wrong');
    const refused = async (...words: string[]) => {
      const { code, stderr } = await admin('endpoint', ...words);
      expect(code).toBe(1);
      return stderr;
    };
    expect(await refused('create', 'wrong', 'http://hooks.example/')).toContain('/url must be an https URL');
    expect(await refused('create', 'wrong', write('types.json', { url: 'https://a.example', types: ['x'] }))).toContain(
      'types',
    );
    expect(await refused('create', 'wrong', 'nowhere.json')).toContain('docs/webhooks.md');
    expect(await refused('create', 'nobody', 'https://hooks.example/')).toBe('There is no tenant nobody\n');
  });
});

describe('npm run admin, of the deployment itself,', () => {
  it('makes a webhook address that is no tenant’s', async () => {
    const { code, stdout } = await admin('webhook', 'rotate', 'identify', 'deployment');
    expect(code).toBe(0);
    const [address = ''] = stdout.split('\n');
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:4000\/webhooks\/identify\/whd_[A-Za-z0-9_-]{43}$/);
    expect(await tenants().ofWebhook('identify', address.split('/').at(-1) ?? '')).toEqual({ kind: 'deployment' });
  });

  it('keeps its name from tenants', async () => {
    const refused = await admin('tenant', 'create', 'deployment');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('must not be "deployment"') });
    expect(await tenants().find('deployment')).toBeUndefined();
  });
});

describe('npm run admin -- credentials set', () => {
  const credentials = { apiKey: 'a-key-of-the-test' };

  it('says where captures will be sent', async () => {
    const file = write('spoofsense.json', { settings: { baseUrl: 'http://127.0.0.1:4010/' }, credentials });
    const { code, stdout } = await admin('credentials', 'set', 'spoofsense', 'deployment', file);
    expect(code).toBe(0);
    expect(stdout).toContain('spoofsense sends captures to http://127.0.0.1:4010/antispoofing\n');
    expect(stdout).not.toContain(credentials.apiKey);
    expect(await tenants().deploymentCredentials()).toEqual({
      spoofsense: 'bonafide/providers/spoofsense/deployment',
    });
    expect(secret('bonafide/providers/spoofsense/deployment')).toMatchObject({ credentials });
  });

  it('says what is missing for the results of a provider that sends webhooks', async () => {
    const secret = {
      settings: { baseUrl: 'https://identify.example' },
      credentials: credentialsOf('identify', 'a-key'),
    };
    await tenants().create('answered');
    const words = ['credentials', 'set', 'identify', 'answered', write('identify.json', secret)];
    expect((await admin(...words)).stdout).toContain('npm run admin -- webhook rotate identify answered\n');
    await tenants().rotateWebhook('answered', 'identify', 0);
    expect((await admin(...words)).stdout).not.toContain('webhook rotate');
  });

  it('takes a file without settings where all have defaults, with a byte order mark too', async () => {
    const file = write('default.json', `\uFEFF${JSON.stringify({ credentials })}`);
    const { stdout } = await admin('credentials', 'set', 'onesmartlab', 'deployment', file);
    expect(stdout).toContain('onesmartlab sends captures to https://api.onesmartlab.com/v1.1\n');
  });

  it.each([
    ['a misspelt setting', { settings: { base_url: 'http://127.0.0.1:4010' }, credentials }, 'write "baseUrl"'],
    ['a misspelt credential', { credentials: { api_key: 'a-key-of-the-test' } }, 'write "apiKey"'],
    ['something that is not JSON', 'a-key-of-the-test', 'is not JSON'],
  ])('keeps nothing of a file with %s, and does not quote it', async (_, content, says) => {
    await tenants()
      .create('unset')
      .catch(() => undefined);
    const file = write('mistaken.json', content);
    const { code, stderr } = await admin('credentials', 'set', 'spoofsense', 'unset', file);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(says) });
    expect(stderr).not.toContain('a-key-of-the-test');
    expect((await tenants().find('unset'))?.credentials).toEqual({});
  });

  it.each(['sandbox', 'builtin', 'constructor', 'nobody'])('knows no credentials of %s', async (provider) => {
    const { code, stderr } = await admin('credentials', 'set', provider, 'deployment', write('any.json', {}));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `${provider} is not a provider with credentials: ${withCredentials.join(', ')}\n`,
    });
  });
});

describe('npm run admin -- policy', () => {
  const { version: _, ...input } = defaultPolicy;

  it('shows, validates and sets a policy', async () => {
    await tenants().create('policed');
    const shown = await admin('policy', 'show', 'policed');
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    const file = write('policy.json', { ...JSON.parse(shown.stdout), keepCaptures: true });
    expect(await admin('policy', 'validate', file)).toMatchObject({ code: 0, stdout: 'It can be set.\n' });
    expect((await admin('policy', 'set', 'policed', file)).code).toBe(0);
    expect((await tenants().find('policed'))?.policy).toMatchObject({ version: 2, keepCaptures: true });
  });

  it('sets a policy that names the sandbox for a test tenant alone', async () => {
    await tenants().create('rehearsing', { test: true });
    await tenants().create('earnest');
    const routes = { ...input.routes, spoof_detect: ['builtin', 'sandbox'] };
    const file = write('sandbox.json', { ...input, routes });
    expect((await admin('policy', 'set', 'rehearsing', file)).code).toBe(0);
    expect((await tenants().find('rehearsing'))?.policy.routes).toEqual(routes);
    expect((await admin('policy', 'validate', file, '--test')).code).toBe(0);
    for (const words of [['validate'], ['set', 'earnest']]) {
      const { code, stderr } = await admin('policy', ...words, file);
      expect(code).toBe(1);
      expect(stderr).toContain('routes.spoof_detect: sandbox decides nothing real, so only a test tenant may use it');
    }
    expect((await tenants().find('earnest'))?.policy).toEqual(defaultPolicy);
  });

  it('stores the logo of a capture page, names it in the policy, and takes both away', async () => {
    await tenants().create('pictured');
    const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
    const file = write('logo.png', png);
    const set = await admin('logo', 'set', 'pictured', file);
    expect(set).toMatchObject({ code: 0, stderr: '' });
    const [, hash = ''] = /^Logo ([0-9a-f]{64}) in policy 2 of pictured/.exec(set.stdout) ?? [];
    expect(await tenants().pageOf('pictured')).toEqual({ returnOrigins: [], frameOrigins: [], logo: hash });
    const logos = dynamoLogos({ client: client(), table: 'tenants' });
    expect(Buffer.from((await logos.find('pictured', hash)) ?? [])).toEqual(png);

    const named = write('named.json', { ...input, page: { name: 'Pictured', logo: hash } });
    expect((await admin('policy', 'set', 'pictured', named)).code).toBe(0);
    const shown = await admin('policy', 'show', 'pictured');
    expect(JSON.parse(shown.stdout).page).toMatchObject({ name: 'Pictured', logo: hash });
    expect(await admin('logo', 'remove', 'pictured')).toMatchObject({ code: 0 });
    expect(await tenants().pageOf('pictured')).toEqual({ returnOrigins: [], frameOrigins: [], name: 'Pictured' });
    expect(await logos.find('pictured', hash)).toBeUndefined();
    expect(await admin('logo', 'remove', 'pictured')).toMatchObject({
      code: 1,
      stderr: 'Tenant pictured has no logo\n',
    });
    expect((await admin('policy', 'set', 'pictured', named)).stderr).toContain('page.logo: this logo is not stored');
  });

  it.each([
    ['an SVG that is called a PNG', '<svg onload="alert(1)"/>', 'is not a PNG'],
    ['a PNG without a picture', Buffer.from('89504e470d0a1a0a', 'hex'), 'is not a PNG'],
    ['a PNG that begins late', Buffer.from('0089504e470d0a1a0a0000000d49484452', 'hex'), 'is not a PNG'],
    ['nothing', '', 'is not a PNG'],
    [
      'more than 32 kB',
      Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), Buffer.alloc(32 * 1024 - 15)]),
      'has 32769 bytes: a logo has at most 32768',
    ],
  ])('stores no logo that is %s', async (_, bytes, why) => {
    const file = write('not-a-logo.png', bytes);
    expect(await admin('logo', 'set', 'acme', file)).toEqual({ code: 1, stdout: '', stderr: `${file} ${why}\n` });
  });

  it('neither validates nor sets one with mistakes, and names them all', async () => {
    await tenants().create('mistaken');
    const file = write('mistakes.json', {
      ...input,
      routes: { ...input.routes, photo_verify: ['spoofsense'] },
      thresholds: { spoofsense: { live: -1 } },
    });
    for (const words of [['validate'], ['set', 'mistaken']]) {
      const { code, stderr } = await admin('policy', ...words, file);
      expect(code).toBe(1);
      expect(stderr).toContain('routes.photo_verify: spoofsense cannot do photo_verify');
      expect(stderr).toContain('thresholds.spoofsense.live: must be from 0 to 1, not -1');
    }
    expect((await tenants().find('mistaken'))?.policy).toEqual(defaultPolicy);
  });

  it('shows one that was set before such mistakes were looked for, and says so', async () => {
    await tenants().create('earlier');
    await tenants().setPolicy('earlier', { ...input, thresholds: { spoofsense: { live: -1 } } });
    const { code, stdout, stderr } = await admin('policy', 'show', 'earlier');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ thresholds: { spoofsense: { live: -1 } } });
    expect(stderr).toContain('thresholds.spoofsense.live: must be from 0 to 1, not -1');
  });
});

describe('npm run admin -- webhook rotate', () => {
  it.each(['spoofsense', 'onesmartlab', 'sandbox', 'builtin', 'constructor', 'nobody'])(
    'makes no address for %s, which sends no webhooks',
    async (provider) => {
      const { code, stdout, stderr } = await admin('webhook', 'rotate', provider, 'deployment');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(`${provider} sends no webhooks`);
      expect(stderr).toContain('Those that do: identify');
    },
  );
});

describe('npm run admin -- credentials check', () => {
  let vendors: VendorSimulator;
  beforeAll(async () => {
    vendors = await startVendorSimulator();
    await tenants().create('checked');
  });
  afterAll(() => vendors.stop());

  async function set(provider: Vendor, owner: string, overrides: { key?: string; baseUrl?: string } = {}) {
    const { key = vendors.key, baseUrl = vendors.baseUrls[provider] } = overrides;
    const file = write('check.json', { settings: { baseUrl }, credentials: credentialsOf(provider, key) });
    expect((await admin('credentials', 'set', provider, owner, file)).code).toBe(0);
  }

  it.each(vendor.options)('says of %s whether the key is taken, or the vendor is not there', async (provider) => {
    await set(provider, 'checked');
    const right = await admin('credentials', 'check', provider, 'checked');
    expect(right).toMatchObject({ code: 0, stderr: '' });
    expect(right.stdout).toContain(`Asks ${vendors.url}`);
    expect(right.stdout).toContain(`ok: ${provider} takes the credentials.`);

    await set(provider, 'checked', { key: 'a-key-that-is-wrong' });
    const wrong = await admin('credentials', 'check', provider, 'checked');
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/^wrong key: /) });

    await set(provider, 'checked', { baseUrl: 'http://127.0.0.1:9' });
    const absent = await admin('credentials', 'check', provider, 'checked');
    expect(absent).toMatchObject({ code: 1, stderr: expect.stringMatching(/^unreachable: /) });

    await set(provider, 'checked', { key: `${vendors.key}+not_json` });
    const stranger = await admin('credentials', 'check', provider, 'checked');
    expect(stranger).toMatchObject({ code: 1, stderr: expect.stringMatching(/^unclear: /) });
    for (const { stdout, stderr } of [right, wrong, stranger]) {
      expect(stdout + stderr).not.toMatch(/simulator-key|a-key-that-is-wrong/);
    }
  });

  it('says that the credits are spent, and what is missing for results to come', async () => {
    await set('identify', 'deployment');
    vendors.setCredits(0);
    const spent = await admin('credentials', 'check', 'identify', 'deployment');
    expect(spent).toMatchObject({ code: 1, stderr: expect.stringMatching(/^spent: /) });
    vendors.reset();
    await tenants().create('without');
    const [rotate, ofWithout] = [
      'npm run admin -- webhook rotate identify',
      () => admin('credentials', 'check', 'identify', 'without'),
    ];
    expect((await ofWithout()).stdout).toContain('identify/deployment'); // it has none of its own
    const before = await tenants().rotateWebhook('deployment', 'identify', 0);
    expect(before.key).toMatch(/^whd_/);
    expect((await ofWithout()).stdout).not.toContain(rotate);
    await set('identify', 'without');
    expect((await ofWithout()).stdout).toContain(`${rotate} without`);
    await tenants().rotateWebhook('without', 'identify', 0);
    expect((await ofWithout()).stdout).not.toContain(rotate);
  });

  it('says what to do where there is nothing to check', async () => {
    await tenants().create('bare');
    await tenants().setCredentials('bare', 'spoofsense', 'bonafide/providers/spoofsense/gone');
    expect(await admin('credentials', 'check', 'spoofsense', 'bare')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no secret bonafide/providers/spoofsense/gone'),
    });
    expect(await admin('credentials', 'check', 'sandbox', 'bare')).toMatchObject({ code: 1 });
    expect(await admin('credentials', 'check', 'identify', 'nobody')).toMatchObject({
      code: 1,
      stderr: 'There is no tenant nobody\n',
    });
    await tenants().setCredentials('deployment', 'identify', undefined);
    expect(await admin('credentials', 'check', 'identify', 'bare')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('npm run admin -- credentials set identify bare FILE'),
    });
  });
});

describe('npm run admin, of a tenant’s operators,', () => {
  it('invites one by a link that is printed once, lists, signs out and revokes', async () => {
    await admin('tenant', 'create', 'operated');
    const { code, stdout } = await admin(
      'operator',
      'invite',
      'operated',
      'reviewer',
      'Ada',
      '--email',
      'ada@example.com',
    );
    expect(code).toBe(0);
    const [, id = '', link = ''] = /^operator (o_\w{12}) {2}reviewer {2}Ada\n(\S+)\n/.exec(stdout) ?? [];
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:4000\/console#i_operated_\w{12}_[\w-]{43}$/);
    const again = await admin('operator', 'invite-again', 'operated', id);
    expect(again.stdout).toContain('#i_operated_');
    expect(again.stdout).not.toContain(link);
    expect((await admin('operator', 'sign-out', 'operated', id)).code).toBe(0);
    expect((await admin('operator', 'list', 'operated')).stdout).toBe(`${id}  reviewer  Ada\n`);
    expect((await admin('operator', 'revoke', 'operated', id)).code).toBe(0);
    expect((await admin('operator', 'list', 'operated')).stdout).toMatch(/Ada {2}revoked 2/);
    for (const verb of ['revoke', 'sign-out', 'invite-again']) {
      expect(await admin('operator', verb, 'operated', id)).toMatchObject({
        code: 1,
        stderr: `operated has no operator ${id}, or revoked it.\n`,
      });
    }
  });

  it('refuses a role, an address, a name or a tenant that is none', async () => {
    const invite = (...words: string[]) => admin('operator', 'invite', ...words);
    expect(await invite('operated', 'owner', 'Ada')).toMatchObject({
      code: 1,
      stderr: 'A role is viewer or reviewer, not owner\n',
    });
    const wrongAddress = await invite('operated', 'viewer', 'Ada', '--email', 'no address');
    expect([wrongAddress.code, wrongAddress.stderr]).toEqual([1, 'no address is no address\n']);
    const wrongName = await invite('operated', 'viewer', ' ');
    expect([wrongName.code, wrongName.stderr]).toEqual([1, 'A name is 1 to 100 characters of plain text\n']);
    expect((await invite('nobody', 'viewer', 'Ada')).code).toBe(1);
    expect((await admin('operator', 'list', 'operated')).stdout.split('\n')).toHaveLength(2);
  });
});
