import { accountFor, erasureOf } from '../domain/erasure.ts';
import { isOneOf, outdated, understood } from '../domain/later.ts';
import type { Captures, Endpoints, KeptEvents, Sightings, Verifications } from '../domain/ports.ts';
import { epochSeconds, erasureSeconds } from '../domain/times.ts';
import {
  creditDeciding,
  found,
  type InState,
  owesRefund,
  state,
  type Unerased,
  type Verification,
} from '../domain/verification.ts';
import type { Capabilities } from '../providers/provider.ts';
import { type Look, settled, settledIfMoved, settleOn } from './settle-on.ts';
import { eventsOf } from './tell-endpoints.ts';

/** What deleting needs that a tombstone has to account for. */
export interface Deleting {
  readonly verifications: Pick<Verifications, 'writeDeletions' | 'settle'>;
  readonly captures: Pick<Captures, 'stored' | 'removeVersions' | 'keepsEtags'>;
  readonly now: () => Date;
}

export interface Finishing extends Deleting {
  readonly sightings: Pick<Sightings, 'remove'>;
}

export interface Erasing extends Finishing {
  readonly verifications: Pick<Verifications, 'move' | 'writeDeletions' | 'settle'>;
  /** Every provider, by name. */
  readonly registry: { readonly get: (name: string) => Pick<Capabilities, 'remote'> | undefined };
  readonly endpoints: Pick<Endpoints, 'of'>;
  readonly keptEvents: Pick<KeptEvents, 'empty'>;
}

/**
 * Erases a verification: the tombstone first, so that nothing can be decided or stored any more, then the texts of its
 * kept events, every version of every object and every place of its captures' fingerprints. Killed in between, the
 * tombstone is still due and the sweep finishes it, and the announcer empties the events. Erasing again looks again.
 */
export async function eraseVerification(
  read: Verification | undefined,
  dependencies: Erasing,
): Promise<InState<'erased'>> {
  const { verifications, captures, registry, now } = dependencies;
  const { keepsEtags } = captures;
  // One that is not in the table any more was a vendor as well as not.
  const isVendor = (provider: string) => registry.get(provider)?.remote ?? true;
  let before: Unerased | undefined;
  const tombstone = await settleOn(read, async (current) => {
    if (current.state === 'erased') return settled(current);
    if (!isOneOf(state, current.state)) throw outdated('this verification');
    before = current;
    const dueAt = epochSeconds(now()) + erasureSeconds;
    const { sightings } = current;
    const tombstone = {
      dueAt,
      erasure: erasureOf(current, { now: now(), keepsEtags, isVendor }),
      ...(sightings && { sightings }),
      ...(keepsRefund(current) && { refundDue: true as const }),
    };
    return settledIfMoved(await verifications.move(current, 'erased', tombstone));
  });
  if (before) await emptyEvents(before, dependencies);
  return found(await finishErasure(found(tombstone), dependencies));
}

/** At once, and not only when the move is announced: the caller is told that nothing is left. */
async function emptyEvents(before: Unerased, { endpoints, keptEvents, now }: Erasing): Promise<void> {
  const { keeps } = await endpoints.of(before.tenant);
  if (keeps) await keptEvents.empty(eventsOf(before, now()));
}

/** A refund that is due is still made; and one of an image that was not fetched, and now never will be. */
function keepsRefund(record: Unerased): boolean {
  const { credit, state } = understood(creditDeciding, record, 'the credit of this verification');
  return owesRefund(record) || (state === 'awaiting_captures' && credit === 'taken');
}

/** Erases every record of a source_id, and answers the tombstone of the first: the one that reads find. */
export async function eraseEvery(
  [first, ...others]: readonly Verification[],
  dependencies: Erasing,
): Promise<InState<'erased'>> {
  for (const other of others) await eraseVerification(other, dependencies);
  return eraseVerification(first, dependencies);
}

/**
 * Deletes what the tombstone's verification stored, then takes it off the sweep's list, unless a refund is still due.
 * Doing it twice is doing it once. Undefined: the tombstone was purged meanwhile.
 */
export async function finishErasure(
  tombstone: InState<'erased'>,
  dependencies: Finishing,
): Promise<InState<'erased'> | undefined> {
  const { sightings } = dependencies;
  return settleOn(tombstone, async (read) => {
    const look = await deleteStored(asTombstone(read), dependencies);
    if (look.kind === 'lost') return look;
    const current = look.value;
    if (current.sightings) await sightings.remove(current.verificationId, current.sightings);
    return settleOnce(current, dependencies);
  });
}

/**
 * Deletes what landed after an erasure. The receipt then lists it too, as soon as this is done; an erasure that is still
 * under way, or was killed, is left to finish what else is due.
 */
export async function deleteLate(tombstone: InState<'erased'>, dependencies: Deleting): Promise<void> {
  await settleOn(tombstone, async (read) => {
    const look = await deleteStored(asTombstone(read), dependencies);
    if (look.kind === 'lost') return look;
    const current = look.value;
    return current.sightings ? settled(current) : settleOnce(current, dependencies);
  });
}

/** Says that nothing is left, unless that is said already, or a refund is still due. */
async function settleOnce(tombstone: InState<'erased'>, { verifications }: Deleting): Promise<Look<InState<'erased'>>> {
  if (tombstone.refundDue || isFinished(tombstone)) return settled(tombstone);
  const result = await verifications.settle(tombstone);
  const other = result.kind === 'lost' ? result.current : undefined;
  return other?.state === 'erased' && isFinished(other) ? settled(other) : settledIfMoved(result);
}

/** One that a version before finished does not say so, and may hold a source_id: it is settled once more. */
const isFinished = ({ dueAt, erasure }: InState<'erased'>): boolean =>
  dueAt === undefined && erasure?.finishedAt !== undefined;

/** A tombstone moves nowhere. */
function asTombstone(record: Verification): InState<'erased'> {
  if (record.state !== 'erased') throw new Error(`A tombstone has become ${record.state}`);
  return record;
}

/**
 * Deletes a batch of what is stored, once the tombstone says so. Settled: nothing was left. Lost: there is more, or
 * another worker was at it.
 */
async function deleteStored(
  tombstone: InState<'erased'>,
  { verifications, captures, now }: Deleting,
): Promise<Look<InState<'erased'>>> {
  const { verificationId } = tombstone;
  const { keepsEtags } = captures;
  const { versions, more } = await captures.stored(verificationId);
  if (versions.length === 0) return settled(tombstone);
  const { erasure, batch } = accountFor(tombstone.erasure, versions, { now: now(), keepsEtags });
  let current = tombstone;
  if (erasure) {
    const dueAt = epochSeconds(now()) + erasureSeconds;
    const written = await verifications.writeDeletions(tombstone, { erasure, dueAt });
    if (written.kind === 'lost') return written;
    current = written.verification;
  }
  await captures.removeVersions(verificationId, batch);
  return more || batch.length < versions.length ? { kind: 'lost', current } : settled(current);
}
