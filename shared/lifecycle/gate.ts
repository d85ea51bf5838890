import { breakerKey, faultsToOpen, openedByHand, openSeconds, weigh } from '../domain/breaker.ts';
import type { FaultCode } from '../domain/fault.ts';
import type { Breakers } from '../domain/ports.ts';
import { epochSeconds } from '../domain/times.ts';
import type { Verification } from '../domain/verification.ts';
import { type Capabilities, longestLeaseSeconds } from '../providers/provider.ts';

/** Stands before a provider: whether it may be called now, and what became of the call. */
export interface Gate {
  readonly mayCall: () => Promise<boolean>;
  /** Undefined: it answered. */
  readonly ended: (fault: FaultCode | undefined) => Promise<void>;
}

/** For what is in our own process. */
export const openGate: Gate = { mayCall: async () => true, ended: async () => undefined };

/** Faults in a row by breaker, as this process has seen them. */
export type FaultCounts = Map<string, number>;

/**
 * A circuit breaker per provider and credentials. Closed: every worker calls. Open: none does. When its time is over, one
 * caller probes: an answer closes it, a fault opens it for longer.
 */
export function breakerGate(
  key: string,
  probeSeconds: number,
  { breakers, counts, now }: { breakers: Breakers; counts: FaultCounts; now: () => Date },
): Gate {
  return {
    async mayCall() {
      const state = await breakers.read(key);
      if (!state) return true;
      const at = epochSeconds(now());
      if (state.openUntil > at || state.probeUntil > at) return false;
      return breakers.probe(key, at, at + probeSeconds);
    },

    async ended(fault) {
      const weight = fault === undefined ? 'answered' : weigh(fault);
      if (weight === 'none') return;
      const state = await breakers.read(key);
      if (weight === 'answered') {
        counts.delete(key);
        const isHeld = state?.reason === openedByHand && state.openUntil > epochSeconds(now());
        if (state && !isHeld) await breakers.close(key);
        return;
      }
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (weight === 'counted' && count < faultsToOpen && !state) return;
      const openings = (state?.openings ?? 0) + 1;
      const at = epochSeconds(now());
      if (state && state.openUntil > at) return; // another worker has opened it meanwhile
      counts.delete(key);
      const opened = { openUntil: at + openSeconds(openings), probeUntil: 0, openings, reason: fault ?? '' };
      await breakers.open(key, { ...state, ...opened });
    },
  };
}

/** The gate before one provider: a breaker per credentials, so that one tenant's spent credits stop no other tenant. */
export function gates(provider: Capabilities, breakers: Breakers, now: () => Date): (record: Verification) => Gate {
  const counts: FaultCounts = new Map();
  return (record) => {
    const secret = 'plan' in record ? record.plan.credentials[provider.name] : undefined;
    if (!secret) return openGate;
    return breakerGate(breakerKey(provider.name, secret), longestLeaseSeconds(provider), { breakers, counts, now });
  };
}
