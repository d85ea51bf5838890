import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { type Delivery, delivery, deliveryId, type KeptEvent } from '../../../shared/domain/delivery.ts';
import { eventId } from '../../../shared/domain/event.ts';
import { dynamoDeliveries } from '../../../shared/stores/deliveries.ts';
import { dynamoKeptEvents } from '../../../shared/stores/kept-events.ts';
import { idOf } from '../../builders/deployment.ts';
import { aKeptEvent } from '../../builders/kept-event.ts';
import { type Crossing, each, other, startCrossing, theirSchema, type Version, versions } from '../releases.ts';
import { makeTenant } from '../tenants.ts';
import { actorOf, mayAsk, type Variant, variantsOf } from '../variants.ts';
import { inventedIn, withFields } from '../words.ts';

/*
 * Kept events and deliveries with every word: listed by either release, and sent by it to an endpoint that either made.
 * What waits in the queues of one release's sender is taken by the other's.
 */

interface Stored extends Variant<Delivery> {
  readonly key: string;
  readonly event: KeptEvent;
}

let crossing: Crossing;
let deliveries: Stored[];
/** Of what both releases know, with an endpoint that the last one made, and of what only a tolerant one is asked. */
let tenants: Readonly<Record<'known' | 'later', { readonly key: string; readonly endpointId: string }>>;
let posts = 0;
const receiver = createServer((request, response) => {
  posts += 1;
  request.resume().on('end', () => response.writeHead(204).end());
});

const now = Date.now();
const minutesAgo = (minutes: number) => new Date(now - minutes * 60_000).toISOString();

beforeAll(async () => {
  crossing = await startCrossing();
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  tenants = { known: await withEndpoint('known', 'last'), later: await withEndpoint('later', 'current') };
  const theirs = await theirSchema(crossing, 'shared/domain/delivery.ts', 'delivery');
  const store = dynamoDeliveries(crossing.client, 'deliveries', () => new Date());
  const events = dynamoKeptEvents(crossing.client, 'events', () => new Date());
  deliveries = [...variantsOf('delivery', aDelivery(), { ours: delivery, theirs })].map((variant, index) => {
    const tenant = variant.isNew ? 'later' : 'known';
    const { key, endpointId } = tenants[tenant];
    const about = idOf(`delivered-${index}`, tenant);
    const own = { tenant, about, eventId: eventId(about, 2), endpointId };
    const asked = variant.place === 'fields' ? { awaitedBy: [endpointId, 'ep_bbbbbbbbbbbbbbbb'] } : {};
    return { ...variant, row: { ...variant.row, ...own }, key, event: anEvent({ tenant, about, ...asked }) };
  });
  await each(deliveries, async ({ row, event, place }) => {
    await events.keep(place === 'fields' ? withFields(event) : event);
    await store.begin(row);
  });
  console.log(`${deliveries.length} deliveries, crossed with ${crossing.last.commit}`);
});
afterAll(async () => {
  receiver.close();
  await crossing?.end();
});

async function withEndpoint(id: 'known' | 'later', maker: Version) {
  const key = await makeTenant(crossing, { id });
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const { status, text } = await crossing.call(maker, { key }, '/endpoints', { url });
  expect(status, text).toBe(201);
  return { key, endpointId: z.object({ id: z.string() }).parse(JSON.parse(text)).id };
}

/** With every field that any state of one has. */
function aDelivery(): Delivery {
  const tried = { at: minutesAgo(8), milliseconds: 5, status: 500, error: 'status_unexpected' } as const;
  return {
    ...{ eventId: 'evt_a_2', endpointId: 'ep_aaaaaaaaaaaaaaaa', tenant: 'known', about: 'a', sequence: 2 },
    ...{ type: 'verification.decided', state: 'waiting', endedBecause: 'erased', failed: 1, tries: [tried] },
    ...{ createdAt: minutesAgo(9), updatedAt: minutesAgo(8), dueAt: Math.floor(now / 1000) + 3600 },
    purgeAt: Math.floor(now / 1000) + 86_400,
  };
}

function anEvent({ tenant, about, ...others }: Pick<KeptEvent, 'tenant' | 'about'> & Partial<KeptEvent>): KeptEvent {
  const id = eventId(about, 2);
  const data = JSON.stringify({
    ...{ id, type: 'verification.decided', previous_event_id: null, occurred_at: minutesAgo(10), tenant },
    ...{ source_id: `of-${about}`, check: 'spoof_detect', state: 'decided', round: 1, sequence: 2, outcome: 'passed' },
  });
  const times = { occurredAt: minutesAgo(10), keptAt: minutesAgo(9), purgeAt: Math.floor(now / 1000) + 86_400 };
  return aKeptEvent({ id, tenant, about, sequence: 2, data, ...times, ...others });
}

const rowNow = ({ row: { about, sequence, endpointId } }: Stored) =>
  crossing.read('deliveries', { about, position: `${String(sequence).padStart(12, '0')}#${endpointId}` });
const isUndecidable = ({ isInvented, place }: Variant<Delivery>) => isInvented && place === 'state';

it.each(versions)('every delivery and every kept event is shown and listed by the %s release', async (version) => {
  const wrong: string[] = [];
  await each(
    deliveries.filter((one) => mayAsk(crossing, version, one)),
    async (one) => {
      const { status, text } = await crossing.call(version, { key: one.key }, `/deliveries/${deliveryId(one.row)}`);
      if (status !== (isUndecidable(one) ? 503 : 200)) wrong.push(`${one.what}: ${status} ${text}`);
    },
  );
  for (const tenant of ['known', 'later'] as const) {
    const { key, endpointId } = tenants[tenant];
    const has = deliveries.filter(({ row }) => row.tenant === tenant);
    if (!has.every((one) => mayAsk(crossing, version, one))) continue;
    for (const path of [`/deliveries?endpoint=${endpointId}&limit=100`, '/events?limit=100']) {
      const { status, text } = await crossing.call(version, { key }, path);
      if (status !== 200) wrong.push(`${tenant} ${path}: ${status} ${text}`);
      for (const { row, what } of has) if (!text.includes(row.eventId)) wrong.push(`${what}: not in ${path}`);
    }
  }
  expect(wrong).toEqual([]);
});

it('a delivery is sent again by either release without losing a word or a field; one in an unknown state is left alone', async () => {
  const wrong: string[] = [];
  const before = posts;
  await each(deliveries, async (one, index) => {
    const { what, row, place, event } = one;
    const was = await rowNow(one);
    const again = { kind: 'resend', id: `again-${index}` };
    const { tenant, about, eventId: event_id, endpointId: endpoint_id } = row;
    const webhook = { tenant, event_id, about, endpoint_id, failed: 1, again };
    const version = actorOf(crossing, one, index, 0);
    const done = await crossing.take(version, 'deliver-webhook', JSON.stringify({ webhook }));
    const is = await rowNow(one);
    if (done === isUndecidable(one)) wrong.push(`${what}: ${done ? 'acted on' : 'left alone'} by ${version}`);
    if (isUndecidable(one)) return expect(is, what).toEqual(was);
    expect(is, what).toMatchObject({ state: 'delivered', tries: [...(was.tries as object[]), { status: 204 }] });
    // Why it ended is no more of a delivery that was taken.
    if (place !== 'endedBecause' && inventedIn(is) !== inventedIn(was)) wrong.push(`${what}: lost by ${version}`);
    if (place !== 'fields') return;
    const kept = await crossing.read('events', { id: event.id });
    expect(kept, what).toMatchObject({ awaitedBy: new Set(['ep_bbbbbbbbbbbbbbbb']), data: event.data });
    expect(inventedIn(kept), what).toBe(1);
  });
  expect(wrong).toEqual([]);
  expect(posts - before).toBe(deliveries.filter((one) => !isUndecidable(one)).length);
});

it.each(versions)('a replay that the %s release begins is sent by the other one', async (version) => {
  const { key, endpointId } = tenants.known;
  await crossing.messages('webhooks.fifo');
  const asked = { since: minutesAgo(30), until: minutesAgo(5) };
  const begun = await crossing.call(version, { key }, `/endpoints/${endpointId}/replay`, asked);
  expect(begun.status, begun.text).toBeLessThan(300);
  const before = posts;
  let by = other(version); // the first message is the replay's, and those that it makes are sent by the first release again
  for (let left = await crossing.messages('webhooks.fifo'); left.length > 0; by = other(by)) {
    for (const body of left) expect(await crossing.take(by, 'deliver-webhook', body), body).toBe(true);
    left = await crossing.messages('webhooks.fifo');
  }
  const known = deliveries.filter(({ row }) => row.tenant === 'known');
  expect(posts - before).toBe(known.length);
  const shown = await crossing.call(other(version), { key }, `/endpoints/${endpointId}`);
  expect(shown.text).toContain('"done"');
});
