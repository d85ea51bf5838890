import { expect, it } from 'vitest';
import { receiptKeyOf } from '../../shared/domain/receipt.ts';
import { receiptKeys } from '../../shared/stores/receipt-keys.ts';
import { signingSecretOf } from '../builders/deployment.ts';
import { tenantsTable } from './tenants/tenants-table.ts';

const table = tenantsTable();
/** One function's view, where these are the secret's values: the current one, and the one before. */
const open = (...values: [string, ...string[]]) => receiptKeys(signingSecretOf(...values), table.client(), 'tenants');
const named = async (keys: ReturnType<typeof open>) => (await keys.published()).map(({ kid }) => kid);
const kid = (secret: string) => receiptKeyOf(secret).kid;

it('every public key that has signed stays published, however often the secret was replaced', async () => {
  expect(await named(open('one'))).toEqual([kid('one')]);
  await open('one').secret();
  await open('two', 'one').secret();
  await open('three', 'two').secret();
  const all = await named(open('four', 'three'));
  expect(all.slice(0, 2)).toEqual([kid('four'), kid('three')]);
  expect(all.slice(2).toSorted()).toEqual([kid('one'), kid('two')].toSorted());
});

it('a key is written down before its secret is given out, once in a process', async () => {
  const keys = open('five');
  table.requests();
  expect(await keys.secret()).toBe('five');
  expect(table.requests()).toEqual(['UpdateItemCommand']);
  await keys.secret();
  expect(table.requests()).toEqual([]);
  expect(await named(open('another'))).toContain(kid('five'));
});

it('the row of keys is no tenant', async () => {
  await open('six').secret();
  await expect(table.open().find('deployment')).resolves.toBeUndefined();
  await expect(table.open().authenticate(`bf_deployment/receipt-keys_${'A'.repeat(43)}`)).rejects.toMatchObject({
    code: 'api_key_invalid',
  });
});
