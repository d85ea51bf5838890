import * as z from 'zod';
import { endpointEvent, endpointTest } from '../domain/endpoint.ts';
import { event, eventTypeOf, supersededType } from '../domain/event.ts';
import { outcome } from '../domain/verdict.ts';
import type { State } from '../domain/verification.ts';
import { metadata, verdictView } from './verifications.ts';

/*
 * What endpoints are posted, as schemas for receivers: docs/webhooks.schema.json and the `webhooks` of docs/openapi.json are
 * made of them. The bytes themselves are put together by shared/webhooks/body.ts.
 */

/** What an event of this state tells beside the thin event; the last two where the endpoint asked for them. */
function addedIn(state: State) {
  if (state === 'erased') return {};
  const ofRequest = { metadata: metadata.optional() };
  if (state !== 'decided') return ofRequest;
  return { outcome, verdict: verdictView.optional().describe('Where the endpoint asks for full bodies'), ...ofRequest };
}

const ofVerifications = [...Object.entries(eventTypeOf), ['decided', supersededType] as const].map(([state, type]) => {
  const { outcome: _, ...thin } = event.shape;
  const data = { ...thin, type: z.literal(type), state: z.literal(state), ...addedIn(state as State) };
  return [type, bodyWith(type, z.object(data))] as const;
});

/** By type: `{type, timestamp, data}`, as Standard Webhooks says. */
export const webhookBodies: ReadonlyMap<string, z.ZodObject> = new Map<string, z.ZodObject>([
  ...ofVerifications,
  ['endpoint.disabled', bodyWith('endpoint.disabled', endpointEvent)],
  ['endpoint.test', bodyWith('endpoint.test', endpointTest)],
]);

function bodyWith(type: string, data: z.ZodObject) {
  return z.object({ type: z.literal(type), timestamp: z.string().describe('When it happened, ISO 8601'), data });
}

/** As generated clients call it: `VerificationDecidedWebhook`. */
export const webhookName = (type: string): string =>
  `${type
    .split(/[._]/)
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('')}Webhook`;
