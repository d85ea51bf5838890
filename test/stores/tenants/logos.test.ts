import { expect, it } from 'vitest';
import { dynamoLogos } from '../../../shared/stores/tenants/logos.ts';
import { tenantsTable } from './tenants-table.ts';

const { open, client } = tenantsTable();
const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

it('keeps the logos of a tenant by what they are, and finds those of no other', async () => {
  const logos = dynamoLogos({ client: client(), table: 'tenants' });
  await open().create('acme');
  const hash = await logos.keep('acme', png);
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(await logos.keep('acme', png)).toBe(hash);
  expect(Buffer.from((await logos.find('acme', hash)) ?? [])).toEqual(png);
  expect(await logos.find('other', hash)).toBeUndefined();
  expect(await logos.find('acme', '0'.repeat(64))).toBeUndefined();
  await logos.remove('acme', hash);
  await logos.remove('acme', hash);
  expect(await logos.find('acme', hash)).toBeUndefined();
  expect(await open().find('acme')).toBeDefined();
});
