import { challengeExpiresAt, newChallenge, newTurn } from '../domain/challenge.ts';
import type { Verifications } from '../domain/ports.ts';
import type { ChallengeFields, InState } from '../domain/verification.ts';
import { type Look, settled, settledIfMoved } from './settle-on.ts';

export interface Challenging {
  readonly now: () => Date;
  /** A whole number from 0 to below `limit`, unpredictable. */
  readonly randomBelow: (limit: number) => number;
}

/**
 * The digits that the video of a new round has to say, the caller's or ours, and the turn that policy asks for besides.
 * Other checks ask for neither.
 */
export function firstChallenge(
  { check, plan }: Pick<InState<'awaiting_captures'>, 'check' | 'plan'>,
  { now, randomBelow }: Challenging,
  given?: string | undefined,
): ChallengeFields | undefined {
  if (check !== 'video_verify') return undefined;
  return {
    challenge: given ?? newChallenge(randomBelow),
    challengeIssuedAt: now().toISOString(),
    challengeNumber: 1,
    ...(plan.turn && { turn: newTurn(randomBelow) }),
  };
}

/**
 * One look at a round that is issued again: with new digits, and a new turn, where the old ones are dead and no video
 * of theirs has landed, else as it is. A video whose event is still under way is known by its key to be for the old digits.
 */
export async function renewChallenge(
  current: InState<'awaiting_captures'>,
  { verifications, now, randomBelow }: Challenging & { readonly verifications: Pick<Verifications, 'renew'> },
): Promise<Look<InState<'awaiting_captures'>>> {
  const at = now();
  const expiresAt = challengeExpiresAt(current);
  if (!expiresAt || expiresAt > at || !current.missing.includes('video')) return settled(current);
  const renewed = await verifications.renew(current, {
    challenge: newChallenge(randomBelow),
    challengeIssuedAt: at.toISOString(),
    challengeNumber: (current.challengeNumber ?? 1) + 1,
    ...(current.plan.turn && { turn: newTurn(randomBelow) }),
  });
  return settledIfMoved(renewed);
}
