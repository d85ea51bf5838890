import type { Check } from '../../domain/captures.ts';
import { Fault } from '../../domain/fault.ts';
import type { Reply, Speech } from '../served.ts';
import { answer, faultAnswers, refusal, refusals } from './answers.ts';

/** How a call is answered. What no field can tell is asked for again as a bad request is. */
export const speechOf = (check: Check): Speech => ({
  judged: (judged) => {
    const body = answer(check, judged);
    return { status: 'error' in body ? 400 : 200, body };
  },
  fault: (code) => refusals[faultAnswers[code]],
  timedOut: refusals.timedOut,
});

/** How a call is refused. */
export const refuse = (error: unknown): Reply => (error instanceof Fault ? refusal(error) : refusals.failed);
