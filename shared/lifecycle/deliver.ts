import { answered, begunDelivery, type Delivery, type Tried } from '../domain/delivery.ts';
import { eventId, eventTypeOf } from '../domain/event.ts';
import type { Deliveries, Log, Orders, PostWebhook, ResultMessage, Tenants, Verifications } from '../domain/ports.ts';
import { epochSeconds, postedSeconds } from '../domain/times.ts';
import { owesRefund, type Verification } from '../domain/verification.ts';
import { isResting, type Resting, storedUntil } from './keep.ts';
import { settled, settledIfMoved, settleOn } from './settle-on.ts';

export interface Delivering {
  readonly verifications: Pick<Verifications, 'find' | 'refund' | 'countPost' | 'giveUpOrder' | 'closeOrder'>;
  readonly tenants: Pick<Tenants, 'servedWebhook'>;
  readonly orders: Pick<Orders, 'deliver' | 'giveUp'>;
  readonly deliveries: Pick<Deliveries, 'find' | 'begin' | 'go'>;
  /** The body of a result: a function of the record alone, so that it is the same each time. */
  readonly writeResult: (record: Resting) => string;
  readonly post: PostWebhook;
  /** Seconds until the next try after so many in vain; undefined where that was the last. */
  readonly delayAfter: (failedPosts: number) => number | undefined;
  readonly now: () => Date;
  readonly log: Log;
}

/**
 * Makes good what is owed of an order that rests: the credit back where it is due, then the result at the tenant's webhook.
 * Tries in vain are counted by the record, so of messages that come twice one goes on. A worker that dies after a post
 * and before it is written down posts the same body again. Of an erased verification only the credit is owed.
 */
export async function deliverResult(
  { verificationId, failedPosts }: ResultMessage,
  dependencies: Delivering,
): Promise<void> {
  const record = await refundDue(verificationId, dependencies);
  if (record?.state === 'erased') await endListed(record, dependencies);
  if (!record || !isToPost(record) || record.failedPosts !== failedPosts) return;
  const { verifications, tenants, post, writeResult, delayAfter, now, log } = dependencies;
  const url = await tenants.servedWebhook(record.tenant, record.order.webhookName);
  const at = now();
  const answer = url === undefined ? nowhere : await post(url, writeResult(record));
  const tried = { at: at.toISOString(), ...answered(answer, now().getTime() - at.getTime()) };
  const failed = failedPosts + (tried.error === undefined ? 0 : 1);
  const goesOn = delayAfter(failed) === undefined ? 'spent' : 'waiting';
  await list(record, { state: tried.error === undefined ? 'delivered' : goesOn, failed, tried }, dependencies);
  if (tried.error === undefined) {
    log.info('result.posted', { verification_id: verificationId, failed_posts: failedPosts });
    await verifications.closeOrder(record, storedUntil(record, now()));
  } else await tryLater(record, failed, dependencies);
}

/** The webhook that the order names is none of its tenant's. */
const nowhere = { kind: 'failed', reason: 'link_invalid' } as const;

/** A result is listed under the making of its order, which has no event: reviews and an erasure come after, and leave it. */
const making = 1;

/** A result that waited when its verification was erased ends unsent. */
async function endListed({ verificationId }: Verification, { deliveries }: Delivering): Promise<void> {
  const listed = await deliveries.find(eventId(verificationId, making), 'result');
  if (listed?.state !== 'waiting') return;
  await deliveries.go(listed, { state: 'ended', failed: listed.failed, endedBecause: 'erased' });
}

interface Posted extends Pick<Delivery, 'state' | 'failed'> {
  readonly tried: Tried;
}

/** Shows a try among the tenant's deliveries. The record alone says whether there is another: nothing here is ever due. */
async function list(record: Resting, posted: Posted, { deliveries, now }: Delivering): Promise<void> {
  const { tenant, verificationId: about, state } = record;
  const sequence = making;
  const named = { eventId: eventId(about, sequence), endpointId: 'result' as const, type: eventTypeOf[state] };
  const begun = begunDelivery({ ...named, tenant, about, sequence }, posted, now());
  if (await deliveries.begin(begun)) return;
  let earlier = await deliveries.find(begun.eventId, begun.endpointId);
  while (earlier && isNews(posted, earlier) && !(await deliveries.go(earlier, posted))) {
    earlier = await deliveries.find(begun.eventId, begun.endpointId);
  }
}

/** What a worker lists that stood still is old: others have counted on meanwhile. */
function isNews({ state, failed }: Posted, earlier: Delivery): boolean {
  return earlier.state !== 'delivered' && (state === 'delivered' || failed > earlier.failed);
}

/** The record, with the credit given back where that was due. */
async function refundDue(id: string, { verifications, log }: Delivering): Promise<Verification | undefined> {
  const read = await verifications.find(id);
  return settleOn<Verification>(read, async (current) => {
    if (!owesRefund(current)) return settled<Verification>(current);
    const refunded = settledIfMoved(await verifications.refund(current));
    if (refunded.kind === 'settled') log.info('credit.refunded', { verification_id: id });
    return refunded;
  });
}

type Ordered = Resting & { order: NonNullable<Resting['order']> };

function isToPost(record: Verification): record is Ordered {
  return isResting(record) && record.order !== undefined;
}

/**
 * Killed between count and message, the record is still due and the sweep sends the message. What is given up is told once,
 * however often the tenant then has it posted in vain.
 */
async function tryLater(record: Ordered, failedPosts: number, dependencies: Delivering): Promise<void> {
  const { verifications, orders, delayAfter, now, log } = dependencies;
  const { verificationId } = record;
  const delaySeconds = delayAfter(failedPosts);
  log.warn('result.refused', { verification_id: verificationId, failed_posts: failedPosts });
  if (delaySeconds === undefined) {
    if (!record.order.givenUp) await orders.giveUp({ verificationId, failedPosts });
    await verifications.giveUpOrder(record, { failedPosts, dueAt: storedUntil(record, now()) });
    return;
  }
  const dueAt = epochSeconds(now()) + delaySeconds + postedSeconds;
  const counted = await verifications.countPost(record, { failedPosts, dueAt });
  if (counted.kind === 'moved') await orders.deliver({ verificationId, failedPosts }, delaySeconds);
  else if (counted.current?.state === 'erased') await endListed(counted.current, dependencies);
}
