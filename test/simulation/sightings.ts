import type { Sighting, Sightings } from '../../shared/domain/ports.ts';
import { epochSeconds } from '../../shared/domain/times.ts';

/** Places in memory, open to a test and to the table that takes them. */
export interface MemorySightings extends Sightings {
  readonly all: () => Sighting[];
  /** False, and nothing taken, where another verification stands in one of them. */
  readonly take: (wanted: readonly Sighting[]) => boolean;
}

export function memorySightings(now: () => Date): MemorySightings {
  const rows = new Map<string, Sighting>();
  const standingIn = (place: string): Sighting | undefined => {
    const row = rows.get(place);
    return row && row.purgeAt > epochSeconds(now()) ? row : undefined;
  };
  return {
    all: () => [...rows.values()],
    find: async (places) => places.flatMap((place) => standingIn(place) ?? []),
    async remove(verificationId, places) {
      for (const place of places) if (rows.get(place)?.verificationId === verificationId) rows.delete(place);
    },
    take(wanted) {
      if (wanted.some(({ place }) => standingIn(place))) return false;
      for (const sighting of wanted) rows.set(sighting.place, sighting);
      return true;
    },
  };
}
