import { type CaptureName, capturesPrefix, parseCaptureKey, pinnedOf } from '../domain/captures.ts';
import { Fault } from '../domain/fault.ts';
import type { Operator } from '../domain/operator.ts';
import type { Captures, Looks, Pinned } from '../domain/ports.ts';
import { lookSeconds } from '../domain/times.ts';
import type { Unerased, Verification } from '../domain/verification.ts';

export interface Looking {
  readonly looks: Pick<Looks, 'write'>;
  readonly captures: Pick<Captures, 'typeOf' | 'link'>;
  readonly now: () => Date;
}

/** A capture that a reviewer asks to see. Without a round it is the current one's. */
export interface LookedFor {
  readonly capture: CaptureName;
  readonly round?: number | undefined;
}

/**
 * A URL of a capture, for a reviewer's eyes and a minute. That it was given is written down before it is signed: killed
 * in between, a look is on the list that saw nothing, and never a URL without a look.
 */
export async function lookAtCapture(
  record: Verification,
  operator: Operator,
  lookedFor: LookedFor,
  { looks, captures, now }: Looking,
) {
  const pinned = record.state === 'erased' ? undefined : pinnedIn(record, lookedFor);
  const contentType = pinned && (await captures.typeOf(pinned));
  if (!pinned || contentType === undefined) {
    throw new Fault('captures_gone', 'This capture is not stored, or not any more.');
  }
  const { verificationId, purgeAt } = record;
  const { name: capture, round } = pinned;
  const at = now();
  await looks.write({ verificationId, at: at.toISOString(), operatorId: operator.id, capture, round, purgeAt });
  const expiresAt = new Date(at.getTime() + lookSeconds * 1000);
  return { url: await captures.link(pinned, lookSeconds), expiresAt, contentType };
}

function pinnedIn(record: Unerased, { capture, round = record.round }: LookedFor): Pinned | undefined {
  return everyPinned(record).find((pinned) => pinned.name === capture && pinned.round === round);
}

/** Every capture that was judged or waits to be: of the current round, and of those before. */
function everyPinned(record: Unerased): Pinned[] {
  const current = 'landed' in record ? pinnedOf(record) : [];
  const earlier = (record.earlier ?? []).flatMap(({ key, versionId }): Pinned[] => {
    const place = parseCaptureKey(`${capturesPrefix(record.verificationId)}${key}`);
    return place ? [{ ...place, versionId }] : [];
  });
  return [...current, ...earlier];
}

/** A capture that is still stored. */
export interface KeptCapture {
  readonly name: CaptureName;
  readonly round: number;
  readonly contentType: string | undefined;
  readonly bytes: number;
  /** By S3's own clock, ISO 8601. */
  readonly storedAt: string;
}

/** What of a verification's captures the bucket still has, the first round first. One request; none of an erased one. */
export async function keptCaptures(
  record: Verification,
  { captures }: { readonly captures: Pick<Captures, 'stored'> },
): Promise<KeptCapture[]> {
  if (record.state === 'erased') return [];
  const pinned = everyPinned(record);
  const { versions } = await captures.stored(record.verificationId);
  const kept = versions.flatMap(({ versionId, bytes, storedAt }): KeptCapture[] => {
    const capture = pinned.find((one) => one.versionId === versionId);
    if (!capture || bytes === undefined || storedAt === undefined) return [];
    const { name, round } = capture;
    const contentType = round === record.round ? record.declared[name]?.contentType : undefined;
    return [{ name, round, contentType, bytes, storedAt }];
  });
  return kept.sort((one, other) => one.round - other.round || (one.name < other.name ? -1 : 1));
}
