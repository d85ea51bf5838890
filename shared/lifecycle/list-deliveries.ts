import { type Delivery, timePlaceOf } from '../domain/delivery.ts';
import { Fault } from '../domain/fault.ts';
import type { Deliveries, Endpoints, Tenant } from '../domain/ports.ts';
import { type Finding, findOf } from './find.ts';

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
    const { verificationId: about } = await findOf({ tenant }, sourceId, dependencies);
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
