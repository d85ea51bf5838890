import { type Delivery, deliveryId, goneOn, positionOf, timePlaceOf } from '../../shared/domain/delivery.ts';
import type { Deliveries, DueDelivery } from '../../shared/domain/ports.ts';
import { epochSeconds } from '../../shared/domain/times.ts';
import { shardOf } from '../../shared/stores/verifications.ts';

/** Deliveries in memory, open to a test. */
export interface MemoryDeliveries extends Deliveries {
  readonly all: () => Delivery[];
}

export function memoryDeliveries(now: () => Date): MemoryDeliveries {
  const rows = new Map<string, Delivery>();
  const current = ({ purgeAt }: Delivery) => purgeAt > epochSeconds(now());
  return {
    all: () => [...rows.values()],
    async find(eventId, endpointId) {
      const found = [...rows.values()].find((row) => row.eventId === eventId && row.endpointId === endpointId);
      return found && current(found) ? found : undefined;
    },
    async begin(begun) {
      if (rows.has(deliveryId(begun))) return undefined;
      rows.set(deliveryId(begun), begun);
      return begun;
    },
    async go(from, fields) {
      if (rows.get(deliveryId(from))?.updatedAt !== from.updatedAt) return undefined;
      const to = goneOn(from, fields, now());
      rows.set(deliveryId(from), to);
      return to;
    },
    async list({ tenant, about, endpointId, state, limit, after = '~' }) {
      if (about === undefined && endpointId === undefined && (state === undefined || state === 'delivered'))
        throw new Error('Deliveries are listed by verification, endpoint, or a state other than delivered');
      const placeOf = about === undefined ? timePlaceOf : positionOf;
      const found = [...rows.values()]
        .filter((row) => row.tenant === tenant && current(row) && placeOf(row) < after)
        .filter((row) => about === undefined || row.about === about)
        .filter((row) => endpointId === undefined || row.endpointId === endpointId)
        .filter((row) => state === undefined || row.state === state)
        .sort((one, other) => (placeOf(one) < placeOf(other) ? 1 : -1));
      const items = found.slice(0, limit);
      const last = items.at(-1);
      return { items, next: found.length > limit && last ? placeOf(last) : undefined };
    },
    async tookSince(tenant, endpointId, since) {
      const ofEndpoint = [...rows.values()].filter((row) => row.tenant === tenant && row.endpointId === endpointId);
      return ofEndpoint.some(({ tries }) => tries.some(({ at, error }) => error === undefined && at >= since));
    },
    async due({ shard, now: at, limit, after }) {
      return [...rows.values()]
        .filter(({ state, about }) => state === 'waiting' && shardOf(about) === shard)
        .flatMap(({ eventId, endpointId, dueAt }) => (dueAt === undefined ? [] : { eventId, endpointId, dueAt }))
        .filter((one) => one.dueAt <= epochSeconds(at) && (!after || byDue(one, after) > 0))
        .sort(byDue)
        .slice(0, limit);
    },
  };
}

function byDue(one: DueDelivery, other: DueDelivery): number {
  return one.dueAt - other.dueAt || deliveryId(one).localeCompare(deliveryId(other));
}
