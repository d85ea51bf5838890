import { byAge, type Endpoint, maximumEndpoints } from '../../shared/domain/endpoint.ts';
import type { Endpoints } from '../../shared/domain/ports.ts';
import { epochSeconds, eventReaderSeconds } from '../../shared/domain/times.ts';

/** Endpoints in memory. It remembers no read: `of` is as it is now. */
export function memoryEndpoints(now: () => Date): Endpoints {
  const tenants = new Map<string, Map<string, Endpoint>>();
  const readUntil = new Map<string, number>();
  const list = async (tenant: string) => [...(tenants.get(tenant)?.values() ?? [])].sort(byAge);

  return {
    list,
    of: async (tenant) => ({
      keeps: tenants.has(tenant) || (readUntil.get(tenant) ?? 0) > epochSeconds(now()),
      endpoints: await list(tenant),
    }),
    find: async (tenant, id) => tenants.get(tenant)?.get(id),
    async create(made) {
      const kept = tenants.get(made.tenant) ?? new Map<string, Endpoint>();
      if (kept.size >= maximumEndpoints || kept.has(made.id)) return false;
      tenants.set(made.tenant, kept.set(made.id, made));
      return true;
    },
    async change(from, fields) {
      const kept = tenants.get(from.tenant);
      const current = kept?.get(from.id);
      if (!kept || current?.version !== from.version) return undefined;
      const next = withoutUndefined({ ...current, ...fields, version: from.version + 1 });
      kept.set(from.id, next);
      return next;
    },
    remove: async (tenant, id) => tenants.get(tenant)?.delete(id) ?? false,
    async readsEvents(tenant) {
      readUntil.set(tenant, epochSeconds(now()) + eventReaderSeconds);
    },
  };
}

/** As a table keeps it: a field that is undefined is not there. */
function withoutUndefined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
