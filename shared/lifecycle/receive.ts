import type { Verification } from '../domain/verification.ts';
import type { Delivery } from '../providers/provider.ts';
import { type Captures, pinnedOf } from '../stores/captures.ts';
import type { Send } from '../stores/queues.ts';
import type { Verifications } from '../stores/verifications.ts';
import { decide } from './decide.ts';
import { endWithFault } from './next-step.ts';

export interface Dependencies {
  readonly verifications: Verifications;
  readonly captures: Pick<Captures, 'removeVersion'>;
  readonly send: Send;
  readonly now: () => Date;
}

/**
 * What a vendor's webhook says of one attempt. An answer decides the round if it is the first; a fault ends the attempt
 * if it is still the one under way, even before its own response has come. Everything else is noted or means nothing.
 */
export async function receiveAnswer(
  record: Verification,
  named: { attempt: number },
  answer: Delivery['answer'],
  dependencies: Dependencies,
): Promise<void> {
  if (!('attempts' in record)) return; // a tombstone takes nothing
  const made = record.attempts.find(({ attempt }) => attempt === named.attempt);
  if (!made) return; // signed by us and never made: a restored table
  if (answer.kind === 'fault') {
    if (record.state !== 'dispatched' || record.attempt !== named.attempt) return;
    const result = await endWithFault(record, answer.code, dependencies);
    if (result.kind === 'moved' && result.verification.state === 'queued') {
      await dependencies.send(result.verification.provider, result.verification);
    }
    return;
  }
  const { attempt, provider, round } = made;
  const decided = await decide(record, { attempt, provider, round, finding: answer.finding }, dependencies);
  // A repeat finds its own decision and finishes what a killed first one left of the captures.
  const settled = decided ?? (record.state === 'decided' && record.round === round ? record : undefined);
  if (settled && !settled.plan.keepCaptures) {
    await Promise.all(pinnedOf(settled).map((pinned) => dependencies.captures.removeVersion(pinned)));
  }
}
