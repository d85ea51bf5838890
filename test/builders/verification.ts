import { type Check, capturesOf, type Landed } from '../../shared/domain/captures.ts';
import { defaultPolicy, planFor } from '../../shared/domain/policy.ts';
import { firstEntry, type InState, type Verification } from '../../shared/domain/verification.ts';
import { idOf } from './deployment.ts';

const createdAt = '2026-01-01T00:00:00.000Z';
export const start = new Date(createdAt);

/** A verification waiting for its captures. Say only what your test is about. */
export function anAwaitingVerification(
  overrides: Partial<InState<'awaiting_captures'>> & { check?: Check } = {},
): InState<'awaiting_captures'> {
  const { tenant = 'acme', sourceId = 'visit-7', check = 'spoof_detect' } = overrides;
  const { verificationId = idOf(sourceId, tenant) } = overrides;
  const names = capturesOf[check];
  return {
    verificationId,
    tenant,
    sourceId,
    check,
    state: 'awaiting_captures',
    round: 1,
    sequence: 1,
    createdAt,
    updatedAt: createdAt,
    purgeAt: start.getTime() / 1000 + 30 * 86_400,
    moveId: `made-${sourceId}`,
    history: [firstEntry(verificationId, start)],
    notes: 0,
    notesDropped: 0,
    requestHash: 'f'.repeat(64),
    plan: planFor(defaultPolicy, check),
    declared: Object.fromEntries(
      names.map((name) => [name, { contentType: name === 'video' ? 'video/mp4' : 'image/jpeg' }]),
    ),
    pass: 1,
    retries: 0,
    attempts: [],
    missing: [...names],
    landed: {},
    dueAt: start.getTime() / 1000 + 3600,
    ...overrides,
  };
}

/** What a failing test calls a record: its source_id, or its id where that was erased. */
export function nameOf(record: Verification): string {
  return record.state === 'erased' ? record.verificationId : record.sourceId;
}

/** Everything a check needs, landed. */
export function landedFor(check: Check, version = 'v1'): Landed {
  return Object.fromEntries(
    capturesOf[check].map((name) => [
      name,
      { versionId: `${version}-${name}`, etag: `etag-${name}`, bytes: 1000, landedAt: createdAt },
    ]),
  );
}
