import { type KeptEvent, placeOf } from '../../shared/domain/delivery.ts';
import type { KeptEvents } from '../../shared/domain/ports.ts';
import { epochSeconds } from '../../shared/domain/times.ts';

/** Kept events in memory, open to a test. */
export interface MemoryKeptEvents extends KeptEvents {
  readonly all: () => KeptEvent[];
}

export function memoryKeptEvents(now: () => Date): MemoryKeptEvents {
  const rows = new Map<string, KeptEvent>();
  const current = ({ purgeAt }: KeptEvent) => purgeAt > epochSeconds(now());
  const emptied = ({ data: _, verdict: __, metadata: ___, awaitedBy: ____, ...rest }: KeptEvent): KeptEvent => rest;
  return {
    all: () => [...rows.values()],
    async keep(event) {
      const kept = rows.get(event.id);
      if (kept) return kept;
      rows.set(event.id, event);
      return event;
    },
    async find(id) {
      const kept = rows.get(id);
      return kept && current(kept) ? kept : undefined;
    },
    async page({ tenant, since, until, types, limit, after = '' }) {
      const found = [...rows.values()]
        .filter((event) => event.tenant === tenant && (!types || types.includes(event.type)))
        .filter((event) => event.keptAt >= since && event.keptAt < until && placeOf(event) > after && current(event))
        .sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
      const items = found.slice(0, limit);
      const last = items.at(-1);
      return { items, next: found.length > limit && last ? placeOf(last) : undefined };
    },
    async empty(events) {
      for (const event of events) rows.set(event.id, emptied(rows.get(event.id) ?? event));
    },
    async noLongerAwaited(id, endpointId) {
      const kept = rows.get(id);
      if (!kept?.awaitedBy?.includes(endpointId)) return;
      const awaitedBy = kept.awaitedBy.filter((one) => one !== endpointId);
      rows.set(id, awaitedBy.length > 0 ? { ...kept, awaitedBy } : emptied(kept));
    },
  };
}
