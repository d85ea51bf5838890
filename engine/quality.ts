import { defaultMinimumFacePx } from '../shared/domain/face-size.ts';
import type { Measurements, Reason } from '../shared/domain/verdict.ts';
import { centreOf, type Face, type Point, sharedArea } from './faces.ts';
import { measureBlotches, measureLines, measureNoise } from './noise.ts';
import { at, crop, type DecodedCapture, luma, newPatch, type Patch } from './pixels.ts';
import { contextAround } from './spoofing.ts';

/**
 * What a capture must be before the spoof model is asked: outside these limits it was never measured, or measured bad.
 * Fitted so that bona fide captures rarely fail; the figures are in `engine/notes/limits.md`.
 */
export const qualityLimits = {
  /** Width and height of the face box, in pixels of the capture. A tenant's policy may ask for more, or take less. */
  minimumFacePx: defaultMinimumFacePx,
  /** Face width over image width. */
  maximumWidthRatio: 0.7,
  /** Box sizes the spoof crop can span inside the image. */
  minimumContext: 1.5,
  /** A second face counts from this share of the first one's width: people far behind and posters do not. */
  secondFaceWidthRatio: 0.5,
  /** And from this score on, and not wider than tall: the detector takes some hair and hands for faces at 0.7. */
  secondFaceScore: 0.8,
  secondFaceAspect: 1.25,
  /** Distance from the face box to the left, right and lower edge of the image, in box sizes: where a face is cut off, its box ends. */
  minimumMarginRatio: 0.07,
  /** To the upper edge: hair may be cut off, and the live score does not mind. */
  minimumTopMarginRatio: 0.03,
  /** How far the nose is off the middle of the eyes, over the distance between them; 0 is straight ahead, 0.42 about 35°. */
  maximumTurnRatio: 0.42,
  maximumRollDegrees: 35,
  /** Energy of the Laplacian over that of the picture, of the face at 64 × 64: what the model sees, not what the camera has. */
  minimumSharpnessRatio: 0.04,
  /** Standard deviation of the face's noise, 0..255: it hides a print or a screen from the spoof model. */
  maximumNoise: 13,
  /** Lines of colour through the whole face, as `measureLines` finds them: no face has any, and they hide as much. */
  maximumLines: 14,
  /** Blotches of colour, as `measureBlotches` finds them: the spoof model takes them for skin in some light. */
  maximumBlotches: 6.5,
  /** Luma 0..255 that a tenth of the face exceeds: dark skin under enough light has highlights, an unlit face has none. */
  minimumHighlightLuma: 45,
  /** Share of the face that is burnt out, luma ≥ 250. */
  maximumBurntRatio: 0.4,
} as const;

export interface Quality {
  /** All that apply, the most actionable first; empty where the capture will do. */
  readonly reasons: readonly Reason[];
  readonly measurements: Measurements;
}

/** Light is measured on so many pixels a side. */
const emptySize = 64;

/** Where no face was found, the light is the only thing worth telling. */
export function assessEmptyCapture({ image }: DecodedCapture): Quality {
  const { width, height } = image;
  const light = measureLight(luma(crop(image, { x: 0, y: 0, width, height }, newPatch(emptySize, emptySize))));
  return {
    reasons: ['face_not_detected', ...lightReasons(light)],
    measurements: { face_count: 0, image_highlight_luma: light.highlight, image_burnt_ratio: light.burnt },
  };
}

/**
 * The largest of `faces` is the one judged; `landmarks` are its 68 points and `faceCrop` its box at 64 × 64.
 * `context` is how many box sizes the spoof models want to see; `minimumFacePx`, the smallest face that will do.
 */
export function assessQuality(
  { image, widthPx, heightPx }: DecodedCapture,
  faces: readonly [Face, ...Face[]],
  landmarks: readonly Point[],
  faceCrop: Patch,
  context: number,
  minimumFacePx: number = qualityLimits.minimumFacePx,
): Quality {
  const [face] = faces;
  const grey = luma(faceCrop);
  const light = measureLight(grey);
  const pose = measurePose(landmarks);
  const faceCount = 1 + faces.slice(1).filter((other) => isSecondFace(face, other)).length;
  const faceWidthPx = Math.round((face.width * widthPx) / image.width);
  const faceHeightPx = Math.round((face.height * heightPx) / image.height);
  const widthRatio = face.width / image.width;
  const available = contextAround(image, face, context);
  const topMargin = face.y / face.height;
  const margin = Math.min(
    face.x / face.width,
    (image.width - face.x - face.width) / face.width,
    (image.height - face.y - face.height) / face.height,
  );
  const sharpness = measureSharpness(grey, faceCrop.width);
  const noise = measureNoise(image, face);
  const lines = measureLines(image, face);
  const blotches = measureBlotches(faceCrop);

  const limits = qualityLimits;
  const found: Readonly<Record<(typeof order)[number], boolean>> = {
    multiple_faces: faceCount > 1,
    face_cropped: margin < limits.minimumMarginRatio || topMargin < limits.minimumTopMarginRatio,
    face_too_small: Math.min(faceWidthPx, faceHeightPx) < minimumFacePx,
    face_too_large: widthRatio > limits.maximumWidthRatio || available < limits.minimumContext,
    face_turned: Math.abs(pose.turn) > limits.maximumTurnRatio || pose.rollDegrees > limits.maximumRollDegrees,
    too_blurred: sharpness < limits.minimumSharpnessRatio,
    too_noisy: noise > limits.maximumNoise || lines > limits.maximumLines,
    unnatural_colours: blotches > limits.maximumBlotches,
  };
  return {
    reasons: [...order.filter((reason) => found[reason]), ...lightReasons(light)],
    measurements: {
      face_count: faceCount,
      face_score: face.score,
      face_width_px: faceWidthPx,
      face_height_px: faceHeightPx,
      face_width_ratio: widthRatio,
      face_context_ratio: available,
      face_margin_ratio: margin,
      face_top_margin_ratio: topMargin,
      face_turn_ratio: Math.abs(pose.turn),
      face_roll_degrees: pose.rollDegrees,
      sharpness_ratio: sharpness,
      face_noise: noise,
      face_lines: lines,
      face_blotches: blotches,
      face_highlight_luma: light.highlight,
      face_burnt_ratio: light.burnt,
    },
  };
}

/** Who is in the picture comes first, then where to stand, then how to hold and light it. */
const order = [
  'multiple_faces',
  'face_cropped',
  'face_too_large',
  'face_too_small',
  'face_turned',
  'too_blurred',
  'too_noisy',
  'unnatural_colours',
] as const satisfies readonly Reason[];

/** A person of comparable size beside the first; the detector also finds parts of a face inside its own box. */
function isSecondFace(face: Face, other: Face): boolean {
  const insideFirst = sharedArea(face, other) / (other.width * other.height);
  return (
    other.width >= qualityLimits.secondFaceWidthRatio * face.width &&
    other.score >= qualityLimits.secondFaceScore &&
    other.width <= qualityLimits.secondFaceAspect * other.height &&
    insideFirst < 0.5
  );
}

interface Light {
  /** Luma that a tenth of the pixels reach or exceed. */
  readonly highlight: number;
  /** Share of pixels at luma ≥ 250. */
  readonly burnt: number;
}

function measureLight(grey: Float32Array): Light {
  const sorted = grey.toSorted();
  const burnt = grey.reduce((count, value) => count + (value >= 250 ? 1 : 0), 0);
  return { highlight: at(sorted, Math.floor((sorted.length - 1) * 0.9)), burnt: burnt / grey.length };
}

function lightReasons({ highlight, burnt }: Light): Reason[] {
  if (highlight < qualityLimits.minimumHighlightLuma) return ['too_dark'];
  return burnt > qualityLimits.maximumBurntRatio ? ['too_bright'] : [];
}

/** Mean square of the 4-neighbour Laplacian over the variance: independent of brightness and contrast. */
function measureSharpness(grey: Float32Array, width: number): number {
  const height = grey.length / width;
  const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
  let energy = 0;
  let variance = 0;
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const index = y * width + x;
      const centre = at(grey, index);
      const around = at(grey, index - 1) + at(grey, index + 1) + at(grey, index - width) + at(grey, index + width);
      energy += (4 * centre - around) ** 2;
      variance += (centre - mean) ** 2;
    }
  }
  return variance > 0 ? energy / variance : 0;
}

/**
 * iBUG indices: right eye 36–41, left eye 42–47, nose tip 30. `turn`: how far the nose is off the middle of the eyes, over
 * the distance between them; above 0 where the person looks to the own left, which is right in the picture.
 */
export function measurePose(landmarks: readonly Point[]): { turn: number; rollDegrees: number } {
  const right = centreOf(landmarks.slice(36, 42));
  const left = centreOf(landmarks.slice(42, 48));
  const nose = landmarks[30] ?? right;
  const across = { x: left.x - right.x, y: left.y - right.y };
  const squared = Math.max(across.x ** 2 + across.y ** 2, 1);
  const along = ((nose.x - right.x) * across.x + (nose.y - right.y) * across.y) / squared;
  return {
    turn: along - 0.5,
    rollDegrees: Math.abs((Math.atan2(across.y, across.x) * 180) / Math.PI),
  };
}
