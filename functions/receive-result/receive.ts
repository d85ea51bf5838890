import { Fault } from '../../shared/domain/fault.ts';
import { readReference } from '../../shared/domain/reference.ts';
import { type Dependencies as Receiving, receiveAnswer } from '../../shared/lifecycle/receive.ts';
import type { Delivery } from '../../shared/providers/provider.ts';
import type { Tenants } from '../../shared/stores/tenants/tenants.ts';

export interface Dependencies extends Receiving {
  readonly tenants: Pick<Tenants, 'ofWebhook'>;
  /** How each provider that sends webhooks is read: undefined for a body that is not its own. */
  readonly readers: Readonly<Record<string, (body: string) => Delivery | undefined>>;
  readonly referenceSecret: () => Promise<string>;
}

/** The id of no verification: looked up where there is none to look up, so that every refusal costs the same. */
const nobody = 'a'.repeat(26);

/**
 * A vendor's webhook, unsigned: what makes it authentic is the token in its address and the reference in its body.
 * An unknown token, a reference that we did not make and a record that is gone are refused in the same words, after the
 * same work: who guesses learns nothing.
 */
export async function receiveResult(
  { provider, token, body }: { provider: string; token: string; body: string },
  dependencies: Dependencies,
): Promise<void> {
  const { tenants, readers, referenceSecret, verifications } = dependencies;
  const tenant = await tenants.ofWebhook(provider, token);
  const delivery = readers[provider]?.(body);
  if (tenant && !delivery) {
    throw new Fault('request_unreadable', `This is not a result as ${provider} documents it.`);
  }
  const named = readReference(await referenceSecret(), delivery?.reference ?? '');
  const record = await verifications.find(named?.verificationId ?? nobody);
  const ours = tenant && named && record?.tenant === tenant.id && wasAsked(record, named.attempt, provider);
  if (!ours || !delivery) throw new Fault('webhook_unknown', 'This address is not served here.');
  await receiveAnswer(record, named, delivery.answer, dependencies);
}

/** A tombstone remembers no attempts: whoever comes with a good reference has been asked. */
function wasAsked(record: object, attempt: number, provider: string): boolean {
  if (!('attempts' in record)) return true;
  const attempts = record.attempts as readonly { attempt: number; provider: string }[];
  return attempts.some((made) => made.attempt === attempt && made.provider === provider);
}
