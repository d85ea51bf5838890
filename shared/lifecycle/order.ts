import type { ServedVendor } from '../domain/policy.ts';
import type { Created, Orders, Tenant, Tenants, Unpaid, Verifications } from '../domain/ports.ts';
import { epochSeconds, orderedSeconds } from '../domain/times.ts';
import type { InState, Order } from '../domain/verification.ts';
import { type Preparing, prepareRecord } from './begin.ts';

export interface Ordering extends Preparing {
  readonly verifications: Pick<Verifications, 'createPaid' | 'find'>;
  readonly tenants: Preparing['tenants'] & Pick<Tenants, 'servedWebhook' | 'creditsLeft'>;
  readonly orders: Pick<Orders, 'fetch'>;
}

/** A call that brings a link, and is answered at a webhook. */
export interface OrderedCall {
  readonly vendor: ServedVendor;
  /** Ours, which follows from theirs: the idempotency key. */
  readonly sourceId: string;
  readonly order: Order;
  /** SHA-256 of the call. */
  readonly requestHash: string;
}

/** Taken, now or before, with the credits that are left today; or why not. */
export type Ordered =
  | { readonly kind: 'accepted'; readonly sourceId: string; readonly creditsLeft: number }
  | { readonly kind: 'refused'; readonly because: 'credits' | 'payload' };

/**
 * Takes an order: makes its record and takes a credit in one write, then has the image fetched. The same call again is
 * answered again and costs nothing; another one under the same source_id, or under an erased one, is refused. Killed
 * before the fetch is asked for, the record is still awaiting its image at its deadline and the sweep asks again.
 * A call that cannot be read (undefined) is refused too: where no credit is left, for that.
 */
export async function takeOrder(
  call: OrderedCall | undefined,
  tenant: Tenant,
  dependencies: Ordering,
): Promise<Ordered> {
  const { tenants, orders } = dependencies;
  const made = call && (await makeOnce(call, tenant, dependencies));
  if (made?.kind === 'created') await orders.fetch(made.verification.verificationId);
  const creditsLeft = await tenants.creditsLeft(tenant.id);
  if (call && made && isTaken(made, call)) return { kind: 'accepted', sourceId: call.sourceId, creditsLeft };
  return { kind: 'refused', because: made?.kind === 'unpaid' || creditsLeft === 0 ? 'credits' : 'payload' };
}

/** The record of the call: made now, or there before. Undefined where its webhook is not known and nothing was made. */
async function makeOnce(
  call: OrderedCall,
  tenant: Tenant,
  dependencies: Ordering,
): Promise<Created | Unpaid | undefined> {
  const { verifications, tenants } = dependencies;
  const record = await prepareOrder(call, tenant, dependencies);
  const url = await tenants.servedWebhook(tenant.id, call.order.webhookName);
  if (url !== undefined) return verifications.createPaid(record);
  const verification = await verifications.find(record.verificationId);
  return verification && { kind: 'exists', verification };
}

async function prepareOrder(
  { vendor, sourceId, order, requestHash }: OrderedCall,
  tenant: Tenant,
  dependencies: Ordering,
): Promise<InState<'awaiting_captures'>> {
  // What the image is by its bytes is known when it was fetched.
  const captures = { selfie: { contentType: 'image/jpeg' } } as const;
  const asked = { check: 'spoof_detect', sourceId, captures, requestHash } as const;
  const record = await prepareRecord(asked, tenant, dependencies);
  const dueAt = epochSeconds(dependencies.now()) + orderedSeconds;
  return { ...record, served: vendor, order, failedPosts: 0, credit: 'taken', dueAt };
}

function isTaken(made: Created | Unpaid, { requestHash }: OrderedCall): boolean {
  if (made.kind === 'created') return true;
  return (
    made.kind === 'exists' && made.verification.state !== 'erased' && made.verification.requestHash === requestHash
  );
}
