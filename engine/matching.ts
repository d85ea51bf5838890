import { centreOf, type Point } from './faces.ts';
import type { FaceMatching } from './manifest.ts';
import { type Model, outputOf } from './model.ts';
import { at, clamp, luma, type Patch, type RgbImage, type Similarity, warp } from './pixels.ts';

/** What a face looks like to the model: 512 numbers, compared by the angle between them; `norm` is their length. */
export interface Embedding {
  readonly values: Float32Array;
  readonly norm: number;
  /** The face as the model saw it, turned and scaled onto the template: luma, 0..255, 112 × 112. */
  readonly aligned: Float32Array;
}

/** Where ArcFace's template has the eyes, the tip of the nose and the corners of the mouth, in a face of 112 × 112. */
const template: readonly Point[] = [
  { x: 38.2946, y: 51.6963 },
  { x: 73.5318, y: 51.5014 },
  { x: 56.0252, y: 71.7366 },
  { x: 41.5493, y: 92.3655 },
  { x: 70.7299, y: 92.2041 },
];
const templateSize = 112;

/** The same five points of a face's 68 (iBUG): eyes by their lids, without the corners. */
const templateIndices = [[37, 38, 40, 41], [43, 44, 46, 47], [30], [48, 60], [54, 64]] as const;

/** The face behind 68 landmarks, turned and scaled onto the template. */
export async function embedFace(
  image: RgbImage,
  landmarks: readonly Point[],
  model: Model<FaceMatching['model']>,
): Promise<Embedding> {
  const { input, outputs } = model.contract;
  const similarity = placeOfFace(landmarks, input.width / templateSize);
  const aligned = new Float32Array(input.width * input.height);
  const paint = (patch: Patch) => {
    warp(image, similarity, patch);
    luma(patch, aligned);
  };
  const values = outputOf(await model.run(paint), outputs.embedding);
  return { values, norm: Math.sqrt(dot(values, values)), aligned };
}

/** From the template, so many times its size, to the face behind 68 landmarks. */
export function placeOfFace(landmarks: readonly Point[], scale = 1): Similarity {
  return similarityTo(
    templateIndices.map((indices) => centreOf(indices.map((index) => landmarks[index] ?? origin))),
    scale,
  );
}

/** Least squares (Umeyama): the similarity that takes the template's points to `points`. */
function similarityTo(points: readonly Point[], scale: number): Similarity {
  const from = template.map(({ x, y }) => ({ x: x * scale, y: y * scale }));
  const centre = centreOf(from);
  const target = centreOf(points);
  let a = 0;
  let b = 0;
  let spread = 0;
  for (const [index, { x, y }] of from.entries()) {
    const u = x - centre.x;
    const v = y - centre.y;
    const { x: toX, y: toY } = points[index] ?? origin;
    a += u * (toX - target.x) + v * (toY - target.y);
    b += u * (toY - target.y) - v * (toX - target.x);
    spread += u * u + v * v;
  }
  a /= spread;
  b /= spread;
  return { a, b, x0: target.x - a * centre.x + b * centre.y, y0: target.y - b * centre.x - a * centre.y };
}

const origin: Point = { x: 0, y: 0 };

function dot(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += at(one, index) * at(other, index);
  return sum;
}

/** −1..1, higher is more alike; 0 for an embedding of nothing. */
export function cosineOf(one: Embedding, other: Embedding): number {
  const norms = one.norm * other.norm;
  return norms > 0 ? clamp(dot(one.values, other.values) / norms, -1, 1) : 0;
}

/**
 * The cosine as One Smart Lab's `distance`: 0 and up, smaller is closer, 0.9 at our threshold.
 * It is the Euclidean distance of embeddings of length 1, scaled so that the two thresholds meet.
 */
export function distanceOf(cosine: number, { thresholds }: Pick<FaceMatching, 'thresholds'>): number {
  return (0.9 * Math.sqrt(2 - 2 * cosine)) / Math.sqrt(2 - 2 * thresholds.cosine);
}

/** The cosine as a score 0..1, higher is more alike, 0.5 at the shipped threshold: a logistic curve, so order is kept. */
export function matchScoreOf(cosine: number, { thresholds, scoreSlope }: FaceMatching): number {
  return 1 / (1 + Math.exp(-scoreSlope * (cosine - thresholds.cosine)));
}
