import type { Landed, LandedCapture } from '../domain/captures.ts';
import type { Captures, Landing, Log, Moved, Verifications } from '../domain/ports.ts';
import type { InState, Verification } from '../domain/verification.ts';
import { type Deleting, deleteLate } from './erase.ts';
import { firstOfRoute, type HandingOver, handOver, handOverAgain } from './hand-over.ts';
import { settled, settleOn } from './settle-on.ts';

export interface LandingCaptures extends HandingOver, Deleting {
  readonly verifications: Pick<Verifications, 'find' | 'move' | 'land' | 'note' | 'writeDeletions' | 'settle'>;
  readonly captures: Pick<Captures, 'removeVersion' | 'stored' | 'removeVersions' | 'keepsEtags'>;
  readonly log: Log;
}

/**
 * Takes a capture that landed in the bucket. Pins the first version noticed of a missing capture; the last one missing
 * hands the verification over. Every other version is noted, deleted and never analysed. What is not a capture of ours
 * (undefined) is only written down.
 */
export async function landCapture(landing: Landing | undefined, dependencies: LandingCaptures): Promise<void> {
  const { verifications, log } = dependencies;
  if (!landing) return log.warn('capture.foreign');
  const { verificationId: verification_id, name, round } = landing;
  const read = await verifications.find(verification_id);
  const look = await settleOn(read, async (current) => {
    if (!awaits(current, landing)) return settled<Looked>({ taken: false, record: current });
    const landed = { [landing.name]: landedOf(landing, dependencies.now().toISOString()) };
    const result = await take(current, landed, dependencies);
    return result.kind === 'moved' ? settled<Looked>({ taken: true, record: result.verification }) : result;
  });
  if (look?.taken) log.info('capture.landed', { verification_id, name, round });
  else await handleExtra(look?.record, landing, dependencies);
}

interface Looked {
  readonly taken: boolean;
  readonly record: Verification;
}

/** An empty upload is taken for none: it is deleted, so that the same URL takes the next one, and costs no round. */
export function awaits(record: Verification, { round, name, bytes }: Landing): record is InState<'awaiting_captures'> {
  const awaited = record.state === 'awaiting_captures' && record.round === round && record.missing.includes(name);
  return awaited && bytes > 0;
}

/** What a record keeps of a landing. */
export function landedOf(
  { versionId, etag, bytes, storedAt, challengeNumber }: Landing,
  landedAt: string,
): LandedCapture {
  return { versionId, etag, bytes, landedAt, storedAt, challengeNumber };
}

/** Both captures of a check may land at once: the loser of the write reads what is missing now and tries again. */
export function take(
  record: InState<'awaiting_captures'>,
  taken: Landed,
  dependencies: HandingOver & { readonly verifications: Pick<Verifications, 'land'> },
): Promise<Moved<'awaiting_captures'> | Moved<'queued'>> {
  const landed = { ...record.landed, ...taken };
  const missing = record.missing.filter((name) => !taken[name]);
  if (missing.length > 0) return dependencies.verifications.land(record, { missing, landed });
  return handOver(record, { landed, provider: firstOfRoute(record) }, dependencies);
}

/** The event came again, or something else was uploaded where nothing is awaited. */
async function handleExtra(current: Verification | undefined, landing: Landing, dependencies: LandingCaptures) {
  const { verifications, captures } = dependencies;
  if (current && isPinned(current, landing)) {
    if (current.state === 'queued') await handOverAgain(current, dependencies); // the first message may be lost
    return;
  }
  if (current?.state === 'erased') return deleteLate(current, dependencies); // its receipt lists what came late, too
  await captures.removeVersion(landing);
  if (current && !wasPinned(current, landing)) {
    const sameRound = current.round === landing.round && current.state !== 'expired';
    const code = landing.bytes === 0 ? 'capture_empty' : sameRound ? 'capture_overwritten' : 'capture_late';
    await verifications.note(current, code);
  }
}

/** What landed in a round that is over, and is deleted: a repeat of its event says nothing new. */
function wasPinned(record: Verification, { round, versionId }: Landing): boolean {
  if (record.state === 'erased' || !record.earlier) return false;
  return record.earlier.some((capture) => capture.round === round && capture.versionId === versionId);
}

function isPinned(record: Verification, { round, name, versionId }: Landing): boolean {
  if (!('landed' in record)) return false;
  // What an earlier round kept is that round's: a late repeat of its event must not delete it.
  if (record.round !== round) return round < record.round && record.plan.keepCaptures;
  return record.landed[name]?.versionId === versionId;
}
