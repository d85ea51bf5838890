import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type Detector, detectFaces, type Landmarker } from '../../engine/faces.ts';
import { measureFlatColour, measureSlopes } from '../../engine/flat-colour.ts';
import { newPatch } from '../../engine/pixels.ts';
import { isShadedDrawing, type SightModels, seeFace } from '../../engine/sight.ts';
import { outcomeText, shippedEngine } from './engine.ts';
import { stranger } from './people.ts';

/** A face's box whose pixels have the grey that `greyAt` says, 0..255. */
function boxOf(greyAt: (x: number, y: number) => number) {
  const patch = newPatch(64, 64);
  patch.values.forEach((_, index) => {
    patch.values[index] = greyAt(index % 64, Math.floor(index / 64) % 64);
  });
  return patch;
}

const shaded = (x: number, y: number) => 60 + 1.5 * x + 0.9 * y;

describe('How much of a face has one colour', () => {
  it('is much where areas are filled, and little where light falls on them', () => {
    expect(measureFlatColour(boxOf((x, y) => ((x - 32) ** 2 + (y - 32) ** 2 < 300 ? 90 : 200)))).toBeGreaterThan(0.5);
    expect(measureFlatColour(boxOf(shaded))).toBeLessThan(0.1);
  });

  it('is little in blocks of eight, as a JPEG of low quality has them', () => {
    const block = (value: number) => 8 * Math.floor(value / 8);
    expect(measureFlatColour(boxOf((x, y) => shaded(block(x), block(y))))).toBeLessThan(0.1);
  });

  it.each([
    ['burnt', 255],
    ['black', 0],
  ])('does not count what is %s', (_, value) => {
    expect(measureFlatColour(boxOf((x, y) => (x < 40 ? value : shaded(x, y))))).toBeLessThan(0.1);
  });
});

describe('How a face slopes', () => {
  it('is as much in the middle as anywhere where light falls on it, and little between the lines of a drawing', () => {
    const lined = (x: number, y: number) => (x % 16 < 2 ? 40 : shaded(x / 20, y / 20));
    expect(measureSlopes(boxOf(shaded))).toBeGreaterThan(0.9);
    expect(measureSlopes(boxOf(lined))).toBeLessThan(0.05);
    expect(measureSlopes(boxOf(() => 128))).toBe(1);
  });
});

describe('A shaded drawing', () => {
  const [face, landmarks] = [{ x: 0, y: 0, width: 100, height: 105, score: 1 }, []];
  /** The median of the rendered heads that passed. */
  const rendered = {
    faces: [face] as const,
    faceCrop: newPatch(64, 64),
    landmarks,
    flatRatio: 0.06,
    shiftRatio: 0.02,
    slopeRatio: 0.044,
  };

  it('is told by all that is measured of it', () => {
    expect(isShadedDrawing(rendered)).toBe(true);
  });

  it.each([
    ['little of one colour', { flatRatio: 0.015 }],
    ['landmarks that stay', { shiftRatio: 0.005 }],
    ['slopes everywhere', { slopeRatio: 0.22 }],
    ['a long face', { faces: [{ ...face, height: 210 }] as const }],
  ])('is none with %s', (_, measured) => {
    expect(isShadedDrawing({ ...rendered, ...measured })).toBe(false);
  });
});

it('a shaded drawing is no face in a photo, and is not asked for elsewhere', async () => {
  const size = 200;
  const greyAt = (x: number, y: number) => (x % 25 < 2 ? 40 : 100 + 0.5 * x + 0.3 * y);
  const pixels = Uint8Array.from({ length: 3 * size ** 2 }, (_, index) => {
    const pixel = Math.floor(index / 3);
    return greyAt(pixel % size, Math.floor(pixel / size));
  });
  const box = Float32Array.of(50 / size, 45 / size, 150 / size, 150 / size);
  const input = { name: 'input', width: size, height: size, channels: 'rgb', mean: 0, scale: 1 } as const;
  const detector: Detector = {
    contract: { input, outputs: { scores: 'scores', boxes: 'boxes' }, thresholds: { score: 0.5, overlap: 0.4 } },
    run: async () => ({ scores: Float32Array.of(0, 0.99), boxes: box }),
  };
  // All points a little beside the middle: mirrored, they move by twice as much.
  const landmarker: Landmarker = {
    contract: { input: { ...input, width: 64, height: 64, channels: 'grey' }, outputs: { points: 'points' } },
    run: async () => ({ points: Float32Array.from({ length: 136 }, (_, index) => (index % 2 === 0 ? 0.507 : 0.5)) }),
  };
  const matcher = () => Promise.reject(new Error('a clear face is not compared'));
  const models: SightModels = { detector, landmarker, matcher, faceNorm: 2.5 };
  const seen = (shaded: boolean) =>
    seeFace({ width: size, height: size, pixels }, models, { detect: detectFaces, tries: 1, embed: false, shaded });
  expect((await seen(false)).kind).toBe('certain');
  expect((await seen(true)).kind).toBe('nothing');
});

it('a person in four flat colours, as posters and emoji are drawn, is no face', async () => {
  const photo = await stranger(0);
  const drawn = await sharp(photo).median(9).png({ palette: true, colours: 4, dither: 0 }).toBuffer();
  const engine = await shippedEngine();
  expect(outcomeText(await engine.analyseSelfie(photo, {}))).toBe('passed');
  expect(outcomeText(await engine.analyseSelfie(drawn, {}))).toBe('recapture face_not_detected');
});
