import { DynamoDBClient, TransactionConflictException, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenHistory } from '../../shared/domain/broken-history.ts';
import type { Sighting, Sightings, Verifications } from '../../shared/domain/ports.ts';
import type { Verdict } from '../../shared/domain/verdict.ts';
import type { InState } from '../../shared/domain/verification.ts';
import { dynamoSightings } from '../../shared/stores/sightings.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { anAwaitingVerification, landedFor, start } from '../builders/verification.ts';
import { memorySightings } from '../simulation/sightings.ts';
import { memoryVerifications } from '../simulation/verifications.ts';
import { startTables } from './table.ts';

let clock = start.getTime();
let ids = 0;
const now = () => new Date(clock);
const newId = () => `id-${++ids}`;

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const verdict: Verdict = {
  outcome: 'passed',
  confidence: 1,
  reasons: [],
  scores: {},
  provider: 'builtin',
  policyVersion: 1,
};

interface Stores {
  readonly verifications: Verifications;
  readonly sightings: Sightings;
}

describe.each<[string, () => Stores]>([
  [
    'in memory',
    () => {
      const sightings = memorySightings(now);
      return { sightings, verifications: memoryVerifications({ now, newId, sightings }) };
    },
  ],
  [
    'in DynamoDB',
    () => ({
      sightings: dynamoSightings(tables.client, 'sightings', now),
      verifications: dynamoVerifications({
        client: tables.client,
        table: 'verifications',
        sightingsTable: 'sightings',
        now,
        newId,
      }),
    }),
  ],
])('places of captures that were judged, %s', (_, open) => {
  let stores: Stores;
  beforeAll(() => {
    stores = open();
  });

  async function queued(): Promise<InState<'queued'>> {
    const record = anAwaitingVerification({ sourceId: `source-${++ids}` });
    await stores.verifications.create(record);
    const fields = { landed: landedFor('spoof_detect'), provider: 'builtin', dueAt: 1 };
    const moved = await stores.verifications.move(record, 'queued', fields);
    if (moved.kind !== 'moved') throw new Error('queued');
    return moved.verification;
  }

  const fresh = () => `place-${_}-${++ids}`;
  const inPlaces = ({ verificationId, purgeAt }: InState<'queued'>, ...places: string[]): Sighting[] =>
    places.map((place) => ({ place, verificationId, at: now().toISOString(), purgeAt }));
  const decideWith = (record: InState<'queued'>, sightings: readonly Sighting[]) =>
    stores.verifications.move(record, 'decided', { landed: record.landed, verdict }, { outcome: 'passed' }, sightings);

  it('are taken with the decision, and found by whoever looks', async () => {
    const record = await queued();
    const sightings = inPlaces(record, fresh(), fresh());
    const places = sightings.map(({ place }) => place);
    expect(await stores.sightings.find([...places, fresh()])).toEqual([]);
    const moved = await decideWith(record, sightings);
    if (moved.kind !== 'moved') throw new Error('moved');
    expect(moved.verification.history.at(-1)).toMatchObject({ state: 'decided', outcome: 'passed' });
    expect(await stores.verifications.find(record.verificationId)).toEqual(moved.verification);
    const byPlace = (one: Sighting, other: Sighting) => one.place.localeCompare(other.place);
    expect((await stores.sightings.find(places)).sort(byPlace)).toEqual(sightings.sort(byPlace));
  });

  it('refuse the decision of whom another was faster, which is then as it was', async () => {
    const [one, two] = [await queued(), await queued()];
    const [shared, free] = [fresh(), fresh()];
    const both = await Promise.all([
      decideWith(one, inPlaces(one, shared)),
      decideWith(two, inPlaces(two, free, shared)),
    ]);
    const lost = both.findIndex(({ kind }) => kind === 'lost');
    const loser = lost === 0 ? one : two;
    expect(both.map(({ kind }) => kind).sort()).toEqual(['lost', 'moved']);
    expect(both[lost]).toEqual({ kind: 'lost', current: loser });
    expect(await stores.verifications.find(loser.verificationId)).toEqual(loser);
    expect(await stores.sightings.find([shared])).toMatchObject([
      { verificationId: (lost === 0 ? two : one).verificationId },
    ]);
    if (lost === 1) expect(await stores.sightings.find([free])).toEqual([]);
    expect((await decideWith(loser, inPlaces(loser, fresh()))).kind).toBe('moved');
  });

  it('are taken with a decision that is made again over a note', async () => {
    const record = await queued();
    await stores.verifications.note(record, 'capture_overwritten');
    const place = fresh();
    const moved = await decideWith(record, inPlaces(record, place));
    if (moved.kind !== 'moved') throw new Error('moved');
    expect(await stores.verifications.find(record.verificationId)).toEqual(moved.verification);
    expect(brokenHistory(moved.verification)).toBeUndefined();
    expect(await stores.sightings.find([place])).toHaveLength(1);
  });

  it('are not taken by a decision that lost its record, which is told what it lost to', async () => {
    const record = await queued();
    const place = fresh();
    const erased = await stores.verifications.move(record, 'erased', {});
    if (erased.kind !== 'moved') throw new Error('erased');
    expect(await decideWith(record, inPlaces(record, place))).toEqual({ kind: 'lost', current: erased.verification });
    expect(await stores.sightings.find([place])).toEqual([]);
  });

  it('are emptied for one verification, and no other that stands there', async () => {
    const record = await queued();
    const [own, other] = [fresh(), fresh()];
    await decideWith(record, inPlaces(record, own));
    const stranger = await queued();
    await decideWith(stranger, inPlaces(stranger, other));
    await stores.sightings.remove(record.verificationId, [own, other, fresh()]);
    await stores.sightings.remove(record.verificationId, [own]);
    expect(await stores.sightings.find([own, other])).toMatchObject([{ place: other }]);
  });

  it('are free again once their record has come to its end', async () => {
    const record = await queued();
    const place = fresh();
    await decideWith(record, [{ ...inPlaces(record, place)[0], purgeAt: clock / 1000 + 60 } as Sighting]);
    expect(await stores.sightings.find([place])).toHaveLength(1);
    clock += 60_000;
    expect(await stores.sightings.find([place])).toEqual([]);
    const next = await queued();
    expect((await decideWith(next, inPlaces(next, place))).kind).toBe('moved');
    expect(await stores.sightings.find([place])).toMatchObject([{ verificationId: next.verificationId }]);
  });

  it('stay known to the record until it is erased, and to the tombstone until that is settled', async () => {
    const record = await queued();
    const fields = { landed: record.landed, verdict, dueAt: 7, sightings: ['a.0', 'b.0'] };
    const decided = await stores.verifications.move(record, 'decided', fields);
    if (decided.kind !== 'moved') throw new Error('decided');
    await stores.verifications.settle(decided.verification);
    const settled = await stores.verifications.find(record.verificationId);
    expect(settled).toMatchObject({ sightings: ['a.0', 'b.0'] });
    if (!settled) throw new Error('settled');
    const erased = await stores.verifications.move(settled, 'erased', { dueAt: 8, sightings: fields.sightings });
    if (erased.kind !== 'moved') throw new Error('erased');
    expect(erased.verification).toMatchObject({ sightings: ['a.0', 'b.0'], dueAt: 8 });
    await stores.verifications.settle(erased.verification);
    expect(await stores.verifications.find(record.verificationId)).not.toHaveProperty('sightings');
  });
});

describe('a write that meets a transaction at work on its record', () => {
  it('is sent again, twenty times at the most', async () => {
    const client = new DynamoDBClient({ region: 'us-east-1' });
    const requests = mockClient(client);
    const busy = new TransactionConflictException({ message: 'busy', $metadata: {} });
    const record = anAwaitingVerification();
    const store = dynamoVerifications({ client, table: 'verifications', now, newId });
    requests.on(UpdateItemCommand).rejectsOnce(busy).rejectsOnce(busy).resolves({});
    await store.note(record, 'capture_late');
    expect(requests.calls()).toHaveLength(3);
    requests.reset();
    requests.on(UpdateItemCommand).rejects(busy);
    await expect(store.move(record, 'expired', {})).rejects.toThrow('busy');
    expect(requests.calls()).toHaveLength(20);
  });
});
