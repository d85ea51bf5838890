import { attemptsInPass, attemptsPerPass, type In, type Verification } from '../../shared/domain/verification.ts';
import type { Log } from '../../shared/lambda/log.ts';
import { finishErasure } from '../../shared/lifecycle/erase.ts';
import { endWithFault, epochSeconds } from '../../shared/lifecycle/next-step.ts';
import { type Captures, pinnedOf } from '../../shared/stores/captures.ts';
import type { Send } from '../../shared/stores/queues.ts';
import { type DueState, dueShards, dueStates, type Verifications } from '../../shared/stores/verifications.ts';

/** Records looked at in one sweep, per state and shard: a sweep's work is bounded whatever has piled up. */
const batch = 25;

export interface Dependencies {
  readonly verifications: Verifications;
  readonly captures: Pick<Captures, 'removeVersion' | 'removeAll'>;
  readonly send: Send;
  readonly now: () => Date;
  readonly log: Log;
}

/** Looks after everything whose deadline has passed: by index, in bounded batches, one bad record never in another's way. */
export async function sweepVerifications(dependencies: Dependencies): Promise<{ swept: number; failed: number }> {
  const { verifications, now, log } = dependencies;
  const totals = { swept: 0, failed: 0 };
  for (const state of dueStates) {
    const shards = Array.from({ length: dueShards }, (_, shard) => shard);
    const found = await Promise.all(
      shards.map((shard) => verifications.due({ state, shard, now: now(), limit: batch })),
    );
    for (const id of found.flat()) {
      try {
        await sweepOne(id, state, dependencies);
        totals.swept += 1;
      } catch (error) {
        totals.failed += 1;
        log.error('sweep.failed', error, { verification_id: id, state });
      }
    }
  }
  return totals;
}

/** The index is a little behind the table: the record itself says what is due. */
async function sweepOne(id: string, state: DueState, dependencies: Dependencies): Promise<void> {
  const record = await dependencies.verifications.find(id);
  if (!record || record.state !== state || !isDue(record, dependencies.now())) return;
  switch (record.state) {
    case 'awaiting_captures':
      return expire(record, dependencies);
    case 'queued':
      return dependencies.send(record.provider, record); // its message may be lost; if not, only one of the two can claim
    case 'dispatched':
      return endOverdue(record, dependencies);
    case 'erased':
      return finishErasure(record, dependencies);
  }
}

function isDue(record: Verification, now: Date): record is In<DueState> {
  return 'dueAt' in record && record.dueAt !== undefined && record.dueAt <= epochSeconds(now);
}

async function expire(record: In<'awaiting_captures'>, { verifications, captures }: Dependencies): Promise<void> {
  const result = await verifications.move(record, 'expired', {});
  if (result.kind === 'lost') return; // a capture came after all
  await Promise.all(pinnedOf(record).map((pinned) => captures.removeVersion(pinned)));
}

/** A webhook that never came, or a lease whose worker is dead: another call where the pass has one left, else onwards. */
async function endOverdue(record: In<'dispatched'>, dependencies: Dependencies): Promise<void> {
  const { send } = dependencies;
  if (record.waitingFor === 'answer' && attemptsInPass(record, record.provider) < attemptsPerPass) {
    return send(record.provider, record); // its consumer takes the dead lease over
  }
  const code = record.waitingFor === 'answer' ? 'lease_expired' : 'webhook_overdue';
  const result = await endWithFault(record, code, dependencies);
  if (result.kind === 'moved' && result.verification.state === 'queued') {
    await send(result.verification.provider, result.verification);
  }
}
