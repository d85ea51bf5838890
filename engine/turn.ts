import type { Turn } from '../shared/domain/challenge.ts';
import type { Measurements } from '../shared/domain/verdict.ts';
import type { Tracked } from './motion/face-track.ts';
import { measurePose } from './quality.ts';

/** When the turn that was asked for is seen. The figures are in `engine/notes/videos.md`. */
export const turnLimits = {
  /** How far the nose goes off the middle of the eyes, over the distance between them, from where it mostly is; about 17°. */
  leastRatio: 0.2,
  /** To the other side, and before and after, it goes no further than this share of that: else it is no one turn. */
  mostOtherShare: 2 / 3,
  /** The turn begins, half way up, between so much before the second asked for and so much after. */
  earlySeconds: 0.25,
  lateSeconds: 1.75,
} as const;

export interface TurnWatched {
  readonly seen: boolean;
  readonly measurements: Measurements;
}

/**
 * Does the head turn once, to this side of the person, at this second after `begins`? The picture is one that a person
 * opposite would see: in a mirrored one left is right.
 */
export function watchTurn(track: readonly Tracked[], { side, second }: Turn, begins: number): TurnWatched {
  const poses = track.map(({ landmarks }) => measurePose(landmarks).turn);
  const usual = middleOf(poses);
  // A single frame may be misread: the middle one of three counts.
  const turns = poses.map(
    (_, index) => sign[side] * (middleOf(poses.slice(Math.max(0, index - 1), index + 2)) - usual),
  );
  const most = Math.max(...turns);
  const peak = turns.indexOf(most);
  if (peak < 0) return { seen: false, measurements: {} };
  const isTurned = (turned: number) => turned >= most / 2;
  const first = turns.findLastIndex((turned, index) => index < peak && !isTurned(turned)) + 1;
  const after = turns.findIndex((turned, index) => index > peak && !isTurned(turned));
  const others = turns.filter((_, index) => index < first || (after >= 0 && index >= after));
  const other = Math.max(0, ...others.map(Math.abs));
  const late = (track[first]?.time ?? 0) - begins - second;
  const { leastRatio, mostOtherShare, earlySeconds, lateSeconds } = turnLimits;
  return {
    seen: most >= leastRatio && other <= mostOtherShare * most && late >= -earlySeconds && late <= lateSeconds,
    measurements: { turn_ratio: most, turn_other_ratio: other, turn_late_seconds: late },
  };
}

/** The nose of a person who turns to the own left goes right in the picture. */
const sign = { left: 1, right: -1 } as const;

function middleOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? 0;
}
