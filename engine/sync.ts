import { centreOf, type Point } from './faces.ts';
import type { Tracked } from './motion/face-track.ts';
import { clamp } from './pixels.ts';
import type { VideoSound } from './video-worker.ts';

/** What the lips have to be seen for before they are compared with the sound. The figures are in `engine/notes/videos.md`. */
export const syncLimits = {
  leastFrames: 20,
  /** Ten, and what clocks are off by. */
  leastFramesPerSecond: 9.5,
  /** Recorders store sound so much before or after the picture it belongs to. */
  lagSeconds: 0.2,
  /** Lips begin before the voice does. */
  aroundSpeechSeconds: 0.5,
  /** Of the loudest fiftieth: what is fainter is a muted microphone. */
  faintDbfs: -60,
} as const;

const hopSeconds = 0.01;
const lagStepSeconds = 0.04;
/** About as long as a frame is shown. */
const windowSeconds = 0.12;
/** Below the loudest fiftieth: speech begins here … */
const speechDb = -20;
/** … and here all is silence. */
const silenceDb = -35;

/**
 * How far the lips open as the voice grows loud, −1..1: the correlation at the best lag, while there is speech. Null where
 * lips or voice are not seen or heard well enough. It decides nothing: what it tells apart is little.
 */
export function syncOf(track: readonly Tracked[], sound: VideoSound): number | null {
  const levels = levelsOf(sound);
  const from = levels.findIndex((level) => level > speechDb) * hopSeconds;
  const until = levels.findLastIndex((level) => level > speechDb) * hopSeconds;
  if (from < 0) return null;
  const margin = syncLimits.aroundSpeechSeconds;
  const seen = track
    .map(({ time, landmarks }) => ({ time: time - sound.begins, opening: openingOf(landmarks) }))
    .filter(({ time }) => time >= from - margin && time <= until + margin);
  const seconds = (seen.at(-1)?.time ?? 0) - (seen[0]?.time ?? 0);
  const { leastFrames, leastFramesPerSecond, lagSeconds } = syncLimits;
  if (seen.length < leastFrames || (seen.length - 1) / seconds < leastFramesPerSecond) return null;
  // Single frames are misread by as much as lips open.
  const openings = seen.map(({ opening }, index) => {
    const [before = seen[index], after = seen[index]] = [seen[index - 1], seen[index + 1]];
    return ((before?.opening ?? 0) + 2 * opening + (after?.opening ?? 0)) / 4;
  });
  const steps = Math.round(lagSeconds / lagStepSeconds);
  const correlations = Array.from({ length: 2 * steps + 1 }, (_, step) => {
    const lag = (step - steps) * lagStepSeconds;
    return correlationOf(
      openings,
      seen.map(({ time }) => levelAt(levels, time + lag)),
    );
  }).filter((correlation) => correlation !== undefined);
  return correlations.length > 0 ? clamp(Math.max(...correlations), -1, 1) : null;
}

/**
 * How far apart the lips' outer edges are (iBUG 50 to 52 and 56 to 58), over the distance from between the eyes to under
 * the nose. Their inner edges are read too coarsely: an open mouth is some pixels of the 64 that the model sees.
 */
function openingOf(landmarks: readonly Point[]): number {
  const point = (index: number): Point => landmarks[index] ?? { x: 0, y: 0 };
  const apart = (one: Point, other: Point) => Math.hypot(one.x - other.x, one.y - other.y);
  const lips = [50, 51, 52].reduce((sum, upper) => sum + apart(point(upper), point(108 - upper)) / 3, 0);
  return lips / Math.max(apart(centreOf([point(39), point(42)]), point(33)), 1);
}

/** Decibels against the loudest fiftieth, down to silence, each hundredth of a second; none where all is faint. */
function levelsOf({ samples, rateHz }: VideoSound): readonly number[] {
  const hop = Math.round(rateHz * hopSeconds);
  const decibels = Array.from({ length: Math.floor(samples.length / hop) }, (_, index) => {
    const heard = samples.subarray(index * hop, (index + 1) * hop);
    const power = heard.reduce((sum, sample) => sum + sample * sample, 0) / hop;
    return 10 * Math.log10(Math.max(power, 1e-12));
  });
  const sorted = decibels.toSorted((one, other) => one - other);
  const loud = sorted[Math.floor(0.98 * sorted.length)] ?? Number.NEGATIVE_INFINITY;
  if (loud < syncLimits.faintDbfs) return [];
  return decibels.map((level) => Math.max(silenceDb, level - loud));
}

function levelAt(levels: readonly number[], time: number): number {
  const [from, until] = [-1, 1].map((side) => Math.round((time + (side * windowSeconds) / 2) / hopSeconds));
  let sum = 0;
  for (let index = from ?? 0; index < (until ?? 0); index += 1) sum += levels[index] ?? silenceDb;
  return sum / (windowSeconds / hopSeconds);
}

/** Undefined where one of the two does not change. */
function correlationOf(some: readonly number[], others: readonly number[]): number | undefined {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanOfSome, meanOfOthers] = [mean(some), mean(others)];
  let [shared, spread, otherSpread] = [0, 0, 0];
  for (const [index, one] of some.entries()) {
    const [left, right] = [one - meanOfSome, (others[index] ?? 0) - meanOfOthers];
    shared += left * right;
    spread += left * left;
    otherSpread += right * right;
  }
  return Math.min(spread, otherSpread) > 1e-9 ? shared / Math.sqrt(spread * otherSpread) : undefined;
}
