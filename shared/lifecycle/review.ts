import { Fault } from '../domain/fault.ts';
import type { Moved, Verifications } from '../domain/ports.ts';
import { type Review, reviewed, type Verdict } from '../domain/verdict.ts';
import { firstVerdict, found, type InState, maximumReviews, type Verification } from '../domain/verification.ts';
import { settled, settledIfMoved, settleOn } from './settle-on.ts';

export interface Reviewing {
  readonly verifications: Pick<Verifications, 'move'>;
}

/**
 * Puts a reviewer's outcome in the place of the verdict of a decided verification: a move of its own. It names the
 * sequence the reviewer saw, so that of two who saw the same one decides and the other is told; the same review again
 * moves nothing. The first verdict stays, and of several reviews the last one.
 */
export async function reviewVerification(
  read: Verification | undefined,
  review: Review,
  dependencies: Reviewing,
): Promise<InState<'decided'>> {
  const decided = await settleOn(read, async (current) => {
    if (current.state !== 'decided') {
      throw new Fault('state_conflict', `Only a decided verification can be reviewed; this one is ${current.state}.`);
    }
    if (isSame(current.review, review)) return settled(current);
    if (current.sequence !== review.sequence) {
      const detail = `The review is of sequence ${review.sequence}, and the verification is at ${current.sequence}: read it again.`;
      throw new Fault('state_conflict', detail);
    }
    return settledIfMoved(await supersede(current, review, dependencies));
  });
  return found(decided);
}

function isSame(one: Review | undefined, other: Review): boolean {
  return (
    one?.sequence === other.sequence &&
    one.outcome === other.outcome &&
    one.reason === other.reason &&
    one.reviewer === other.reviewer
  );
}

function supersede(
  current: InState<'decided'>,
  review: Review,
  { verifications }: Reviewing,
): Promise<Moved<'decided'>> {
  if (current.history.filter((line) => line.review).length >= maximumReviews) {
    throw new Fault('state_conflict', `A verification can be reviewed ${maximumReviews} times.`);
  }
  const { landed, dueAt } = current;
  const { outcome } = review;
  const { policyVersion } = current.verdict;
  const verdict: Verdict = { outcome, confidence: null, reasons: [], scores: {}, provider: reviewed, policyVersion };
  const fields = { landed, verdict, review, first: firstVerdict(current), ...(dueAt !== undefined && { dueAt }) };
  return verifications.move(current, 'decided', fields, { outcome, review: true });
}
