import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { expect, it } from 'vitest';
import { defaultPolicy } from '../../../shared/domain/policy.ts';
import { tenantsTable } from './tenants-table.ts';

const { open, client } = tenantsTable();
const { version: _, ...input } = defaultPolicy;

it('counts the versions of a policy, and keeps those before', async () => {
  const tenants = open();
  await tenants.create('acme');
  expect(await tenants.setPolicy('acme', { ...input, keepCaptures: true })).toBe(2);
  expect(await tenants.setPolicy('acme', { ...input, thresholds: { builtin: { live: 0.6 } } })).toBe(3);
  expect((await tenants.find('acme'))?.policy).toEqual({
    ...defaultPolicy,
    version: 3,
    thresholds: { builtin: { live: 0.6 } },
  });
  const { Item = {} } = await client().send(
    new GetItemCommand({ TableName: 'tenants', Key: marshall({ id: 'acme/policy/2' }) }),
  );
  expect(unmarshall(Item).policy).toEqual({ ...defaultPolicy, version: 2, keepCaptures: true });
});

it('answers the capture page of a tenant, and none of a name that is no tenant’s', async () => {
  const page = { returnOrigins: ['https://shop.example'], frameOrigins: [], colours: { accent: '#112233' } };
  await open().create('paged');
  expect(await open().pageOf('paged')).toBeUndefined();
  await open().setPolicy('paged', { ...input, page });
  expect(await open().pageOf('paged')).toEqual(page);
  expect(await open().pageOf('nobody')).toBeUndefined();
});

it('gives two policies set at once a version each', async () => {
  await open().create('two-operators');
  const versions = await Promise.all([
    open().setPolicy('two-operators', input),
    open().setPolicy('two-operators', input),
  ]);
  expect(versions.toSorted()).toEqual([2, 3]);
});

it('has no policy for a tenant that is not there', async () => {
  await expect(open().setPolicy('nobody', input)).rejects.toMatchObject({ code: 'state_conflict' });
});
