import { Fault } from '../domain/fault.ts';
import type { Tenants, Verifications } from '../domain/ports.ts';
import { readReference } from '../domain/reference.ts';
import type { Attempt, Unerased, Verification } from '../domain/verification.ts';
import type { Delivery, ReadDelivery } from '../providers/provider.ts';
import { type Deciding, decide } from './decide.ts';
import { type EndingWithFault, endWithFault } from './next-step.ts';

export interface Receiving extends Deciding, EndingWithFault {
  readonly verifications: Pick<Verifications, 'find' | 'move' | 'note'>;
  readonly tenants: Pick<Tenants, 'ofWebhook'>;
  /** How each provider that sends webhooks is read, by its name. */
  readonly deliveries: ReadonlyMap<string, ReadDelivery>;
  readonly referenceSecret: () => Promise<string>;
}

/** The id of no verification: looked up where there is none to look up, so that every refusal costs the same. */
const noVerificationId = 'a'.repeat(26);

/**
 * Takes a vendor's webhook, which is unsigned: what makes it authentic is the token in its address and the reference in
 * its body. An unknown token, a reference that we did not make and a record that is gone are refused in the same words,
 * after the same work: an attacker who guesses learns nothing.
 */
export async function receiveResult(
  { provider, token, body }: { provider: string; token: string; body: string },
  dependencies: Receiving,
): Promise<void> {
  const { tenants, deliveries, referenceSecret, verifications } = dependencies;
  const tenant = await tenants.ofWebhook(provider, token);
  const delivery = deliveries.get(provider)?.(body);
  if (tenant && !delivery) {
    throw new Fault('request_unreadable', `This is not a result as ${provider} documents it.`);
  }
  const named = readReference(await referenceSecret(), delivery?.reference ?? '');
  const record = await verifications.find(named?.verificationId ?? noVerificationId);
  const ours = tenant && named && record?.tenant === tenant.id && wasAsked(record, named.attempt, provider);
  if (!ours || !delivery) throw new Fault('webhook_unknown', 'This address is not served here.');
  await receiveAnswer(record, named.attempt, delivery.answer, dependencies);
}

/** A tombstone remembers no attempts: a vendor that comes with a good reference has been asked. */
function wasAsked(record: Verification, attempt: number, provider: string): boolean {
  return record.state === 'erased' || attemptOf(record, attempt)?.provider === provider;
}

function attemptOf(record: Unerased, number: number): Attempt | undefined {
  return record.attempts.find(({ attempt }) => attempt === number);
}

/**
 * What the webhook says of one attempt. An answer decides the round if it is the first; a fault ends the attempt if it
 * is still the one under way, even before its own response has come. Everything else is noted or means nothing.
 */
async function receiveAnswer(
  record: Verification,
  number: number,
  answer: Delivery['answer'],
  dependencies: Receiving,
): Promise<void> {
  if (record.state === 'erased') return; // a tombstone takes nothing
  const asked = attemptOf(record, number);
  if (!asked) return; // signed by us and never made: a restored table
  if (answer.kind === 'decided') {
    const { attempt, provider, round } = asked;
    await decide(record, { attempt, provider, round, finding: answer.finding }, dependencies);
  } else if (record.state === 'dispatched' && record.attempt === number) {
    await endWithFault(record, answer.code, dependencies);
  }
}
