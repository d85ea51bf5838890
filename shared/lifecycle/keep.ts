import { entriesOf, type Landed } from '../domain/captures.ts';
import { captureSeconds, epochSeconds, postedSeconds } from '../domain/times.ts';
import { type InState, owesRefund, type Unerased, type Verification } from '../domain/verification.ts';

/** Epoch seconds at which the captures of a record must be gone: a day after the first of them landed. */
export function goneAt({ landed, keptUntil }: { landed: Landed; keptUntil?: number | undefined }): number {
  const ends = entriesOf(landed).map(([, { landedAt }]) => Math.floor(Date.parse(landedAt) / 1000) + captureSeconds);
  return Math.min(...ends, ...(keptUntil === undefined ? [] : [keptUntil]));
}

/** A verification that rests, and was not erased. */
export type Resting = InState<'decided' | 'errored' | 'expired'>;

export function isResting(record: Verification): record is Resting {
  return record.state === 'decided' || record.state === 'errored' || record.state === 'expired';
}

/** When the result of an order should have been posted, if it comes to rest now; undefined where none is to be. */
export function postDueAt({ order }: Pick<Unerased, 'order'>, now: Date): number | undefined {
  return order && epochSeconds(now) + postedSeconds;
}

/** Whether the result of a record's order is still to be posted: it was neither taken nor given up. */
export function owesResult({ order }: Pick<Resting, 'order'>): boolean {
  return order !== undefined && !order.givenUp;
}

/** Whether a record that rests has a refund or a result that is not yet made good. */
export function owesOrder(record: Resting): boolean {
  return owesResult(record) || owesRefund(record);
}

/** When what a record still stores must be gone; undefined where it stores nothing. */
export function storedUntil(record: Resting, now: Date): number | undefined {
  if (record.state === 'expired') return epochSeconds(now); // what came after all: the sweep looks once
  const kept = record.state === 'errored' || record.plan.keepCaptures || record.keptUntil !== undefined;
  return kept ? goneAt(record) : undefined;
}

/** The earlier of two deadlines. */
export function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
