import { Fault } from '../domain/fault.ts';
import type { Log, Verifications } from '../domain/ports.ts';
import { epochSeconds, webhookSeconds } from '../domain/times.ts';
import type { Measurements } from '../domain/verdict.ts';
import type { InState } from '../domain/verification.ts';
import type { Answer } from '../providers/provider.ts';
import { type Deciding, decide } from './decide.ts';
import { type EndingWithFault, endWithFault } from './next-step.ts';

export interface Answering extends Deciding, EndingWithFault {
  readonly verifications: Pick<Verifications, 'move' | 'note' | 'accept'>;
  readonly log: Log;
}

/** Records what a provider answered the call of this claim: a decision, a webhook to wait for, or a fault. */
export async function recordAnswer(
  claimed: InState<'dispatched'>,
  answer: Answer | Fault,
  dependencies: Answering,
): Promise<void> {
  const { log } = dependencies;
  const { verificationId: verification_id, attempt, round, provider } = claimed;
  if (answer instanceof Fault) {
    log.warn('attempt.ended', { verification_id, attempt, code: answer.code });
    await endWithFault(claimed, answer.code, dependencies);
    return;
  }
  switch (answer.kind) {
    case 'decided': {
      const decided = await decide(claimed, { ...answer, attempt, round, provider }, dependencies);
      log.info('attempt.answered', { verification_id, attempt, decided });
      return;
    }
    case 'accepted':
      return recordAccepted(claimed, answer.measurements, dependencies);
  }
}

/** Lost means that another worker went on without this attempt, or that the webhook beat its own response: nothing to do. */
async function recordAccepted(
  claimed: InState<'dispatched'>,
  measurements: Measurements | undefined,
  { verifications, now }: Answering,
): Promise<void> {
  await verifications.accept(claimed, {
    attempts: claimed.attempts.map((attempt) =>
      attempt.attempt === claimed.attempt
        ? { ...attempt, result: 'accepted' as const, ...(measurements && { measurements }) }
        : attempt,
    ),
    dueAt: epochSeconds(now()) + webhookSeconds,
  });
}
