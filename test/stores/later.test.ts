import { randomBytes } from 'node:crypto';
import { GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { viewFor, viewHistory } from '../../shared/api/verifications.ts';
import { brokenHistory } from '../../shared/domain/broken-history.ts';
import { begunDelivery, placeOf } from '../../shared/domain/delivery.ts';
import { wants } from '../../shared/domain/endpoint.ts';
import type { Fault } from '../../shared/domain/fault.ts';
import { laterText } from '../../shared/domain/later.ts';
import { hasRole } from '../../shared/domain/operator.ts';
import { outcomeOf } from '../../shared/domain/outcome.ts';
import type { Verdict } from '../../shared/domain/verdict.ts';
import { type InState, type State, type Verification, verification } from '../../shared/domain/verification.ts';
import { planVerification } from '../../shared/lifecycle/plan.ts';
import { registry } from '../../shared/providers/registry.ts';
import { dynamoBreakers } from '../../shared/stores/breakers.ts';
import { dynamoDeliveries } from '../../shared/stores/deliveries.ts';
import { dynamoKeptEvents } from '../../shared/stores/kept-events.ts';
import { readLanding } from '../../shared/stores/landings.ts';
import { dynamoLooks } from '../../shared/stores/looks.ts';
import { dynamoOutcomes } from '../../shared/stores/outcomes.ts';
import { dynamoEndpoints } from '../../shared/stores/tenants/endpoints.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { readSenderMessage, sqsWebhooks } from '../../shared/stores/webhook-queue.ts';
import { idOf } from '../builders/deployment.ts';
import { anEndpoint } from '../builders/endpoint.ts';
import { aKeptEvent } from '../builders/kept-event.ts';
import { recordOfEachState } from '../crossing/records.ts';
import { invented, inventedIn, type Place, placesIn, withFields, withWord } from '../crossing/words.ts';
import { startTables } from './table.ts';

/*
 * Records that a later version wrote, in the table: with one word that this version does not know, or with fields.
 */

const now = new Date('2026-02-01T00:00:00.000Z');
const table = 'verifications';
let tables: Awaited<ReturnType<typeof startTables>>;
let store: ReturnType<typeof dynamoVerifications>;
let records: Verification[];
let taken = 0;
beforeAll(async () => {
  tables = await startTables();
  let ids = 0;
  store = dynamoVerifications({ client: tables.client, table, now: () => now, newId: () => `id-${++ids}` });
  records = await recordOfEachState({
    tenant: 'acme',
    idOf,
    sourceIdOf: (state) => `later-${state}`,
    now,
  });
});
afterAll(() => tables.stop());

const inState = <S extends State>(state: S): InState<S> =>
  records.find((record): record is InState<S> => record.state === state) as InState<S>;

/** The record as a row of its own; its index keys are of no matter here. */
async function stored(record: Verification): Promise<Verification> {
  taken += 1;
  const own = { ...record, verificationId: idOf(`row-${taken}`) };
  const row = { ...own, ...('missing' in own && { missing: new Set(own.missing) }) };
  await tables.client.send(
    new PutItemCommand({ TableName: table, Item: marshall(row, { removeUndefinedValues: true }) }),
  );
  return own;
}

async function rowOf({ verificationId }: Pick<Verification, 'verificationId'>): Promise<Record<string, unknown>> {
  const Key = marshall({ verificationId });
  const { Item } = await tables.client.send(new GetItemCommand({ TableName: table, Key }));
  return unmarshall(Item ?? {});
}

/** Words that say something and decide nothing: any version acts on a record that has them. */
const texts = [
  'history.kind',
  'history.state',
  'history.outcome',
  'history.code',
  'attempts.result',
  'verdict.outcome',
  'verdict.reasons',
  'verdict.seenBefore',
  'fault',
];
const name = ({ path }: Pick<Place, 'path'>) => path.filter((part) => typeof part === 'string').join('.');
const placesOf = (record: Verification) => placesIn(verification, record);

it('every word of every state is a place: none is forgotten here', () => {
  const places = new Set(records.flatMap((record) => placesOf(record).map(name)));
  expect([...places].sort()).toEqual(
    [
      ...texts,
      'check',
      'credit',
      'declared.selfie.contentType',
      'missing',
      'plan.seenBefore.selfie',
      'waitingFor',
    ].sort(),
  );
});

it('every known word in every place is read', () => {
  const wrong = records.flatMap((record) =>
    placesOf(record).flatMap((place) =>
      place.words.filter((word) => !verification.safeParse(withWord(record, place.path, word)).success),
    ),
  );
  expect(wrong).toEqual([]);
});

it('a word of a later version is shown as it is, and acted on only where it decides nothing', async () => {
  for (const record of records) {
    const places: Pick<Place, 'path'>[] = [...placesOf(record), { path: ['state'] }];
    for (const place of places) {
      const what = `${record.state}: ${place.path.join('.')}`;
      const later = await stored(withWord(record, place.path, invented));
      const before = await rowOf(later);
      const shown = await store.find(later.verificationId, { toShow: true });
      if (!shown) throw new Error(`${what} was not found`);
      expect(inventedIn(shown), what).toBe(1);
      viewFor('key', shown, 'later');
      viewFor('client_token', shown, 'later');
      viewHistory(shown, 'later');
      const acting = await store.find(later.verificationId).catch((error) => error);
      const decidesNothing = texts.includes(name(place)) || (record.state === 'erased' && name(place) === 'check');
      if (decidesNothing) expect(acting, what).toMatchObject({ state: record.state });
      else expect(acting, what).toMatchObject({ code: 'version_outdated' } satisfies Partial<Fault>);
      expect(await rowOf(later), what).toEqual(before);
    }
  }
});

it('a key is told the later word of a verdict and of an attempt, a person that of a recapture alone', async () => {
  const decided = inState('decided');
  const later = withWord(decided, ['verdict', 'reasons', 0], invented);
  expect(viewFor('key', later, 'x')).toMatchObject({ verdict: { reasons: [invented] } });
  expect(viewFor('client_token', later, 'x')).toMatchObject({ verdict: { reasons: [invented] } });
  const failed = withWord(later, ['verdict', 'outcome'], 'failed');
  expect(viewFor('client_token', failed, 'x')).toMatchObject({ verdict: { outcome: 'failed', reasons: [] } });
  expect(viewFor('key', withWord(decided, ['attempts', 0, 'result'], invented), 'x')).toMatchObject({
    attempts: [{ result: invented }, {}],
  });
});

describe('a record with fields of a later version', () => {
  it('shows none of them, except in the lines that its hashes cover', () => {
    for (const record of records) {
      const later = withFields(record);
      expect(inventedIn(viewFor('key', later, 'x')), record.state).toBe(0);
      expect(inventedIn(viewFor('client_token', later, 'x')), record.state).toBe(0);
      expect(inventedIn(viewHistory(later, 'x')), record.state).toBe(record.history.length);
    }
  });

  it('keeps every one of them through a note, and through every move but the erasure', async () => {
    const review = { sequence: 4, outcome: 'passed', reason: 'looked', reviewer: 'r' } as const;
    const verdict: Verdict = { ...inState('decided').verdict, outcome: 'passed', reasons: [] };
    const moves: [Verification, (from: Verification) => Promise<unknown>][] = [
      [inState('awaiting_captures'), (from) => store.move(from, 'expired', { dueAt: 1 })],
      [inState('queued'), (from) => store.move(from, 'queued', { ...own(inState('queued')), provider: 'sandbox' })],
      [inState('dispatched'), (from) => store.move(from, 'queued', { ...own(inState('queued')), provider: 'sandbox' })],
      [
        inState('decided'),
        async (from) => {
          if (from.state !== 'decided') throw new Error('It was decided');
          const first = { verdict: from.verdict, moveId: from.moveId, at: from.updatedAt };
          return store.move(from, 'decided', { landed: from.landed, verdict, review, first, dueAt: 1 });
        },
      ],
      [inState('errored'), (from) => store.move(from, 'queued', { ...own(inState('queued')) })],
    ];
    for (const [record, move] of moves) {
      const later = await stored(withFields(record));
      const before = inventedIn(await rowOf(later));
      const read = await store.find(later.verificationId);
      if (!read) throw new Error('It is there');
      await store.note(read, 'answer_late');
      expect(await move(read), record.state).toMatchObject({ kind: 'moved' });
      expect(inventedIn(await rowOf(later)), record.state).toBe(before);
    }
  });

  it('loses them all with its erasure', async () => {
    for (const record of records) {
      if (record.state === 'erased') continue;
      const later = await stored(withFields(record));
      const read = await store.find(later.verificationId, { toShow: true });
      if (!read) throw new Error('It is there');
      expect(await store.move(read, 'erased', { dueAt: 1 }), record.state).toMatchObject({ kind: 'moved' });
      expect(inventedIn(await rowOf(later)), record.state).toBe(0);
    }
  });

  it('is erased where a later version alone knows its check, which its tombstone keeps', async () => {
    const later = await stored(withWord(inState('decided'), ['check'], invented));
    const read = await store.find(later.verificationId, { toShow: true });
    if (!read) throw new Error('It is there');
    expect(await store.move(read, 'erased', { dueAt: 1 })).toMatchObject({ kind: 'moved' });
    expect(await rowOf(later)).toMatchObject({ state: 'erased', check: invented });
  });

  it('keeps those of a tombstone', async () => {
    const later = await stored(withFields(inState('erased')));
    const before = inventedIn(await rowOf(later));
    const read = await store.find(later.verificationId);
    if (read?.state !== 'erased') throw new Error('It is there');
    await store.writeDeletions(read, { erasure: { versions: [], counted: [], notListed: 0, step: 1 }, dueAt: 2 });
    expect(inventedIn(await rowOf(later))).toBe(before);
  });

  /** What a record has of its state alone. */
  function own({ landed, provider, dueAt }: InState<'queued'>) {
    return { landed, provider, dueAt };
  }
});

describe('the history that a later version wrote', () => {
  it('holds with the words and fields that its hashes cover, and another move goes on from it', async () => {
    for (const record of records) expect(brokenHistory(record), record.state).toBeUndefined();
    const changed = withWord(inState('decided'), ['history', 0, 'state'], invented);
    expect(brokenHistory(changed)).toMatchObject({ line: 1, what: 'changed' });
  });

  it('is not said to hold where a line is of a kind that this version does not know', () => {
    const later = withWord(inState('decided'), ['history', 1, 'kind'], invented);
    expect(brokenHistory(later)).toMatchObject({ line: 2, what: 'changed', detail: expect.stringContaining(invented) });
  });
});

describe('what stands beside the records', () => {
  const at = now.toISOString();
  const sentRow = async (TableName: string, row: object) =>
    void (await tables.client.send(
      new PutItemCommand({ TableName, Item: marshall(row, { removeUndefinedValues: true }) }),
    ));
  const clockOf = () => now;

  it('an endpoint in a state of a later version is listed and wanted, and not sent to by this one', async () => {
    const endpoints = dynamoEndpoints({ client: tables.client, table: 'tenants', now: clockOf });
    const one = { ...anEndpoint({ tenant: 'later' }), state: invented, laterField: invented };
    await sentRow('tenants', { id: 'later/endpoints', keeps: true, endpoints: { [one.id]: one } });
    expect(await endpoints.list('later')).toEqual([one]);
    const { endpoints: told } = await endpoints.of('later');
    expect(told.map((each) => wants(each, 'verification.decided'))).toEqual([true]);
    await expect(endpoints.find('later', one.id)).rejects.toMatchObject({ code: 'version_outdated' });
  });

  it('an endpoint of a later version is changed without losing what that version wrote', async () => {
    const endpoints = dynamoEndpoints({ client: tables.client, table: 'tenants', now: clockOf });
    const one = withFields({ ...anEndpoint({ tenant: 'more' }), disabledBecause: invented });
    await sentRow('tenants', { id: 'more/endpoints', keeps: true, endpoints: { [one.id]: one } });
    const found = await endpoints.find('more', one.id);
    if (!found) throw new Error('It is there');
    const secrets = found.secrets.map((secret) => ({ ...secret, expiresAt: 1 }));
    await endpoints.change(found, { description: 'another', secrets });
    expect(inventedIn(await endpoints.find('more', one.id))).toBe(inventedIn(one));
  });

  it('a delivery of a later version is listed, goes on where only its reasons are new, and waits where its state is', async () => {
    const deliveries = dynamoDeliveries(tables.client, 'deliveries', clockOf);
    const tried = { at, milliseconds: 5, error: 'unreachable' } as const;
    const about = idOf('delivered');
    const of = { eventId: `evt_${about}_2`, endpointId: 'ep_aaaaaaaaaaaaaaaa', tenant: 'acme', about, sequence: 2 };
    const begun = begunDelivery({ ...of, type: invented }, { state: 'waiting', failed: 1, dueAt: 1, tried }, now);
    const place = { position: `000000000002#${of.endpointId}`, tenantState: 'acme#waiting', newest: at };
    const later = withFields(withWord(begun, ['tries', 0, 'error'], invented));
    await sentRow('deliveries', { ...later, ...place });
    const found = await deliveries.find(of.eventId, of.endpointId);
    if (!found) throw new Error('It is there');
    await deliveries.go(found, { state: 'spent', failed: 2, tried });
    const query = { tenant: 'acme', about, limit: 5 };
    expect(inventedIn((await deliveries.list(query)).items)).toBe(inventedIn(later));
    await sentRow('deliveries', { ...later, ...place, state: invented });
    expect(await deliveries.list(query)).toMatchObject({ items: [{ state: invented }] });
    await expect(deliveries.find(of.eventId, of.endpointId)).rejects.toMatchObject({ code: 'version_outdated' });
  });

  it('the kept event of an erased verification loses the texts that a later version kept of it', async () => {
    const events = dynamoKeptEvents(tables.client, 'events', clockOf);
    const kept = { ...aKeptEvent({ tenant: 'acme', data: '{}' }), keptAt: at, purgeAt: now.getTime() / 1000 + 60 };
    await sentRow('events', { ...kept, position: placeOf(kept), laterText: invented });
    expect(inventedIn(await events.find(kept.id))).toBe(1);
    const { data: _, ...stub } = kept;
    await events.empty([stub]);
    const emptied = await events.find(kept.id);
    expect(emptied).toBeDefined();
    expect(inventedIn(emptied)).toBe(0);
  });

  it('an operator in a role of a later version signs in and may nothing', () => {
    expect(hasRole(laterText.parse(invented), 'viewer')).toBe(false);
    expect(hasRole('reviewer', 'viewer')).toBe(true);
  });

  it('a breaker, an outcome and a look are read with what a later version wrote', async () => {
    const breakers = dynamoBreakers(tables.client, 'tenants', clockOf);
    await sentRow('tenants', {
      id: 'p#later',
      openUntil: 5,
      probeUntil: 0,
      openings: 1,
      reason: invented,
      more: invented,
    });
    const state = await breakers.read('p#later');
    expect(inventedIn(state)).toBe(2);
    await breakers.open('p#later', { ...state, openUntil: 50, probeUntil: 0, openings: 2, reason: 'x' });
    expect(inventedIn(await dynamoBreakers(tables.client, 'tenants', clockOf).read('p#later'))).toBe(1);

    const outcomes = dynamoOutcomes(tables.client, 'outcomes', clockOf);
    const outcome = outcomeOf(inState('dispatched'), inState('decided'));
    await sentRow('outcomes', {
      ...outcome,
      ...{ tenant: 'later', outcome: invented, reasons: [invented], check: invented, fault: invented, more: invented },
      ...{ position: `${at}#x`, purgeAt: 1 },
    });
    expect(inventedIn((await outcomes.newest('later', undefined)).outcomes)).toBe(5);

    const looks = dynamoLooks(tables.client, 'looks');
    const verificationId = idOf('looked-at');
    const look = { at, operatorId: 'o_0123456789ab', round: 1, purgeAt: 1, capture: invented };
    await sentRow('looks', { ...look, verificationId, position: at });
    expect(inventedIn(await looks.of(verificationId))).toBe(1);
  });

  it('a message of a webhook keeps the fields of a later version while it waits for its time', async () => {
    const sent: string[] = [];
    const client = {
      send: async ({ input }: { input: { MessageBody?: string } }) => void sent.push(input.MessageBody ?? ''),
    };
    const queue = sqsWebhooks(client as unknown as SQSClient, { webhooks: 'w', deliveries: 'd' });
    const written = { tenant: 'acme', event_id: 'evt_x_2', about: 'x', endpoint_id: 'ep_aaaaaaaaaaaaaaaa', failed: 1 };
    const message = readSenderMessage(JSON.stringify({ later: { ...written, laterField: invented } }));
    if (message.kind !== 'later') throw new Error('It waits');
    await queue.sendLater(message.webhook, 5);
    expect(JSON.parse(sent[0] ?? '')).toEqual({ later: { ...written, laterField: invented } });
  });

  it('the landing of a capture that a later version asks for is left for it, and a stranger’s object is not', () => {
    const own = { bucket: 'captures', account: '123456789012' };
    const eventOfKey = (key: string) =>
      JSON.stringify({
        ...{ source: 'aws.s3', 'detail-type': 'Object Created', time: at },
        account: own.account,
        detail: {
          reason: 'PutObject',
          bucket: { name: own.bucket },
          object: { key, size: 1, etag: 'e', 'version-id': 'v' },
        },
      });
    expect(() => readLanding(eventOfKey(`captures/${'a'.repeat(26)}/1/hologram`), own)).toThrow(/later version/);
    expect(() => readLanding(eventOfKey(`captures/${'a'.repeat(26)}/4/selfie`), own)).toThrow(/later version/);
    expect(readLanding(eventOfKey('captures/else/1/selfie'), own)).toBeUndefined();
  });
});

describe('a policy of a later version', () => {
  it('is kept by its tenant, who is known by its key, and begins nothing here', async () => {
    // Each a function's view of the table: its own cache.
    const open = () => dynamoTenants({ client: tables.client, table: 'tenants', now: () => now, randomBytes });
    const { key } = await open().create('policy-later');
    const update = async (path: string, value: unknown) =>
      void (await tables.client.send(
        new UpdateItemCommand({
          TableName: 'tenants',
          Key: marshall({ id: 'policy-later' }),
          UpdateExpression: `SET policy.${path} = :value`,
          ExpressionAttributeValues: marshall({ ':value': value }),
        }),
      ));
    await update('laterField', invented);
    await update('seenBefore.selfie', invented);
    const owner = await open().authenticate(key);
    expect(inventedIn(owner.policy)).toBe(2);
    const planning = { registry, tenants: { deploymentCredentials: async () => ({}), hasWebhook: async () => true } };
    await expect(planVerification({ check: 'spoof_detect' }, owner, planning)).rejects.toMatchObject({
      code: 'version_outdated',
    });
    await update('seenBefore.selfie', 'note');
    await update('page', { language: invented, laterField: invented });
    const known = await open().authenticate(key);
    expect((await planVerification({ check: 'spoof_detect' }, known, planning)).route).toEqual(['builtin']);
  });
});
