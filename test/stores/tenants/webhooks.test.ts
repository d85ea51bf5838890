import { beforeAll, describe, expect, it } from 'vitest';
import { keyCacheSeconds } from '../../../shared/stores/tenants/row.ts';
import { tenantsTable } from './tenants-table.ts';

const { open, passes, requests } = tenantsTable();

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

  it('costs the same requests whether its tenant is absent, has another one or has this one', async () => {
    const { key } = await open().rotateWebhook('acme', 'identify', 0);
    const tokens = {
      right: key,
      wrong: key.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      absent: key.replace('acme', 'absent'),
      meaningless: 'x',
    };
    const costs = new Map<string, string[][]>();
    for (const [what, token] of Object.entries(tokens)) {
      const api = open();
      requests();
      const cost: string[][] = [];
      for (let call = 0; call < 3; call += 1) {
        await api.ofWebhook('identify', token);
        cost.push(requests());
      }
      costs.set(what, cost);
    }
    const oneRead = [['GetItemCommand'], [], []];
    expect([...costs.keys()]).toEqual(Object.keys(tokens));
    for (const [what, cost] of costs) expect(cost, what).toEqual(oneRead);
  });
});
