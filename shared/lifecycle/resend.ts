import type { Delivery } from '../domain/delivery.ts';
import { Fault } from '../domain/fault.ts';
import type { Deliveries, Endpoints, KeptEvents, Orders, Verifications, WebhookQueue } from '../domain/ports.ts';

export interface FindingDelivery {
  readonly deliveries: Pick<Deliveries, 'find'>;
}

export interface Resending extends FindingDelivery {
  readonly endpoints: Pick<Endpoints, 'find'>;
  readonly keptEvents: Pick<KeptEvents, 'find'>;
  readonly verifications: Pick<Verifications, 'find'>;
  readonly webhooks: Pick<WebhookQueue, 'send'>;
  readonly orders: Pick<Orders, 'deliver'>;
  readonly newId: () => string;
}

/** A tenant's delivery by its id; another tenant's is none. */
export async function deliveryOf(tenant: string, id: string, { deliveries }: FindingDelivery): Promise<Delivery> {
  const dot = id.lastIndexOf('.');
  const delivery = await deliveries.find(id.slice(0, dot), id.slice(dot + 1));
  if (delivery?.tenant !== tenant) throw new Fault('delivery_unknown', 'There is no delivery with this id.');
  return delivery;
}

/**
 * Sends a delivery once more, whether it was taken or not. What fails of it goes by the schedule again; one that waits keeps
 * its own.
 */
export async function resendDelivery(tenant: string, id: string, dependencies: Resending): Promise<Delivery> {
  const { endpoints, keptEvents, webhooks, newId } = dependencies;
  const delivery = await deliveryOf(tenant, id, dependencies);
  const { eventId, endpointId, about, failed } = delivery;
  if (endpointId === 'result') return resendResult(delivery, dependencies);
  const endpoint = await endpoints.find(tenant, endpointId);
  if (endpoint?.state !== 'enabled') {
    throw new Fault('endpoint_disabled', 'The endpoint of this delivery is disabled or deleted.');
  }
  const event = await keptEvents.find(eventId);
  if (event?.data === undefined) throw gone();
  const again = { kind: 'resend', id: newId() } as const;
  await webhooks.send([{ tenant, eventId, about, endpointId, failed, again }]);
  return delivery;
}

/** The record holds where a result goes until it is taken, and counts what was posted in vain. */
async function resendResult(delivery: Delivery, { verifications, orders }: Resending): Promise<Delivery> {
  const record = await verifications.find(delivery.about);
  if (!record || record.state === 'erased') throw gone();
  if (!('order' in record) || record.order === undefined) {
    throw new Fault('result_closed', 'It was taken, and its link and webhook are not kept after that.');
  }
  await orders.deliver({ verificationId: record.verificationId, failedPosts: record.failedPosts ?? 0 });
  return delivery;
}

const gone = () =>
  new Fault('event_erased', 'The event of this delivery was erased, or is older than events are kept.');
