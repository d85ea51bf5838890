import { describe, expect, it } from 'vitest';
import type { SpoofingModel } from '../../engine/manifest.ts';
import type { Model } from '../../engine/model.ts';
import { newPatch, type RgbImage, smooth } from '../../engine/pixels.ts';
import { measureRobustLiveness } from '../../engine/spoofing.ts';
import { mulberry32 } from '../../tools/evaluate/random.ts';

const grey = { width: 40, height: 40, pixels: new Uint8Array(40 * 40 * 3).fill(100) };
const speckled = { ...grey, pixels: grey.pixels.map((value, index) => (index % 33 === 0 ? 250 : value)) };
const face = { x: 10, y: 10, width: 20, height: 20 };

/** Its live probability follows from the brightest value it is shown. */
const modelThatSees = (probability: (brightest: number) => number): Model<SpoofingModel> => ({
  contract: { outputs: { classes: 'classes' }, liveClass: 0, context: 1.5 } as SpoofingModel,
  run: async (paint) => {
    const patch = newPatch(30, 30);
    paint(patch);
    const live = probability(Math.max(...patch.values));
    return { classes: Float32Array.of(Math.log(live), Math.log(1 - live)) };
  },
});
const measured = (picture: RgbImage, probability: (brightest: number) => number, noise = 5) =>
  measureRobustLiveness(picture, face, noise, [modelThatSees(probability)]);

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

  it('is that of one look where there is no noise to take out', async () => {
    const liveness = await measured(speckled, (brightest) => (brightest > 200 ? 0.9 : 0.1), 1);
    expect(liveness).toEqual({ asIs: liveness.asIs, live: liveness.asIs });
    expect(liveness.live).toBeCloseTo(0.9);
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
