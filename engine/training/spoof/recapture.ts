import { type Box, clamp, type RgbImage } from '../../pixels.ts';

/** Species that are simulated: what a picture becomes that is printed, shown on a screen or kept on a card, and photographed. */
export const simulatedSpecies = ['print', 'replay', 'photographed_portrait'] as const;
export type SimulatedSpecies = (typeof simulatedSpecies)[number];

/** 0 ≤ n < 1, from a seeded generator: the same numbers give the same picture. */
export type Random = () => number;

/** r, g and b of one pixel, 0..255, changed in place; `u` and `v` are pixels of what is photographed. */
type Ink = (colour: Float32Array, u: number, v: number) => void;

interface Medium {
  /** How many face widths of the picture are shown. */
  readonly shown: readonly [least: number, most: number];
  /** Of the face in the photo, over the photo's width. */
  readonly faceRatio: readonly [least: number, most: number];
  /** What the picture looks like on paper or on a screen, in pixels of the photo per pixel of the picture. */
  readonly ink: (random: Random, scale: number) => Ink;
  /** Around the picture: its width in face widths, and its grey. */
  readonly border: (random: Random) => { readonly width: number; readonly grey: number };
  /** Strength of reflections, 0..255 at most. */
  readonly glare: number;
}

const between = (random: Random, [low, high]: readonly [number, number]) => low + (high - low) * random();
/** Cosine of a phase in turns, out of a table. */
const cosine = (turns: number) => cosines[((turns - Math.floor(turns)) * cosines.length) | 0] as number;
const cosines = Float32Array.from({ length: 2048 }, (_, index) => Math.cos((2 * Math.PI * index) / 2048));

const media: Readonly<Record<SimulatedSpecies, Medium>> = {
  print: {
    shown: [2, 5],
    faceRatio: [0.2, 0.45],
    ink: (random, scale) => inks(tones(random, paper), halftone(random, scale)),
    border: (random) => ({
      width: random() < 0.5 ? 0 : between(random, [0.05, 0.4]),
      grey: between(random, [200, 245]),
    }),
    glare: 60,
  },
  replay: {
    shown: [2, 5],
    faceRatio: [0.2, 0.45],
    ink: (random, scale) => inks(tones(random, screen), pixelGrid(random, scale)),
    border: (random) => ({ width: between(random, [0, 0.5]), grey: between(random, [4, 40]) }),
    glare: 120,
  },
  photographed_portrait: {
    shown: [1.6, 2.4],
    faceRatio: [0.25, 0.5],
    ink: (random, scale) => inks(tones(random, paper), halftone(random, scale), guilloche(random)),
    border: (random) => ({ width: between(random, [0.3, 1.5]), grey: between(random, [170, 235]) }),
    glare: 100,
  },
};

/**
 * A photo of `picture` on paper, a screen or a card, as a phone takes it: less range and colour, the medium's own
 * texture, its edge, perspective, uneven light and reflections. The camera's blur, noise and compression are left to
 * `augment`, which bona fide captures go through, too: they must tell nothing.
 */
export function recapture(picture: RgbImage, face: Box, species: SimulatedSpecies, random: Random): RgbImage {
  const medium = media[species];
  const [width, height] = random() < 0.7 ? [720, 960] : [960, 720];
  const scale = (between(random, medium.faceRatio) * width) / face.width;
  const region = shownRegion(picture, face, between(random, medium.shown));
  const place = placement(scale, width, height, random);
  const ink = medium.ink(random, scale);
  const { width: borderWidth, grey } = medium.border(random);
  const border = borderWidth * face.width;
  const light = lighting(random, width, height, medium.glare);
  const background = backdrop(picture, width, height, random);
  const pixels = new Uint8ClampedArray(3 * width * height);
  const colour = new Float32Array(3);
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 3) {
      const far = 1 + place.px * (x - width / 2) + place.py * (y - height / 2);
      const right = (x - place.x) / far;
      const down = (y - place.y) / far;
      const u = face.x + face.width / 2 + place.a * right + place.b * down;
      const v = face.y + face.height / 2 - place.b * right + place.a * down;
      const outside = Math.max(region.x - u, u - region.x - region.width, region.y - v, v - region.y - region.height);
      if (outside <= 0) {
        sample(picture, u, v, colour);
        ink(colour, u, v);
      } else if (outside <= border) colour.fill(grey);
      else background(colour, x, y);
      const gain = light.level + light.slopeX * x + light.slopeY * y;
      let added = 0;
      for (const spot of light.spots) added += (spot.columns[x] as number) * (spot.rows[y] as number);
      for (let channel = 0; channel < 3; channel += 1)
        pixels[at + channel] = (colour[channel] as number) * gain + added;
    }
  }
  return { width, height, pixels: new Uint8Array(pixels.buffer) };
}

/** What of the picture is printed or shown: around the face, inside the picture. */
function shownRegion(picture: RgbImage, face: Box, faceWidths: number): Box {
  const half = (faceWidths * face.width) / 2;
  const centre = { x: face.x + face.width / 2, y: face.y + face.height / 2 };
  const left = Math.max(0, centre.x - half);
  const top = Math.max(0, centre.y - half * 1.2);
  return {
    x: left,
    y: top,
    width: Math.min(picture.width - 1, centre.x + half) - left,
    height: Math.min(picture.height - 1, centre.y + half * 1.3) - top,
  };
}

/** Where the face comes to lie, and how the medium is held: turned in the plane by up to 9°, tilted a little. */
function placement(scale: number, width: number, height: number, random: Random) {
  const angle = 0.16 * (2 * random() - 1);
  return {
    x: width * between(random, [0.4, 0.6]),
    y: height * between(random, [0.38, 0.58]),
    a: Math.cos(angle) / scale,
    b: Math.sin(angle) / scale,
    px: (0.3 * (2 * random() - 1)) / width,
    py: (0.3 * (2 * random() - 1)) / height,
  };
}

const inks =
  (...all: readonly Ink[]): Ink =>
  (colour, u, v) => {
    for (const ink of all) ink(colour, u, v);
  };

interface Range {
  readonly black: readonly [number, number];
  readonly white: readonly [number, number];
  readonly saturation: readonly [number, number];
  readonly gamma: readonly [number, number];
  /** Of red against blue: paper yellows, screens are blue. */
  readonly warmth: readonly [number, number];
}
const paper: Range = {
  black: [10, 60],
  white: [190, 245],
  saturation: [0.5, 1],
  gamma: [0.8, 1.3],
  warmth: [-0.04, 0.1],
};
const screen: Range = {
  black: [0, 35],
  white: [200, 255],
  saturation: [0.8, 1.3],
  gamma: [0.8, 1.4],
  warmth: [-0.12, 0.04],
};

/** Less black, less white, other colours. */
function tones(random: Random, range: Range): Ink {
  const black = between(random, range.black);
  const white = between(random, range.white);
  const saturation = between(random, range.saturation);
  const gamma = between(random, range.gamma);
  const warmth = between(random, range.warmth);
  const curve = Float32Array.from({ length: 256 }, (_, value) => black + (white - black) * (value / 255) ** gamma);
  const gains = [1 + warmth, 1, 1 - warmth];
  return (colour) => {
    const [r, g, b] = [colour[0] as number, colour[1] as number, colour[2] as number];
    const grey = 0.299 * r + 0.587 * g + 0.114 * b;
    for (let channel = 0; channel < 3; channel += 1) {
      const value = clamp(grey + saturation * ((colour[channel] as number) - grey), 0, 255);
      colour[channel] = (curve[value | 0] as number) * (gains[channel] as number);
    }
  };
}

/** Dots of three inks, each screen at an angle of its own, as fine as photo printers' or as coarse as newspapers'. */
function halftone(random: Random, scale: number): Ink {
  const pitch = between(random, [1.2, 4]) / scale;
  const strength = between(random, [0, 0.5]);
  const grain = between(random, [0, 8]);
  const screens = [0.26, 1.31, 0].map((angle) => ({ x: Math.cos(angle) / pitch, y: Math.sin(angle) / pitch }));
  return (colour, u, v) => {
    const speck = grain * (random() - 0.5);
    for (let channel = 0; channel < 3; channel += 1) {
      const { x, y } = screens[channel] as { x: number; y: number };
      const value = colour[channel] as number;
      const dots = cosine(u * x + v * y) * cosine(v * x - u * y);
      colour[channel] = value + (strength * dots * value * (255 - value)) / 255 + speck;
    }
  };
}

/** Stripes of red, green and blue and the rows between: where they meet the camera's own pixels, they beat. */
function pixelGrid(random: Random, scale: number): Ink {
  const pitch = between(random, [0.9, 3.5]) / scale;
  const columns = between(random, [0, 0.35]);
  const rows = between(random, [0, 0.25]);
  const bands = between(random, [0, 0.06]);
  const band = scale / between(random, [40, 300]);
  const phase = random();
  return (colour, u, v) => {
    const row = 1 - rows * (0.5 + 0.5 * cosine(v / pitch)) + bands * cosine(v * band + phase);
    for (let channel = 0; channel < 3; channel += 1) {
      const column = 1 - columns * (0.5 + 0.5 * cosine(u / pitch + channel / 3));
      colour[channel] = (colour[channel] as number) * row * column;
    }
  };
}

/** Fine waving lines over the portrait, as on cards. */
function guilloche(random: Random): Ink {
  const strength = between(random, [0, 40]);
  const spacing = between(random, [6, 20]);
  const waves = 1 / between(random, [40, 120]);
  const height = between(random, [3, 15]);
  return (colour, u, v) => {
    const across = cosine((v + height * cosine(u * waves)) / spacing);
    if (across < 0.6) return;
    for (let channel = 0; channel < 3; channel += 1) {
      colour[channel] = (colour[channel] as number) - strength * (across - 0.6) * (1 + 0.5 * channel);
    }
  };
}

/** How light falls on what is held up, from one side to the other, and what it reflects. */
function lighting(random: Random, width: number, height: number, glare: number) {
  const acrossFrame = between(random, [-0.35, 0.35]);
  const downFrame = between(random, [-0.35, 0.35]);
  const bell = (length: number) => {
    const middle = random() * length;
    const spread = between(random, [0.05, 0.35]) * width;
    return Float32Array.from({ length }, (_, at) => Math.exp(-(((at - middle) / spread) ** 2)));
  };
  return {
    level: between(random, [0.75, 1.1]) - (acrossFrame + downFrame) / 2,
    slopeX: acrossFrame / width,
    slopeY: downFrame / height,
    spots: Array.from({ length: Math.floor(random() * 3) }, () => {
      const strength = random() * glare;
      return { columns: bell(width).map((value) => value * strength), rows: bell(height) };
    }),
  };
}

/** Behind it: a small part of the same room, far out of focus. */
function backdrop(picture: RgbImage, width: number, height: number, random: Random) {
  const step = between(random, [0.02, 0.1]);
  const left = random() * Math.max(0, picture.width - 1 - width * step);
  const top = random() * Math.max(0, picture.height - 1 - height * step);
  return (colour: Float32Array, x: number, y: number) => sample(picture, left + x * step, top + y * step, colour);
}

/** Bilinear, into `colour`; `u` and `v` lie inside the picture. */
function sample({ width, height, pixels }: RgbImage, u: number, v: number, colour: Float32Array): void {
  const left = Math.min(Math.floor(u), width - 2);
  const top = Math.min(Math.floor(v), height - 2);
  const right = u - left;
  const down = v - top;
  const from = 3 * (top * width + left);
  const below = from + 3 * width;
  for (let channel = 0; channel < 3; channel += 1) {
    const upper = (pixels[from + channel] as number) * (1 - right) + (pixels[from + 3 + channel] as number) * right;
    const lower = (pixels[below + channel] as number) * (1 - right) + (pixels[below + 3 + channel] as number) * right;
    colour[channel] = upper * (1 - down) + lower * down;
  }
}
