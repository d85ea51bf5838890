import { Fault } from '../domain/fault.ts';
import type { SourceIds, Tenant, Verifications } from '../domain/ports.ts';
import { epochSeconds, subjectLockSeconds } from '../domain/times.ts';
import { failuresToLock, type InState } from '../domain/verification.ts';
import { findLegacy } from './find.ts';

export interface Locking {
  readonly verifications: Pick<Verifications, 'failures' | 'find'>;
  readonly ids: SourceIds;
  readonly now: () => Date;
}

/**
 * Seconds until a subject may begin again: until the first of its last five failures is half an hour old. Undefined
 * where it may begin now. `failures` are ISO times, the latest first.
 */
export function lockedSeconds(failures: readonly string[], now: Date): number | undefined {
  const first = failures[failuresToLock - 1];
  if (first === undefined) return undefined;
  const seconds = Math.ceil(Date.parse(first) / 1000) + subjectLockSeconds - epochSeconds(now);
  return seconds > 0 ? seconds : undefined;
}

/**
 * Refuses to begin a verification of a subject that is locked. One that was begun before goes on: its repeated request
 * is answered as ever. The verdicts themselves are counted, so that no delivery counts twice and none is forgotten.
 */
export async function refuseLocked(
  record: InState<'awaiting_captures'>,
  tenant: Tenant,
  dependencies: Locking,
): Promise<void> {
  const { subject, verificationId, sourceId } = record;
  if (subject === undefined) return;
  const { verifications, now } = dependencies;
  const since = new Date(now().getTime() - subjectLockSeconds * 1000);
  const failures = await verifications.failures({ subject, since, limit: failuresToLock });
  const retryAfterSeconds = lockedSeconds(failures, now());
  if (retryAfterSeconds === undefined) return;
  if (await verifications.find(verificationId)) return;
  if (await findLegacy(tenant, sourceId, dependencies)) return;
  const detail = `This subject has failed ${failuresToLock} times within ${subjectLockSeconds / 60} minutes: wait as long as Retry-After says.`;
  throw new Fault('subject_locked', detail, { retryAfterSeconds });
}
