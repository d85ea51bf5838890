import { beforeAll, describe, expect, it } from 'vitest';
import { keyCacheSeconds } from '../../../shared/stores/tenants/row.ts';
import { tenantsTable } from './tenants-table.ts';

const { open, passes } = tenantsTable();

beforeAll(async () => {
  await open().create('acme');
  await open().create('other');
});

describe('a webhook address', () => {
  it('is its tenant’s, at its provider alone', async () => {
    const { key } = await open().rotateWebhook('acme', 'identify', 0);
    expect((await open().ofWebhook('identify', key))?.id).toBe('acme');
    expect(await open().ofWebhook('spoofsense', key)).toBeUndefined();
    for (const guess of [key.replace('acme', 'other'), key.replace('acme', 'nobody'), `${key}x`, '', 'x']) {
      expect(await open().ofWebhook('identify', guess), guess).toBeUndefined();
    }
    expect(JSON.stringify(await open().find('acme'))).not.toContain(key);
  });

  it('is taken for its grace after the next one is made, and then no more', async () => {
    const first = await open().rotateWebhook('other', 'identify', 0);
    const second = await open().rotateWebhook('other', 'identify', 60);
    const api = open();
    expect((await api.ofWebhook('identify', first.key))?.id).toBe('other');
    expect((await api.ofWebhook('identify', second.key))?.id).toBe('other');
    passes(Math.max(60, keyCacheSeconds) + 1);
    expect(await api.ofWebhook('identify', first.key)).toBeUndefined();
    expect((await api.ofWebhook('identify', second.key))?.id).toBe('other');
  });
});
