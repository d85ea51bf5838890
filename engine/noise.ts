import { at, type Box, type Patch, type RgbImage } from './pixels.ts';

/** Places of the face that are looked at, per side. */
const placesPerSide = 32;

/**
 * Sizes of grain in pixels: noise is of single pixels, or coarser where a picture was enlarged, smoothed or compressed.
 * Lashes and beards are as coarse in luma as noise of 3 pixels, and in colour nothing of a face is.
 */
const grains = { luma: [1, 2], colour: [1, 2, 3] } as const;

/**
 * Noise of a face, 0..255: the σ of independent noise per pixel that would leave as much, in luma or between the
 * colours, at the grain that shows most of it.
 */
export function measureNoise(image: RgbImage, face: Box): number {
  const found = grains.colour.map((grain) => noiseOf(image, face, grain));
  const luma = grains.luma.map((grain) => found[grain - 1]?.luma ?? 0);
  return Math.max(...luma, ...found.map(({ colour }) => colour));
}

/** Takes out what is flat, sloped or an edge along rows or columns (Immerkær, Fast Noise Variance Estimation, 1996). */
const weights = [1, -2, 1, -2, 4, -2, 1, -2, 1] as const;
/** The root of the sum of the weights' squares. */
const weightsNorm = 6;
/** The median of |x| where x is normal with σ 1. */
const medianOfNormal = 0.6745;

/** The median over many places: an edge is at few of them, noise at all. */
function noiseOf(image: RgbImage, face: Box, grain: number): { luma: number; colour: number } {
  const left = Math.max(0, Math.ceil(face.x));
  const top = Math.max(0, Math.ceil(face.y));
  const across = Math.min(image.width, Math.floor(face.x + face.width)) - left - 3 * grain;
  const down = Math.min(image.height, Math.floor(face.y + face.height)) - top - 3 * grain;
  if (across < 1 || down < 1) return { luma: 0, colour: 0 };
  const places = placesPerSide ** 2;
  const luma = new Float32Array(places);
  const redGreen = new Float32Array(places);
  const blueGreen = new Float32Array(places);
  for (let place = 0; place < places; place += 1) {
    const x = left + Math.floor(((place % placesPerSide) * across) / placesPerSide);
    const y = top + Math.floor((Math.floor(place / placesPerSide) * down) / placesPerSide);
    const [red, green, blue] = residualAt(image, x, y, grain);
    luma[place] = Math.abs(0.299 * red + 0.587 * green + 0.114 * blue);
    redGreen[place] = Math.abs(red - green);
    blueGreen[place] = Math.abs(blue - green);
  }
  const deviation = (values: Float32Array) =>
    at(values.sort(), values.length >> 1) / (medianOfNormal * weightsNorm * grain);
  // The difference of two channels has √2 the noise of one.
  return { luma: deviation(luma), colour: Math.max(deviation(redGreen), deviation(blueGreen)) / Math.SQRT2 };
}

/** The weighted sum of 3 × 3 cells from (x, y) on, per channel; a cell is the sum of its grain × grain pixels. */
function residualAt({ pixels, width }: RgbImage, x: number, y: number, grain: number): [number, number, number] {
  let red = 0;
  let green = 0;
  let blue = 0;
  for (let row = 0; row < 3 * grain; row += 1) {
    const firstWeight = 3 * Math.floor(row / grain);
    let from = 3 * ((y + row) * width + x);
    for (let cell = 0; cell < 3; cell += 1) {
      const weight = weights[firstWeight + cell] as number;
      for (let column = 0; column < grain; column += 1, from += 3) {
        red += weight * (pixels[from] as number);
        green += weight * (pixels[from + 1] as number);
        blue += weight * (pixels[from + 2] as number);
      }
    }
  }
  return [red, green, blue];
}

/** Share of the columns, and of the rows, that may have a line: spectacles have a few. */
const linedShare = 0.2;
/** Pixels of each line that are looked at. */
const samplesPerLine = 64;
/** Pixels from a line to those it is compared with: JPEG makes a line of colour two pixels wide. */
const lineDistance = 2;

/**
 * Lines of colour through all of a face, along its columns or rows, 0..255: how far a fifth of them are, on the whole, from
 * those on both sides. No face has any; the mean over a line takes out what is not along it.
 */
export function measureLines({ pixels, width, height }: RgbImage, face: Box): number {
  const left = Math.max(lineDistance, Math.ceil(face.x));
  const top = Math.max(lineDistance, Math.ceil(face.y));
  const across = Math.min(width - lineDistance, Math.floor(face.x + face.width)) - left;
  const down = Math.min(height - lineDistance, Math.floor(face.y + face.height)) - top;
  const [column, row] = [3, 3 * width];
  const first = left * column + top * row;
  return Math.max(linesOf(across, column, down, row), linesOf(down, row, across, column));

  /** `count` lines that are `step` bytes apart, of `length` pixels that are `stride` bytes apart. */
  function linesOf(count: number, step: number, length: number, stride: number): number {
    const skip = Math.max(1, Math.floor(length / samplesPerLine));
    const beside = lineDistance * step;
    const deviations = Float32Array.from({ length: Math.max(count, 0) }, (_, line) => {
      let redder = 0;
      let bluer = 0;
      for (let place = 0; place < length; place += skip) {
        const here = first + line * step + place * stride;
        const deviation = (channel: number) =>
          2 * (pixels[here + channel] as number) -
          (pixels[here + channel - beside] as number) -
          (pixels[here + channel + beside] as number);
        const green = deviation(1);
        redder += deviation(0) - green;
        bluer += deviation(2) - green;
      }
      return Math.max(Math.abs(redder), Math.abs(bluer)) / Math.ceil(length / skip);
    });
    return deviations.sort()[Math.ceil((1 - linedShare) * deviations.length) - 1] ?? 0;
  }
}

/** Of the face's box, without what surrounds the face. */
const middle = { from: 0.15, to: 0.85 } as const;
const blotchesPerSide = 10;
/** Cells of the face's box at 64 × 64: of a face of 160 pixels, 7 to 12. */
const blotchGrains = [3, 4, 5] as const;

/**
 * Blotches of colour on a face, 0..255: how far the mean colour of a cell is from those around it, as `measureNoise` has it,
 * at the grain that shows most of it. Skin changes its brightness from cell to cell, and its colour little.
 * `faceCrop` is the face's box.
 */
export function measureBlotches(faceCrop: Patch): number {
  return Math.max(...blotchGrains.map((grain) => blotchesOf(faceCrop, grain)));
}

function blotchesOf({ width, height, values }: Patch, grain: number): number {
  const plane = width * height;
  const left = Math.floor(middle.from * width);
  const top = Math.floor(middle.from * height);
  const across = Math.floor(middle.to * width) - left - 3 * grain;
  const down = Math.floor(middle.to * height) - top - 3 * grain;
  const redGreen = new Float32Array(blotchesPerSide ** 2);
  const blueGreen = new Float32Array(blotchesPerSide ** 2);
  for (let place = 0; place < redGreen.length; place += 1) {
    const x = left + Math.floor(((place % blotchesPerSide) * across) / (blotchesPerSide - 1));
    const y = top + Math.floor((Math.floor(place / blotchesPerSide) * down) / (blotchesPerSide - 1));
    let red = 0;
    let blue = 0;
    for (let row = 0; row < 3 * grain; row += 1) {
      for (let column = 0; column < 3 * grain; column += 1) {
        const weight = weights[3 * Math.floor(row / grain) + Math.floor(column / grain)] as number;
        const pixel = (y + row) * width + x + column;
        const green = at(values, plane + pixel);
        red += weight * (at(values, pixel) - green);
        blue += weight * (at(values, 2 * plane + pixel) - green);
      }
    }
    redGreen[place] = Math.abs(red);
    blueGreen[place] = Math.abs(blue);
  }
  const deviation = (differences: Float32Array) =>
    at(differences.sort(), differences.length >> 1) / (medianOfNormal * weightsNorm * grain ** 2);
  return Math.max(deviation(redGreen), deviation(blueGreen)) / Math.SQRT2;
}
