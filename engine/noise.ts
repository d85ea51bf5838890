import { at, type Box, type RgbImage } from './pixels.ts';

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
