import * as z from 'zod';
import type { FaultCode } from './fault.ts';
import { tolerant } from './later.ts';
import { longestOpenSeconds, shortestOpenSeconds } from './times.ts';

/** Whether a provider may be asked with one set of credentials. No row means closed: nothing is known against it. */
export const breaker = tolerant({
  /** Epoch seconds until which no worker calls; after it, one probe at a time. */
  openUntil: z.int(),
  /** Epoch seconds until which one worker's probe is under way. */
  probeUntil: z.int(),
  /** How often it has opened without closing: each time for longer. */
  openings: z.int().positive(),
  reason: z.string(),
});
export type Breaker = z.infer<typeof breaker>;

/** `reason` of one that an operator opened: no answer that was under way closes it before its time. */
export const openedByHand = 'opened_by_hand';

/** A breaker per provider and credentials, so that one tenant's spent credits stop no other tenant. */
export function breakerKey(provider: string, secretName: string): string {
  return `${provider}#${secretName}`;
}

/** Faults in a row, seen by one process, that open it. */
export const faultsToOpen = 5;

/** What these say is true of the next call too: they open it at once. */
const decisive: readonly FaultCode[] = ['provider_unauthorized', 'provider_credits_spent'];
/** What may be this call's bad luck: they open it when they repeat, or end a probe. */
const counted: readonly FaultCode[] = [
  'provider_unreachable',
  'provider_timed_out',
  'provider_throttled',
  'provider_failed',
  'provider_unreadable',
];

/** What a fault says of the provider: nothing (`none`), something if it repeats, or that calling is useless now. */
export function weigh(code: FaultCode): 'none' | 'counted' | 'decisive' {
  if (decisive.includes(code)) return 'decisive';
  return counted.includes(code) ? 'counted' : 'none';
}

/** How long it stays open: doubling from 15 s to 5 minutes. */
export function openSeconds(openings: number): number {
  return Math.min(longestOpenSeconds, shortestOpenSeconds * 2 ** (openings - 1));
}
