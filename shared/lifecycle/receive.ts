import { Fault, type FaultCode } from '../domain/fault.ts';
import { isDeploymentSecret } from '../domain/owner.ts';
import type { Tenants, Verifications, WebhookOwner } from '../domain/ports.ts';
import { readReference } from '../domain/reference.ts';
import { readSigned, type SigningSecret } from '../domain/signing-secret.ts';
import type { Attempt, Unerased, Verification } from '../domain/verification.ts';
import type { Delivery, ReadDelivery } from '../providers/provider.ts';
import { type Deciding, decide } from './decide.ts';
import { type EndingWithFault, endWithFault } from './next-step.ts';
import { settled, settleOn } from './settle-on.ts';

export interface Receiving extends Deciding, EndingWithFault {
  readonly verifications: Pick<Verifications, 'find' | 'move' | 'note'>;
  readonly tenants: Pick<Tenants, 'ofWebhook'>;
  /** How each provider that sends webhooks is read, by its name. */
  readonly deliveries: ReadonlyMap<string, ReadDelivery>;
  readonly referenceSecret: SigningSecret;
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
  const owner = await tenants.ofWebhook(provider, token);
  const delivery = deliveries.get(provider)?.(body);
  if (owner && !delivery) {
    throw new Fault('request_unreadable', `This is not a result as ${provider} documents it.`);
  }
  const named = await readSigned(referenceSecret, (secret) => readReference(secret, delivery?.reference ?? ''));
  const record = await verifications.find(named?.verificationId ?? noVerificationId);
  const ours = owner && named && record && wasAsked(record, named.attempt, provider) && serves(owner, record, provider);
  if (!ours || !delivery) throw new Fault('webhook_unknown', 'This address is not served here.');
  await receiveAnswer(record, named.attempt, delivery.answer, dependencies);
}

/**
 * A tenant's address is for its own verifications, the deployment's for those that were planned with the deployment's
 * credentials. A tombstone remembers no plan: a good reference at one of the deployment's addresses is enough.
 */
function serves(owner: WebhookOwner, record: Verification, provider: string): boolean {
  if (owner.kind === 'tenant') return record.tenant === owner.tenant.id;
  if (record.state === 'erased') return true;
  return Object.entries(record.plan.credentials).some(
    ([name, secretName]) => name === provider && isDeploymentSecret(secretName, name),
  );
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
 * is still the one under way, even before its own response has come. Everything else is noted.
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
  } else {
    await receiveFault(record, asked, answer.code, dependencies);
  }
}

/** Ends the attempt if it is still the one under way; of one that is over, or whose round was decided, it is noted. */
async function receiveFault(
  read: Verification,
  { attempt, provider }: Attempt,
  code: FaultCode,
  dependencies: Receiving,
): Promise<void> {
  await settleOn<void>(read, async (current) => {
    if (current.state === 'dispatched' && current.attempt === attempt) {
      const result = await endWithFault(current, code, dependencies);
      return result.kind === 'moved' ? settled(undefined) : result;
    }
    await dependencies.verifications.note(current, 'fault_late', { provider, attempt });
    return settled(undefined);
  });
}
