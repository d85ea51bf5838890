import * as z from 'zod';
import { type Delivery, delivery, deliveryId, endedBecause, type Tried, tryError } from '../domain/delivery.ts';
import { endpointEvent, type WebhookType, webhookType } from '../domain/endpoint.ts';
import { event } from '../domain/event.ts';
import { orLater } from '../domain/later.ts';
import { isoOf } from '../domain/times.ts';
import { sourceId } from '../domain/verification.ts';
import type { WantedDeliveries } from '../lifecycle/list-deliveries.ts';
import type { ReadEvents } from '../lifecycle/read-events.ts';
import type { AskedReplay } from '../lifecycle/replay.ts';
import { type ListPlace, readPlace, writePlace } from './cursor.ts';
import { moment } from './verifications.ts';

/** Words of `/deliveries`, `/events` and replays: what became of events at endpoints, and events without an endpoint. */

const limit = z.coerce
  .number('must be a whole number, 1 to 100')
  .int('must be a whole number, 1 to 100')
  .min(1)
  .max(100)
  .describe('How many at the most');

const cursorOf = (list: string) =>
  z
    .string()
    .max(400)
    .transform((text, context): ListPlace => {
      const found = readPlace(list, text);
      if (found) return found;
      context.addIssue('is not a cursor of this list: send next_cursor as the page before gave it');
      return z.NEVER;
    })
    .optional();

/** Query of `GET /deliveries`. */
export const deliveriesQuery = z
  .object({
    source_id: sourceId.optional().describe('Of this verification'),
    endpoint: z.string().max(40).optional().describe('To this endpoint; `result` is those of served Identify'),
    state: delivery.shape.state.optional().describe('Only these'),
    limit: limit.default(20),
    cursor: cursorOf('deliveries').describe('next_cursor of the page before'),
  })
  .superRefine(({ source_id, endpoint, state, cursor }, context) => {
    if (source_id === undefined && endpoint === undefined && state === undefined) {
      context.addIssue({ code: 'custom', path: ['source_id'], message: 'give source_id, endpoint or state' });
    }
    if (cursor && /^\d{4}-/.test(cursor.after) !== (source_id === undefined)) {
      context.addIssue({ code: 'custom', path: ['cursor'], message: 'is of another list' });
    }
  });

/** Which deliveries a query asks for. */
export function wantedDeliveries(query: z.output<typeof deliveriesQuery>): WantedDeliveries {
  const { source_id: sourceId, endpoint: endpointId, state, cursor } = query;
  return { sourceId, endpointId, state, limit: query.limit, after: cursor?.after };
}

const types = z
  .array(webhookType)
  .min(1)
  .max(webhookType.options.length)
  .transform((wanted): WebhookType[] => [...new Set(wanted)]);

/** Query of `GET /events`. */
export const eventsQuery = z.object({
  since: moment.optional().describe('Kept at or after this time. Without it: all that are kept, which is 30 days'),
  types: z
    .string()
    .max(400)
    .transform((text) => text.split(','))
    .pipe(types)
    .optional()
    .describe('Only these types, separated by commas'),
  limit: limit.default(100),
  cursor: cursorOf('events').describe('next_cursor of the answer before; `since` is not looked at beside it'),
});

/** `POST …/replay`. */
export const replayRequest = z
  .strictObject({
    since: moment.describe('Events kept at or after this time'),
    until: moment.describe('And before this one; a time to come is now'),
    types: types.optional().describe('Only these types. Without it: those of the endpoint'),
    failed_only: z.boolean().default(false).describe('Leave out what was delivered to the endpoint'),
  })
  .superRefine(({ since, until }, context) => {
    if (since >= until) context.addIssue({ code: 'custom', path: ['until'], message: 'must be later than since' });
  });

export function replayOf({ failed_only: failedOnly, ...asked }: z.output<typeof replayRequest>): AskedReplay {
  return { ...asked, failedOnly };
}

export const tryView = z.object({
  at: z.string(),
  status: z.int().optional().describe('Missing where no answer came'),
  milliseconds: z.int(),
  error: orLater(tryError).optional().describe('Missing where it was taken'),
});

export const deliveryView = z.object({
  id: z.string(),
  event_id: z.string(),
  endpoint_id: z.string().describe('`result` where it is the result of a call of served Identify'),
  type: z.string(),
  sequence: z.int(),
  state: orLater(delivery.shape.state),
  ended_because: orLater(endedBecause).optional(),
  failed: z.int().describe('Tries of the schedule that failed'),
  attempts: z.array(tryView).describe('The newest 40, the oldest first'),
  next_attempt_by: z.string().optional(),
  created_at: z.string(),
  updated_at: z.string(),
});
export const deliveryWithBodyView = deliveryView.extend({
  body: z
    .string()
    .optional()
    .describe('The bytes that were sent. Missing where the event was erased, or the endpoint deleted'),
});
export const deliveriesView = z.object({ deliveries: z.array(deliveryView), next_cursor: z.string().nullable() });

export const keptEventView = z.object({
  type: z.string(),
  timestamp: z.string().describe('When it happened'),
  data: z.union([event, endpointEvent]),
});
export const eventsView = z.object({
  events: z.array(keptEventView),
  next_cursor: z.string(),
  more: z.boolean().describe('Whether the next page can be asked for at once'),
});

const viewTry = ({ at, status, milliseconds, error }: Tried): z.infer<typeof tryView> => {
  return { at, ...(status !== undefined && { status }), milliseconds, ...(error !== undefined && { error }) };
};

export function viewDelivery(row: Delivery): z.infer<typeof deliveryView> {
  return {
    id: deliveryId(row),
    event_id: row.eventId,
    endpoint_id: row.endpointId,
    type: row.type,
    sequence: row.sequence,
    state: row.state,
    ...(row.endedBecause && { ended_because: row.endedBecause }),
    failed: row.failed,
    attempts: row.tries.map(viewTry),
    ...(row.dueAt !== undefined && { next_attempt_by: isoOf(row.dueAt) }),
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  };
}

export function viewDeliveries({
  items,
  next,
}: {
  items: readonly Delivery[];
  next?: string | undefined;
}): z.infer<typeof deliveriesView> {
  const next_cursor = next === undefined ? null : writePlace('deliveries', { after: next });
  return { deliveries: items.map(viewDelivery), next_cursor };
}

export function viewEvents({ items, next, more }: ReadEvents): z.infer<typeof eventsView> {
  const events = items.flatMap(({ type, occurredAt: timestamp, data }) =>
    data === undefined ? [] : [{ type, timestamp, data: JSON.parse(data) }],
  );
  return { events, next_cursor: writePlace('events', next), more };
}
