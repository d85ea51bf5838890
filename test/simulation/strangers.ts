import type { Fetcher } from '../../shared/domain/ports.ts';
import { firstVerdict } from '../../shared/domain/verification.ts';
import type { Resting } from '../../shared/lifecycle/keep.ts';
import type { Random } from './random.ts';

/** What lies behind the addresses that callers choose: images, the webhooks of results, and endpoints. */
export interface Strangers {
  readonly get: (link: string) => Awaited<ReturnType<Fetcher['get']>>;
  /** Whether the webhook takes this body now. */
  readonly takes: (body: string) => boolean;
  /** What an endpoint answers to an event now. */
  readonly receives: (endpointId: string, eventId: string) => Awaited<ReturnType<Fetcher['post']>>;
}

export const image = { kind: 'fetched', bytes: Uint8Array.of(0xff, 0xd8, 0xff, 0xe0) } as const;
export const nothing = { kind: 'failed', reason: 'unreachable' } as const;

export const received = { kind: 'answered', status: 204 } as const;
export const busy = { kind: 'answered', status: 503, retryAfter: '60' } as const;
export const gone = { kind: 'answered', status: 410 } as const;
export const silent = { kind: 'failed', reason: 'timed_out' } as const;

/** A result as a world writes it: what every served vendor's writer is made from. */
export function writeResult(record: Resting): string {
  const { verificationId, state, updatedAt, order } = record;
  const first = record.state === 'decided' ? firstVerdict(record) : undefined;
  return JSON.stringify({
    id: verificationId,
    state,
    outcome: first?.verdict.outcome,
    fault: record.state === 'errored' ? record.fault : undefined,
    updatedAt: first?.at ?? updatedAt,
    order: order && { ...order, givenUp: undefined },
  });
}

/**
 * Images that are there at once, later or never; webhooks that take a result at once, after some tries, or never. What a
 * link or a webhook does is drawn when it is first asked.
 */
export function unkindStrangers({ pick, chance }: Random): Strangers {
  const images = new Map<string, number>();
  const webhooks = new Map<string, number>();
  const events = new Map<string, number>();
  const receivers = new Map<string, 'good' | 'poor' | 'dead' | 'silent' | 'gone'>();
  /** True once it was asked as often in vain as was drawn. */
  const succeeds = (left: Map<string, number>, key: string, drawn: () => number): boolean => {
    const inVain = left.get(key) ?? drawn();
    left.set(key, inVain - 1);
    return inVain <= 0;
  };
  return {
    get(link) {
      if (succeeds(images, link, () => pick([0, 0, 0, 1, 2, 3, 100]))) return image;
      return chance(0.2) ? { kind: 'failed', reason: 'answer_too_large' } : nothing;
    },
    takes: (body) => succeeds(webhooks, body, () => pick([0, 0, 1, 2, 5, 100])),
    receives(endpointId, eventId) {
      const receiver = receivers.get(endpointId) ?? pick(['good', 'good', 'poor', 'poor', 'dead', 'silent', 'gone']);
      receivers.set(endpointId, receiver);
      const inVain = {
        good: () => 0,
        poor: () => pick([0, 0, 1, 2, 12]),
        dead: () => 1000,
        silent: () => pick([1, 12]),
        gone: () => 2,
      };
      if (succeeds(events, `${endpointId} ${eventId}`, inVain[receiver])) return received;
      if (receiver === 'gone') return chance(0.3) ? gone : busy;
      return receiver === 'silent' || chance(0.1) ? silent : chance(0.5) ? busy : nothing;
    },
  };
}

/** Everything is there, and taken. */
export const kindStrangers: Strangers = { get: () => image, takes: () => true, receives: () => received };
