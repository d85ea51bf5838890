import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { keyCacheSeconds } from '../../../shared/domain/times.ts';
import type { Tenants } from '../../../shared/stores/tenants/tenants.ts';
import { aTenant } from '../../builders/tenant.ts';
import { tenantsTable } from './tenants-table.ts';

const { open, client, passes, requests } = tenantsTable();

beforeAll(async () => {
  await open().create('acme');
  await open().create('other');
});

/** The tenant's id, or what kind of owner it is instead. */
async function ownerOf(tenants: Tenants, token: string): Promise<string | undefined> {
  const owner = await tenants.ofWebhook('identify', token);
  return owner?.kind === 'tenant' ? owner.tenant.id : owner?.kind;
}

describe('a webhook address', () => {
  it('is its tenant’s, at its provider alone', async () => {
    const { key } = await open().rotateWebhook('acme', 'identify', 0);
    expect(await ownerOf(open(), key)).toBe('acme');
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
    expect(await ownerOf(api, first.key)).toBe('other');
    expect(await ownerOf(api, second.key)).toBe('other');
    passes(Math.max(60, keyCacheSeconds) + 1);
    expect(await api.ofWebhook('identify', first.key)).toBeUndefined();
    expect(await ownerOf(api, second.key)).toBe('other');
  });

  it('costs the same requests whether its tenant is absent, has another one or has this one', async () => {
    const { key } = await open().rotateWebhook('acme', 'identify', 0);
    const tokens = {
      right: key,
      wrong: key.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      absent: key.replace('acme', 'absent'),
      meaningless: 'x',
      'right, of the deployment': (await open().rotateWebhook('deployment', 'identify', 0)).key,
      'wrong, of the deployment': `whd_${'A'.repeat(43)}`,
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

describe('a webhook address of the deployment', () => {
  it('is the deployment’s, at its provider alone, and rotates as a tenant’s does', async () => {
    await open().setCredentials('deployment', 'identify', 'secrets/identify/deployment');
    const first = await open().rotateWebhook('deployment', 'identify', 0);
    const second = await open().rotateWebhook('deployment', 'identify', 60);
    const api = open();
    expect(await ownerOf(api, second.key)).toBe('deployment');
    expect(await api.ofWebhook('spoofsense', second.key)).toBeUndefined();
    expect(await ownerOf(api, second.key.replace('whd', 'wh_acme'))).toBeUndefined();
    passes(keyCacheSeconds + 1);
    expect(await ownerOf(api, first.key)).toBe('deployment');
    passes(60);
    expect(await ownerOf(api, first.key)).toBeUndefined();
    expect(await ownerOf(api, second.key)).toBe('deployment');
    expect(await open().deploymentCredentials()).toEqual({ identify: 'secrets/identify/deployment' });
  });

  it('is another than that of a tenant called so before the name was taken', async () => {
    await client().send(new PutItemCommand({ TableName: 'tenants', Item: marshall(aTenant('deployment')) }));
    const { key } = await open().rotateWebhook('deployment', 'identify', 0);
    expect(await ownerOf(open(), key)).toBe('deployment');
    expect((await open().find('deployment'))?.webhooks).toEqual([]);
  });
});

describe('a provider that answers by webhook', () => {
  const [its, ours] = ['bonafide/providers/identify/lonely', 'bonafide/providers/identify/deployment'];

  it('can answer where the owner of its credentials has an address', async () => {
    await open().create('lonely');
    const has = async (secretName: string) => open().hasWebhook('lonely', 'identify', secretName);
    await open().rotateWebhook('deployment', 'identify', 0);
    expect([await has(its), await has(ours)]).toEqual([false, true]);
    expect(await open().hasWebhook('lonely', 'another', ours)).toBe(false);
    await open().rotateWebhook('lonely', 'identify', 0);
    expect([await has(its), await has(ours)]).toEqual([true, true]);
  });

  it('is asked for what the request has read already: its tenant, and the deployment with its credentials', async () => {
    const { key } = await open().create('frugal');
    const api = open();
    requests();
    const { id } = await api.authenticate(key);
    await api.hasWebhook(id, 'identify', 'bonafide/providers/identify/frugal');
    expect(requests()).toEqual(['GetItemCommand']);
    await api.deploymentCredentials();
    await api.hasWebhook(id, 'identify', 'bonafide/providers/identify/deployment');
    expect(requests()).toEqual(['GetItemCommand']);
  });
});
