import * as z from 'zod';
import { endpointId } from './endpoint.ts';
import { orLater, tolerant } from './later.ts';
import type { Fetcher } from './ports.ts';
import { epochSeconds, keptSeconds } from './times.ts';
import { tenantId } from './verification.ts';

/**
 * An event as it is kept for 30 days where its tenant has, or had, an endpoint: the texts that its bodies are made of, so
 * that they are the same bytes at every attempt and every replay, whatever became of the verification or of our code since.
 */
export const keptEvent = tolerant({
  id: z.string(),
  tenant: tenantId,
  type: z.string(),
  /** The verification's id; of `endpoint.disabled` the endpoint's. */
  about: z.string(),
  sequence: z.int(),
  /** When the event happened, ISO 8601: the body's `timestamp`. */
  occurredAt: z.string(),
  /** When it was kept, ISO 8601: what lists and replays go by. Events are kept in the order of their sequence. */
  keptAt: z.string(),
  /** JSON text of the event. Absent once the verification was erased: nothing of it is sent any more. */
  data: z.string().optional(),
  /** JSON text of the verdict with reasons and scores, where there was one. */
  verdict: z.string().optional(),
  /** JSON text of the request's metadata. */
  metadata: z.string().optional(),
  /** Of `verification.erased` alone: endpoints it was not yet delivered to. With the last of them `data` goes. */
  awaitedBy: z.array(endpointId).optional(),
  /** Epoch seconds after which the table forgets it. */
  purgeAt: z.int(),
});
export type KeptEvent = z.infer<typeof keptEvent>;

/** Where an event stands among its tenant's: no two stand in one place. */
export function placeOf({ keptAt, about, sequence }: Pick<KeptEvent, 'keptAt' | 'about' | 'sequence'>): string {
  return `${keptAt}#${about}#${padded(sequence)}`;
}

/** As text in the order of the numbers. */
export const padded = (sequence: number) => String(sequence).padStart(12, '0');

/** An event as it is kept now, without its texts. */
export function keptNow(
  event: Pick<KeptEvent, 'id' | 'tenant' | 'type' | 'about' | 'sequence' | 'occurredAt'>,
  now: Date,
): KeptEvent {
  return { ...event, keptAt: now.toISOString(), purgeAt: epochSeconds(now) + keptSeconds };
}

/** Why a try failed, in our words: a receiver's are never kept. `status` stands beside it where there was an answer. */
export const tryError = z.enum([
  'link_invalid',
  'address_forbidden',
  'unreachable',
  'timed_out',
  'answer_too_large',
  'status_unexpected',
  'gone',
]);

/** One try to post an event. */
export const tried = tolerant({
  at: z.string(),
  status: z.int().optional(),
  milliseconds: z.int().nonnegative(),
  /** Absent where it was taken. */
  error: orLater(tryError).optional(),
});
export type Tried = z.infer<typeof tried>;

/** What an endpoint answered to a test: `error` where it did not take it, and nothing that it said. */
export type Answered = Omit<Tried, 'at'>;

/** An answer in our words. It was taken where there is no error; whatever else was answered is neither kept nor logged. */
export function answered(answer: Awaited<ReturnType<Fetcher['post']>>, milliseconds: number): Answered {
  if (answer.kind === 'failed') return { milliseconds, error: answer.reason };
  const { status } = answer;
  if (status >= 200 && status < 300) return { status, milliseconds };
  return { status, milliseconds, error: status === 410 ? 'gone' : 'status_unexpected' };
}

/** Tries one delivery remembers: the newest. */
export const maximumTries = 40;

/** Why nothing more is sent of a delivery that was neither taken nor tried to the end. */
export const endedBecause = z.enum(['erased', 'endpoint_disabled', 'endpoint_deleted']);

/**
 * What became of one event at one endpoint. There is none before its first try: a delivery that is taken at once costs one
 * write. It holds ids, times and statuses, never what was sent.
 */
export const delivery = tolerant({
  eventId: z.string(),
  /** The endpoint; of a served result `result`. */
  endpointId: z.union([endpointId, z.literal('result')]),
  tenant: tenantId,
  about: z.string(),
  sequence: z.int(),
  type: z.string(),
  /** `spent`: every try of the schedule failed. */
  state: z.enum(['waiting', 'delivered', 'spent', 'ended']),
  endedBecause: orLater(endedBecause).optional(),
  /** Tries of the schedule that failed; which of them the next one is. */
  failed: z.int().nonnegative(),
  tries: z.array(tried),
  createdAt: z.string(),
  updatedAt: z.string(),
  /** Epoch seconds at which the next try is due; while it waits. */
  dueAt: z.int().optional(),
  purgeAt: z.int(),
});
export type Delivery = z.infer<typeof delivery>;

/** As lists and addresses call it. */
export const deliveryId = ({ eventId, endpointId }: Pick<Delivery, 'eventId' | 'endpointId'>) =>
  `${eventId}.${endpointId}`;

/** What a later try makes of a delivery. `updatedAt` grows with every change, so it is what the next one is fenced by. */
export type Going = Pick<Delivery, 'state' | 'failed' | 'endedBecause' | 'dueAt'> & { readonly tried?: Tried };

/** A delivery as its first try leaves it. */
export function begunDelivery(
  of: Pick<Delivery, 'eventId' | 'endpointId' | 'tenant' | 'about' | 'sequence' | 'type'>,
  { tried, ...fields }: Going,
  now: Date,
): Delivery {
  const { eventId, endpointId, tenant, about, sequence, type } = of;
  const at = now.toISOString();
  return {
    ...{ eventId, endpointId, tenant, about, sequence, type },
    ...fields,
    tries: tried ? [tried] : [],
    createdAt: at,
    updatedAt: at,
    purgeAt: epochSeconds(now) + keptSeconds,
  };
}

export function goneOn(from: Delivery, { tried, ...fields }: Going, now: Date): Delivery {
  const after = Math.max(now.getTime(), Date.parse(from.updatedAt) + 1);
  return {
    ...from,
    endedBecause: undefined,
    dueAt: undefined,
    ...fields,
    tries: tried ? [...from.tries, tried].slice(-maximumTries) : from.tries,
    updatedAt: new Date(after).toISOString(),
  };
}

/** Where a delivery stands among those of what its event is about. */
export function positionOf({ sequence, endpointId }: Pick<Delivery, 'sequence' | 'endpointId'>): string {
  return `${padded(sequence)}#${endpointId}`;
}

/** Where it stands among an endpoint's, or a tenant's: by when it was begun, which stays. */
export function timePlaceOf(one: Pick<Delivery, 'createdAt' | 'about' | 'sequence' | 'endpointId'>): string {
  return `${one.createdAt}#${one.about}#${positionOf(one)}`;
}
