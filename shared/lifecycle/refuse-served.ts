import { Fault } from '../domain/fault.ts';
import type { Unerased } from '../domain/verification.ts';

/** Refuses what a call of a vendor's API has no place for: it has one round and one pass. */
export function refuseServed({ served }: Pick<Unerased, 'served'>): void {
  if (served === undefined) return;
  throw new Fault('state_conflict', `It was asked through the API of ${served}: send the call again instead.`);
}
