import { type CaptureName, entriesOf } from '../domain/captures.ts';
import { type FingerprintKey, type Fingerprints, fingerprintKeys, isRepeat } from '../domain/fingerprint.ts';
import type { Plan } from '../domain/policy.ts';
import type { Sighting, Sightings } from '../domain/ports.ts';
import type { Finding } from '../domain/verdict.ts';
import type { Unerased } from '../domain/verification.ts';

export interface Recognising {
  readonly sightings: Pick<Sightings, 'find'>;
  /** The deployment's key of fingerprints. */
  readonly fingerprintKey: () => Promise<string>;
  readonly now: () => Date;
}

/** A finding that knows which captures were judged before, and what the decision has to write down with it. */
export interface Recognised {
  readonly finding: Finding;
  readonly sightings: readonly Sighting[];
}

/**
 * Places under each key of a fingerprint. One is enough for a capture and what is stored again of it; two pictures that
 * share one band by chance, and repeats, take the next. Beyond that a capture goes unwritten under that key.
 */
const placesPerKey = 2;
const placesOf = ({ id }: FingerprintKey) => Array.from({ length: placesPerKey }, (_, index) => `${id}.${index}`);

/** Who stands in which place. */
type Standing = ReadonlyMap<string, Sighting>;

/**
 * Looks whether captures of this round were judged before under another source_id of the tenant. What it finds holds
 * only if the decision is written together with the sightings: of two that are judged at once, one write is refused.
 */
export async function recognise(
  record: Unerased,
  { finding, fingerprints }: { finding: Finding; fingerprints: Fingerprints },
  { sightings, fingerprintKey, now }: Recognising,
): Promise<Recognised> {
  const { tenant, plan, verificationId, purgeAt } = record;
  const watched = entriesOf(fingerprints).filter(([name]) => plan.seenBefore[name] !== undefined);
  if (watched.length === 0) return { finding, sightings: [] };
  const key = await fingerprintKey();
  const captures = watched.map(([name, fingerprint]) => ({
    name,
    keys: fingerprintKeys(key, { tenant, name, fingerprint }),
  }));
  const keys = captures.flatMap((capture) => capture.keys);
  const found = await sightings.find(keys.flatMap(placesOf));
  const at = now().toISOString(); // later than all that were found
  const standing = new Map(found.map((sighting) => [sighting.place, sighting]));
  const seen = captures.filter((capture) => isSeenBefore(capture.keys, standing, verificationId));
  const places = keys.flatMap((one) => freePlace(one, standing, verificationId) ?? []);
  return {
    finding: withSeen(
      finding,
      seen.map(({ name }) => name),
      plan,
    ),
    sightings: places.map((place) => ({ place, verificationId, at, purgeAt })),
  };
}

/**
 * Whether another verification has judged this capture: before this one did, where this one did in an earlier round.
 * The first is not accused for what came after it.
 */
export function isSeenBefore(keys: readonly FingerprintKey[], standing: Standing, verificationId: string): boolean {
  const shared = keys.flatMap((key) =>
    placesOf(key).flatMap((place) => {
      const sighting = standing.get(place);
      return sighting ? [{ kind: key.kind, sighting }] : [];
    }),
  );
  const firstOf = [...Map.groupBy(shared, ({ sighting }) => sighting.verificationId)].flatMap(([id, parts]) => {
    const times = parts.map(({ sighting }) => sighting.at).sort();
    return isRepeat(parts.map(({ kind }) => kind)) ? [{ id, at: times[0] ?? '' }] : [];
  });
  const own = firstOf.find(({ id }) => id === verificationId);
  return firstOf.some(({ id, at }) => id !== verificationId && (own === undefined || at < own.at));
}

/** The first place under a key that no verification stands in; undefined where this one does already, or none is left. */
function freePlace(key: FingerprintKey, standing: Standing, verificationId: string): string | undefined {
  const places = placesOf(key);
  if (places.some((place) => standing.get(place)?.verificationId === verificationId)) return undefined;
  return places.find((place) => !standing.has(place));
}

/** Told in any case; a reason to fail only where the policy says so, and never instead of another capture. */
export function withSeen(
  finding: Finding,
  seenBefore: CaptureName[],
  { seenBefore: modes }: Pick<Plan, 'seenBefore'>,
): Finding {
  if (seenBefore.length === 0) return finding;
  const refused = finding.outcome !== 'recapture' && seenBefore.some((name) => modes[name] === 'refuse');
  if (!refused) return { ...finding, seenBefore };
  const reasons = [...finding.reasons, 'capture_reused' as const];
  return { ...finding, outcome: 'failed', confidence: null, reasons, seenBefore };
}
