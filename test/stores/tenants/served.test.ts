import { beforeEach, expect, it } from 'vitest';
import { maximumServedWebhooks } from '../../../shared/stores/tenants/row.ts';
import type { Tenants } from '../../../shared/stores/tenants/tenants.ts';
import { tenantsTable } from './tenants-table.ts';

const table = tenantsTable();
let tenants: Tenants;
let names = 0;
let acme = '';
beforeEach(async () => {
  tenants = table.open();
  acme = `acme-${++names}`;
  await tenants.create(acme);
});

it('counts credits in a row of their own, of tenants there are', async () => {
  expect(await tenants.creditsLeft(acme)).toBe(0);
  expect(await tenants.addCredits(acme, 5)).toBe(5);
  expect(await tenants.addCredits(acme, 2)).toBe(7);
  expect(await table.open().creditsLeft(acme)).toBe(7);
  await expect(tenants.addCredits('nobody', 5)).rejects.toThrow('no tenant');
});

it('finds the webhook of a name, replaces it, and forgets it', async () => {
  await tenants.setServedWebhook(acme, 'ours', 'https://a.example/1');
  await tenants.setServedWebhook(acme, 'theirs', 'https://a.example/2');
  await tenants.setServedWebhook(acme, 'ours', 'https://a.example/3');
  expect(await tenants.servedWebhook(acme, 'ours')).toBe('https://a.example/3');
  expect(await tenants.servedWebhook(acme, 'theirs')).toBe('https://a.example/2');
  expect(await tenants.servedWebhook(acme, 'constructor')).toBeUndefined();
  expect(await tenants.servedWebhook('nobody', 'ours')).toBeUndefined();
  expect(await tenants.removeServedWebhook(acme, 'ours')).toBe(true);
  expect(await tenants.removeServedWebhook(acme, 'ours')).toBe(false);
  expect(await tenants.servedWebhook(acme, 'ours')).toBeUndefined();
});

it('loses none of two that are set at once, and keeps no more than a row can hold', async () => {
  const set = (index: number) => tenants.setServedWebhook(acme, `w-${index}`, 'https://a.example/');
  await Promise.all(Array.from({ length: maximumServedWebhooks }, (_, index) => set(index)));
  expect(Object.keys((await tenants.find(acme))?.servedWebhooks ?? {})).toHaveLength(maximumServedWebhooks);
  await expect(set(maximumServedWebhooks)).rejects.toThrow('remove one first');
  await set(3);
});
