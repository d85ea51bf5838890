import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { breakerKey } from '../../../shared/domain/breaker.ts';
import { captureName } from '../../../shared/domain/captures.ts';
import { operatorRole } from '../../../shared/domain/operator.ts';
import { type KeptOutcome, keptOutcome } from '../../../shared/domain/outcome.ts';
import type { dynamoBreakers } from '../../../shared/stores/breakers.ts';
import { dynamoOutcomes } from '../../../shared/stores/outcomes.ts';
import { dynamoOperators } from '../../../shared/stores/tenants/operators.ts';
import { rowOf } from '../../../shared/stores/verifications.ts';
import { idOf } from '../../builders/deployment.ts';
import { anAwaitingVerification } from '../../builders/verification.ts';
import { type Crossing, each, other, startCrossing, theirSchema, type Version, versions } from '../releases.ts';
import { makeTenant } from '../tenants.ts';
import { actorOf, mayAsk, type Variant, variantsOf } from '../variants.ts';
import { invented, inventedIn, withFields } from '../words.ts';

/*
 * What the console reads beside the records: operators and their sessions, outcomes, looks and breakers, with every word.
 * Operators sign in with one release and go on with the other.
 */

let crossing: Crossing;
/** A reviewer's session with a tenant of which both releases know everything, and with one that only a tolerant one is asked for. */
let sessions: Readonly<Record<'known' | 'later', string>>;
let outcomes: readonly Variant<KeptOutcome>[];
const now = new Date();
const purgeAt = Math.floor(now.getTime() / 1000) + 86_400;
const tenantNames = ['known', 'later'] as const;
/** By the release that opens its breaker: functions remember one for a while. */
const vendors = { last: 'spoofsense', current: 'onesmartlab' } as const;

beforeAll(async () => {
  crossing = await startCrossing();
  const theirs = await theirSchema(crossing, 'shared/domain/outcome.ts', 'keptOutcome');
  for (const id of tenantNames) {
    const credentials = Object.fromEntries(Object.values(vendors).map((vendor) => [vendor, `secret-${id}`]));
    await makeTenant(crossing, { id, credentials });
  }
  sessions = { known: await signIn('last', 'known'), later: await signIn('current', 'later') };
  const whole: KeptOutcome = {
    ...{ tenant: 'known', id: 'o', at: now.toISOString(), check: 'spoof_detect', outcome: 'failed' },
    ...{ reasons: ['presentation_attack_suspected'], fault: 'provider_failed', provider: 'builtin', seconds: 1 },
  };
  outcomes = [...variantsOf('outcome', whole, { ours: keptOutcome, theirs })];
  const store = dynamoOutcomes(crossing.client, 'outcomes', () => now);
  await each(outcomes, ({ row, isNew }, index) =>
    store.keep({ ...row, id: `outcome-${index}`, tenant: isNew ? 'later' : 'known' }),
  );
  console.log(`${outcomes.length} outcomes, crossed with ${crossing.last.commit}`);
});
afterAll(() => crossing?.end());

/** An operator in a role, as `npm run admin` invites one: the code of the invitation. */
async function invite(tenant: string, role: string): Promise<{ readonly id: string; readonly code: string }> {
  const store = dynamoOperators({ client: crossing.client, table: 'tenants', now: () => new Date(), randomBytes });
  const { operator, code } = await store.invite(tenant, { name: `A ${role}`, role: 'viewer' });
  const row = await crossing.read('tenants', { id: `${tenant}/operators` });
  const { [operator.id]: found, ...others } = z.record(z.string(), z.looseObject({})).parse(row.operators);
  const changed = role === 'viewer' || role === 'reviewer' ? { ...found, role } : withFields({ ...found, role });
  await crossing.write('tenants', { ...row, operators: { ...others, [operator.id]: changed } });
  return { id: operator.id, code };
}

/** Spends an invitation: the session's token. */
async function spend(version: Version, code: string): Promise<string> {
  const { status, text, cookies } = await crossing.call(version, { session: '' }, '/console/session', { code });
  expect(status, text).toBe(201);
  return /^[^=]+=([^;]+);/.exec(cookies[0] ?? '')?.[1] ?? '';
}

const signIn = async (version: Version, tenant: string) => spend(version, (await invite(tenant, 'reviewer')).code);

/** Tenants whose console a version may be asked for. */
const askedOf = (version: Version) => tenantNames.filter((name) => name === 'known' || crossing.isTolerant(version));

it('an operator in any role signs in with one release, and may with the other what the role allows', async () => {
  for (const [index, role] of [...operatorRole.options, invented].entries()) {
    const tenant = role === invented ? 'later' : 'known';
    for (const [turn, version] of versions.entries()) {
      if (!mayAsk(crossing, version, { isNew: role === invented })) continue;
      const next = actorOf(crossing, { isNew: role === invented }, turn, 1);
      const { id, code } = await invite(tenant, role);
      const stored = async () => {
        const { operators } = await crossing.read('tenants', { id: `${tenant}/operators` });
        return (operators as Record<string, Record<string, unknown>>)[id];
      };
      const before = inventedIn({ ...(await stored()), invitation: undefined }); // which is spent
      const session = await spend(version, code);
      for (const one of [version, next]) {
        const viewed = await crossing.call(one, { session }, '/console/verifications?state=all');
        expect(viewed.status, `${role} ${version} ${one}: ${viewed.text}`).toBe(role === invented ? 403 : 200);
        const decided = { sequence: 1, outcome: 'passed', reason: 'looked' };
        const path = `/console/verifications/nothing-${index}/review`;
        const reviewed = await crossing.call(one, { session }, path, decided);
        expect(reviewed.status, `${role} ${one}: ${reviewed.text}`).toBe(role === 'reviewer' ? 404 : 403);
      }
      expect(inventedIn(await stored()), `${role} ${version}`).toBe(before);
      if (role === invented) continue;
      expect((await crossing.call(next, { session }, '/console/session', undefined, 'DELETE')).status).toBe(200);
      expect((await crossing.call(version, { session }, '/console/verifications?state=all')).status).toBe(401);
    }
  }
});

it.each(versions)('every outcome is told by the %s release, its words as they are', async (version) => {
  for (const tenant of askedOf(version)) {
    const { status, text } = await crossing.call(version, { session: sessions[tenant] }, '/console/outcomes');
    expect(status, text).toBe(200);
    const told = outcomes.filter(({ isNew }) => isNew === (tenant === 'later'));
    const answer = z.looseObject({ outcomes: z.array(z.unknown()) }).parse(JSON.parse(text));
    expect(answer.outcomes).toHaveLength(told.length);
    for (const { word, what, place } of told) if (place !== 'fields') expect(text, what).toContain(word);
  }
});

it('looks at every capture are listed by either release', async () => {
  for (const [word, tenant] of [
    ...captureName.options.map((one) => [one, 'known'] as const),
    [invented, 'later'] as const,
  ]) {
    const sourceId = `looked-at-${word}`;
    const verificationId = idOf(sourceId, tenant);
    const look = { at: now.toISOString(), operatorId: 'o_0123456789ab', round: 1, purgeAt, capture: word };
    await crossing.write('looks', { ...look, verificationId, position: `${look.at}#${word}`, laterField: invented });
    await crossing.write('verifications', unmarshalled({ tenant, sourceId, verificationId }));
    for (const version of versions) {
      if (!askedOf(version).includes(tenant)) continue;
      const path = `/console/verifications/${sourceId}/looks`;
      const { status, text } = await crossing.call(version, { session: sessions[tenant] }, path);
      expect(status, text).toBe(200);
      expect(text).toContain(`"${word}"`);
    }
  }
});

const unmarshalled = (overrides: Parameters<typeof anAwaitingVerification>[0]) =>
  rowOf(anAwaitingVerification({ ...overrides, purgeAt }));

it('a breaker that either release opens is shown by the other, opened again and closed, and keeps what a later one wrote', async () => {
  const openUntil = Math.floor(Date.now() / 1000) + 600;
  const opened = versions.flatMap((version) => askedOf(version).map((tenant) => ({ version, tenant })));
  for (const { version, tenant } of opened) {
    const state = { openUntil, probeUntil: 0, openings: 1, reason: 'provider_failed' };
    const ours = await breakersOf(version);
    await ours.open(keyOf(version, tenant), tenant === 'later' ? withFields({ ...state, reason: invented }) : state);
  }
  for (const reader of versions) {
    for (const tenant of askedOf(reader)) {
      const { status, text } = await crossing.call(reader, { session: sessions[tenant] }, '/console/breakers');
      expect(status, text).toBe(200);
      for (const one of opened)
        if (one.tenant === tenant) expect(text).toContain(`"${vendors[one.version]}","state":"open"`);
    }
  }
  for (const { version, tenant } of opened) {
    const theirs = await breakersOf(askedOf(other(version)).includes(tenant) ? other(version) : version);
    const read = await theirs.read(keyOf(version, tenant));
    if (!read) throw new Error('It is open');
    await theirs.open(keyOf(version, tenant), { ...read, openUntil: openUntil + 60, openings: 2 });
    const row = await crossing.read('breakers', { id: keyOf(version, tenant) });
    expect(row).toMatchObject({ openings: 2 });
    expect(inventedIn(row)).toBe(tenant === 'later' ? 2 : 0);
    await theirs.close(keyOf(version, tenant));
    expect(await crossing.read('breakers', { id: keyOf(version, tenant) })).toEqual({});
  }
});

const keyOf = (version: Version, tenant: string) => breakerKey(vendors[version], `secret-${tenant}`);

/** The store of a release: a breaker is opened by what a vendor answers, and there is none here. */
async function breakersOf(version: Version) {
  const root = version === 'last' ? crossing.last.directory : process.cwd();
  const module: { dynamoBreakers: typeof dynamoBreakers } = await import(
    /* @vite-ignore */ pathToFileURL(join(root, 'shared/stores/breakers.ts')).href
  );
  return module.dynamoBreakers(crossing.client, 'breakers', () => new Date());
}
