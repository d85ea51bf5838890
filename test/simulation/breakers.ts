import type { Breaker } from '../../shared/domain/breaker.ts';
import type { Breakers } from '../../shared/domain/ports.ts';

/** Open breakers in memory. */
export function memoryBreakers(): Breakers {
  const rows = new Map<string, Breaker>();
  return {
    read: async (key) => rows.get(key),
    async open(key, state) {
      const kept = rows.get(key);
      if (!kept || kept.openUntil < state.openUntil) rows.set(key, state);
    },
    async probe(key, now, probeUntil) {
      const kept = rows.get(key);
      if (!kept || kept.openUntil > now || kept.probeUntil > now) return false;
      rows.set(key, { ...kept, probeUntil });
      return true;
    },
    async close(key) {
      rows.delete(key);
    },
  };
}
