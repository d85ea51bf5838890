import { expect, it } from 'vitest';
import { keyCacheSeconds } from '../../../shared/domain/times.ts';
import { tenantsTable } from './tenants-table.ts';

const { open, passes } = tenantsTable();

it('remembers where the credentials of each provider are kept, and forgets them one by one', async () => {
  const tenants = open();
  await tenants.create('acme');
  await tenants.setCredentials('acme', 'identify', 'secrets/identify/acme');
  await tenants.setCredentials('acme', 'spoofsense', 'secrets/spoofsense/acme');
  await tenants.setCredentials('acme', 'identify', undefined);
  expect((await tenants.find('acme'))?.credentials).toEqual({ spoofsense: 'secrets/spoofsense/acme' });
  await expect(tenants.setCredentials('nobody', 'identify', 'x')).rejects.toMatchObject({ code: 'state_conflict' });
});

it('tells the deployment’s credentials to every function within the stated delay', async () => {
  const api = open();
  expect(await api.deploymentCredentials()).toEqual({});
  await open().setCredentials('deployment', 'identify', 'secrets/identify/deployment');
  expect(await api.deploymentCredentials()).toEqual({}); // not seen yet
  passes(keyCacheSeconds + 1);
  expect(await api.deploymentCredentials()).toEqual({ identify: 'secrets/identify/deployment' });
});
