import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Delivery, maximumTries, type Tried } from '../../shared/domain/delivery.ts';
import { eventId } from '../../shared/domain/event.ts';
import { type Deliveries, type DueDelivery, dueShards } from '../../shared/domain/ports.ts';
import { epochSeconds, keptSeconds } from '../../shared/domain/times.ts';
import { dynamoDeliveries } from '../../shared/stores/deliveries.ts';
import { shardOf } from '../../shared/stores/verifications.ts';
import { start } from '../builders/verification.ts';
import { memoryDeliveries } from '../simulation/deliveries.ts';
import { startTables } from './table.ts';

let clock = start.getTime();
const now = () => new Date(clock);
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000).toISOString();

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

let count = 0;
const [first, second] = ['ep_aaaaaaaaaaaaaaaa', 'ep_bbbbbbbbbbbbbbbb'];
const letters = 'abcdefghijklmnopqrstuvwxyz234567';
const freshAbout = () => {
  count += 1;
  return `${'a'.repeat(24)}${letters[count >> 5]}${letters[count & 31]}`;
};

function aDelivery(overrides: Partial<Delivery> & Pick<Delivery, 'tenant'>): Delivery {
  const { about = freshAbout(), sequence = 2, createdAt = later(0) } = overrides;
  return {
    eventId: eventId(about, sequence),
    endpointId: first,
    about,
    sequence,
    type: 'verification.decided',
    state: 'delivered',
    failed: 0,
    tries: [{ at: createdAt, status: 200, milliseconds: 12 }],
    createdAt,
    updatedAt: createdAt,
    purgeAt: epochSeconds(start) + keptSeconds,
    ...overrides,
  };
}

const refused: Tried = { at: later(1), status: 500, milliseconds: 7, error: 'status_unexpected' };
const waiting = { state: 'waiting' as const, failed: 1, tries: [refused], dueAt: epochSeconds(start) + 60 };

describe.each<[string, () => Deliveries]>([
  ['in memory', () => memoryDeliveries(now)],
  ['in DynamoDB', () => dynamoDeliveries(tables.client, 'deliveries', now)],
])('deliveries, %s', (kind, open) => {
  let store: Deliveries;
  let tenant: string;
  beforeAll(() => {
    store = open();
  });
  const fresh = () => {
    clock = start.getTime();
    tenant = `${kind === 'in memory' ? 'm' : 'd'}-${++count}`;
  };
  async function begun(overrides: Partial<Delivery> = {}): Promise<Delivery> {
    const made = await store.begin(aDelivery({ tenant, ...overrides }));
    if (!made) throw new Error('was begun before');
    return made;
  }

  it('are begun once', async () => {
    fresh();
    const delivery = aDelivery({ tenant });
    expect(await store.find(delivery.eventId, delivery.endpointId)).toBeUndefined();
    expect(await store.begin(delivery)).toEqual(delivery);
    expect(await store.begin({ ...delivery, tries: [refused] })).toBeUndefined();
    expect(await store.find(delivery.eventId, delivery.endpointId)).toEqual(delivery);
    expect(await store.find(delivery.eventId, second)).toBeUndefined();
    expect(await store.find('no event', first)).toBeUndefined();
  });

  it('go on from what was read, and of two that read the same one goes', async () => {
    fresh();
    const delivery = await begun(waiting);
    const taken = { at: later(2), status: 204, milliseconds: 3 };
    const both = await Promise.all([
      store.go(delivery, { state: 'delivered', failed: 1, tried: taken }),
      store.go(delivery, { state: 'delivered', failed: 1, tried: { ...taken, milliseconds: 4 } }),
    ]);
    expect(both.filter((one) => one === undefined)).toHaveLength(1);
    const gone = both.find((one) => one !== undefined);
    expect(gone).toMatchObject({ state: 'delivered', failed: 1, tries: [refused, { status: 204 }] });
    const found = await store.find(delivery.eventId, first);
    expect(found).toEqual(gone);
    expect(found?.dueAt).toBeUndefined();
    expect(found?.createdAt).toBe(delivery.createdAt);
    expect(found && found.updatedAt > delivery.updatedAt).toBe(true);
  });

  it('end with a reason and without a try', async () => {
    fresh();
    const delivery = await begun(waiting);
    await store.go(delivery, { state: 'ended', failed: 1, endedBecause: 'endpoint_deleted' });
    const ended = await store.find(delivery.eventId, first);
    expect(ended).toMatchObject({ state: 'ended', endedBecause: 'endpoint_deleted', tries: [refused] });
    if (!ended) throw new Error('ended');
    await store.go(ended, { state: 'delivered', failed: 1 });
    expect((await store.find(delivery.eventId, first))?.endedBecause).toBeUndefined();
  });

  it(`remember the newest ${maximumTries} tries`, async () => {
    fresh();
    let delivery = await begun(waiting);
    for (let failed = 2; failed < maximumTries + 4; failed += 1) {
      const tried = { ...refused, milliseconds: failed };
      delivery = (await store.go(delivery, { state: 'waiting', failed, dueAt: 1, tried })) ?? delivery;
    }
    const found = await store.find(delivery.eventId, first);
    expect(found?.tries).toHaveLength(maximumTries);
    expect(found?.tries.at(-1)?.milliseconds).toBe(maximumTries + 3);
  });

  it('are listed newest first: of a verification, of an endpoint, and of a tenant what was not delivered', async () => {
    fresh();
    const about = freshAbout();
    const two = await begun({ about, sequence: 2, createdAt: later(1) });
    const ten = await begun({ about, sequence: 10, createdAt: later(3), ...waiting });
    const nine = await begun({ about, sequence: 9, endpointId: second, createdAt: later(2), ...waiting });
    const elsewhere = await begun({ createdAt: later(2) });
    const ofResult = await begun({ endpointId: 'result', state: 'spent', createdAt: later(4) });
    const list = async (query: Omit<Parameters<Deliveries['list']>[0], 'tenant' | 'limit'>) =>
      (await store.list({ tenant, limit: 100, ...query })).items;
    expect(await list({ about })).toEqual([ten, nine, two]);
    expect(await list({ about, endpointId: first })).toEqual([ten, two]);
    expect(await list({ about, state: 'delivered' })).toEqual([two]);
    expect(await list({ endpointId: first })).toEqual([ten, elsewhere, two]);
    expect(await list({ endpointId: first, state: 'delivered' })).toEqual([elsewhere, two]);
    expect(await list({ endpointId: first, state: 'waiting' })).toEqual([ten]);
    expect(await list({ endpointId: 'result' })).toEqual([ofResult]);
    expect(await list({ state: 'waiting' })).toEqual([ten, nine]);
    expect(await list({ state: 'spent' })).toEqual([ofResult]);
    await expect(list({ state: 'delivered' })).rejects.toThrow('listed by');
    const stranger = { tenant: `${tenant}-b`, limit: 100 };
    expect((await store.list({ ...stranger, about })).items).toEqual([]);
    expect((await store.list({ ...stranger, endpointId: first })).items).toEqual([]);
    expect((await store.list({ ...stranger, state: 'waiting' })).items).toEqual([]);
    await store.go(ten, { state: 'delivered', failed: 1 });
    expect(await list({ state: 'waiting' })).toEqual([nine]);
    expect(await list({ endpointId: first, state: 'waiting' })).toEqual([]);
    expect(await list({ endpointId: first, state: 'delivered' })).toMatchObject([{ sequence: 10 }, {}, {}]);
  });

  it('come in pages that leave none out and give none twice, also where one changes in between', async () => {
    fresh();
    const about = freshAbout();
    for (let sequence = 2; sequence < 9; sequence += 1) {
      await begun({ about, sequence, createdAt: later(Math.floor(sequence / 3)), ...(sequence % 2 ? waiting : {}) });
    }
    const queries = [{ about }, { endpointId: first }, { state: 'waiting' }, { endpointId: first, state: 'delivered' }];
    for (const query of queries as Omit<Parameters<Deliveries['list']>[0], 'tenant' | 'limit'>[]) {
      const whole = (await store.list({ tenant, limit: 100, ...query })).items.map(({ sequence }) => sequence);
      expect(whole).toEqual([...whole].sort((one, other) => other - one));
      for (const limit of [1, 2, 3, whole.length]) {
        const walked: number[] = [];
        let after: string | undefined;
        do {
          const page = await store.list({ tenant, limit, after, ...query });
          if (page.next) expect(page.items).toHaveLength(limit);
          walked.push(...page.items.map(({ sequence }) => sequence));
          after = page.next;
          const newest = await store.find(eventId(about, 7), first);
          if (newest) await store.go(newest, { state: 'waiting', failed: newest.failed, dueAt: newest.dueAt });
        } while (after);
        expect(walked).toEqual(whole);
      }
    }
  });

  it('tell whether an endpoint took anything since, also by a later try of an older one', async () => {
    fresh();
    const old = await begun({ createdAt: later(-3 * 86_400), ...waiting });
    expect(await store.tookSince(tenant, first, later(0))).toBe(false);
    await begun({ endpointId: second, createdAt: later(5) });
    await begun({ createdAt: later(-1) });
    expect(await store.tookSince(tenant, first, later(0))).toBe(false);
    expect(await store.tookSince(tenant, first, later(-1))).toBe(true);
    clock += 7000;
    await store.go(old, { state: 'delivered', failed: 1, tried: { at: later(7), status: 200, milliseconds: 1 } });
    expect(await store.tookSince(tenant, first, later(7))).toBe(true);
    expect(await store.tookSince(tenant, first, later(8))).toBe(false);
    expect(await store.tookSince(`${tenant}-b`, first, later(0))).toBe(false);
  });

  it('are found when their next try is due, the longest overdue first, and no more once it was made', async () => {
    fresh();
    const at = (seconds: number) => ({ ...waiting, dueAt: epochSeconds(start) + seconds });
    const late = await begun(at(-100));
    const overdue = await begun(at(-200));
    const notYet = await begun(at(100));
    const dueNow = async (when = now()) => {
      const shards = Array.from({ length: dueShards }, (_, shard) => store.due({ shard, now: when, limit: 100 }));
      return (await Promise.all(shards)).flat();
    };
    const idOf = ({ eventId: id, endpointId }: Pick<Delivery, 'eventId' | 'endpointId'>) => `${id} ${endpointId}`;
    expect((await dueNow()).map(idOf)).toEqual(expect.arrayContaining([late, overdue].map(idOf)));
    expect((await dueNow()).map(idOf)).not.toContain(idOf(notYet));
    clock += 200_000;
    expect((await dueNow()).map(idOf)).toContain(idOf(notYet));
    for (const one of [late, overdue, notYet]) await store.go(one, { state: 'spent', failed: 9 });
    expect((await dueNow()).map(idOf)).toEqual(expect.not.arrayContaining([late, overdue, notYet].map(idOf)));
  });

  it('that are due are read page by page, also two of one second', async () => {
    fresh();
    const about = freshAbout();
    for (const sequence of [2, 3, 4, 5, 6]) {
      await begun({ ...waiting, about, sequence, dueAt: waiting.dueAt + (sequence >> 1) });
    }
    clock += 200_000;
    const due = (limit: number, after?: DueDelivery) => store.due({ shard: shardOf(about), now: now(), limit, after });
    const pages: DueDelivery[] = [];
    for (let page = await due(2); page.length > 0; page = await due(2, page.at(-1))) pages.push(...page);
    expect(pages).toEqual(await due(500));
    expect(pages.filter(({ eventId: id }) => id.includes(about))).toHaveLength(5);
  });

  it('are gone after their time, also where the table has them still', async () => {
    fresh();
    const delivery = await begun();
    clock += keptSeconds * 1000;
    expect(await store.find(delivery.eventId, first)).toBeUndefined();
    expect((await store.list({ tenant, endpointId: first, limit: 9 })).items).toEqual([]);
  });
});

describe('a delivery whose first write was answered too late', () => {
  it('is ours where what is there is what we wrote', async () => {
    const client = new DynamoDBClient({
      endpoint: tables.server.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const store = dynamoDeliveries(client, 'deliveries', now);
    const delivery = aDelivery({ tenant: 'lost-answer' });
    expect(await store.begin(delivery)).toEqual(delivery);
    expect(await store.begin(delivery)).toEqual(delivery);
    client.destroy();
  });

  it('has keys in the two indexes that a delivery taken at once is written to, and in no other', async () => {
    const client = new DynamoDBClient({ region: 'us-east-1' });
    const requests = mockClient(client);
    requests.on(PutItemCommand).resolves({});
    await dynamoDeliveries(client, 'deliveries', now).begin(aDelivery({ tenant: 'one' }));
    const [call] = requests.commandCalls(PutItemCommand);
    const names = Object.keys(call?.args[0].input.Item ?? {});
    const indexKeys = ['about', 'position', 'ofEndpoint', 'newest', 'tenantState', 'dueShard', 'dueAt'];
    expect(indexKeys.filter((name) => names.includes(name))).toEqual(['about', 'position', 'ofEndpoint', 'newest']);
    expect(Buffer.byteLength(JSON.stringify(call?.args[0].input.Item))).toBeLessThan(1024);
  });
});
