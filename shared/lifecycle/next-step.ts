import { type FaultCode, faults } from '../domain/fault.ts';
import type { Moved } from '../domain/ports.ts';
import { backoffSeconds } from '../domain/times.ts';
import { attemptsInPass, attemptsPerPass, type InState, withEnded } from '../domain/verification.ts';
import { type HandingOver, handOver } from './hand-over.ts';
import { earlier, goneAt, postDueAt } from './keep.ts';

export type NextStep =
  /** The same provider once more, or the next of the route. */
  { kind: 'ask'; provider: string; again: boolean } | { kind: 'spent' };

/** What a fault of the attempt under way, or of the one that was about to begin, means for the route. */
export function nextStep(record: InState<'queued' | 'dispatched'>, code: FaultCode): NextStep {
  const meaning = faults[code].attempt ?? 'fail_over';
  if (meaning === 'give_up') return { kind: 'spent' };
  if (meaning === 'retry' && attemptsInPass(record, record.provider) < attemptsPerPass) {
    return { kind: 'ask', provider: record.provider, again: true };
  }
  const { route } = record.plan;
  const next = route[route.indexOf(record.provider) + 1];
  return next === undefined ? { kind: 'spent' } : { kind: 'ask', provider: next, again: false };
}

export interface EndingWithFault extends HandingOver {
  /** 0 ≤ n < 1 */
  readonly random: () => number;
}

/**
 * Ends the attempt under way with a fault, or skips one that has not begun: back to the queue, on to the next provider,
 * or errored. Fenced by the record as read, so a zombie's fault changes nothing.
 */
export async function endWithFault(
  record: InState<'queued' | 'dispatched'>,
  code: FaultCode,
  dependencies: EndingWithFault,
): Promise<Moved<'queued'> | Moved<'errored'>> {
  const { verifications, now, random } = dependencies;
  const { landed } = record;
  const begun = record.state === 'dispatched';
  const attempts = begun
    ? withEnded(record.attempts, record.attempt, { endedAt: now().toISOString(), result: code })
    : record.attempts;
  const remark = { code, provider: record.provider, ...(begun ? { attempt: record.attempt } : {}) };
  const step = nextStep(record, code);
  switch (step.kind) {
    case 'ask': {
      const delaySeconds = step.again ? Math.floor(random() * backoffSeconds) : 0; // full jitter
      return handOver(record, { landed, provider: step.provider, attempts }, dependencies, { remark, delaySeconds });
    }
    case 'spent': {
      const dueAt = earlier(goneAt(record), postDueAt(record, now()));
      return verifications.move(record, 'errored', { landed, fault: code, attempts, dueAt }, remark);
    }
  }
}
