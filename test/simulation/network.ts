import type { EndpointEvent } from '../../shared/domain/endpoint.ts';
import type { Event } from '../../shared/domain/event.ts';
import type { Circumstances } from './circumstances.ts';
import type { Random } from './random.ts';

/** What lies between the verbs: queues, the table's stream, the bus. */
export interface Network {
  /** How often a message will be delivered at least: 0 is a lost one. */
  readonly copies: () => number;
  /** Where the stream's next batch begins and ends, of so many changes, of which so many are announced. */
  readonly batch: (announced: number, changes: number) => readonly [from: number, to: number];
  /** Puts events on the bus; answers which were refused, by index. Throws where the bus is out of reach. */
  readonly put: <Any extends Event | EndpointEvent>(events: readonly Any[], take: (event: Any) => void) => number[];
}

/** What was asked may have been done or not: it is asked again. */
export class OutOfReach extends Error {
  override readonly name = 'OutOfReach';
}

/** Everything arrives, once. */
export const calmNetwork: Network = {
  copies: () => 1,
  batch: (announced, changes) => [announced, changes],
  put(events, take) {
    for (const event of events) take(event);
    return [];
  },
};

/** Messages come twice or never, batches repeat, the bus refuses some events and breaks before or after taking them. */
export function lossyNetwork({ losing, doubling }: Circumstances, { chance, below }: Random): Network {
  return {
    copies() {
      if (chance(losing)) return 0;
      return chance(doubling) ? 2 : 1;
    },
    batch(announced) {
      const from = chance(0.1) ? below(announced + 1) : announced;
      return [from, from + 1 + below(30)];
    },
    put(events, take) {
      if (chance(0.03)) throw new OutOfReach('The bus is not to be reached');
      const refused = events.flatMap((_, index) => (chance(0.05) ? [index] : []));
      for (const [index, event] of events.entries()) if (!refused.includes(index)) take(event);
      if (chance(0.03)) throw new OutOfReach('The answer of the bus was lost');
      return refused;
    },
  };
}
