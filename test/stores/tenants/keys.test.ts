import { describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../../shared/domain/policy.ts';
import { keyCacheSeconds } from '../../../shared/stores/tenants/row.ts';
import { tenantsTable } from './tenants-table.ts';

const { open, passes, requests } = tenantsTable();

describe('tenants', () => {
  it('are made with the default policy and a key that only its hash is stored of', async () => {
    const { key } = await open().create('acme');
    expect(key).toMatch(/^bf_acme_[A-Za-z0-9_-]{43}$/);
    const tenant = await open().authenticate(key);
    expect(tenant).toMatchObject({ id: 'acme', policy: defaultPolicy });
    expect(JSON.stringify(await open().find('acme'))).not.toContain(key.slice(8));
  });

  it('are not made twice', async () => {
    await expect(open().create('acme')).rejects.toMatchObject({ code: 'state_conflict' });
  });

  it('hold several keys, each revocable within the stated delay', async () => {
    const admin = open();
    const first = await admin.create('rotating');
    const second = await admin.addKey('rotating');
    const api = open();
    await api.authenticate(first.key);
    expect(await admin.revokeKey('rotating', first.id)).toBe(true);
    expect(await admin.revokeKey('rotating', first.id)).toBe(false);
    await expect(api.authenticate(first.key)).resolves.toBeDefined(); // not seen yet
    passes(keyCacheSeconds + 1);
    await expect(api.authenticate(first.key)).rejects.toMatchObject({ code: 'api_key_invalid' });
    await expect(api.authenticate(second.key)).resolves.toMatchObject({ id: 'rotating' });
    expect(keyCacheSeconds).toBeLessThanOrEqual(30);
  });

  it('cost one read in the cache’s time', async () => {
    const { key } = await open().create('counted');
    const api = open();
    requests();
    for (let call = 0; call < 10; call += 1) await api.authenticate(key);
    expect(requests()).toEqual(['GetItemCommand']);
  });

  it('refuse every other key in the same words', async () => {
    const { key } = await open().create('strict');
    const others = [
      undefined,
      '',
      'x',
      key.slice(0, -1),
      `${key}x`,
      key.replace('strict', 'acme'),
      key.replace('strict', 'nobody'),
    ];
    const messages = await Promise.all(
      others.map((other) =>
        open()
          .authenticate(other)
          .then(
            () => 'taken',
            (error: Error) => error.message,
          ),
      ),
    );
    expect(new Set(messages).size).toBe(1);
    expect(messages[0]).not.toBe('taken');
  });
});
