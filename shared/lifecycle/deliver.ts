import type { Log, Orders, PostWebhook, ResultMessage, Tenants, Verifications } from '../domain/ports.ts';
import { epochSeconds, postedSeconds } from '../domain/times.ts';
import { owesRefund, type Verification } from '../domain/verification.ts';
import { isResting, type Resting, storedUntil } from './keep.ts';
import { settled, settledIfMoved, settleOn } from './settle-on.ts';

export interface Delivering {
  readonly verifications: Pick<Verifications, 'find' | 'refund' | 'countPost' | 'closeOrder'>;
  readonly tenants: Pick<Tenants, 'servedWebhook'>;
  readonly orders: Pick<Orders, 'deliver' | 'giveUp'>;
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
  if (!record || !isToPost(record) || record.failedPosts !== failedPosts) return;
  const { verifications, tenants, post, writeResult, now, log } = dependencies;
  const verification_id = verificationId;
  const url = await tenants.servedWebhook(record.tenant, record.order.webhookName);
  const taken = url !== undefined && (await post(url, writeResult(record)));
  if (taken) {
    log.info('result.posted', { verification_id, failed_posts: failedPosts });
    await verifications.closeOrder(record, storedUntil(record, now()));
  } else await tryLater(record, failedPosts + 1, dependencies);
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

function isToPost(record: Verification): record is Resting & { order: NonNullable<Resting['order']> } {
  return isResting(record) && record.order !== undefined;
}

/** Killed between count and message, the record is still due and the sweep sends the message. */
async function tryLater(record: Resting, failedPosts: number, dependencies: Delivering): Promise<void> {
  const { verifications, orders, delayAfter, now, log } = dependencies;
  const { verificationId } = record;
  const delaySeconds = delayAfter(failedPosts);
  log.warn('result.refused', { verification_id: verificationId, failed_posts: failedPosts });
  if (delaySeconds === undefined) {
    await orders.giveUp({ verificationId, failedPosts });
    await verifications.closeOrder(record, storedUntil(record, now()));
    return;
  }
  const dueAt = epochSeconds(now()) + delaySeconds + postedSeconds;
  const counted = await verifications.countPost(record, { failedPosts, dueAt });
  if (counted.kind === 'moved') await orders.deliver({ verificationId, failedPosts }, delaySeconds);
}
