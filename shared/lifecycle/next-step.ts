import { type FaultCode, faults } from '../domain/fault.ts';
import { attemptsInPass, attemptsPerPass, type In, withEnded } from '../domain/verification.ts';
import type { Moved, Verifications } from '../stores/verifications.ts';

/** A queued record is looked at again after this: the message that should have moved it may be lost. */
export const queuedSeconds = 120;

export type NextStep =
  /** The same provider once more, or the next of the route. */
  { kind: 'ask'; provider: string; again: boolean } | { kind: 'spent' };

/** What a fault of the attempt under way, or of the one that was about to begin, means for the route. */
export function nextStep(record: In<'queued'> | In<'dispatched'>, code: FaultCode): NextStep {
  const meaning = faults[code].attempt ?? 'fail_over';
  if (meaning === 'give_up') return { kind: 'spent' };
  if (meaning === 'retry' && attemptsInPass(record, record.provider) < attemptsPerPass) {
    return { kind: 'ask', provider: record.provider, again: true };
  }
  const { route } = record.plan;
  const next = route[route.indexOf(record.provider) + 1];
  return next === undefined ? { kind: 'spent' } : { kind: 'ask', provider: next, again: false };
}

/**
 * Ends the attempt under way with a fault, or skips one that has not begun: back to the queue, on to the next provider,
 * or errored. Fenced by the record as read, so a zombie's fault changes nothing. Whoever is told `queued` has to send.
 */
export async function endWithFault(
  record: In<'queued'> | In<'dispatched'>,
  code: FaultCode,
  { verifications, now }: { verifications: Verifications; now: () => Date },
): Promise<Moved<'queued'> | Moved<'errored'>> {
  const at = now();
  const { landed } = record;
  const begun = record.state === 'dispatched';
  const attempts = begun
    ? withEnded(record.attempts, record.attempt, { endedAt: at.toISOString(), result: code })
    : record.attempts;
  const remark = { code, provider: record.provider, ...(begun ? { attempt: record.attempt } : {}) };
  const step = nextStep(record, code);
  switch (step.kind) {
    case 'ask': {
      const fields = { landed, provider: step.provider, dueAt: epochSeconds(at) + queuedSeconds, attempts };
      return verifications.move(record, 'queued', fields, remark);
    }
    case 'spent':
      return verifications.move(record, 'errored', { landed, fault: code, attempts }, remark);
  }
}

export function epochSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}
