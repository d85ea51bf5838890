import { describe, expect, it } from 'vitest';
import { administered } from './administered.ts';

const { admin, tenants } = administered();

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

  it('says what there is where it does not know the command, or lacks a word', async () => {
    for (const words of [[], ['tenant'], ['tenant', 'create'], ['constructor', 'x'], ['tenant', 'make', 'acme']]) {
      expect(await admin(...words)).toMatchObject({ code: 2, stdout: expect.stringContaining('npm run admin --') });
    }
    expect((await admin('--help')).code).toBe(0);
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
