import type { Face } from './faces.ts';
import { at, type Box, crop, newPatch, type Patch, type RgbImage } from './pixels.ts';

/** What lies around a face in a picture: a printed photo has a frame, a document has lines of print. */
export interface Surroundings {
  /** 0..255: how much straight edges stand out around the face, on the lower side and on two of the three others. */
  readonly frameContrast: number;
  /** Lines of print beside, above and below the face; one is counted again about every third of a face's width. */
  readonly printedLines: number;
}

/** Steps of brightness at which the face is so many pixels wide are what a print and a photo differ in. */
const widthForEdgesPx = 40;
const widthForPrintPx = 64;

/** `face` in pixels of `image`, which stands upright. */
export function measureSurroundings(image: RgbImage, face: Face): Surroundings {
  return { frameContrast: measureFrame(image, face), printedLines: countPrintedLines(image, face) };
}

/** One value per pixel, row by row. */
interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Places of the face in pixels of a patch. */
interface Part {
  readonly patch: Patch;
  readonly face: Box;
}

/** The part of the image at `scale`; what lies beyond the image repeats its edge, so no edge is seen there. */
function partOf(image: RgbImage, face: Box, scale: number, part: Box): Part {
  const patch = newPatch(Math.round(part.width * scale), Math.round(part.height * scale));
  return {
    patch: crop(image, part, patch),
    face: {
      x: (face.x - part.x) * scale,
      y: (face.y - part.y) * scale,
      width: face.width * scale,
      height: face.height * scale,
    },
  };
}

/** A printed photo ends within a face's size of the face; its edges are as long as the face at least. */
function measureFrame(image: RgbImage, inImage: Face): number {
  const { x, y, width, height } = inImage;
  const reach = 1.35;
  const around = {
    x: x - reach * width,
    y: y - reach * height,
    width: (1 + 2 * reach) * width,
    height: (1 + 2 * reach) * height,
  };
  const { patch, face } = partOf(image, inImage, widthForEdgesPx / width, around);
  const soft = softened(patch);
  const upright = differences(soft, 1, 0);
  const level = transposed(differences(soft, 0, 1));
  const rows = { from: face.y - 0.1 * face.height, to: face.y + 1.1 * face.height };
  const columns = { from: face.x - 0.1 * face.width, to: face.x + 1.1 * face.width };
  const [right, below] = [face.x + face.width, face.y + face.height];
  const sides = [
    straightEdge(upright, { from: face.x - face.width, to: face.x - 0.05 * face.width }, rows),
    straightEdge(upright, { from: right + 0.05 * face.width, to: right + face.width }, rows),
    straightEdge(level, { from: face.y - face.height, to: face.y - 0.05 * face.height }, columns),
  ].toSorted((a, b) => a - b);
  const lower = straightEdge(level, { from: below + 0.08 * face.height, to: below + face.height }, columns);
  return Math.min(lower, sides[1] ?? 0);
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Cards are held a little askew. */
const slopes = [-9, -6, -3, 0, 3, 6, 9].map((degrees) => Math.tan((degrees * Math.PI) / 180));
/** Of the differences along a line, the one that a quarter is below: one gap in an edge does not break it. */
const quantile = 0.25;

/**
 * The straightest edge that runs down the plane: how much it stands out from the lines four to six pixels beside it, so
 * that a texture, which is strong everywhere, is none.
 */
function straightEdge(differences: Plane, across: Range, along: Range): number {
  const strong = widened(differences);
  const first = Math.floor(across.from);
  const count = Math.floor(across.to) - first + 1;
  const margin = 6;
  let best = 0;
  for (const slope of slopes) {
    const strengths = Array.from({ length: count + 2 * margin }, (_, index) =>
      strengthOf(strong, first + index - margin, slope, along),
    );
    for (let index = margin; index < count + margin; index += 1) {
      const before = Math.min(...strengths.slice(index - margin, index - margin + 3));
      const behind = Math.min(...strengths.slice(index + margin - 2, index + margin + 1));
      best = Math.max(best, (strengths[index] ?? 0) - Math.max(before, behind));
    }
  }
  return best;
}

function strengthOf({ width, height, values }: Plane, column: number, slope: number, { from, to }: Range): number {
  const middle = (from + to) / 2;
  const found = new Float32Array(Math.max(0, Math.floor(to) - Math.floor(from)));
  for (let index = 0; index < found.length; index += 1) {
    const row = Math.floor(from) + index;
    const x = column + Math.round((row - middle) * slope);
    if (x >= 0 && x < width && row >= 0 && row < height) found[index] = at(values, row * width + x);
  }
  return found.sort()[Math.floor(quantile * (found.length - 1))] ?? 0;
}

/** Each value becomes the highest of it and its neighbours to the left and right: an edge is seldom straight to the pixel. */
function widened({ width, height, values }: Plane): Plane {
  const wide = values.map((value, index) => {
    const column = index % width;
    const left = column > 0 ? at(values, index - 1) : 0;
    const right = column < width - 1 ? at(values, index + 1) : 0;
    return Math.max(value, left, right);
  });
  return { width, height, values: wide };
}

/** Between the pixels on both sides, in the channel that changes most; 0 at the rim. */
function differences({ width, height, values }: Patch, right: 0 | 1, down: 0 | 1): Plane {
  const step = right + down * width;
  const plane = width * height;
  const changes = new Float32Array(plane);
  for (let y = down; y < height - down; y += 1) {
    for (let x = right; x < width - right; x += 1) {
      const index = y * width + x;
      let most = 0;
      for (let channel = 0; channel < 3; channel += 1) {
        const here = channel * plane + index;
        most = Math.max(most, Math.abs(at(values, here + step) - at(values, here - step)));
      }
      changes[index] = most;
    }
  }
  return { width, height, values: changes };
}

/** Weights 1 2 1 both ways: noise and JPEG blocks make no edges. */
function softened({ width, height, values }: Patch): Patch {
  const along = (from: Float32Array, step: number, count: number, place: (index: number) => number) =>
    from.map((value, index) => {
      const position = place(index);
      const before = position > 0 ? at(from, index - step) : value;
      const behind = position < count - 1 ? at(from, index + step) : value;
      return (before + 2 * value + behind) / 4;
    });
  const rows = along(values, 1, width, (index) => index % width);
  return { width, height, values: along(rows, width, height, (index) => Math.floor(index / width) % height) };
}

function transposed({ width, height, values }: Plane): Plane {
  const turned = values.map((_, index) => at(values, (index % height) * width + Math.floor(index / height)));
  return { width: height, height: width, values: turned };
}

/** What a line of print is, in widths of the face: print is about a tenth as high as a face is wide. */
const print = {
  windowWidth: 0.6,
  minimumHeight: 0.03,
  maximumHeight: 0.3,
  /** Above and below a line there is as good as nothing, this near. */
  gap: 0.12,
  quietRatio: 0.33,
  /** Mean difference of neighbouring pixels along a row of print, 0..255. */
  minimumContrast: 14,
} as const;

/** Rows of pixels that change much from left to right, thin ones, between rows that do not. */
function countPrintedLines(image: RgbImage, inImage: Face): number {
  const { x, y, width, height } = inImage;
  const left = Math.max(0, x - 4 * width);
  const top = Math.max(0, y - 2 * height);
  const part = {
    x: left,
    y: top,
    width: Math.min(image.width, x + 5 * width) - left,
    height: Math.min(image.height, y + 4 * height) - top,
  };
  const { patch, face } = partOf(image, inImage, widthForPrintPx / width, part);
  const changes = differences(patch, 1, 0);
  const windowPx = Math.round(print.windowWidth * face.width);
  let lines = 0;
  const step = Math.round(windowPx / 2);
  const last = Math.max(0, patch.width - windowPx);
  for (let index = 0; index * step < last + step; index += 1) {
    const from = Math.min(index * step, last);
    const holdsFace = from + windowPx > face.x - 0.35 * face.width && from < face.x + 1.35 * face.width;
    const isFace = (row: number) => holdsFace && row > face.y - 0.5 * face.height && row < face.y + 1.5 * face.height;
    lines += linesIn(meansOfRows(changes, from, windowPx), face.width).filter((row) => !isFace(row)).length;
  }
  return lines;
}

function meansOfRows({ width, height, values }: Plane, from: number, count: number): Float32Array {
  const means = new Float32Array(height);
  for (let row = 0; row < height; row += 1) {
    let sum = 0;
    for (let column = from; column < Math.min(width, from + count); column += 1)
      sum += at(values, row * width + column);
    means[row] = sum / count;
  }
  return means;
}

/** The middle rows of the lines. */
function linesIn(means: Float32Array, faceWidth: number): number[] {
  const gap = Math.floor(print.gap * faceWidth);
  const found: number[] = [];
  for (let row = 0; row < means.length; row += 1) {
    if (at(means, row) < print.minimumContrast) continue;
    const from = row;
    while (row < means.length && at(means, row) >= print.minimumContrast) row += 1;
    const height = row - from;
    const quiet = print.quietRatio * Math.max(...means.subarray(from, row));
    const above = means.subarray(Math.max(0, from - gap), from);
    const below = means.subarray(row, row + gap);
    const stands = [above, below].every((rows) => rows.length > 0 && Math.min(...rows) <= quiet);
    const isThin = height >= print.minimumHeight * faceWidth && height <= print.maximumHeight * faceWidth;
    if (stands && isThin) found.push((from + row) / 2);
  }
  return found;
}
