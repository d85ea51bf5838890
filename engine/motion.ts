import type { Measurements } from '../shared/domain/verdict.ts';
import type { Point } from './faces.ts';
import { placeOfFace } from './matching.ts';
import { type Alignment, align, type Reference, referenceOf } from './motion/alignment.ts';
import { eyes, faceSize, fromTemplate, mouth, patchSize, skull } from './motion/face-shape.ts';
import type { Homography } from './motion/homography.ts';
import { at, type Box, clamp } from './pixels.ts';
import type { GreyFrame } from './video-worker.ts';

/**
 * When a head moves, and when one flat picture does; what lies between cannot be told. Percent are of the face's width.
 * The figures are in `engine/notes/videos.md`.
 */
export const motionLimits = {
  /** So many seconds are laid over one frame in their middle. */
  secondsAtOnce: 5,
  /** Frames whose skull is less like that one's are left out: a hand before the face, a head turned far away. */
  minimumLikeness: 0.7,
  minimumFrames: 20,
  /** A head: what stands out moves against the rest by this, of a face that is so wide; of a smaller one by more. */
  headDepthPercent: 0.35,
  headNosePercent: 0.15,
  headFaceWidthPx: 140,
  /** And by so much of what it trembles more: of noise, half is left when neighbours are averaged. */
  headOfJitter: 0.9,
  /** And by this, times what the skull is less like the reference than so: hardly anything is left of a bad picture. */
  headOfUnlikeness: 15,
  headLikeness: 0.92,
  /** A blink, times what the skull's own remains let expect. With it, less depth is enough. */
  headEyesRatio: 25,
  blinkingHeadDepthPercent: 0.15,
  blinkingHeadNosePercent: 0.1,
  /** A flat picture, for certain: no depth, no trembling that could hide it, nothing of eyes and mouth, for so long. */
  flatDepthPercent: 0.22,
  flatJitterPercent: 0.2,
  flatRegionRatio: 10,
  flatSeconds: 2.5,
  flatFaceWidthPx: 100,
  flatFollowedRatio: 0.9,
} as const;

/** A face in a picture of the video that is shown at this time, in seconds. */
export interface Sighting {
  readonly time: number;
  /** 68, in pixels of the picture. */
  readonly landmarks: readonly Point[];
  readonly face: Box;
  readonly pictureWidthPx: number;
}

export interface Motion {
  /** `flat`: one picture, however it is held. */
  readonly kind: 'head' | 'flat' | 'unclear';
  readonly measurements: Measurements;
}

/** How a face moves in some seconds. */
interface Movement {
  readonly seconds: number;
  readonly frames: number;
  readonly followedRatio: number;
  /** −1..1, of the frames in between: how like the reference the skull is once it is laid over. */
  readonly likeness: number;
  /** How far what stands out moves against the rest, as a standard deviation, in percent of the face's width. */
  readonly depthPercent: number;
  readonly nosePercent: number;
  /** What of that comes and goes within a third of a second. */
  readonly jitterPercent: number;
  /** What is left of eyes and mouth in the frames that have most, times what is left of the skull where it is as steep. */
  readonly eyesRatio: number;
  readonly mouthRatio: number;
}

/** Does a head move, or a picture of one? The face is laid over itself as a plane; a head does not fit one, nor lids and lips. */
export function watchMotion(frames: readonly GreyFrame[], sightings: readonly Sighting[]): Motion {
  const [first, last] = [frames[0], frames.at(-1)];
  if (!first || !last || sightings.length === 0) return { kind: 'unclear', measurements: {} };
  const widths = sightings.map(({ face, pictureWidthPx }) => (face.width * first.width) / pictureWidthPx);
  const width = quantile(widths, 0.5);
  const seconds = last.time - first.time;
  const parts = Math.max(1, Math.round(seconds / motionLimits.secondsAtOnce));
  const movements = Array.from({ length: parts }, (_, part) => {
    const [from, to] = [part, part + 1].map((bound) => first.time + (bound * seconds) / parts) as [number, number];
    const within = frames.filter(({ time }) => time >= from - 0.001 && time <= to + 0.001);
    return movementIn(within, sightings, Math.max(1, Math.floor(width / faceSize)));
  });
  const followed = movements.filter((movement) => movement !== undefined);
  const [most] = followed.toSorted((one, other) => other.depthPercent - one.depthPercent);
  const allFlat = movements.every((movement) => movement && isFlat(movement)) && width >= motionLimits.flatFaceWidthPx;
  return {
    kind: followed.some((movement) => isHead(movement, width)) ? 'head' : allFlat ? 'flat' : 'unclear',
    measurements: {
      motion_face_width_px: width,
      motion_frames: frames.length,
      ...(most && {
        motion_followed_ratio: most.followedRatio,
        motion_likeness: most.likeness,
        motion_depth_percent: most.depthPercent,
        motion_nose_percent: most.nosePercent,
        motion_jitter_percent: most.jitterPercent,
        motion_eyes_ratio: most.eyesRatio,
        motion_mouth_ratio: most.mouthRatio,
      }),
    },
  };
}

/** With a blink, less depth is enough. */
function isHead(movement: Movement, faceWidthPx: number): boolean {
  const { depthPercent, nosePercent, jitterPercent, eyesRatio, likeness } = movement;
  const { headDepthPercent, headNosePercent, headFaceWidthPx, headOfJitter, headEyesRatio } = motionLimits;
  const { blinkingHeadDepthPercent, blinkingHeadNosePercent, headOfUnlikeness, headLikeness } = motionLimits;
  const doubt = headOfJitter * jitterPercent + headOfUnlikeness * Math.max(0, headLikeness - likeness);
  const least = (depth: number) => depth * Math.max(1, headFaceWidthPx / faceWidthPx) + doubt;
  const turns = depthPercent >= least(headDepthPercent) && nosePercent >= headNosePercent;
  const stirs = depthPercent >= least(blinkingHeadDepthPercent) && nosePercent >= blinkingHeadNosePercent;
  return turns || (stirs && eyesRatio >= headEyesRatio);
}

function isFlat({ seconds, followedRatio, depthPercent, jitterPercent, eyesRatio, mouthRatio }: Movement): boolean {
  return (
    seconds >= motionLimits.flatSeconds &&
    followedRatio >= motionLimits.flatFollowedRatio &&
    depthPercent <= motionLimits.flatDepthPercent &&
    jitterPercent <= motionLimits.flatJitterPercent &&
    Math.max(eyesRatio, mouthRatio) <= motionLimits.flatRegionRatio
  );
}

/** `shrinking`: so many pixels a side become one, the mean of all, or those between the patch's would not be seen. */
function movementIn(
  frames: readonly GreyFrame[],
  sightings: readonly Sighting[],
  shrinking: number,
): Movement | undefined {
  const [first, last] = [frames[0], frames.at(-1)];
  if (!first || !last) return undefined;
  const reference = nearest(frames, nearest(sightings, (first.time + last.time) / 2).time);
  const shrunk = shrink(reference, shrinking);
  const template = referenceOf(shrunk, placeIn(shrunk, sightings));
  const middle = frames.indexOf(reference);
  const backwards = follow(frames.slice(0, middle).toReversed(), template, sightings, shrinking);
  const forwards = follow(frames.slice(middle), template, sightings, shrinking);
  const followed = [...backwards.toReversed(), ...forwards];
  if (followed.length < motionLimits.minimumFrames) return undefined;
  return {
    seconds: last.time - first.time,
    frames: frames.length,
    followedRatio: followed.length / frames.length,
    likeness: quantile(
      followed.map(({ likeness }) => likeness),
      0.5,
    ),
    ...depthOf(followed),
    ...remainsOf(followed, template),
  };
}

interface Followed extends Alignment {
  readonly time: number;
}

/** Frame by frame away from the reference: each from where the one before lay, or else from its landmarks. */
function follow(
  frames: readonly GreyFrame[],
  reference: Reference,
  sightings: readonly Sighting[],
  shrinking: number,
): Followed[] {
  let before: Homography | undefined;
  return frames.flatMap((whole) => {
    const frame = shrink(whole, shrinking);
    const isLike = ({ likeness }: Alignment) => likeness >= motionLimits.minimumLikeness;
    const onwards = before && align(frame, reference, before);
    const afresh = onwards && isLike(onwards) ? onwards : align(frame, reference, placeIn(frame, sightings));
    const alignment = isLike(afresh) ? afresh : undefined;
    before = alignment?.place ?? before;
    return alignment ? [{ time: frame.time, ...alignment }] : [];
  });
}

/** Where the landmarks of the nearest sighting lay the patch. */
function placeIn(frame: GreyFrame, sightings: readonly Sighting[]): Homography {
  const { landmarks, pictureWidthPx } = nearest(sightings, frame.time);
  const scale = frame.width / pictureWidthPx;
  return fromTemplate(placeOfFace(landmarks.map(({ x, y }) => ({ x: x * scale, y: y * scale }))));
}

/** Heads move slowly, noise does not: what is left when neighbours are averaged, and what they differ by. */
const calmSeconds = 0.15;

function depthOf(followed: readonly Followed[]) {
  const spreads = [0, 1, 2, 3].map((mode) => {
    const series = followed.map(({ depth }) => depth[mode] ?? 0);
    const calm = followed.map(({ time }) => {
      const near = series.filter((_, index) => Math.abs((followed[index]?.time ?? 0) - time) <= calmSeconds);
      return near.reduce((sum, value) => sum + value, 0) / near.length;
    });
    const trembling = series.map((value, index) => value - (calm[index] ?? 0));
    return { calm: spreadOf(calm), trembling: spreadOf(trembling) };
  });
  const percent = (parts: readonly number[]) => (100 * Math.hypot(...parts)) / faceSize;
  const [roundness, nose] = [spreads.slice(0, 2), spreads.slice(2)];
  return {
    depthPercent: percent(roundness.map(({ calm }) => calm)),
    nosePercent: percent(nose.map(({ calm }) => calm)),
    jitterPercent: percent(roundness.map(({ trembling }) => trembling)),
  };
}

/** A blink is short: so many of the frames have more of it. */
const blinkShare = 0.96;
const speechShare = 0.9;

function remainsOf(followed: readonly Followed[], { steepness }: Reference) {
  const mean = new Float32Array(patchSize * patchSize);
  for (const { remains } of followed) {
    for (let index = 0; index < mean.length; index += 1) {
      mean[index] = at(mean, index) + at(remains, index) / followed.length;
    }
  }
  const ratios = followed.map(({ remains }) => {
    const squared = (index: number) => (at(remains, index) - at(mean, index)) ** 2;
    const expected = expectationBy(skull, steepness, squared);
    return [eyes, mouth].map((region) => meanOf(region, squared) / Math.max(meanOf(region, expected), leastRemains));
  });
  return {
    eyesRatio: quantile(
      ratios.map(([ratio = 0]) => ratio),
      blinkShare,
    ),
    mouthRatio: quantile(
      ratios.map(([, ratio = 0]) => ratio),
      speechShare,
    ),
  };
}

/** Less, in squared grey values, is rounding's. */
const leastRemains = 0.1;

/** What is left of a pixel, by how steep it is there: the line through the region's. */
function expectationBy(
  region: readonly number[],
  steepness: Float32Array,
  squared: (index: number) => number,
): (index: number) => number {
  const steepest = meanOf(region, (index) => at(steepness, index));
  const level = meanOf(region, squared);
  const spread = meanOf(region, (index) => (at(steepness, index) - steepest) ** 2);
  const shared = meanOf(region, (index) => (at(steepness, index) - steepest) * (squared(index) - level));
  const slope = Math.max(0, shared / Math.max(spread, 1e-9));
  const atRest = Math.max(level - slope * steepest, level / 20);
  return (index) => atRest + slope * at(steepness, index);
}

function meanOf(region: readonly number[], value: (index: number) => number): number {
  let sum = 0;
  for (const index of region) sum += value(index);
  return sum / region.length;
}

/** The standard deviation that a normal one has between its tenth and its ninetieth percent: a few slips do not widen it. */
const spreadOf = (values: readonly number[]): number => (quantile(values, 0.9) - quantile(values, 0.1)) / 2.563;

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[clamp(Math.floor(sorted.length * share), 0, sorted.length - 1)] ?? 0;
}

/** Of one or more. */
function nearest<Timed extends { readonly time: number }>(some: readonly Timed[], time: number): Timed {
  return some.reduce((best, one) => (Math.abs(one.time - time) < Math.abs(best.time - time) ? one : best));
}

function shrink(frame: GreyFrame, times: number): GreyFrame {
  if (times === 1) return frame;
  const [width, height] = [Math.floor(frame.width / times), Math.floor(frame.height / times)];
  const pixels = new Float32Array(width * height);
  for (let y = 0, to = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, to += 1) {
      let sum = 0;
      for (let row = 0; row < times; row += 1) {
        const from = (y * times + row) * frame.width + x * times;
        for (let column = 0; column < times; column += 1) sum += at(frame.pixels, from + column);
      }
      pixels[to] = sum / (times * times);
    }
  }
  return { time: frame.time, width, height, pixels };
}
