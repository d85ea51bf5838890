import type { RgbImage } from './pixels.ts';

/** What makes sRGB of a picture's 8-bit RGB: three curves and a matrix, which is all that phones and cameras need. */
export interface ColourConversion {
  /** Linear light, 0..1, of each 8-bit value: 256 for red, then for green, then for blue. */
  readonly linear: Float32Array;
  /** From that to linear light of sRGB's primaries, row by row. */
  readonly matrix: readonly number[];
}

/** A profile of three curves and a matrix has about 500 bytes, and at most three curves of 4,096 entries: 25 kB. */
export const maximumProfileBytes = 65_536;

const linearOfSrgb = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);

/** XYZ as profiles have it (D50) to linear sRGB: the inverse of the primaries in sRGB's own profile. */
const srgbOfXyz = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
] as const;

const white = [0.9642, 1, 0.8249] as const;

/** Of a container that names the primaries of Display P3 and sRGB's curve (ITU-T H.273: 12 and 13) and has no profile. */
export function displayP3(): ColourConversion {
  const matrix = [1.2249401, -0.2249402, 0, -0.0420569, 1.0420571, 0, -0.0196376, -0.0786361, 1.0982735];
  return { linear: curves(linearOfSrgb, linearOfSrgb, linearOfSrgb), matrix };
}

/**
 * Of an ICC profile. Undefined for what is no RGB profile of three curves and a matrix, for one that is not plausible
 * (black is dark, white is white, brighter is brighter), and for sRGB itself: the pixels are taken as they are. Nothing
 * native reads a profile out of a HEIC, and the worst that a hostile one can do is to name another plausible colour.
 */
export function readProfile(profile: Uint8Array): ColourConversion | undefined {
  if (profile.length > maximumProfileBytes || profile.length < 132) return undefined;
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  try {
    const conversion = conversionOf(view);
    return conversion && isPlausible(conversion) && !isSrgb(conversion) ? conversion : undefined;
  } catch (error) {
    // An offset or a length beyond the end.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function conversionOf(view: DataView): ColourConversion | undefined {
  if (textAt(view, 16) !== 'RGB ' || textAt(view, 20) !== 'XYZ ' || textAt(view, 36) !== 'acsp') return undefined;
  const tags = new Map<string, number>();
  const count = Math.min(view.getUint32(128), 100);
  for (let tag = 0; tag < count; tag += 1) tags.set(textAt(view, 132 + tag * 12), view.getUint32(136 + tag * 12));
  // A profile with tables means them: its matrix would be another, coarser answer.
  if (tags.has('A2B0')) return undefined;

  const at = (name: string) => tags.get(name) ?? view.byteLength;
  const [red, green, blue] = [xyzAt(view, at('rXYZ')), xyzAt(view, at('gXYZ')), xyzAt(view, at('bXYZ'))];
  const [redCurve, greenCurve, blueCurve] = [at('rTRC'), at('gTRC'), at('bTRC')].map((tag) => curveAt(view, tag));
  if (!red || !green || !blue || !redCurve || !greenCurve || !blueCurve) return undefined;
  const colours = [red, green, blue];
  if (!white.every((value, axis) => Math.abs(sumOf(colours, axis) - value) < 0.02)) return undefined;
  return { linear: curves(redCurve, greenCurve, blueCurve), matrix: productOf(colours) };
}

type Curve = (value: number) => number;

const curves = (...of: readonly [Curve, Curve, Curve]): Float32Array =>
  Float32Array.from({ length: 768 }, (_, index) => of[Math.floor(index / 256) as 0 | 1 | 2]((index % 256) / 255));

const textAt = (view: DataView, offset: number): string =>
  String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(offset + index)));

/** s15Fixed16 */
const fixedAt = (view: DataView, offset: number): number => view.getInt32(offset) / 65_536;

function xyzAt(view: DataView, offset: number): number[] | undefined {
  if (textAt(view, offset) !== 'XYZ ') return undefined;
  return [8, 12, 16].map((beyond) => fixedAt(view, offset + beyond));
}

/** ICC.1:2022, 10.6 (`curv`) and 10.18 (`para`). */
function curveAt(view: DataView, offset: number): Curve | undefined {
  if (textAt(view, offset) === 'curv') {
    const count = view.getUint32(offset + 8);
    const entry = (index: number) => view.getUint16(offset + 12 + index * 2);
    if (count === 0) return (value) => value;
    if (count === 1) return (value) => value ** (entry(0) / 256);
    return (value) => {
      const place = value * (count - 1);
      const [low, high] = [Math.floor(place), Math.ceil(place)];
      return (entry(low) + (entry(high) - entry(low)) * (place - low)) / 65_535;
    };
  }
  if (textAt(view, offset) !== 'para') return undefined;
  const kind = view.getUint16(offset + 8);
  const length = [1, 3, 4, 5, 7][kind];
  if (length === undefined) return undefined;
  const given = Array.from({ length }, (_, index) => fixedAt(view, offset + 12 + index * 4));
  const [g = 1, a = 1, b = 0, third = 0, fourth = 0, e = 0, f = 0] = given;
  const power = (value: number) => Math.max(0, a * value + b) ** g;
  if (kind === 0) return (value) => value ** g;
  if (kind === 1) return (value) => (value >= -b / a ? power(value) : 0);
  if (kind === 2) return (value) => (value >= -b / a ? power(value) : 0) + third;
  return (value) => (value >= fourth ? power(value) + e : third * value + f);
}

const sumOf = (colours: readonly (readonly number[])[], axis: number) =>
  colours.reduce((sum, colour) => sum + (colour[axis] ?? 0), 0);

const productOf = (columns: readonly (readonly number[])[]): number[] =>
  srgbOfXyz.flatMap(([x, y, z]) => columns.map(([ofX = 0, ofY = 0, ofZ = 0]) => x * ofX + y * ofY + z * ofZ));

function isPlausible({ linear, matrix }: ColourConversion): boolean {
  if (![...linear, ...matrix].every(Number.isFinite)) return false;
  return [0, 256, 512].every((from) => {
    const curve = linear.subarray(from, from + 256);
    const rises = curve.every((value, index) => value >= (curve[index - 1] ?? value));
    const [black = 0, brightest = 0] = [curve[0], curve[255]];
    return rises && Math.abs(black) < 0.05 && Math.abs(brightest - 1) < 0.05;
  });
}

const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
function isSrgb({ linear, matrix }: ColourConversion): boolean {
  const srgb = curves(linearOfSrgb, linearOfSrgb, linearOfSrgb);
  const near = (one: ArrayLike<number>, other: ArrayLike<number>) =>
    Array.from(one).every((value, index) => Math.abs(value - (other[index] ?? 0)) < 0.003);
  return near(linear, srgb) && near(matrix, identity);
}

const steps = 8_191;
/** sRGB's 8-bit value of linear light in 8,192 steps: the steepest part of its curve moves by 0.4 a step. */
const encoded = Uint8Array.from({ length: steps + 1 }, (_, index) => {
  const light = index / steps;
  return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
});

/** Rewrites the picture's pixels. Colours that sRGB has not are cut off at its nearest, as lcms does. */
export function convertToSrgb({ pixels }: RgbImage, { linear, matrix }: ColourConversion): void {
  const [m0 = 0, m1 = 0, m2 = 0, m3 = 0, m4 = 0, m5 = 0, m6 = 0, m7 = 0, m8 = 0] = matrix.map((value) => value * steps);
  for (let at = 0; at < pixels.length; at += 3) {
    const red = linear[pixels[at] ?? 0] ?? 0;
    const green = linear[256 + (pixels[at + 1] ?? 0)] ?? 0;
    const blue = linear[512 + (pixels[at + 2] ?? 0)] ?? 0;
    pixels[at] = encode(m0 * red + m1 * green + m2 * blue);
    pixels[at + 1] = encode(m3 * red + m4 * green + m5 * blue);
    pixels[at + 2] = encode(m6 * red + m7 * green + m8 * blue);
  }
}

const encode = (step: number): number => encoded[Math.min(Math.max(Math.round(step), 0), steps)] ?? 0;
