import { type Deliveries, dueShards, type Log, type WebhookMessage, type WebhookQueue } from '../domain/ports.ts';
import { epochSeconds } from '../domain/times.ts';

/** Deliveries looked at in one sweep, per shard: a thousand in all, whatever has piled up. */
const batch = 250;
/** Rows read at the same time: beside the sweep of verifications, fewer than a client's connections. */
const together = 10;

export interface SweepingDeliveries {
  readonly deliveries: Pick<Deliveries, 'due' | 'find'>;
  readonly webhooks: Pick<WebhookQueue, 'send'>;
  readonly now: () => Date;
  readonly log: Log;
}

/**
 * Puts what waits for its next try, and is due, into its lane: tries further away than a message can be delayed, and those
 * whose message was lost. One that still waits in its lane is put there again, but SQS takes it once in five minutes; and
 * when its turn comes again it is dropped.
 */
export async function sweepDeliveries(dependencies: SweepingDeliveries): Promise<{ sent: number }> {
  const { deliveries, webhooks, now, log } = dependencies;
  const shards = Array.from({ length: dueShards }, (_, shard) => shard);
  const due = (await Promise.all(shards.map((shard) => deliveries.due({ shard, now: now(), limit: batch })))).flat();
  let sent = 0;
  for (let start = 0; start < due.length; start += together) {
    const found = await Promise.all(due.slice(start, start + together).map((one) => messageOf(one, dependencies)));
    const messages = found.flatMap((message) => message ?? []);
    if (messages.length > 0) await webhooks.send(messages);
    sent += messages.length;
  }
  if (sent > 0) log.info('deliveries.swept', { sent });
  return { sent };
}

/** The index is a little behind the table: the row itself says what is due. */
async function messageOf(
  { eventId, endpointId }: { eventId: string; endpointId: string },
  { deliveries, now }: SweepingDeliveries,
): Promise<WebhookMessage | undefined> {
  const delivery = await deliveries.find(eventId, endpointId);
  if (delivery?.state !== 'waiting' || delivery.dueAt === undefined || delivery.dueAt > epochSeconds(now())) return;
  const { tenant, about, failed, dueAt: due } = delivery;
  return { tenant, eventId, about, endpointId, failed, due };
}
