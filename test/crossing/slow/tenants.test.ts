import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Endpoint, endpoint } from '../../../shared/domain/endpoint.ts';
import { defaultPolicy, type Policy, policy } from '../../../shared/domain/policy.ts';
import type { dynamoTenants } from '../../../shared/stores/tenants/tenants.ts';
import { anEndpoint } from '../../builders/endpoint.ts';
import { type Crossing, each, startCrossing, theirSchema, type Version, versions } from '../releases.ts';
import { makeTenant } from '../tenants.ts';
import { actorOf, mayAsk, type Variant, variantsOf } from '../variants.ts';
import { inventedIn, withFields } from '../words.ts';

/*
 * Tenants with every word in their policies and in their endpoints: each calls the functions of either release, begins
 * verifications, and has its endpoints changed.
 */

interface WithPolicy extends Variant<Policy> {
  readonly id: string;
  readonly key: string;
}

let crossing: Crossing;
let policies: WithPolicy[];
/** All endpoints of one tenant that both releases know, and of one that only a tolerant one is asked for. */
let endpoints: readonly { readonly key: string; readonly id: string; readonly has: readonly Variant<Endpoint>[] }[];

beforeAll(async () => {
  crossing = await startCrossing();
  const [theirPolicy, theirEndpoint] = await Promise.all([
    theirSchema(crossing, 'shared/domain/policy.ts', 'policy'),
    theirSchema(crossing, 'shared/domain/endpoint.ts', 'endpoint'),
  ]);
  const whole = policy.parse({
    ...defaultPolicy,
    ...{ barePortraits: true, turn: true, served: { spoofsense: { edition: 'messages' } } },
    page: { returnOrigins: ['https://shop.example'], language: 'de', name: 'Shop', colours: { accent: '#123456' } },
  });
  policies = [];
  for (const variant of variantsOf('policy', whole, { ours: policy, theirs: theirPolicy })) {
    const id = `policy-${policies.length}`;
    policies.push({ ...variant, id, key: await makeTenant(crossing, { id, policy: variant.row }) });
  }
  const begun = { id: 'r', since: '', until: '', failedOnly: false, begunAt: '', seen: 0, sent: 0, cancelled: [] };
  const fields = { state: 'disabled', disabledBecause: 'asked', replay: { ...begun, state: 'done' } } as const;
  const variants = [...variantsOf('endpoint', anEndpoint(fields), { ours: endpoint, theirs: theirEndpoint })];
  const ofTenant = async (id: string, isNew: boolean) => {
    const has = variants.filter((one) => one.isNew === isNew).map((one) => ({ ...one, row: ownEndpoint(id, one.row) }));
    const rows = Object.fromEntries(has.map(({ row }) => [row.id, row]));
    await crossing.write('tenants', { id: `${id}/endpoints`, keeps: true, endpoints: rows });
    return { id, has, key: await makeTenant(crossing, { id }) };
  };
  endpoints = [await ofTenant('hooks-known', false), await ofTenant('hooks-later', true)];
  console.log(`${policies.length} policies and ${variants.length} endpoints, crossed with ${crossing.last.commit}`);
});
afterAll(() => crossing?.end());

const ownEndpoint = (tenant: string, row: Endpoint): Endpoint => ({ ...row, id: anEndpoint().id, tenant });

it.each(versions)('every policy is read by the %s release, and begins what it decides', async (version) => {
  const wrong: string[] = [];
  const asked = policies.filter((one) => mayAsk(crossing, version, one));
  await each(asked, async ({ id, key, what, place, isInvented }) => {
    const listed = await crossing.call(version, { key }, '/verifications?state=all');
    const request = {
      source_id: `${id}-${version}`,
      check: 'spoof_detect',
      captures: { selfie: { content_type: 'image/jpeg' } },
    };
    const begun = await crossing.call(version, { key }, '/verifications', request);
    const begins = !isInvented || place === 'fields' || /^(page|served)/.test(place);
    if (listed.status !== 200) wrong.push(`${what}: listed with ${listed.status}`);
    if (begun.status !== (begins ? 201 : 503)) wrong.push(`${what}: begun with ${begun.status} ${begun.text}`);
  });
  expect(wrong).toEqual([]);
});

it('a tenant gets another key, and loses one, by either release, and keeps what a later one wrote', async () => {
  for (const version of versions) {
    const id = `keys-${version}`;
    const key = await makeTenant(crossing, { id });
    await crossing.write('tenants', { ...withFields(await crossing.read('tenants', { id })), policy: defaultPolicy });
    const before = inventedIn(await crossing.read('tenants', { id }));
    const tenants = await tenantsOf(version);
    const added = await tenants.addKey(id);
    expect(inventedIn(await crossing.read('tenants', { id }))).toBe(before);
    for (const one of versions)
      expect((await crossing.call(one, { key: added.key }, '/verifications?state=all')).status).toBe(200);
    expect(await tenants.revokeKey(id, added.id)).toBe(true);
    expect(inventedIn(await crossing.read('tenants', { id }))).toBe(before);
    expect((await crossing.call('current', { key }, '/endpoints')).status).toBe(200);
  }
});

/** The store that a release's `npm run admin` writes tenants with. */
async function tenantsOf(version: Version) {
  const root = version === 'last' ? crossing.last.directory : process.cwd();
  const module: { dynamoTenants: typeof dynamoTenants } = await import(
    /* @vite-ignore */ pathToFileURL(join(root, 'shared/stores/tenants/tenants.ts')).href
  );
  return module.dynamoTenants({ client: crossing.client, table: 'tenants', now: () => new Date(), randomBytes });
}

it.each(versions)('every endpoint is listed by the %s release', async (version) => {
  for (const { id, key, has } of endpoints) {
    if (!has.every((one) => mayAsk(crossing, version, one))) continue;
    const { status, text } = await crossing.call(version, { key }, '/endpoints');
    expect(status, `${id}: ${text}`).toBe(200);
    for (const { row, what, word } of has) {
      expect(text, what).toContain(row.id);
      const shown = await crossing.call(version, { key }, `/endpoints/${row.id}`);
      expect(shown.status, what).toBe(200);
      if (what.endsWith(` ${word}`) && word !== '') expect(shown.text, what).toContain(word);
    }
  }
});

it('an endpoint is changed by either release without losing a word or a field; one that it does not understand is left alone', async () => {
  const wrong: string[] = [];
  for (const { id, key, has } of endpoints) {
    const stored = async ({ row }: Variant<Endpoint>) => {
      const { endpoints: rows } = await crossing.read('tenants', { id: `${id}/endpoints` });
      return (rows as Record<string, unknown>)[row.id];
    };
    for (const [index, one] of has.entries()) {
      const { what, place, isInvented, row } = one;
      const isUndecidable = isInvented && place !== 'fields' && place !== 'disabledBecause';
      const before = await stored(one);
      const version = actorOf(crossing, one, index, 0);
      const change = { description: `changed by ${version}` };
      const { status, text } = await crossing.call(version, { key }, `/endpoints/${row.id}`, change, 'PATCH');
      const after = await stored(one);
      if (status !== (isUndecidable ? 503 : 200)) wrong.push(`${what}: ${version} ${status} ${text}`);
      if (isUndecidable) expect(after, what).toEqual(before);
      if (inventedIn(after) !== inventedIn(before)) wrong.push(`${what}: lost by ${version}`);
    }
  }
  expect(wrong).toEqual([]);
});
