import { Fault } from '../../domain/fault.ts';
import type { SpoofsenseEdition } from '../../domain/policy.ts';
import type { Reply, Speech } from '../served.ts';
import { type Asked, answer, gateway, refusal } from './answers.ts';

/** How a call of an endpoint is answered. */
export const speechOf = (asked: Asked): Speech => ({
  judged: (judged) => ({ status: 200, body: answer(judged, asked) }),
  fault: (code) => refusal(code, asked.edition),
  timedOut: gateway.timedOut,
});

/** How a call is refused. Where its caller is not known yet, nothing that is said differs between the editions. */
export const refuse = (error: unknown, edition: SpoofsenseEdition = 'error_codes'): Reply =>
  error instanceof Fault ? refusal(error.code, edition) : gateway.failed;
