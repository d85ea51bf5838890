import { beforeEach, describe, expect, it } from 'vitest';
import { deliveriesQuery, viewDeliveries, wantedDeliveries } from '../../shared/api/deliveries.ts';
import type { Delivery } from '../../shared/domain/delivery.ts';
import { eventId } from '../../shared/domain/event.ts';
import { epochSeconds, keptSeconds } from '../../shared/domain/times.ts';
import { listDeliveries, showDelivery } from '../../shared/lifecycle/list-deliveries.ts';
import { bodyOf } from '../../shared/webhooks/body.ts';
import { idOf, ids } from '../builders/deployment.ts';
import { anEndpoint } from '../builders/endpoint.ts';
import { aKeptEvent } from '../builders/kept-event.ts';
import { setup } from '../builders/setup.ts';
import { aTenant } from '../builders/tenant.ts';
import { anAwaitingVerification, start } from '../builders/verification.ts';
import { memoryDeliveries } from '../simulation/deliveries.ts';
import { memoryEndpoints } from '../simulation/endpoints.ts';
import { memoryKeptEvents } from '../simulation/kept-events.ts';

const [first, second, deleted] = ['ep_aaaaaaaaaaaaaaaa', 'ep_bbbbbbbbbbbbbbbb', 'ep_cccccccccccccccc'];
const tenant = aTenant('acme');
const other = { ...tenant, id: 'other' };

function listing() {
  const { now, verifications } = setup();
  const stores = { endpoints: memoryEndpoints(now), keptEvents: memoryKeptEvents(now) };
  return { ...stores, deliveries: memoryDeliveries(now), verifications, ids, now };
}

describe('deliveries that a tenant sees', () => {
  let world: ReturnType<typeof listing>;
  beforeEach(async () => {
    world = listing();
    for (const id of [first, second]) await world.endpoints.create(anEndpoint({ id }));
  });
  async function delivered(sequence: number, endpointId: Delivery['endpointId'], overrides: Partial<Delivery> = {}) {
    const about = 'a'.repeat(26);
    const at = new Date(start.getTime() + sequence * 1000).toISOString();
    await world.deliveries.begin({
      ...{
        eventId: eventId(about, sequence),
        endpointId,
        tenant: 'acme',
        about,
        sequence,
        type: 'verification.queued',
      },
      ...{ state: 'delivered', failed: 0, tries: [{ at, status: 200, milliseconds: 4 }], createdAt: at, updatedAt: at },
      purgeAt: epochSeconds(start) + keptSeconds,
      ...overrides,
    });
  }
  /** As a caller walks: by the words of the API, page after page. */
  async function walk(query: Record<string, string>, of = tenant) {
    const walked: string[] = [];
    let cursor: string | null | undefined;
    do {
      const asked = deliveriesQuery.parse({ ...query, ...(cursor && { cursor }) });
      const page = viewDeliveries(await listDeliveries(of, wantedDeliveries(asked), world));
      walked.push(...page.deliveries.map(({ sequence, endpoint_id }) => `${sequence} ${endpoint_id}`));
      cursor = page.next_cursor;
    } while (cursor);
    return walked;
  }

  it('are walked in pages, of one endpoint or in one state of all', async () => {
    await delivered(2, first);
    await delivered(3, second);
    await delivered(4, 'result');
    await delivered(5, first, { state: 'spent' });
    await delivered(6, deleted, { state: 'ended', endedBecause: 'endpoint_deleted' });
    await delivered(7, second);
    await delivered(8, first, { tenant: 'other' });
    for (const limit of ['1', '2', '3', '100']) {
      expect(await walk({ endpoint: first, limit })).toEqual([`5 ${first}`, `2 ${first}`]);
      expect(await walk({ endpoint: 'result', limit })).toEqual(['4 result']);
      expect(await walk({ state: 'spent', limit })).toEqual([`5 ${first}`]);
      expect(await walk({ endpoint: deleted, limit })).toEqual([`6 ${deleted}`]);
      const all = [`7 ${second}`, '4 result', `3 ${second}`, `2 ${first}`];
      expect(await walk({ state: 'delivered', limit })).toEqual(all);
    }
  });

  it('leave none out where the index was looked at in part', async () => {
    for (let sequence = 2; sequence < 12; sequence += 1) await delivered(sequence, sequence % 3 ? first : second);
    const { list } = world.deliveries;
    const short = async (query: Parameters<typeof list>[0]) =>
      list({ ...query, limit: query.endpointId === first ? 1 : 2 });
    world = { ...world, deliveries: { ...world.deliveries, list: short } };
    const walked = await walk({ state: 'delivered', limit: '5' });
    expect(walked.map((one) => Number(one.split(' ')[0]))).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
  });

  it('are those of a verification by its source_id, and an unknown one is refused', async () => {
    const record = anAwaitingVerification({ sourceId: 'order-1' });
    await world.verifications.create(record);
    await delivered(2, first, { about: idOf('order-1') });
    await delivered(3, first);
    expect(await walk({ source_id: 'order-1' })).toEqual([`2 ${first}`]);
    expect(await walk({ source_id: 'order-1', state: 'spent' })).toEqual([]);
    await expect(walk({ source_id: 'order-2' })).rejects.toMatchObject({ code: 'verification_unknown' });
  });

  it('of an endpoint that is there are none at first, and another tenant’s is as one that is not', async () => {
    expect(await walk({ endpoint: first })).toEqual([]);
    await delivered(2, first);
    const refusals: unknown[] = [];
    for (const endpoint of [first, 'ep_dddddddddddddddd', 'anything']) {
      await walk({ endpoint }, other).catch((error) => refusals.push([error.code, error.message]));
    }
    expect(refusals).toHaveLength(3);
    expect(new Set(refusals.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  it('are asked for by at least one thing, and with a cursor of the same list', () => {
    const fieldsOf = (query: object) => deliveriesQuery.safeParse(query).error?.issues.map(({ path }) => path[0]);
    expect(fieldsOf({})).toEqual(['source_id']);
    expect(fieldsOf({ state: 'lost' })).toEqual(['state']);
    expect(fieldsOf({ state: 'spent', cursor: 'x' })).toEqual(['cursor']);
    const page = { items: [], next: '000000000002#ep_a' };
    const cursor = viewDeliveries(page).next_cursor ?? '';
    expect(fieldsOf({ source_id: 'a', cursor })).toBeUndefined();
    expect(fieldsOf({ state: 'spent', cursor })).toEqual(['cursor']);
  });

  it('show, one by one, the bytes that are sent; nothing where the event was erased or the endpoint deleted', async () => {
    await delivered(4, first);
    await delivered(4, deleted);
    const id = eventId('a'.repeat(26), 4);
    const event = await world.keptEvents.keep(aKeptEvent({ id, purgeAt: epochSeconds(start) + keptSeconds }));
    const showing = { ...world, bodyOf, writeResult: () => 'result' };
    const body = async (endpointId: string) => (await showDelivery('acme', `${id}.${endpointId}`, showing)).body;
    expect(await body(first)).toBe(bodyOf(event, { body: 'thin', metadata: false }));
    expect(await body(deleted)).toBeUndefined();
    await expect(showDelivery('other', `${id}.${first}`, showing)).rejects.toMatchObject({ code: 'delivery_unknown' });
    await world.keptEvents.empty([event]);
    expect(await body(first)).toBeUndefined();
  });
});
