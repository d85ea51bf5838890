import type { CaptureName } from '../domain/captures.ts';
import type { Captures, Landing, Log, Verifications } from '../domain/ports.ts';
import type { InState, Verification } from '../domain/verification.ts';
import type { HandingOver } from './hand-over.ts';
import { awaits, landedOf, take } from './land.ts';
import { settled, settleOn } from './settle-on.ts';

export interface LandingLost extends HandingOver {
  readonly verifications: Pick<Verifications, 'move' | 'land'>;
  readonly captures: Pick<Captures, 'oldest'>;
  readonly log: Log;
}

/**
 * Lands what lies in the bucket for a round whose time is over, though its event never came: of each missing capture the
 * oldest version, as of the time at which it was stored. Digits that were said in time stay in time, and no capture is
 * kept longer for it. What the record is then; undefined where it was purged meanwhile.
 */
export async function landLost(
  read: InState<'awaiting_captures'>,
  dependencies: LandingLost,
): Promise<Verification | undefined> {
  const { verificationId, round } = read;
  const stored = oldestOf(await dependencies.captures.oldest(verificationId, round));
  const look = await settleOn<Looked>(read, async (current) => {
    const found = stored.filter((landing) => awaits(current, landing));
    if (current.state !== 'awaiting_captures' || found.length === 0) return settled({ record: current, found: [] });
    const landed = Object.fromEntries(found.map((landing) => [landing.name, landedOf(landing, landing.storedAt)]));
    const result = await take(current, landed, dependencies);
    return result.kind === 'moved' ? settled<Looked>({ record: result.verification, found }) : result;
  });
  for (const { name } of look?.found ?? []) {
    dependencies.log.info('capture.landed', { verification_id: verificationId, name, round, found: true });
  }
  return look?.record;
}

interface Looked {
  readonly record: Verification;
  readonly found: readonly Landing[];
}

/** Of a video's several places too, the one that was stored first: the one whose event would have been first. */
function oldestOf(landings: readonly Landing[]): Landing[] {
  const oldest = new Map<CaptureName, Landing>();
  for (const landing of landings) {
    const known = oldest.get(landing.name);
    if (!known || landing.storedAt < known.storedAt) oldest.set(landing.name, landing);
  }
  return [...oldest.values()];
}
