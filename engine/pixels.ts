import type { PixelInput } from './manifest.ts';

/** Upright 8-bit sRGB: `pixels` is width × height × 3 bytes, row by row, R G B interleaved. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** The longer side of what the models see. Scores on the development data are the same at 960, 1280 and 4000 px. */
export const workingSizePx = 1280;

/** A capture as the engine sees it: upright, sRGB, inside its working size, decoded once. */
export interface DecodedCapture {
  readonly image: RgbImage;
  /** The capture's own size, upright: faces are judged in its pixels, not in those of `image`. */
  readonly widthPx: number;
  readonly heightPx: number;
}

/** A part of an image at the size a model takes: `values` is [3, height, width], R G B planes, 0..255. */
export interface Patch {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Black. */
export function newPatch(width: number, height: number): Patch {
  return { width, height, values: new Float32Array(3 * width * height) };
}

/** A rectangle in pixels of an image, fractions allowed; it may reach beyond the image. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Patch to image: x = a·u − b·v + x0, y = b·u + a·v + y0, both measured from the centre of the first pixel. */
export interface Similarity {
  readonly a: number;
  readonly b: number;
  readonly x0: number;
  readonly y0: number;
}

/** Samples per axis and pixel of a patch: all that a face is made of, unless it fills a large picture. */
const maximumSamples = 4;

/**
 * `box` of the image, painted at width × height into the top left corner of a black patch.
 * What lies beyond the image repeats its edge. A pixel of the patch is the mean of up to `samples` × `samples` pixels
 * of the image, or, where it is enlarged, interpolated. libvips does the same more finely, but copies the whole image
 * first: for the models' small patches that costs more than the models (`engine/notes/pixels.md`).
 */
export function crop(
  image: RgbImage,
  box: Box,
  patch: Patch,
  { width = patch.width, height = patch.height, samples = maximumSamples } = {},
): Patch {
  const paint = box.width > 1.5 * width || box.height > 1.5 * height ? averageBox : interpolateBox;
  paint(image, box, width, height, patch, samples);
  return patch;
}

function averageBox(
  image: RgbImage,
  box: Box,
  width: number,
  height: number,
  { width: stride, values }: Patch,
  samples: number,
): void {
  const plane = values.length / 3;
  const across = clamp(Math.ceil(box.width / width), 1, samples);
  const down = clamp(Math.ceil(box.height / height), 1, samples);
  const columns = positions(box.x, box.width, width * across, image.width, 3);
  const rows = positions(box.y, box.height, height * down, image.height, 3 * image.width);
  const share = 1 / (across * down);
  const { pixels } = image;
  for (let v = 0; v < height; v += 1) {
    const firstRow = v * down;
    let target = v * stride;
    for (let u = 0, first = 0; u < width; u += 1, first += across, target += 1) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let row = firstRow; row < firstRow + down; row += 1) {
        const line = rows[row] as number;
        for (let column = first; column < first + across; column += 1) {
          const from = line + (columns[column] as number);
          red += pixels[from] as number;
          green += pixels[from + 1] as number;
          blue += pixels[from + 2] as number;
        }
      }
      values[target] = red * share;
      values[plane + target] = green * share;
      values[2 * plane + target] = blue * share;
    }
  }
}

/** Byte offsets of `count` evenly spaced samples along one axis, kept inside the image. */
function positions(from: number, length: number, count: number, limit: number, step: number): Int32Array {
  const offsets = new Int32Array(count);
  for (let index = 0; index < count; index += 1) {
    offsets[index] = step * clamp(Math.floor(from + ((index + 0.5) * length) / count), 0, limit - 1);
  }
  return offsets;
}

function interpolateBox(
  image: RgbImage,
  box: Box,
  width: number,
  height: number,
  { width: stride, values }: Patch,
): void {
  const plane = values.length / 3;
  for (let v = 0; v < height; v += 1) {
    const y = box.y + ((v + 0.5) * box.height) / height - 0.5;
    for (let u = 0; u < width; u += 1) {
      interpolate(image, box.x + ((u + 0.5) * box.width) / width - 0.5, y, 1, v * stride + u, plane, values);
    }
  }
}

/** The image seen through `similarity`, painted over a black patch; what lies beyond the image is its edge, repeated. */
export function warp(image: RgbImage, { a, b, x0, y0 }: Similarity, { width, height, values }: Patch): void {
  const plane = width * height;
  // Interpolation blends two pixels a side by itself, so half as many samples cover what is shrunk.
  const samples = clamp(Math.ceil(Math.hypot(a, b) / 2), 1, maximumSamples);
  const share = 1 / (samples * samples);
  for (let v = 0; v < height; v += 1) {
    for (let u = 0; u < width; u += 1) {
      for (let row = 0; row < samples; row += 1) {
        const down = v + (row + 0.5) / samples - 0.5;
        for (let column = 0; column < samples; column += 1) {
          const right = u + (column + 0.5) / samples - 0.5;
          interpolate(image, a * right - b * down + x0, b * right + a * down + y0, share, v * width + u, plane, values);
        }
      }
    }
  }
}

/** Adds `share` of the bilinear value at (x, y), measured from the centre of the first pixel. */
function interpolate(
  { pixels, width, height }: RgbImage,
  x: number,
  y: number,
  share: number,
  target: number,
  plane: number,
  values: Float32Array,
): void {
  const insideX = x < 0 ? 0 : x > width - 1 ? width - 1 : x;
  const insideY = y < 0 ? 0 : y > height - 1 ? height - 1 : y;
  const left = Math.floor(insideX);
  const top = Math.floor(insideY);
  const right = insideX - left;
  const bottom = insideY - top;
  const first = (top * width + left) * 3;
  const next = left + 1 < width ? 3 : 0;
  const below = top + 1 < height ? width * 3 : 0;
  const nw = share * (1 - right) * (1 - bottom);
  const ne = share * right * (1 - bottom);
  const sw = share * (1 - right) * bottom;
  const se = share * right * bottom;
  for (let channel = 0, index = target, from = first; channel < 3; channel += 1, index += plane, from += 1) {
    values[index] =
      (values[index] as number) +
      nw * (pixels[from] as number) +
      ne * (pixels[from + next] as number) +
      sw * (pixels[from + below] as number) +
      se * (pixels[from + below + next] as number);
  }
}

/** The picture turned clockwise by a quarter, a half or three quarters. */
export function turn(image: RgbImage, degrees: 0 | 90 | 180 | 270): RgbImage {
  if (degrees === 0) return image;
  const { width, height, pixels } = image;
  const sideways = degrees !== 180;
  const turned = new Uint8Array(pixels.length);
  const across = sideways ? height : width;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const column = degrees === 90 ? height - 1 - y : degrees === 180 ? width - 1 - x : y;
      const row = degrees === 90 ? x : degrees === 180 ? height - 1 - y : width - 1 - x;
      const from = (y * width + x) * 3;
      const to = (row * across + column) * 3;
      turned[to] = pixels[from] as number;
      turned[to + 1] = pixels[from + 1] as number;
      turned[to + 2] = pixels[from + 2] as number;
    }
  }
  return { width: across, height: sideways ? width : height, pixels: turned };
}

/**
 * Median of 3 × 3, then a Gaussian blur of σ 1 pixel, of every plane, in place: noise goes, edges mostly stay.
 * Beyond the patch its edge repeats.
 */
export function smooth(patch: Patch): Patch {
  const { width, height } = patch;
  for (const plane of planesOf(patch)) {
    takeMedians(plane, width, height);
    blurLines(plane, height, width, width, 1);
    blurLines(plane, width, height, 1, width);
  }
  return patch;
}

/** Of nine pixels sorted by columns: the median of the highest low, the middle middle and the lowest high. */
function takeMedians(plane: Float32Array, width: number, height: number): void {
  const original = plane.slice();
  const lows = new Float32Array(width + 2);
  const middles = new Float32Array(width + 2);
  const highs = new Float32Array(width + 2);
  const columns = [lows, middles, highs];
  for (let y = 0; y < height; y += 1) {
    const row = y * width;
    const above = y > 0 ? row - width : row;
    const below = y + 1 < height ? row + width : row;
    for (let x = 0; x < width; x += 1) {
      const a = original[above + x] as number;
      const b = original[row + x] as number;
      const c = original[below + x] as number;
      const low = a < b ? a : b;
      const high = a < b ? b : a;
      lows[x + 1] = low < c ? low : c;
      middles[x + 1] = middleOf(a, b, c);
      highs[x + 1] = high > c ? high : c;
    }
    for (const column of columns) {
      column[0] = column[1] as number;
      column[width + 1] = column[width] as number;
    }
    for (let x = 0; x < width; x += 1) {
      const low = Math.max(lows[x] as number, lows[x + 1] as number, lows[x + 2] as number);
      const high = Math.min(highs[x] as number, highs[x + 1] as number, highs[x + 2] as number);
      const middle = middleOf(middles[x] as number, middles[x + 1] as number, middles[x + 2] as number);
      plane[row + x] = middleOf(low, middle, high);
    }
  }
}

function middleOf(a: number, b: number, c: number): number {
  if (a < b) return b < c ? b : a < c ? c : a;
  return a < c ? a : b < c ? c : b;
}

/** Binomial weights 1 4 6 4 1, whose σ is 1, along `count` lines of `length` values that are `step` apart. */
function blurLines(plane: Float32Array, count: number, length: number, lineStep: number, step: number): void {
  const line = new Float32Array(length + 4);
  for (let index = 0; index < count; index += 1) {
    const start = index * lineStep;
    for (let at = 0; at < length; at += 1) line[at + 2] = plane[start + at * step] as number;
    line[0] = line[1] = line[2] as number;
    line[length + 2] = line[length + 3] = line[length + 1] as number;
    for (let at = 0; at < length; at += 1) {
      const outer = (line[at] as number) + (line[at + 4] as number);
      const inner = (line[at + 1] as number) + (line[at + 3] as number);
      plane[start + at * step] = (outer + 4 * inner + 6 * (line[at + 2] as number)) / 16;
    }
  }
}

/** Every channel as bright on the whole as the luma is, in place: a cast of colour goes, what varies stays. */
export function balanceColours(patch: Patch): Patch {
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const wanted = mean(luma(patch));
  for (const plane of planesOf(patch)) {
    const gain = wanted / Math.max(mean(plane), 1);
    for (let pixel = 0; pixel < plane.length; pixel += 1) plane[pixel] = Math.min((plane[pixel] as number) * gain, 255);
  }
  return patch;
}

/** How far colours run, twice. */
const smearRadius = 3;

/** Colours run into one another, the luma stays, in place: two means of 7 × 7 pixels. Beyond the patch its edge repeats. */
export function smearColours(patch: Patch): Patch {
  const { width, height } = patch;
  const grey = luma(patch);
  const [red, green, blue] = planesOf(patch);
  const smeared = (plane: Float32Array) => {
    const differences = plane.map((value, pixel) => value - at(grey, pixel));
    return meanOfSquares(meanOfSquares(differences, width, height, smearRadius), width, height, smearRadius);
  };
  const [redder, bluer] = [smeared(red), smeared(blue)];
  for (let pixel = 0; pixel < grey.length; pixel += 1) {
    const brightness = at(grey, pixel);
    const greener = -(0.299 * at(redder, pixel) + 0.114 * at(bluer, pixel)) / 0.587;
    red[pixel] = clamp(brightness + at(redder, pixel), 0, 255);
    green[pixel] = clamp(brightness + greener, 0, 255);
    blue[pixel] = clamp(brightness + at(bluer, pixel), 0, 255);
  }
  return patch;
}

/** The mean of a square of 2 · radius + 1; what lies beyond the edge is the edge, repeated. */
export const meanOfSquares = (values: Float32Array, width: number, height: number, radius: number): Float32Array =>
  meanAlong(meanAlong(values, height, width, radius, 1, width), width, height, radius, width, 1);

/** `lines` of `length` pixels that are `step` apart; each line begins `nextLine` after the one before. */
function meanAlong(
  from: Float32Array,
  lines: number,
  length: number,
  radius: number,
  step: number,
  nextLine: number,
): Float32Array {
  const to = new Float32Array(from.length);
  const width = 2 * radius + 1;
  for (let first = 0, line = 0; line < lines; first += nextLine, line += 1) {
    let sum = 0;
    for (let near = -radius; near <= radius; near += 1) sum += at(from, first + clamp(near, 0, length - 1) * step);
    for (let index = 0; index < length; index += 1) {
      to[first + index * step] = sum / width;
      const enters = Math.min(index + radius + 1, length - 1);
      const leaves = Math.max(index - radius, 0);
      sum += at(from, first + enters * step) - at(from, first + leaves * step);
    }
  }
  return to;
}

function planesOf({ values }: Patch): [Float32Array, Float32Array, Float32Array] {
  const plane = values.length / 3;
  return [values.subarray(0, plane), values.subarray(plane, 2 * plane), values.subarray(2 * plane)];
}

/** Luma (BT.601), 0..255, one value per pixel. */
export function luma({ width, height, values }: Patch, into?: Float32Array): Float32Array {
  const plane = width * height;
  const grey = into ?? new Float32Array(plane);
  for (let pixel = 0; pixel < plane; pixel += 1) {
    const red = values[pixel] as number;
    const green = values[plane + pixel] as number;
    grey[pixel] = 0.299 * red + 0.587 * green + 0.114 * (values[2 * plane + pixel] as number);
  }
  return grey;
}

/**
 * A patch of the input's own size as the model wants it: [channels, height, width]. It takes the patch's place, whose
 * memory it is: a new one for every picture costs as much as painting it.
 */
export function toTensor(patch: Patch, { channels, mean, scale }: PixelInput): Float32Array {
  const { values } = patch;
  const plane = values.length / 3;
  const tensor = channels === 'grey' ? luma(patch, values.subarray(0, plane)) : values;
  if (channels === 'bgr') swapPlanes(values.subarray(0, plane), values.subarray(2 * plane));
  if (mean !== 0 || scale !== 1) normalise(tensor, mean, 1 / scale);
  return tensor;
}

function swapPlanes(one: Float32Array, other: Float32Array): void {
  for (let index = 0; index < one.length; index += 1) {
    const value = one[index] as number;
    one[index] = other[index] as number;
    other[index] = value;
  }
}

function normalise(values: Float32Array, mean: number, factor: number): void {
  for (let index = 0; index < values.length; index += 1) values[index] = ((values[index] as number) - mean) * factor;
}

export const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

/** An element that is known to exist: typed arrays have no holes, the compiler cannot know the index. */
export const at = (values: Float32Array | Float64Array | Uint8Array, index: number): number => values[index] as number;
