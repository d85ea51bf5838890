import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { maximumEndpoints } from '../../shared/domain/endpoint.ts';
import type { Endpoints } from '../../shared/domain/ports.ts';
import { daySeconds } from '../../shared/domain/times.ts';
import { dynamoEndpoints } from '../../shared/stores/tenants/endpoints.ts';
import { anEndpoint } from '../builders/endpoint.ts';
import { start } from '../builders/verification.ts';
import { memoryEndpoints } from '../simulation/endpoints.ts';
import { commandsOf, startTables } from './table.ts';

let clock = start.getTime();
const now = () => new Date(clock);
const passes = (seconds: number) => {
  clock += seconds * 1000;
};
let requests: string[];
let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
  requests = commandsOf(tables.client);
});
afterAll(() => tables.stop());

let names = 0;
let tenant = '';
beforeEach(() => {
  tenant = `acme-${++names}`;
});

const inDynamoDb = () => dynamoEndpoints({ client: tables.client, table: 'tenants', now });

describe.each<[string, () => Endpoints]>([
  ['in memory', () => memoryEndpoints(now)],
  ['in DynamoDB', inDynamoDb],
])('endpoints, %s', (_, open) => {
  let endpoints: Endpoints;
  beforeEach(() => {
    endpoints = open();
  });

  it('are none, and no event is kept, for a tenant that never had one', async () => {
    expect(await endpoints.of(tenant)).toEqual({ keeps: false, endpoints: [] });
    expect(await endpoints.list(tenant)).toEqual([]);
    expect(await endpoints.find(tenant, anEndpoint().id)).toBeUndefined();
    expect(await endpoints.remove(tenant, anEndpoint().id)).toBe(false);
    expect(await endpoints.change(anEndpoint({ tenant }), { state: 'disabled' })).toBeUndefined();
    expect(await endpoints.of(tenant)).toEqual({ keeps: false, endpoints: [] });
  });

  it('are found by their own tenant alone, the oldest first', async () => {
    const younger = anEndpoint({ tenant, createdAt: new Date(start.getTime() + 1000).toISOString() });
    const older = anEndpoint({ tenant, types: ['verification.decided'], v1a: true });
    expect(await endpoints.create(younger)).toBe(true);
    expect(await endpoints.create(older)).toBe(true);
    expect(await endpoints.of(tenant)).toEqual({ keeps: true, endpoints: [older, younger] });
    expect(await endpoints.list(tenant)).toEqual([older, younger]);
    expect(await endpoints.find(tenant, older.id)).toEqual(older);
    expect(await endpoints.find(`${tenant}-other`, older.id)).toBeUndefined();
    expect(await endpoints.find(tenant, 'constructor')).toBeUndefined();
  });

  it('are no more than a tenant may have, also where all are made at once', async () => {
    const made = await Promise.all(
      Array.from({ length: maximumEndpoints + 4 }, () => endpoints.create(anEndpoint({ tenant }))),
    );
    expect(made.filter(Boolean)).toHaveLength(maximumEndpoints);
    const [first] = await endpoints.list(tenant);
    expect(await endpoints.list(tenant)).toHaveLength(maximumEndpoints);
    await endpoints.remove(tenant, first?.id ?? '');
    expect(await endpoints.create(anEndpoint({ tenant }))).toBe(true);
    expect(await endpoints.create(anEndpoint({ tenant }))).toBe(false);
  });

  it('are changed by one of two that read the same version, and a field that is undefined goes', async () => {
    const made = anEndpoint({ tenant, failingSince: start.toISOString() });
    await endpoints.create(made);
    const both = await Promise.all([
      endpoints.change(made, { state: 'disabled', disabledBecause: 'asked', failingSince: undefined }),
      endpoints.change(made, { state: 'disabled', disabledBecause: 'asked', failingSince: undefined }),
    ]);
    const [changed] = both.filter((one) => one !== undefined);
    expect(both.filter((one) => one === undefined)).toHaveLength(1);
    expect(changed).toEqual({ ...withoutFailing(made), state: 'disabled', disabledBecause: 'asked', version: 2 });
    const found = await endpoints.find(tenant, made.id);
    expect(found).toEqual(changed);
    expect(found).not.toHaveProperty('failingSince');
    expect(await endpoints.change(made, { description: 'late' })).toBeUndefined();
  });

  it('leave the keeping of events behind', async () => {
    const made = anEndpoint({ tenant });
    await endpoints.create(made);
    expect(await endpoints.remove(tenant, made.id)).toBe(true);
    expect(await endpoints.remove(tenant, made.id)).toBe(false);
    expect(await endpoints.change(made, { description: 'late' })).toBeUndefined();
    passes(100 * daySeconds);
    expect(await endpoints.of(tenant)).toEqual({ keeps: true, endpoints: [] });
  });

  it('need not be there for events to be kept: 30 days from when the tenant read some', async () => {
    await endpoints.readsEvents(tenant);
    expect(await endpoints.of(tenant)).toEqual({ keeps: true, endpoints: [] });
    passes(20 * daySeconds);
    await endpoints.readsEvents(tenant);
    passes(29 * daySeconds);
    expect((await endpoints.of(tenant)).keeps).toBe(true);
    passes(2 * daySeconds);
    expect((await endpoints.of(tenant)).keeps).toBe(false);
    await endpoints.create(anEndpoint({ tenant }));
    expect((await endpoints.of(tenant)).keeps).toBe(true);
  });
});

describe('the row of endpoints', () => {
  it('is read once in 20 seconds, also of a tenant without one, and again after a change of ours', async () => {
    const endpoints = inDynamoDb();
    const elsewhere = inDynamoDb();
    await endpoints.of(tenant);
    await endpoints.of(tenant);
    const made = anEndpoint({ tenant });
    await elsewhere.create(made);
    requests.length = 0;
    expect((await endpoints.of(tenant)).endpoints).toEqual([]);
    expect(requests).toEqual([]);
    passes(20);
    expect((await endpoints.of(tenant)).endpoints).toEqual([made]);
    await endpoints.of(tenant);
    expect(requests).toEqual(['GetItemCommand']);
    await endpoints.change(made, { description: 'ours' });
    expect((await endpoints.of(tenant)).endpoints).toMatchObject([{ description: 'ours' }]);
  });

  it('is written once a day by a tenant that reads events without an endpoint, never by one with', async () => {
    const endpoints = inDynamoDb();
    requests.length = 0;
    for (let hour = 0; hour < 72; hour += 1) {
      await endpoints.readsEvents(tenant);
      passes(3600);
    }
    expect(requests.filter((name) => name === 'UpdateItemCommand')).toHaveLength(3);
    await endpoints.create(anEndpoint({ tenant }));
    passes(2 * daySeconds);
    requests.length = 0;
    await endpoints.readsEvents(tenant);
    expect(requests).toEqual(['GetItemCommand']);
  });

  it('is read, and keeps what only a newer version knows of an endpoint', async () => {
    const endpoints = inDynamoDb();
    const made = anEndpoint({ tenant });
    const types = ['verification.invented_later'];
    await endpoints.create(made);
    await tables.client.send(
      new UpdateItemCommand({
        TableName: 'tenants',
        Key: marshall({ id: `${tenant}/endpoints` }),
        UpdateExpression: 'SET endpoints.#id.newer = :newer, endpoints.#id.types = :types',
        ExpressionAttributeNames: { '#id': made.id },
        ExpressionAttributeValues: marshall({ ':newer': 1, ':types': types }),
      }),
    );
    expect(await endpoints.find(tenant, made.id)).toMatchObject({ types });
    await endpoints.change(made, { description: 'ours' });
    const { Item = {} } = await tables.client.send(
      new GetItemCommand({ TableName: 'tenants', Key: marshall({ id: `${tenant}/endpoints` }) }),
    );
    expect(unmarshall(Item).endpoints[made.id]).toMatchObject({ description: 'ours', newer: 1, types, version: 2 });
  });
});

function withoutFailing({ failingSince: _, ...others }: ReturnType<typeof anEndpoint>) {
  return others;
}
