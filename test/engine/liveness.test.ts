import { describe, expect, it } from 'vitest';
import type { SpoofingModel } from '../../engine/manifest.ts';
import type { Model } from '../../engine/model.ts';
import { balanceColours, newPatch, type Patch, type RgbImage, smearColours, smooth } from '../../engine/pixels.ts';
import { measureRobustLiveness } from '../../engine/spoofing.ts';
import { mulberry32 } from '../../tools/evaluate/random.ts';

const grey = { width: 40, height: 40, pixels: new Uint8Array(40 * 40 * 3).fill(100) };
const speckled = { ...grey, pixels: grey.pixels.map((value, index) => (index % 33 === 0 ? 250 : value)) };
const face = { x: 10, y: 10, width: 20, height: 20 };

const modelThatSees = (live: (patch: Patch) => number): Model<SpoofingModel> => ({
  contract: {
    input: { width: 30, height: 30 },
    outputs: { classes: 'classes' },
    liveClass: 0,
    context: 1.5,
  } as SpoofingModel,
  run: async (paint) => {
    const patch = newPatch(30, 30);
    paint(patch);
    return { classes: Float32Array.of(Math.log(live(patch)), Math.log(1 - live(patch))) };
  },
});
/** Its live probability follows from the brightest value it is shown. */
const measured = (picture: RgbImage, probability: (brightest: number) => number, noise = 5) =>
  measureRobustLiveness(picture, face, noise, [modelThatSees(({ values }) => probability(Math.max(...values)))]);

describe('The live score', () => {
  it('is below any sensible threshold where specks alone made the face look live', async () => {
    const { live, asIs } = await measured(speckled, (brightest) => (brightest > 200 ? 0.99 : 0.01));
    expect(asIs).toBeCloseTo(0.99);
    expect(live).toBeCloseTo(0.26);
  });

  it('is low where smoothing alone made it look live', async () => {
    const { live, smoothed } = await measured(speckled, (brightest) => (brightest > 200 ? 0.01 : 0.99));
    expect(smoothed).toBeCloseTo(0.99);
    expect(live).toBeCloseTo(0.01);
  });

  it('is that of the picture as it is where smoothing takes a little from it', async () => {
    const { live } = await measured(speckled, (brightest) => (brightest > 200 ? 0.9 : 0.7));
    expect(live).toBeCloseTo(0.9);
    expect((await measured(grey, () => 0.8)).live).toBeCloseTo(0.8);
  });

  it('is that of the picture as it is where there is no noise to take out', async () => {
    const liveness = await measured(speckled, (brightest) => (brightest > 200 ? 0.9 : 0.1), 1);
    expect(liveness).toEqual({ asIs: liveness.asIs, live: liveness.asIs, plain: expect.anything() });
    expect(liveness.live).toBeCloseTo(0.9);
  });
});

describe('The plain live score', () => {
  /** Red on the whole; and grey with a column of red, one of green beside it, and so on. */
  const tinted = { ...grey, pixels: grey.pixels.map((_, index) => [150, 80, 70][index % 3] ?? 0) };
  const striped = {
    ...grey,
    pixels: grey.pixels.map(
      (_, index) =>
        [
          [160, 80, 80],
          [40, 120, 120],
        ][Math.floor(index / 12) % 2]?.[index % 3] ?? 0,
    ),
  };
  const plane = ({ values }: Patch, channel: number) =>
    values.subarray((channel * values.length) / 3, ((channel + 1) * values.length) / 3);
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const redOnTheWhole = (patch: Patch) => mean(plane(patch, 0)) > 1.3 * mean(plane(patch, 1));
  const stripes = (patch: Patch) =>
    mean(plane(patch, 0).map((red, pixel) => Math.abs(red - (plane(patch, 1)[pixel] ?? 0)))) > 30;
  const plainOf = (picture: RgbImage, looksLive: (patch: Patch) => boolean, noise: number) =>
    measureRobustLiveness(picture, face, noise, [modelThatSees((patch) => (looksLive(patch) ? 0.99 : 0.01))]);

  it.each([
    ['a tint', tinted, redOnTheWhole, 1, 0.11],
    ['a tint, in noise', tinted, redOnTheWhole, 5, 0.11],
    ['blotches of colour', striped, stripes, 1, 0.21],
    ['blotches of colour, in noise', striped, stripes, 5, 0.11],
  ] as const)(
    'is low where %s made the face look live, whatever else decides',
    async (_, picture, looksLive, noise, expected) => {
      const { live, plain } = await plainOf(picture, looksLive, noise);
      expect(live).toBeCloseTo(0.99);
      expect(plain).toBeCloseTo(expected);
    },
  );

  it('is at most the live score', async () => {
    expect((await plainOf(tinted, () => true, 1)).plain).toBeCloseTo(0.99);
    expect((await plainOf(tinted, (patch) => !redOnTheWhole(patch), 1)).plain).toBeCloseTo(0.01);
  });
});

/** Seven rows of nine pixels, of any colours. */
function colourful(): Patch {
  const random = mulberry32(7);
  const patch = newPatch(9, 7);
  patch.values.forEach((_, index) => {
    patch.values[index] = 60 + Math.floor(random() * 120);
  });
  return patch;
}
const lumaAt = ({ values }: Patch, pixel: number) =>
  0.299 * (values[pixel] ?? 0) + 0.587 * (values[63 + pixel] ?? 0) + 0.114 * (values[126 + pixel] ?? 0);

describe('Balanced colours', () => {
  it('are as bright as the luma on the whole, each channel by one factor', () => {
    const before = colourful();
    const { values } = balanceColours({ ...before, values: before.values.slice() });
    const means = [0, 1, 2].map(
      (channel) => values.slice(channel * 63, channel * 63 + 63).reduce((a, b) => a + b, 0) / 63,
    );
    const lumas = Array.from({ length: 63 }, (_, pixel) => lumaAt(before, pixel));
    for (const one of means) expect(one).toBeCloseTo(lumas.reduce((a, b) => a + b, 0) / 63, 3);
    expect((values[5] ?? 0) / (before.values[5] ?? 1)).toBeCloseTo((values[62] ?? 0) / (before.values[62] ?? 1), 5);
  });
});

describe('Smeared colours', () => {
  it('are the mean of 7 × 7 pixels of what differs from the luma, twice, the edges repeated; the luma stays', () => {
    const before = colourful();
    const smeared = smearColours({ ...before, values: before.values.slice() });
    const clamped = (value: number, count: number) => Math.min(Math.max(value, 0), count - 1);
    const mean = (values: readonly number[]) =>
      values.map((_, index) => {
        let sum = 0;
        for (let down = -3; down <= 3; down += 1)
          for (let across = -3; across <= 3; across += 1)
            sum +=
              values[clamped(Math.floor(index / 9) + down, 7) * 9 + clamped((index % 9) + across, 9)] ?? Number.NaN;
        return sum / 49;
      });
    for (const channel of [0, 1, 2]) {
      const differences = Array.from(
        { length: 63 },
        (_, pixel) => (before.values[channel * 63 + pixel] ?? 0) - lumaAt(before, pixel),
      );
      for (const [pixel, expected] of mean(mean(differences)).entries()) {
        expect(smeared.values[channel * 63 + pixel]).toBeCloseTo(lumaAt(before, pixel) + expected, 2);
        expect(lumaAt(smeared, pixel)).toBeCloseTo(lumaAt(before, pixel), 2);
      }
    }
  });
});

describe('Smoothing', () => {
  it('is the median of nine pixels, then the blur 1 4 6 4 1 along rows and columns, the edges repeated', () => {
    const random = mulberry32(7);
    const patch = newPatch(9, 7);
    patch.values.forEach((_, index) => {
      patch.values[index] = Math.floor(random() * 256);
    });
    const clamped = (value: number, count: number) => Math.min(Math.max(value, 0), count - 1);
    const sampler = (values: ArrayLike<number>) => (x: number, y: number) =>
      values[clamped(y, 7) * 9 + clamped(x, 9)] ?? Number.NaN;
    const places = Array.from({ length: 63 }, (_, index) => ({ x: index % 9, y: Math.floor(index / 9) }));
    const blur = (line: (offset: number) => number) =>
      (line(-2) + 4 * line(-1) + 6 * line(0) + 4 * line(1) + line(2)) / 16;
    const expected = [0, 1, 2].flatMap((channel) => {
      const original = sampler(patch.values.slice(channel * 63, channel * 63 + 63));
      const median = sampler(
        places.map(({ x, y }) => {
          const nine = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((across) => original(x + across, y + down)));
          return nine.toSorted((a, b) => a - b)[4] ?? 0;
        }),
      );
      const rows = sampler(places.map(({ x, y }) => blur((offset) => median(x + offset, y))));
      return places.map(({ x, y }) => blur((offset) => rows(x, y + offset)));
    });
    const smoothed = smooth(patch).values;
    for (const [index, value] of expected.entries()) expect(smoothed[index]).toBeCloseTo(value, 3);
  });
});
