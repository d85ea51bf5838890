import { type Delivery, type KeptEvent, timePlaceOf } from '../domain/delivery.ts';
import type { Endpoint } from '../domain/endpoint.ts';
import { Fault } from '../domain/fault.ts';
import type { Deliveries, Endpoints, KeptEvents, Tenant, Verifications } from '../domain/ports.ts';
import { type Finding, findShown } from './find.ts';
import { isResting, type Resting } from './keep.ts';
import { deliveryOf, type FindingDelivery } from './resend.ts';

export interface ListingDeliveries extends Finding {
  readonly deliveries: Pick<Deliveries, 'list'>;
  readonly endpoints: Pick<Endpoints, 'list' | 'find'>;
}

/** Which deliveries a caller wants to see, by at least one of the first three. */
export interface WantedDeliveries {
  readonly sourceId?: string | undefined;
  readonly endpointId?: string | undefined;
  readonly state?: Delivery['state'] | undefined;
  readonly limit: number;
  readonly after?: string | undefined;
}

type Page = Awaited<ReturnType<Deliveries['list']>>;

/**
 * A page of a tenant's deliveries, newest first. An endpoint that was deleted is one for as long as it has deliveries.
 * Those that were delivered have no list of their own, which would be one write more for each: of a whole tenant they
 * are put together from those of its endpoints.
 */
export async function listDeliveries(
  tenant: Tenant,
  { sourceId, endpointId, state, limit, after }: WantedDeliveries,
  dependencies: ListingDeliveries,
): Promise<Page> {
  const { deliveries, endpoints } = dependencies;
  const query = { tenant: tenant.id, endpointId, state, limit, after };
  if (sourceId !== undefined) {
    const { verificationId: about } = await findShown({ tenant }, sourceId, dependencies);
    return deliveries.list({ ...query, about });
  }
  if (endpointId === undefined && state === 'delivered') {
    const ids = ['result', ...(await endpoints.list(tenant.id)).map(({ id }) => id)];
    return merged(await Promise.all(ids.map((id) => deliveries.list({ ...query, endpointId: id }))), limit);
  }
  const page = await deliveries.list(query);
  const isEmpty = page.items.length === 0 && page.next === undefined && after === undefined;
  if (
    endpointId !== undefined &&
    endpointId !== 'result' &&
    isEmpty &&
    !(await endpoints.find(tenant.id, endpointId))
  ) {
    throw new Fault('endpoint_unknown', 'There is no endpoint with this id.');
  }
  return page;
}

/** Newest first, no further than every page reaches. */
function merged(pages: readonly Page[], limit: number): Page {
  const horizon = pages.reduce((newest, { next }) => (next !== undefined && next > newest ? next : newest), '');
  const reached = pages
    .flatMap(({ items }) => items)
    .filter((item) => timePlaceOf(item) >= horizon)
    .sort((one, other) => (timePlaceOf(one) < timePlaceOf(other) ? 1 : -1));
  const items = reached.slice(0, limit);
  const last = items.at(-1);
  if (reached.length > limit && last) return { items, next: timePlaceOf(last) };
  return { items, next: horizon === '' ? undefined : horizon };
}

export interface ShowingDelivery extends FindingDelivery {
  readonly endpoints: Pick<Endpoints, 'find'>;
  readonly keptEvents: Pick<KeptEvents, 'find'>;
  readonly verifications: Pick<Verifications, 'find'>;
  readonly bodyOf: (event: KeptEvent, endpoint: Endpoint) => string | undefined;
  readonly writeResult: (record: Resting) => string;
}

/** One of a tenant's deliveries, with the bytes that are sent of it; undefined where they are made of what is gone. */
export async function showDelivery(
  tenant: string,
  id: string,
  dependencies: ShowingDelivery,
): Promise<{ readonly delivery: Delivery; readonly body?: string | undefined }> {
  const { endpoints, keptEvents, verifications, bodyOf, writeResult } = dependencies;
  const delivery = await deliveryOf(tenant, id, dependencies);
  if (delivery.endpointId === 'result') {
    const record = await verifications.find(delivery.about);
    const isOpen = record && isResting(record) && record.order !== undefined;
    return { delivery, body: isOpen ? writeResult(record) : undefined };
  }
  const [event, endpoint] = [
    await keptEvents.find(delivery.eventId),
    await endpoints.find(tenant, delivery.endpointId),
  ];
  return { delivery, body: event && endpoint ? bodyOf(event, endpoint) : undefined };
}
