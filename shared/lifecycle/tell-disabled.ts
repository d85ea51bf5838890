import { keptNow } from '../domain/delivery.ts';
import { type Endpoint, endpointEventOf, wants } from '../domain/endpoint.ts';
import { partsOfEventId } from '../domain/event.ts';
import type { Endpoints, KeptEvents, Log, PutEvents, WebhookQueue } from '../domain/ports.ts';

export interface TellingDisabled {
  readonly endpoints: Pick<Endpoints, 'of' | 'find' | 'change'>;
  readonly keptEvents: Pick<KeptEvents, 'keep'>;
  readonly webhooks: Pick<WebhookQueue, 'send'>;
  readonly put: PutEvents;
  readonly now: () => Date;
  readonly log: Log;
}

/** The bus did not take an event now: the message that was to tell it comes again. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}

/**
 * Tells the bus and the tenant's other endpoints that an endpoint was disabled, then that it is told. Killed in between, it
 * is told again, under the same id and in the same words.
 */
export async function tellDisabled(endpoint: Endpoint, dependencies: TellingDisabled): Promise<void> {
  const { endpoints, keptEvents, webhooks, put, now, log } = dependencies;
  const { id: about, tenant, untold } = endpoint;
  if (untold === undefined) return;
  const event = endpointEventOf(endpoint, untold);
  const { type, occurred_at: occurredAt } = event;
  const { sequence = 0 } = partsOfEventId(untold) ?? {};
  const kept = keptNow({ id: untold, tenant, type, about, sequence, occurredAt }, now());
  await keptEvents.keep({ ...kept, data: JSON.stringify(event) });
  const { endpoints: all } = await endpoints.of(tenant);
  const others = all.filter((other) => other.id !== about && wants(other, type));
  const messages = others.map(({ id: endpointId }) => ({ tenant, eventId: untold, about, endpointId, failed: 0 }));
  if (messages.length > 0) await webhooks.send(messages);
  const refused = await put([event]);
  if (refused.length > 0) throw new EventRefused('The bus did not take that an endpoint was disabled');
  log.warn('endpoint.disabled', { tenant, endpoint_id: about, because: event.because });
  let current: Endpoint | undefined = endpoint;
  while (current?.untold === untold && !(await endpoints.change(current, { untold: undefined }))) {
    current = await endpoints.find(tenant, about);
  }
}
