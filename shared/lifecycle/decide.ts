import type { Finding, Measurements } from '../domain/verdict.ts';
import { type In, type NoteCode, type Verification, withEnded } from '../domain/verification.ts';
import type { Moved, Verifications } from '../stores/verifications.ts';

/** An authentic answer, and the attempt it belongs to. */
export interface Answered {
  readonly attempt: number;
  readonly provider: string;
  readonly round: number;
  readonly finding: Finding;
  readonly measurements?: Measurements | undefined;
}

/**
 * Makes an answer the decision of its round, if it is the first one: the record is queued or dispatched and in the
 * answer's round, whichever attempt is under way by now. Anything later is noted. Returns the record it decided.
 */
export async function decide(
  read: Verification,
  answered: Answered,
  { verifications, now }: { verifications: Verifications; now: () => Date },
): Promise<In<'decided'> | undefined> {
  const { attempt, provider, round, finding, measurements } = answered;
  let current: Verification | undefined = read;
  while (current && (current.state === 'queued' || current.state === 'dispatched') && current.round === round) {
    const result: Moved<'decided'> = await verifications.move(
      current,
      'decided',
      {
        landed: current.landed,
        verdict: { ...finding, provider, policyVersion: current.plan.policyVersion },
        attempts: withEnded(current.attempts, attempt, {
          endedAt: now().toISOString(),
          result: 'decided',
          ...(measurements ? { measurements } : {}),
        }),
      },
      { outcome: finding.outcome, provider, attempt },
    );
    if (result.kind === 'moved') return result.verification;
    current = result.current;
  }
  if (current) {
    await verifications.note(current, lateNote(current, answered), { provider, attempt, outcome: finding.outcome });
  }
  return undefined;
}

function lateNote(current: Verification, { attempt, round, finding }: Answered): NoteCode {
  if (current.state !== 'decided' || current.round !== round) return 'answer_late';
  if (current.verdict.outcome !== finding.outcome) return 'answer_contradictory';
  const decidedBy = current.attempts.find((made) => made.result === 'decided' && made.round === round);
  return decidedBy?.attempt === attempt ? 'answer_repeated' : 'answer_late';
}
