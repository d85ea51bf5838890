import { at, clamp, meanOfSquares } from './pixels.ts';

/**
 * From this correlation on, two faces are one photo: one photo twice reached 0.994 in 99 of 100 cases, two photos of
 * one person 0.91 at the most (figures in `engine/notes/matching.md`).
 */
export const samePhotoCorrelation = 0.95;

/** What one photo of a face has and another one of the same person has not: edges and folds, without light and shadow. */
interface Detail {
  readonly size: number;
  readonly values: Float32Array;
}

/**
 * How one face lies over the other: shifted right and down in pixels of the detail, turned (radians) and scaled about its
 * middle.
 */
type Placement = readonly number[];

const inPlace: Placement = [0, 0, 0, 1];
/** Landmarks of one photo twice are apart by less; each round of the search halves the steps. */
const firstSteps: Placement = [1.5, 1.5, 0.06, 0.06];
const rounds = 4;
const turnsPerRound = 6;
/** Two faces that are less alike than this where their landmarks meet are no one photo: searching would change nothing. */
const worthASearch = 0.3;

/**
 * −1..1: how far two faces, as `embedFace` aligned them, are one photo, mirrored or not. What is compared is neither
 * brightness nor colour nor the finest detail, so that dimming, compression and blur change little.
 */
export function photoCorrelationOf(one: Float32Array, other: Float32Array): number {
  const fixed = detailOf(one);
  const asItIs = detailOf(other);
  const candidates = [asItIs, mirrored(asItIs)].map((detail) => ({
    detail,
    found: correlation(fixed, detail, inPlace),
  }));
  const [best] = candidates.toSorted((a, b) => b.found - a.found);
  if (!best || best.found < worthASearch) return best?.found ?? 0;
  return search(fixed, best.detail, best.found);
}

/** Step by step uphill from where the landmarks meet. */
function search(fixed: Detail, moved: Detail, inPlaceCorrelation: number): number {
  let placement = inPlace;
  let highest = inPlaceCorrelation;
  let steps = firstSteps;
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0, climbs = true; climbs && turn < turnsPerRound; turn += 1) {
      climbs = false;
      for (const [axis, step] of steps.entries()) {
        for (const by of [-step, step]) {
          const tried = placement.with(axis, (placement[axis] ?? 0) + by);
          const found = correlation(fixed, moved, tried);
          if (found <= highest) continue;
          [placement, highest, climbs] = [tried, found, true];
        }
      }
    }
    steps = steps.map((step) => step / 2);
  }
  return highest;
}

/** The face at half its size, a band of its frequencies. */
function detailOf(face: Float32Array): Detail {
  const whole = Math.sqrt(face.length);
  const size = Math.floor(whole / 2);
  const values = new Float32Array(size * size);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const first = 2 * y * whole + 2 * x;
      values[y * size + x] =
        (at(face, first) + at(face, first + 1) + at(face, first + whole) + at(face, first + whole + 1)) / 4;
    }
  }
  const blurred = (radius: number) => meanOfSquares(meanOfSquares(values, size, size, radius), size, size, radius);
  const smooth = blurred(1);
  const shadow = blurred(4);
  return { size, values: smooth.map((value, index) => value - at(shadow, index)) };
}

function mirrored({ size, values }: Detail): Detail {
  return { size, values: values.map((_, index) => at(values, index - (index % size) + size - 1 - (index % size))) };
}

/** The face without its rim, which the background reaches; every other pixel of every other row is enough. */
const rim = 8;
const stride = 2;

function correlation(fixed: Detail, moved: Detail, [shiftX = 0, shiftY = 0, turn = 0, scale = 1]: Placement): number {
  const { size } = fixed;
  const middle = (size - 1) / 2;
  const cosine = Math.cos(turn) * scale;
  const sine = Math.sin(turn) * scale;
  let count = 0;
  let sumA = 0;
  let sumB = 0;
  let squaresA = 0;
  let squaresB = 0;
  let products = 0;
  for (let y = rim; y < size - rim; y += stride) {
    for (let x = rim; x < size - rim; x += stride) {
      const a = at(fixed.values, y * size + x);
      const b = valueAt(
        moved,
        cosine * (x - middle) - sine * (y - middle) + middle + shiftX,
        sine * (x - middle) + cosine * (y - middle) + middle + shiftY,
      );
      count += 1;
      sumA += a;
      sumB += b;
      squaresA += a * a;
      squaresB += b * b;
      products += a * b;
    }
  }
  const spread = (squaresA - (sumA * sumA) / count) * (squaresB - (sumB * sumB) / count);
  return spread > 0 ? (products - (sumA * sumB) / count) / Math.sqrt(spread) : 0;
}

/** Interpolated between four pixels. */
function valueAt({ size, values }: Detail, x: number, y: number): number {
  const insideX = clamp(x, 0, size - 1.001);
  const insideY = clamp(y, 0, size - 1.001);
  const left = Math.floor(insideX);
  const top = Math.floor(insideY);
  const right = insideX - left;
  const down = insideY - top;
  const from = top * size + left;
  const above = at(values, from) * (1 - right) + at(values, from + 1) * right;
  const below = at(values, from + size) * (1 - right) + at(values, from + size + 1) * right;
  return above * (1 - down) + below * down;
}
