import type { Fetcher } from '../../shared/domain/ports.ts';
import { firstVerdict } from '../../shared/domain/verification.ts';
import type { Resting } from '../../shared/lifecycle/keep.ts';
import type { Random } from './random.ts';

/** What lies behind the addresses that callers choose: images, and the webhooks of results. */
export interface Strangers {
  readonly get: (link: string) => Awaited<ReturnType<Fetcher['get']>>;
  /** Whether the webhook takes this body now. */
  readonly takes: (body: string) => boolean;
}

export const image = { kind: 'fetched', bytes: Uint8Array.of(0xff, 0xd8, 0xff, 0xe0) } as const;
export const nothing = { kind: 'failed', reason: 'unreachable' } as const;

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
    order,
  });
}

/**
 * Images that are there at once, later or never; webhooks that take a result at once, after some tries, or never. What a
 * link or a webhook does is drawn when it is first asked.
 */
export function unkindStrangers({ pick, chance }: Random): Strangers {
  const images = new Map<string, number>();
  const webhooks = new Map<string, number>();
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
  };
}

/** Everything is there, and taken. */
export const kindStrangers: Strangers = { get: () => image, takes: () => true };
