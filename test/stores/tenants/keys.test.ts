import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../../shared/domain/policy.ts';
import { keyCacheSeconds } from '../../../shared/domain/times.ts';
import { aTenant } from '../../builders/tenant.ts';
import { tenantsTable } from './tenants-table.ts';

const { open, client, passes, requests } = tenantsTable();

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

  it('are not called as the commands call the deployment', async () => {
    await expect(open().create('deployment')).rejects.toThrow(/must not be/);
  });

  it('called so from before keep their keys', async () => {
    const old = aTenant('deployment', { keys: [] });
    await client().send(new PutItemCommand({ TableName: 'tenants', Item: marshall(old) }));
    const { key } = await open().addKey('deployment');
    await expect(open().authenticate(key)).resolves.toMatchObject({ id: 'deployment' });
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

  it('are known to have no key left within the stated delay, for one read', async () => {
    const { id } = await open().create('leaving');
    const api = open();
    requests();
    expect([await api.hasKey('leaving'), await api.hasKey('leaving')]).toEqual([true, true]);
    expect(requests()).toEqual(['GetItemCommand']);
    await open().revokeKey('leaving', id);
    passes(keyCacheSeconds + 1);
    expect([await api.hasKey('leaving'), await api.hasKey('absent')]).toEqual([false, false]);
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

  it('cost the same requests whether a tenant is absent, has another key or has this one', async () => {
    const { key } = await open().create('existing');
    const wrong = key.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    const costs = new Map<string, string[][]>();
    for (const [what, given] of Object.entries({ right: key, wrong, absent: key.replace('existing', 'absent') })) {
      const api = open();
      requests();
      const cost: string[][] = [];
      for (let call = 0; call < 3; call += 1) {
        await api.authenticate(given).catch(() => undefined);
        cost.push(requests());
      }
      costs.set(what, cost);
    }
    const oneRead = [['GetItemCommand'], [], []];
    expect(Object.fromEntries(costs)).toEqual({ right: oneRead, wrong: oneRead, absent: oneRead });
  });

  it('are not read again because a caller invents names, and as many names are remembered as tenants', async () => {
    const { key } = await open().create('crowded');
    const api = open();
    const named = (name: string) => api.authenticate(key.replace('crowded', name)).catch(() => undefined);
    await api.authenticate(key);
    for (let name = 0; name <= 1000; name += 1) await named(`invented-${name}`);
    requests();
    await api.authenticate(key);
    await named('invented-1000');
    expect(requests()).toEqual([]);
    await named('invented-0'); // the oldest of 1001
    expect(requests()).toEqual(['GetItemCommand']);
  });

  it('are known within the stated delay to a function that was asked for them before they were made', async () => {
    const api = open();
    const early = `bf_late_${'A'.repeat(43)}`;
    await expect(api.authenticate(early)).rejects.toMatchObject({ code: 'api_key_invalid' });
    const { key } = await open().create('late');
    passes(keyCacheSeconds + 1);
    await expect(api.authenticate(key)).resolves.toMatchObject({ id: 'late' });
  });

  it('are not opened by a key whose hash only begins as theirs', async () => {
    const { key } = await open().create('prefix');
    const [row] = (await open().find('prefix'))?.keys ?? [];
    const sha256 = `${row?.sha256.slice(0, 62)}${row?.sha256.endsWith('00') ? '11' : '00'}`;
    await client().send(
      new UpdateItemCommand({
        TableName: 'tenants',
        Key: marshall({ id: 'prefix' }),
        UpdateExpression: 'SET #keys[0].sha256 = :sha256',
        ExpressionAttributeNames: { '#keys': 'keys' },
        ExpressionAttributeValues: marshall({ ':sha256': sha256 }),
      }),
    );
    await expect(open().authenticate(key)).rejects.toMatchObject({ code: 'api_key_invalid' });
  });
});
