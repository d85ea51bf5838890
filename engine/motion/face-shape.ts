/**
 * A face laid flat: a patch in which the eyes, the nose and the mouth lie where ArcFace's template has them. Which part
 * of it is what, and how far it stands out. In the template's pixels, of which there are 112 a side.
 */

import type { Similarity } from '../pixels.ts';
import type { Homography } from './homography.ts';

/** Pixels of the patch a side. */
export const patchSize = 128;
const templateSize = 112;
/** Pixels of the patch that a face is wide, as the detector boxes it. */
export const faceSize = 0.8 * patchSize;

/** From the patch, −1..1 across and down, to where the template lies. */
export function fromTemplate({ a, b, x0, y0 }: Similarity): Homography {
  const half = templateSize / 2;
  return [half * a, -half * b, x0 + half * (a - b), half * b, half * a, y0 + half * (a + b), 0, 0, 1];
}

/** One number per pixel of the patch. */
export type Field = Float32Array;

function field(valueAt: (x: number, y: number) => number): Field {
  const values = new Float32Array(patchSize * patchSize);
  for (let index = 0; index < values.length; index += 1) {
    const [u, v] = [index % patchSize, Math.floor(index / patchSize)];
    values[index] = valueAt(((u + 0.5) * templateSize) / patchSize, ((v + 0.5) * templateSize) / patchSize);
  }
  return values;
}

/** Less than 1 inside the ellipse. */
const outwards = (x: number, y: number, middleX: number, middleY: number, wide: number, high: number): number =>
  ((x - middleX) / wide) ** 2 + ((y - middleY) / high) ** 2;

const toEye = (x: number, y: number, wide: number, high: number): number =>
  Math.min(outwards(x, y, 38.3, 51.7, wide, high), outwards(x, y, 73.5, 51.5, wide, high));

function indicesWhere(isInside: (x: number, y: number) => boolean): readonly number[] {
  const inside = field((x, y) => (isInside(x, y) ? 1 : 0));
  return Array.from(inside.keys()).filter((index) => inside[index] === 1);
}

/** What moves with the skull: neither lids nor mouth and jaw. */
export const skull = indicesWhere(
  (x, y) => outwards(x, y, 56, 62, 42, 54) < 1 && y > 12 && y < 82 && toEye(x, y, 13, 8.5) > 1,
);
export const eyes = indicesWhere((x, y) => toEye(x, y, 10, 5.5) < 1);
export const mouth = indicesWhere((x, y) => outwards(x, y, 56, 93, 19, 12) < 1);

/** How far the face stands out, 0..2 from its rim to its middle, as an ellipsoid does. */
const roundness = field((x, y) => 2 * Math.sqrt(Math.max(0.05, 1 - outwards(x, y, 56, 62, 50, 66))));
/** How far the nose does, 0..1 up to its tip. */
const nose = field((x, y) => {
  const down = Math.min(1, Math.max(0, (y - 46) / 26));
  if (y > 72.5) return Math.exp(-outwards(x, y, 56, 72.5, 9, 4.5) / 2);
  return down * Math.exp(-(((x - 56) / (5 + 4 * down)) ** 2) / 2);
});

/** What a face is before a plane. */
export const depths = [roundness, nose] as const;
