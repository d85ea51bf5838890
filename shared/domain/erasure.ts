import * as z from 'zod';
import { captureKey, capturesPrefix, entriesOf, type Landed } from './captures.ts';
import type { State, Unerased } from './verification.ts';

/** Object versions that one receipt lists, at most; the rest are counted. */
export const maximumListed = 100;

/** One stored version, by its key behind the prefix of its verification. Versions of a key that S3 marks as deleted have no ETag. */
export interface StoredVersion {
  readonly key: string;
  readonly versionId: string;
  readonly etag?: string | undefined;
  /** Absent of a key that S3 marks as deleted. */
  readonly bytes?: number | undefined;
  /** By S3's own clock, ISO 8601. */
  readonly storedAt?: string | undefined;
}

/** A capture of a round that is over: what is left to say which version it was. */
export const earlierCapture = z.object({
  round: z.int().positive(),
  key: z.string(),
  versionId: z.string(),
  etag: z.string(),
});
export type EarlierCapture = z.infer<typeof earlierCapture>;

const deletedVersion = z.object({
  key: z.string(),
  versionId: z.string(),
  etag: z.string().optional(),
  /** When its round was decided, where its capture was to be deleted then. */
  decidedAt: z.string().optional(),
  /** When the erasure found it stored, to delete it. Absent where it was gone before. */
  foundAt: z.string().optional(),
});
export type DeletedVersion = z.infer<typeof deletedVersion>;

/** What a tombstone keeps of what was deleted: ids alone, for the receipt. Each version is on it before it is deleted. */
export const erasure = z.object({
  versions: z.array(deletedVersion),
  /** Versions of a batch that found no room above, as `idOf` names them: a killed erasure does not count them again. */
  counted: z.array(z.string()),
  /** Found and deleted, and not listed. */
  notListed: z.int().nonnegative(),
  /** A version of this software that kept less wrote the record, or the tombstone: more may have been deleted. */
  incomplete: z.literal(true).optional(),
  /** Vendors that were sent captures, or may have been. Absent where that is not known. */
  vendors: z.array(z.string()).optional(),
  /** +1 with every write: the fence. */
  step: z.int().nonnegative(),
  /** When nothing was found stored any more. Absent while there may be something. */
  finishedAt: z.string().optional(),
});
export type Erasure = z.infer<typeof erasure>;

/** The captures that landed in the round a record is in, as they are remembered once the round is over. */
export function earlierOf({
  verificationId,
  round,
  earlier = [],
  landed,
}: Pick<Unerased, 'verificationId' | 'round' | 'earlier'> & { readonly landed: Landed }): EarlierCapture[] {
  const prefix = capturesPrefix(verificationId).length;
  const ended = entriesOf(landed).map(([name, { versionId, etag, challengeNumber }]): EarlierCapture => {
    return { round, key: captureKey(verificationId, round, name, challengeNumber).slice(prefix), versionId, etag };
  });
  return [...earlier, ...ended];
}

/**
 * What is put on the tombstone of a record before anything is looked for: captures that it knows of. Those of a round
 * that is not over are stored: the erasure has found them.
 */
export function erasureOf(record: Unerased, { now, keepsEtags, isVendor }: Keeping): Erasure {
  const known = earlierOf({ ...record, landed: 'landed' in record ? record.landed : {} });
  const vendors = [...new Set(record.attempts.map(({ provider }) => provider))].filter(isVendor).sort();
  return {
    versions: known.map(({ round, key, versionId, etag }) => {
      const decidedAt = record.plan.keepCaptures ? undefined : decisionOf(record, round);
      const foundAt = round === record.round && inRound.includes(record.state) ? now.toISOString() : undefined;
      return {
        key,
        versionId,
        ...(keepsEtags && { etag: bareEtag(etag) }),
        ...(decidedAt && { decidedAt }),
        ...(foundAt && { foundAt }),
      };
    }),
    counted: [],
    notListed: 0,
    ...(remembersAll(record) ? {} : { incomplete: true as const }),
    vendors,
    step: 0,
  };
}

const inRound: readonly State[] = ['awaiting_captures', 'queued', 'dispatched'];

export interface Keeping {
  readonly now: Date;
  /** False where S3 makes ETags of the bytes themselves: nothing is kept that a photo could be recognised by. */
  readonly keepsEtags: boolean;
  /** Whether captures leave the deployment when this provider is asked. */
  readonly isVendor: (provider: string) => boolean;
}

function decisionOf({ history }: Unerased, of: number): string | undefined {
  return history.find(({ kind, state, round }) => kind === 'moved' && state === 'decided' && round === of)?.at;
}

/** Versions before forgot the captures of a round with its end. */
function remembersAll({ state, round, earlier }: Unerased): boolean {
  if (state === 'expired' && earlier === undefined) return false;
  const rounds = new Set(earlier?.map((capture) => capture.round));
  return Array.from({ length: round - 1 }, (_, index) => index + 1).every((before) => rounds.has(before));
}

/** A tombstone of a version before, which kept nothing. */
const unknown: Erasure = { versions: [], counted: [], notListed: 0, incomplete: true, step: 0 };

/**
 * What the tombstone has to say before the next batch of what is stored may be deleted, and that batch. Where it says so
 * already, because an erasure was killed in between, `erasure` is undefined.
 */
export function accountFor(
  before: Erasure | undefined,
  stored: readonly StoredVersion[],
  { now, keepsEtags }: { readonly now: Date; readonly keepsEtags: boolean },
): { readonly erasure?: Erasure; readonly batch: readonly StoredVersion[] } {
  const { finishedAt: _, ...from } = before ?? unknown;
  const found = new Set(from.versions.filter(({ foundAt }) => foundAt !== undefined).map(idOf));
  const counted = new Set(from.counted);
  const isAccounted = (version: StoredVersion) => found.has(idOf(version)) || counted.has(idOf(version));
  // Those first: what was counted must be gone before other versions take its place.
  const batch = [...stored.filter(isAccounted), ...stored.filter((version) => !isAccounted(version))].slice(
    0,
    maximumListed,
  );
  const fresh = batch.filter((version) => !isAccounted(version));
  if (fresh.length === 0) return { batch };
  const foundAt = now.toISOString();
  const versions = new Map(from.versions.map((version) => [idOf(version), version]));
  const unlisted: string[] = [];
  for (const { key, versionId, etag } of fresh) {
    const id = idOf({ key, versionId });
    const known = versions.get(id) ?? { key, versionId, ...(keepsEtags && etag && { etag: bareEtag(etag) }) };
    if (versions.has(id) || versions.size < maximumListed) versions.set(id, { ...known, foundAt });
    else unlisted.push(id);
  }
  return {
    batch,
    erasure: {
      ...from,
      versions: [...versions.values()],
      counted: [...batch.map(idOf).filter((id) => counted.has(id)), ...unlisted],
      notListed: from.notListed + unlisted.length,
      step: from.step + 1,
    },
  };
}

/** The same once nothing is stored any more. */
export function finished(before: Erasure | undefined, at: Date): Erasure {
  const from = before ?? unknown;
  return { ...from, counted: [], step: from.step + 1, finishedAt: at.toISOString() };
}

const idOf = ({ key, versionId }: Pick<StoredVersion, 'key' | 'versionId'>) => `${key} ${versionId}`;

/** An ETag without its quotes, which some of S3's answers have and others have not. */
export const bareEtag = (etag: string) => etag.replaceAll('"', '');
