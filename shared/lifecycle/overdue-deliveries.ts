import {
  type Deliveries,
  type DueDelivery,
  dueShards,
  type Log,
  type WebhookMessage,
  type WebhookQueue,
} from '../domain/ports.ts';
import { epochSeconds, sweepReserveSeconds } from '../domain/times.ts';

/** Entries read at once of each shard of the index. */
const pageSize = 250;
/** Rows read at the same time: beside the sweep of verifications, fewer than a client's connections. */
const together = 10;

export interface SweepingDeliveries {
  readonly deliveries: Pick<Deliveries, 'due' | 'find'>;
  readonly webhooks: Pick<WebhookQueue, 'send'>;
  readonly now: () => Date;
  /** Until the function is ended. */
  readonly remainingMilliseconds: () => number;
  readonly log: Log;
}

interface Shard {
  readonly shard: number;
  /** The last entry that was read. */
  readonly after?: DueDelivery | undefined;
}

/**
 * Puts what waits for its next try, and is due, into its lane, until nothing is left or its time is nearly up: tries further
 * away than a message can be delayed, and those whose message was lost. One that still waits in its lane is put there again,
 * but SQS takes it once in five minutes; and when its turn comes again it is dropped.
 */
export async function sweepDeliveries(dependencies: SweepingDeliveries): Promise<{ sent: number }> {
  const { deliveries, webhooks, now, remainingMilliseconds, log } = dependencies;
  const goesOn = () => remainingMilliseconds() > sweepReserveSeconds * 1000;
  let shards = Array.from({ length: dueShards }, (_, shard): Shard => ({ shard }));
  let sent = 0;
  while (shards.length > 0 && goesOn()) {
    const pages = await Promise.all(shards.map((of) => deliveries.due({ ...of, now: now(), limit: pageSize })));
    const due = pages.flat();
    for (let start = 0; start < due.length && goesOn(); start += together) {
      const found = await Promise.all(due.slice(start, start + together).map((one) => messageOf(one, dependencies)));
      const messages = found.flatMap((message) => message ?? []);
      if (messages.length > 0) await webhooks.send(messages);
      sent += messages.length;
    }
    shards = pages.flatMap((page, index) => {
      const of = shards[index];
      return of && page.length === pageSize ? { ...of, after: page.at(-1) } : [];
    });
  }
  if (sent > 0) log.info('deliveries.swept', { sent });
  return { sent };
}

/** The index is a little behind the table: the row itself says what is due. */
async function messageOf(
  { eventId, endpointId }: DueDelivery,
  { deliveries, now }: SweepingDeliveries,
): Promise<WebhookMessage | undefined> {
  const delivery = await deliveries.find(eventId, endpointId);
  if (delivery?.state !== 'waiting' || delivery.dueAt === undefined || delivery.dueAt > epochSeconds(now())) return;
  const { tenant, about, failed, dueAt: due } = delivery;
  return { tenant, eventId, about, endpointId, failed, due };
}
