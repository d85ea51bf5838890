import { weigh } from '../domain/breaker.ts';
import { type FaultCode, faultCodes } from '../domain/fault.ts';
import { isOneOf } from '../domain/later.ts';
import type { Measurement } from '../domain/metric.ts';
import type { Attempt, Unerased } from '../domain/verification.ts';
import type { Move } from './tell-endpoints.ts';

/** Faults of a provider beside those that open its breaker: it was passed over, or nothing came of what it took. */
const silent: readonly FaultCode[] = ['breaker_open', 'webhook_overdue', 'lease_expired'];

/**
 * What one move says in metrics. Moves come from the table's stream, so each is counted where it was made, whichever act
 * made it, and a worker that dies counts no less. A move that is announced twice counts twice: rates bear that.
 */
export function measurementsOf({ before, after }: Move): Measurement[] {
  if (after.state === 'erased') return [];
  const landed = before.state === 'awaiting_captures' && after.state === 'queued';
  const decided = before.state !== 'decided' && after.state === 'decided';
  const { provider, code } = after.history.at(-1) ?? {};
  const passedOver = code === 'breaker_open' && provider ? [fault(provider, 1)] : [];
  return [
    ...(landed || decided ? [{ metric: 'Decided', value: decided ? 1 : 0 } as const] : []),
    ...endedBetween(before, after).flatMap(({ provider, result }) => {
      if (result === 'decided') return [fault(provider, 0)];
      const isFault = result !== undefined && isOneOf({ options: faultCodes }, result);
      return isFault && isProviders(result) ? [fault(provider, 1)] : [];
    }),
    ...passedOver,
  ];
}

const fault = (provider: string, value: 0 | 1): Measurement => ({ metric: 'ProviderFaults', value, provider });

const isProviders = (code: FaultCode): boolean => weigh(code) !== 'none' || silent.includes(code);

/** Attempts that this move ended. */
function endedBetween(before: Unerased, after: Unerased): Attempt[] {
  const over = new Set(before.attempts.filter(({ endedAt }) => endedAt !== undefined).map(({ attempt }) => attempt));
  return after.attempts.filter(({ attempt, endedAt }) => endedAt !== undefined && !over.has(attempt));
}
