import {
  cropFace,
  type Detector,
  detectFaces,
  type Face,
  findLandmarks,
  type Landmarker,
  type Point,
} from './faces.ts';
import { measureFlatColour, measureSlopes } from './flat-colour.ts';
import type { FaceMatching } from './manifest.ts';
import { type Embedding, embedFace } from './matching.ts';
import type { Model } from './model.ts';
import type { ModelPack } from './models.ts';
import { type Patch, type RgbImage, turn } from './pixels.ts';

/**
 * When there is a face for certain, and which way up. Fitted to photos of faces in all four turns, backs of cards,
 * animals and things; the figures are in `engine/notes/matching.md`.
 */
export const sightLimits = {
  /** How far the landmarks may move when the picture is mirrored, over the size of the box: on a face they stay. */
  certainShiftRatio: 0.03,
  certainScore: 0.8,
  /** What is worse than this, or has an embedding shorter than this share of a face's, is no face. */
  possibleShiftRatio: 0.045,
  possibleNormRatio: 0.88,
  /** Nothing but a face has an embedding longer than a face's by this: neither the detector's score nor the box is asked then. */
  longNormRatio: 1.28,
  /** Height of the box over its width. */
  minimumAspect: 0.9,
  maximumAspect: 2.1,
  /** Nothing else is asked of a face that is as good as this: no other turn is tried. */
  clearShiftRatio: 0.015,
  clearScore: 0.9,
  /** A face of which more than this has one colour is drawn … */
  maximumFlatRatio: 0.3,
  /** … and more than this, if its landmarks are not clear. */
  maximumFlatRatioOfUnclear: 0.15,
  /** A face whose `drawnScoreOf` is more is drawn, and shaded. */
  maximumDrawnScore: 0.007,
  /** So much longer must the embedding be in another turn before a picture is turned … */
  turnedNormRatio: 1.15,
  /** … and by no more than this may the landmarks move further than upright: it is less than chance moves them. */
  turnedShiftRatio: 0.005,
} as const;

export interface SightModels {
  readonly detector: Detector;
  readonly landmarker: Landmarker;
  /** Of a pack it is opened once, when it is first asked for. */
  readonly matcher: () => Promise<Model<FaceMatching['model']>>;
  /** Embeddings of faces are at least this long. */
  readonly faceNorm: number;
}

/** Those of a pack; the one that compares is opened when it is first asked for. */
export async function openSightModels(pack: ModelPack): Promise<SightModels> {
  const { faceDetection, faceLandmarks, faceMatching } = pack.manifest;
  return {
    detector: await pack.open(faceDetection),
    landmarker: await pack.open(faceLandmarks),
    matcher: () => pack.open(faceMatching.model),
    faceNorm: faceMatching.faceNorm,
  };
}

type Quarter = 0 | 90 | 180 | 270;
const otherTurns: readonly Quarter[] = [90, 180, 270];

/** One face of a picture, as box, landmarks and colours show it. */
export interface Glance {
  /** The first is the one everything is about. */
  readonly faces: readonly [Face, ...Face[]];
  readonly faceCrop: Patch;
  readonly landmarks: readonly Point[];
  readonly shiftRatio: number;
  /** 0..1: how much of the face has one colour. */
  readonly flatRatio: number;
  /** 0..1: how steep brightness slopes in the middle, over where it is steep. */
  readonly slopeRatio: number;
}

/** One face in a picture that stands as `degrees` say. */
export interface Sight extends Glance {
  readonly degrees: Quarter;
  readonly image: RgbImage;
  /** The work is done once, for the first who asks. */
  readonly embedding: () => Promise<Embedding>;
}

/** `certain`: a face, and which way up. `doubtful`: a face perhaps, or one that lies perhaps. */
export type Seen =
  | { readonly kind: 'certain' | 'doubtful'; readonly sight: Sight }
  | { readonly kind: 'nothing'; readonly sight?: never };

/** How to look. */
export interface Look {
  /** Those to be looked at first come first. */
  readonly detect: (image: RgbImage, detector: Detector) => Promise<readonly Face[]>;
  /** How many faces are looked at until one is certain. */
  readonly tries: number;
  /** Whether a face that is clear by detection and landmarks must be one by its embedding, too: that costs as much again. */
  readonly embed: boolean;
  /** Whether faces that are drawn and shaded are told, too: measured of photos of people, not of prints or frames of videos. */
  readonly shaded: boolean;
}

/**
 * Is there a face, and which way up? Upright, unless there is none for certain and another turn shows one by all that
 * is known of it: detection, landmarks and embedding. No single number turns anything.
 */
export async function seeFace(image: RgbImage, models: SightModels, look: Look): Promise<Seen> {
  const upright = await lookOnce(image, 0, models, look);
  if (upright && (await isClear(upright, models, look))) return { kind: 'certain', sight: upright };
  let best: Sight | undefined;
  for (const degrees of otherTurns) {
    const sight = await lookOnce(turn(image, degrees), degrees, models, look);
    if (!sight || !(await isCertain(sight, models))) continue;
    if (best && (await best.embedding()).norm >= (await sight.embedding()).norm) continue;
    best = sight;
  }
  if (best && (!upright || (await surpasses(best, upright)))) return { kind: 'certain', sight: best };
  if (upright && (await isCertain(upright, models))) return { kind: 'certain', sight: upright };
  if (best) return { kind: 'doubtful', sight: best };
  if (upright && (await isPossible(upright, models))) return { kind: 'doubtful', sight: upright };
  return { kind: 'nothing' };
}

/** The first face that is certain; else the first that is not drawn. */
async function lookOnce(
  image: RgbImage,
  degrees: Quarter,
  models: SightModels,
  look: Look,
): Promise<Sight | undefined> {
  const faces = await look.detect(image, models.detector);
  let first: Sight | undefined;
  for (const face of faces.slice(0, look.tries)) {
    const sight = await lookCloser(face, faces, image, degrees, models);
    if (isDrawn(sight) || (look.shaded && isShadedDrawing(sight))) continue;
    if ((await isClear(sight, models, look)) || (await isCertain(sight, models))) return sight;
    first ??= sight;
  }
  return first;
}

async function lookCloser(
  face: Face,
  all: readonly Face[],
  image: RgbImage,
  degrees: Quarter,
  models: SightModels,
): Promise<Sight> {
  const glance = await glanceAt(face, all, image, models);
  let embedding: Promise<Embedding> | undefined;
  return {
    ...glance,
    degrees,
    image,
    embedding: () => {
      embedding ??= models.matcher().then((model) => embedFace(image, glance.landmarks, model));
      return embedding;
    },
  };
}

async function glanceAt(
  face: Face,
  all: readonly Face[],
  image: RgbImage,
  { landmarker }: Pick<SightModels, 'landmarker'>,
): Promise<Glance> {
  const faceCrop = cropFace(image, face, landmarker);
  const landmarks = await findLandmarks(faceCrop, face, landmarker);
  const mirrored = await findLandmarks(mirror(faceCrop), face, landmarker);
  return {
    faces: [face, ...all.filter((other) => other !== face)],
    faceCrop,
    landmarks,
    shiftRatio: shiftOf(landmarks, mirrored, face),
    flatRatio: measureFlatColour(faceCrop),
    slopeRatio: measureSlopes(faceCrop),
  };
}

/**
 * What `seeFace` says of a picture as it stands, without the model that compares faces, which a browser lacks.
 * `unclear`: that model decides whether it is a face. A face that lies on its side or head is `nothing`.
 */
export async function glanceOnce(
  image: RgbImage,
  models: Pick<SightModels, 'detector' | 'landmarker'>,
): Promise<{ readonly kind: 'clear' | 'unclear'; readonly glance: Glance } | { readonly kind: 'nothing' }> {
  const faces = await detectFaces(image, models.detector);
  const [face] = faces;
  if (!face) return { kind: 'nothing' };
  const glance = await glanceAt(face, faces, image, models);
  if (isDrawn(glance) || glance.shiftRatio > sightLimits.possibleShiftRatio) return { kind: 'nothing' };
  return { kind: isClearByShape(glance) ? 'clear' : 'unclear', glance };
}

async function isClear(sight: Sight, { faceNorm }: SightModels, { embed }: Look): Promise<boolean> {
  return (
    isClearByShape(sight) && (!embed || (await sight.embedding()).norm >= sightLimits.possibleNormRatio * faceNorm)
  );
}

const isClearByShape = ({ faces: [face], shiftRatio }: Glance): boolean =>
  shiftRatio <= sightLimits.clearShiftRatio && face.score >= sightLimits.clearScore && hasShape(face);

/**
 * By all that is known of it. Score and box tell little of a face of some fifty pixels: an embedding that is long enough
 * makes up for both.
 */
async function isCertain({ faces, shiftRatio, embedding }: Sight, { faceNorm }: SightModels): Promise<boolean> {
  if (shiftRatio > sightLimits.certainShiftRatio) return false;
  const { norm } = await embedding();
  if (norm >= sightLimits.longNormRatio * faceNorm) return true;
  return norm >= faceNorm && faces[0].score >= sightLimits.certainScore && hasShape(faces[0]);
}

/** Not certain, and not clearly something else. */
async function isPossible({ shiftRatio, embedding }: Sight, { faceNorm }: SightModels): Promise<boolean> {
  const { possibleShiftRatio, possibleNormRatio } = sightLimits;
  return shiftRatio <= possibleShiftRatio && (await embedding()).norm >= possibleNormRatio * faceNorm;
}

/** Emoji, avatars and clip art, of areas that are filled with one colour. */
function isDrawn({ flatRatio, shiftRatio }: Glance): boolean {
  const { clearShiftRatio, maximumFlatRatio, maximumFlatRatioOfUnclear } = sightLimits;
  return flatRatio > (shiftRatio <= clearShiftRatio ? maximumFlatRatio : maximumFlatRatioOfUnclear);
}

/** Heads that are rendered, or drawn with gradients. Some paintings pass for a photo. */
export const isShadedDrawing = (glance: Glance): boolean => drawnScoreOf(glance) > sightLimits.maximumDrawnScore;

/**
 * More of one colour, landmarks that move further, lines with little between them, and a box that is broad for its
 * height: each is more in drawings, and in people seldom two of them at once.
 */
function drawnScoreOf({ flatRatio, shiftRatio, slopeRatio, faces: [{ width, height }] }: Glance): number {
  const steepest = Math.max(slopeRatio, Number.EPSILON);
  return (flatRatio * shiftRatio * width ** 2) / (steepest * height ** 2);
}

function hasShape({ width, height }: Face): boolean {
  return height >= sightLimits.minimumAspect * width && height <= sightLimits.maximumAspect * width;
}

/** Scores above the certain one are alike. */
async function surpasses(turned: Sight, upright: Sight): Promise<boolean> {
  return (
    turned.shiftRatio <= upright.shiftRatio + sightLimits.turnedShiftRatio &&
    turned.faces[0].score >= Math.min(upright.faces[0].score, sightLimits.clearScore) &&
    (await turned.embedding()).norm >= sightLimits.turnedNormRatio * (await upright.embedding()).norm
  );
}

/**
 * The mean distance between the landmarks and those of the mirrored picture, mirrored back, over the size of the box.
 * The landmark model draws a face into everything, but only into a face, and only into one that stands, twice the same.
 */
function shiftOf(landmarks: readonly Point[], mirrored: readonly Point[], face: Face): number {
  let sum = 0;
  for (const [index, { x, y }] of landmarks.entries()) {
    const other = mirrored[mirrorIndices[index] ?? index] ?? { x: 0, y: 0 };
    sum += Math.hypot((2 * face.x + face.width - other.x - x) / face.width, (other.y - y) / face.height);
  }
  return sum / landmarks.length;
}

/** Of 68 points (iBUG), the one on the other side of the face. */
const mirrorIndices: readonly number[] = [
  [16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
  [26, 25, 24, 23, 22, 21, 20, 19, 18, 17],
  [27, 28, 29, 30, 35, 34, 33, 32, 31],
  [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],
  [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55],
  [64, 63, 62, 61, 60, 67, 66, 65],
].flat();

function mirror({ width, height, values }: Patch): Patch {
  const mirrored = new Float32Array(values.length);
  for (let row = 0; row < values.length; row += width) {
    for (let column = 0; column < width; column += 1) {
      mirrored[row + width - 1 - column] = values[row + column] as number;
    }
  }
  return { width, height, values: mirrored };
}
