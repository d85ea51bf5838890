import * as z from 'zod';
import { check } from './captures.ts';
import { isOneOf, type Later, orLater, outdated } from './later.ts';
import { isLive } from './livemode.ts';
import { outcome } from './verdict.ts';
import {
  type HistoryEntry,
  type State,
  sourceId,
  state,
  tenantId,
  type Unerased,
  type Verification,
} from './verification.ts';

/** The event of a move, by the state it leads to. */
export const eventTypeOf = {
  awaiting_captures: 'verification.recapture_requested',
  queued: 'verification.queued',
  dispatched: 'verification.dispatched',
  decided: 'verification.decided',
  errored: 'verification.errored',
  expired: 'verification.expired',
  erased: 'verification.erased',
} as const satisfies Record<State, string>;

/** The event of a review: of its move, as the state stays what it was. */
export const supersededType = 'verification.superseded';

/** The event of a line of history that moved: a review has one of its own. */
export function eventTypeOfMove({ state: of, review }: Pick<HistoryEntry, 'state' | 'review'>): string {
  if (review) return supersededType;
  return isOneOf(state, of) ? eventTypeOf[of] : `verification.${of}`;
}

/** Of a state that this version does not know it knows no event: the move is told by one that does. */
function typeOfState(of: State | Later): string {
  if (!isOneOf(state, of)) throw outdated(`the state ${of}`);
  return eventTypeOf[of];
}

/** `source` of our events on the bus. */
export const eventSource = 'bonafide';

/** Thin: enough to route by, nothing about the person. Scores and reasons are read from the API. */
export const event = z.object({
  /** The same for every repeat of the same move. */
  id: z.string(),
  type: z.enum([...(Object.values(eventTypeOf) as string[]), supersededType]),
  /** Null for the first move. */
  previous_event_id: z.string().nullable(),
  occurred_at: z.string(),
  tenant: tenantId,
  /** False of a test tenant's: its outcome says nothing about a person. Absent of moves that versions before made: live. */
  livemode: z.boolean().optional(),
  source_id: sourceId,
  check,
  state,
  round: z.int(),
  sequence: z.int(),
  outcome: orLater(outcome).optional(),
  /** Of the move's line of history: an anchor of it and of every line before. Absent of moves that versions before made. */
  hash: z.string().optional(),
});
export type Event = z.infer<typeof event>;

/**
 * The event of a move: a function of the record before and after it alone. The source_id is the one before: a tombstone
 * has none, and its integrator still has to hear which verification was erased.
 */
export function eventOf(before: Unerased, record: Verification): Event {
  const { state: to, round, sequence, updatedAt: at, history } = record;
  const line = history.findLast((one) => one.kind === 'moved' && one.sequence === sequence);
  const type = before.state === 'decided' && to === 'decided' ? supersededType : typeOfState(to);
  const outcome = record.state === 'decided' ? record.verdict.outcome : undefined;
  return told(record, before.sourceId, { type, at, state: to, round, sequence, outcome, hash: line?.hash });
}

/**
 * The events of a record's moves so far, made of its history alone: the same as `eventOf` made when it moved, word for word,
 * so a receiver that has one knows the other as a repeat. An erased record has none: nothing is left that names it. A move to
 * a state of a later version is left for that version.
 */
export function eventsOfHistory(record: Unerased): Event[] {
  const moves = record.history.filter(({ kind, sequence }) => kind === 'moved' && sequence > 1);
  return moves.flatMap(({ state: to, outcome, ...line }) => {
    if (!isOneOf(state, to)) return [];
    const type = eventTypeOfMove({ ...line, state: to });
    return told(record, record.sourceId, { ...line, type, state: to, outcome: to === 'decided' ? outcome : undefined });
  });
}

/** What an event says of one move. */
interface Told extends Pick<Event, 'type' | 'state' | 'round' | 'sequence' | 'outcome' | 'hash'> {
  readonly at: string;
}

function told(
  { verificationId, tenant, livemode, check }: Verification,
  source_id: string,
  { type, at, state, round, sequence, outcome, hash }: Told,
): Event {
  return {
    id: eventId(verificationId, sequence),
    type,
    // Sequence 1 is the making, which its maker was told of: the chain begins with 2.
    previous_event_id: sequence > 2 ? eventId(verificationId, sequence - 1) : null,
    occurred_at: at,
    tenant,
    livemode: isLive({ livemode }),
    source_id,
    check,
    state,
    round,
    sequence,
    ...(outcome !== undefined && { outcome }),
    ...(hash !== undefined && { hash }),
  };
}

/** Of a move by its verification; of `endpoint.disabled` by the endpoint and its version. */
export function eventId(about: string, sequence: number): string {
  return `evt_${about}_${sequence}`;
}

/** What an event is about and its sequence, or undefined for a text that is no event's id. */
export function partsOfEventId(id: string): { readonly about: string; readonly sequence: number } | undefined {
  const [, about, sequence] = /^evt_([a-z2-7_]{1,40})_([0-9]{1,12})$/.exec(id) ?? [];
  return about && sequence ? { about, sequence: Number(sequence) } : undefined;
}
