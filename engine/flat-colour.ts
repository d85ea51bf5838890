import { at, luma, type Patch } from './pixels.ts';

/** The part of a face's box that is looked at: forehead to chin and cheek to cheek, without hair and background. */
const middle = { left: 0.12, right: 0.88, top: 0.15, bottom: 0.95 } as const;
/** Luma 0..255: beyond these a camera has one value for everything, so what is burnt or black says nothing. */
const lowestLuma = 16;
const highestLuma = 250;
/** Colours are one within so much of the face's contrast. */
const toleranceRatio = 0.03;

/**
 * 0..1: how much of the face has one colour. Light falls differently on every part of a face, so of a photo it is
 * little, however it was smoothed or compressed; who draws a face fills it. `faceCrop` is the face's box.
 */
export function measureFlatColour(faceCrop: Patch): number {
  const { width, height, values } = faceCrop;
  const plane = width * height;
  const grey = luma(faceCrop);
  const { left, right, top, bottom } = middleOf(faceCrop);
  const sorted = new Float32Array((right - left) * (bottom - top));
  for (let y = top; y < bottom; y += 1)
    sorted.set(grey.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  sorted.sort();
  const quantile = (share: number) => at(sorted, Math.floor((sorted.length - 1) * share));
  const tolerance = Math.max(1, toleranceRatio * (quantile(0.95) - quantile(0.05)));
  const cells = new Int32Array(sorted.length);
  // Cells of twice the tolerance, laid twice: a colour on the border of one is in the middle of another.
  return Math.max(mostInOneCell(0), mostInOneCell(tolerance)) / sorted.length;

  function mostInOneCell(offset: number): number {
    const cellOf = (value: number) => Math.floor((value + offset) / (2 * tolerance));
    let count = 0;
    for (let y = top; y < bottom; y += 1) {
      for (let pixel = y * width + left; pixel < y * width + right; pixel += 1) {
        const brightness = at(grey, pixel);
        if (brightness < lowestLuma || brightness >= highestLuma) continue;
        // One by one: an array for each pixel was most of the garbage of a verification.
        const redAndGreen = cellOf(at(values, pixel)) * 256 + cellOf(at(values, plane + pixel));
        cells[count] = redAndGreen * 256 + cellOf(at(values, 2 * plane + pixel));
        count += 1;
      }
    }
    return longestRun(cells.subarray(0, count).sort());
  }
}

/**
 * The middle slope of brightness over the steep ones (the 95th of 100): a photo of a face slopes everywhere, a drawing,
 * however it is shaded, has lines and is smooth between them. 1 where nothing slopes; what is
 * burnt or black does not count. `faceCrop` is the face's box.
 */
export function measureSlopes(faceCrop: Patch): number {
  const { width } = faceCrop;
  const grey = luma(faceCrop);
  const { left, right, top, bottom } = middleOf(faceCrop);
  const slopes = new Float32Array((right - left - 1) * (bottom - top - 1));
  let count = 0;
  for (let y = top; y < bottom - 1; y += 1) {
    for (let pixel = y * width + left; pixel < y * width + right - 1; pixel += 1) {
      const here = at(grey, pixel);
      if (here < lowestLuma || here >= highestLuma) continue;
      slopes[count] = Math.hypot(at(grey, pixel + 1) - here, at(grey, pixel + width) - here);
      count += 1;
    }
  }
  const sorted = slopes.subarray(0, count).sort();
  const quantile = (share: number) => sorted[Math.floor((count - 1) * share)] ?? 0;
  const steep = quantile(0.95);
  return steep > 0 ? quantile(0.5) / steep : 1;
}

function middleOf({ width, height }: Patch) {
  return {
    left: Math.floor(middle.left * width),
    right: Math.floor(middle.right * width),
    top: Math.floor(middle.top * height),
    bottom: Math.floor(middle.bottom * height),
  };
}

/** How often the most frequent of sorted values is there. */
function longestRun(sorted: Int32Array): number {
  let longest = 0;
  let from = 0;
  for (let index = 0; index < sorted.length; index += 1) {
    if (sorted[index] !== sorted[from]) from = index;
    longest = Math.max(longest, index - from + 1);
  }
  return longest;
}
