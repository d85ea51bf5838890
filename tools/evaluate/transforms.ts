import sharp, { type Sharp } from 'sharp';
import type { RgbImage } from '../../engine/pixels.ts';
import { mulberry32 } from './random.ts';

/** What anybody can do to a picture with free software; the file that would be sent. The same picture gives the same file. */
export type Transform = (picture: RgbImage) => Sharp;

const of = ({ width, height, pixels }: RgbImage): Sharp => sharp(pixels, { raw: { width, height, channels: 3 } });

/** High enough that the file keeps what the transform did. */
const asFile = (picture: Sharp, quality = 95): Sharp => picture.jpeg({ quality, chromaSubsampling: '4:4:4' });

/** Values of a standard normal distribution at evenly spaced probabilities: drawing one is drawing an index. */
const normal = Float32Array.from({ length: 4096 }, (_, index) => probit((index + 0.5) / 4096));

/** Acklam's rational approximation, without its last refinement: right to 1e-9. */
function probit(probability: number): number {
  if (probability > 0.5) return -probit(1 - probability);
  if (probability < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(probability));
    const above =
      ((((-7.784894002430293e-3 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) * q +
        4.374664141464968) *
        q +
      2.938163982698783;
    return (
      above /
      ((((7.784695709041462e-3 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1)
    );
  }
  const q = probability - 0.5;
  const r = q * q;
  const above =
    (((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r -
      30.66479806614716) *
      r +
      2.506628277459239) *
    q;
  return (
    above /
    (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r -
      13.28068155288572) *
      r +
      1)
  );
}

type Noise = (random: () => number, value: number) => number;

const gaussian =
  (sigma: number): Noise =>
  (random) =>
    sigma * (normal[(random() * 4096) | 0] as number);
const uniform =
  (half: number): Noise =>
  (random) =>
    half * (2 * random() - 1);
/** As grains of film or a sensor in the dark: more where it is bright. */
const speckle =
  (share: number): Noise =>
  (random, value) =>
    value * share * (normal[(random() * 4096) | 0] as number);
const saltAndPepper =
  (share: number): Noise =>
  (random, value) => {
    const drawn = random();
    return drawn < share / 2 ? -value : drawn < share ? 255 - value : 0;
  };

/** `channels`: each gets noise of its own, all get the same, or the colour changes while the luma stays. */
function noisy(
  picture: RgbImage,
  noise: Noise,
  { channels = 'each' as 'each' | 'all' | 'colour', grain = 1 } = {},
): RgbImage {
  const { width, height, pixels } = picture;
  const random = mulberry32(20_241);
  const added = grain === 1 ? undefined : coarseNoise(picture, noise, { channels, grain, random });
  const out = new Uint8ClampedArray(pixels.length);
  const across = Math.ceil(width / grain);
  let at = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 3) {
      const [r, g, b] = [pixels[at] as number, pixels[at + 1] as number, pixels[at + 2] as number];
      const cell = 3 * (Math.floor(y / grain) * across + Math.floor(x / grain));
      let red = added ? (added[cell] as number) : noise(random, r);
      let green = added ? (added[cell + 1] as number) : channels === 'all' ? red : noise(random, g);
      let blue = added ? (added[cell + 2] as number) : channels === 'all' ? red : noise(random, b);
      if (channels === 'colour') {
        const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
        red -= luma;
        green -= luma;
        blue -= luma;
      }
      out[at] = r + red;
      out[at + 1] = g + green;
      out[at + 2] = b + blue;
    }
  }
  return { width, height, pixels: new Uint8Array(out.buffer) };
}

/** What is added to squares of `grain` pixels, three numbers each. */
function coarseNoise(
  { width, height, pixels }: RgbImage,
  noise: Noise,
  { channels, grain, random }: { channels: 'each' | 'all' | 'colour'; grain: number; random: () => number },
): Float32Array {
  const added = new Float32Array(3 * Math.ceil(width / grain) * Math.ceil(height / grain));
  for (let cell = 0; cell < added.length; cell += 3) {
    const value = pixels[Math.min(cell * grain * grain, pixels.length - 1)] ?? 0;
    added[cell] = noise(random, value);
    added[cell + 1] = channels === 'all' ? (added[cell] as number) : noise(random, value);
    added[cell + 2] = channels === 'all' ? (added[cell] as number) : noise(random, value);
  }
  return added;
}

/** 255 × (value / 255)^exponent: above 1 darker, below 1 brighter. */
function withGamma({ width, height, pixels }: RgbImage, exponent: number): RgbImage {
  const curve = Uint8Array.from({ length: 256 }, (_, value) => Math.round(255 * (value / 255) ** exponent));
  return { width, height, pixels: pixels.map((value) => curve[value] as number) };
}

const resized = (picture: RgbImage, factor: number): Sharp =>
  of(picture).resize({ width: Math.max(16, Math.round(picture.width * factor)) });

/** A part of the picture, in shares of it, from the middle of its upper part, where faces are. */
function cropped({ width, height, pixels }: RgbImage, share: number): Sharp {
  const across = Math.round(width * share);
  const down = Math.round(height * share);
  const left = Math.round((width - across) / 2);
  const top = Math.round((height - down) / 2);
  return of({ width, height, pixels }).extract({ left, top, width: across, height: down });
}

function bordered(picture: RgbImage, share: number, colour: string | 'mirror'): Sharp {
  const x = Math.round(picture.width * share);
  const y = Math.round(picture.height * share);
  const sides = { left: x, right: x, top: y, bottom: y };
  return of(picture).extend(
    colour === 'mirror' ? { ...sides, extendWith: 'mirror' } : { ...sides, background: colour },
  );
}

/** As a phone shows it: bars above and below, scaled to the screen, saved once more. */
const screenshot = (picture: RgbImage, width: number, quality: number): Sharp =>
  of(picture)
    .resize({ width })
    .extend({ top: Math.round(width / 4), bottom: Math.round(width / 3), background: '#101010' })
    .jpeg({ quality });

const colourNoise = (sigma: number) => (picture: RgbImage) => of(noisy(picture, gaussian(sigma)));
const lumaNoise = (sigma: number) => (picture: RgbImage) => of(noisy(picture, gaussian(sigma), { channels: 'all' }));

/** Every channel of every pixel changed by itself; `at` is its offset, of red, green and blue in turns. */
function recoloured(picture: RgbImage, change: (value: number, at: number) => number): Sharp {
  const { width, height, pixels } = picture;
  const out = new Uint8ClampedArray(pixels.length);
  for (let at = 0; at < pixels.length; at += 1) out[at] = change(pixels[at] as number, at);
  return of({ width, height, pixels: new Uint8Array(out.buffer) });
}

/** Its luma alone, in shares of it, beside what is left of its own colour. */
const tinted = (picture: RgbImage, shares: readonly number[], kept = 0) =>
  recoloured(picture, (value, at) => {
    const { pixels } = picture;
    const first = at - (at % 3);
    const luma =
      0.299 * (pixels[first] as number) + 0.587 * (pixels[first + 1] as number) + 0.114 * (pixels[first + 2] as number);
    return kept * value + (1 - kept) * luma * (shares[at % 3] ?? 1);
  });

/** Blotches of any colour that run into one another: values drawn every `cell` pixels, interpolated between. */
function blotched(picture: RgbImage, half: number, cell: number): Sharp {
  const random = mulberry32(20_242);
  const across = Math.ceil(picture.width / cell) + 2;
  const drawn = Float32Array.from(
    { length: 3 * across * (Math.ceil(picture.height / cell) + 2) },
    () => half * (2 * random() - 1),
  );
  return recoloured(picture, (value, at) => {
    const pixel = Math.floor(at / 3);
    const [x, y] = [pixel % picture.width, Math.floor(pixel / picture.width)];
    const first = 3 * (Math.floor(y / cell) * across + Math.floor(x / cell)) + (at % 3);
    const next = first + 3 * across;
    const right = (x % cell) / cell;
    const down = (y % cell) / cell;
    const above = (drawn[first] as number) * (1 - right) + (drawn[first + 3] as number) * right;
    const below = (drawn[next] as number) * (1 - right) + (drawn[next + 3] as number) * right;
    return value + above * (1 - down) + below * down;
  });
}

const columnNoise = (picture: RgbImage, half: number): Sharp => {
  const random = mulberry32(20_243);
  const drawn = Float32Array.from({ length: 3 * picture.width }, () => half * (2 * random() - 1));
  return recoloured(picture, (value, at) => value + (drawn[at % drawn.length] as number));
};

const stripes = (picture: RgbImage, by: number): Sharp =>
  recoloured(picture, (value, at) => {
    const side = (Math.floor(at / 3) % picture.width) & 8 ? by : -by;
    return value + side * (1 - (at % 3));
  });

/**
 * Fixed and deterministic: what costs an attacker nothing. Names are those of the report.
 * Adding one changes the "worst of": say so where figures are compared.
 */
export const cheapTransforms: Readonly<Record<string, Transform>> = {
  'colour noise 8': (picture) => asFile(colourNoise(8)(picture)),
  'colour noise 12': (picture) => asFile(colourNoise(12)(picture)),
  'colour noise 16': (picture) => asFile(colourNoise(16)(picture)),
  'colour noise 20': (picture) => asFile(colourNoise(20)(picture)),
  'colour noise 30': (picture) => asFile(colourNoise(30)(picture)),
  'colour noise 45': (picture) => asFile(colourNoise(45)(picture)),
  'colour noise 60': (picture) => asFile(colourNoise(60)(picture)),
  'luma noise 15': (picture) => asFile(lumaNoise(15)(picture)),
  'luma noise 30': (picture) => asFile(lumaNoise(30)(picture)),
  'luma noise 45': (picture) => asFile(lumaNoise(45)(picture)),
  'noise of hue alone 30': (picture) => asFile(of(noisy(picture, gaussian(30), { channels: 'colour' }))),
  'coarse colour noise 12, 2 px': (picture) => asFile(of(noisy(picture, gaussian(12), { grain: 2 }))),
  'coarse colour noise 25, 2 px': (picture) => asFile(of(noisy(picture, gaussian(25), { grain: 2 }))),
  'coarse colour noise 20, 3 px': (picture) => asFile(of(noisy(picture, gaussian(20), { grain: 3 }))),
  'coarse luma noise 20, 3 px': (picture) => asFile(of(noisy(picture, gaussian(20), { channels: 'all', grain: 3 }))),
  'uniform noise 40': (picture) => asFile(of(noisy(picture, uniform(40)))),
  'speckle 0.2': (picture) => asFile(of(noisy(picture, speckle(0.2)))),
  'salt and pepper 3 %': (picture) => asFile(of(noisy(picture, saltAndPepper(0.03)))),
  'colour noise 15, sharpened': (picture) => asFile(colourNoise(15)(picture).sharpen({ sigma: 1, m1: 2, m2: 4 })),
  'colour noise 20, sharpened': (picture) => asFile(colourNoise(20)(picture).sharpen({ sigma: 1, m1: 2, m2: 4 })),
  'colour noise 30, JPEG 60': (picture) => colourNoise(30)(picture).jpeg({ quality: 60 }),
  'colour noise 40, half size': (picture) => {
    const { width, height } = picture;
    return asFile(colourNoise(40)(picture).resize({ width: Math.round(width / 2), height: Math.round(height / 2) }));
  },
  'colour noise 45, blurred 0.8': (picture) => asFile(colourNoise(45)(picture).blur(0.8)),
  'colour noise 30, median 3': (picture) => asFile(colourNoise(30)(picture).median(3)),
  'colour noise 60, blurred 3': (picture) => asFile(colourNoise(60)(picture).blur(3)),
  'colour noise 50, median 5': (picture) => asFile(colourNoise(50)(picture).median(5)),
  'noise of columns 30': (picture) => asFile(columnNoise(picture, 30)),
  'blotches 40, 8 px': (picture) => asFile(blotched(picture, 40, 8)),
  'blotches 40, 12 px': (picture) => asFile(blotched(picture, 40, 12)),
  'stripes of colour 20, 8 px': (picture) => asFile(stripes(picture, 20)),
  sepia: (picture) =>
    asFile(
      of(picture).recomb([
        [0.393, 0.769, 0.189],
        [0.349, 0.686, 0.168],
        [0.272, 0.534, 0.131],
      ]),
    ),
  'tinted like skin': (picture) => asFile(tinted(picture, [1.25, 0.98, 0.8])),
  'tinted half': (picture) => asFile(tinted(picture, [1.15, 0.97, 0.75], 0.4)),
  'eight shades': (picture) => asFile(recoloured(picture, (value) => value & 0xe0)),
  sharpened: (picture) => asFile(of(picture).sharpen({ sigma: 1, m1: 2, m2: 4 })),
  'sharpened hard': (picture) => asFile(of(picture).sharpen({ sigma: 2, m1: 4, m2: 10 })),
  'blurred 1': (picture) => asFile(of(picture).blur(1)),
  'blurred 2': (picture) => asFile(of(picture).blur(2)),
  'median 3': (picture) => asFile(of(picture).median(3)),
  'gamma 0.6': (picture) => asFile(of(withGamma(picture, 0.6))),
  'gamma 1.6': (picture) => asFile(of(withGamma(picture, 1.6))),
  'contrast 1.4': (picture) => asFile(of(picture).linear(1.4, -50)),
  'contrast 0.7': (picture) => asFile(of(picture).linear(0.7, 38)),
  'saturation 0.5': (picture) => asFile(of(picture).modulate({ saturation: 0.5 })),
  'saturation 1.5': (picture) => asFile(of(picture).modulate({ saturation: 1.5 })),
  warmer: (picture) => asFile(of(picture).linear([1.12, 1, 0.85], [0, 0, 0])),
  'JPEG 60': (picture) => of(picture).jpeg({ quality: 60 }),
  'JPEG 30': (picture) => of(picture).jpeg({ quality: 30 }),
  'JPEG 15': (picture) => of(picture).jpeg({ quality: 15 }),
  'WebP 40': (picture) => of(picture).webp({ quality: 40 }),
  'half size': (picture) => asFile(resized(picture, 0.5)),
  'size × 1.5': (picture) => asFile(resized(picture, 1.5)),
  'size × 2': (picture) => asFile(resized(picture, 2)),
  'crop 85 %': (picture) => asFile(cropped(picture, 0.85)),
  'crop 70 %': (picture) => asFile(cropped(picture, 0.7)),
  'black border 20 %': (picture) => asFile(bordered(picture, 0.2, '#000')),
  'white border 20 %': (picture) => asFile(bordered(picture, 0.2, '#fff')),
  'grey border 40 %': (picture) => asFile(bordered(picture, 0.4, '#888')),
  'mirrored border 30 %': (picture) => asFile(bordered(picture, 0.3, 'mirror')),
  'turned 4°': (picture) => asFile(of(picture).rotate(4, { background: '#888' })),
  mirrored: (picture) => asFile(of(picture).flop()),
  'screenshot 1080 px, JPEG 75': (picture) => screenshot(picture, 1080, 75),
  'screenshot 750 px, JPEG 50': (picture) => screenshot(picture, 750, 50),
};

/** What honest captures go through on their way: a dim room, a messenger, a small camera. */
export const honestDegradations: Readonly<Record<string, Transform>> = {
  'colour noise 5': (picture) => asFile(colourNoise(5)(picture)),
  'colour noise 10': (picture) => asFile(colourNoise(10)(picture)),
  'JPEG 60': (picture) => of(picture).jpeg({ quality: 60 }),
  'half size': (picture) => asFile(resized(picture, 0.5)),
};
