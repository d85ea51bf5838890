import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { measureFlatColour } from '../../engine/flat-colour.ts';
import { newPatch } from '../../engine/pixels.ts';
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

it('a person in four flat colours, as posters and emoji are drawn, is no face', async () => {
  const photo = await stranger(0);
  const drawn = await sharp(photo).median(9).png({ palette: true, colours: 4, dither: 0 }).toBuffer();
  const engine = await shippedEngine();
  expect(outcomeText(await engine.analyseSelfie(photo, {}))).toBe('passed');
  expect(outcomeText(await engine.analyseSelfie(drawn, {}))).toBe('recapture face_not_detected');
});
