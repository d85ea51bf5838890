import { describe, expect, it } from 'vitest';
import { personLimits } from '../../engine/id-card.ts';
import type { RgbImage } from '../../engine/pixels.ts';
import { measureSurroundings } from '../../engine/surroundings.ts';

const face = { x: 400, y: 400, width: 200, height: 250, score: 1 };

/** 1000 × 1100 pixels, grey as the function says; there is no face in it, only a place for one. */
function drawn(greyAt: (x: number, y: number) => number): RgbImage {
  const [width, height] = [1000, 1100];
  const pixels = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel += 1)
    pixels.fill(greyAt(pixel % width, Math.floor(pixel / width)), 3 * pixel, 3 * pixel + 3);
  return { width, height, pixels };
}

/** How far inside a rectangle that is turned about its middle; negative outside. */
function insideTurned(x: number, y: number, degrees: number): number {
  const [right, down] = [x - 500, y - 525];
  const [cosine, sine] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const [across, along] = [Math.abs(cosine * right + sine * down), Math.abs(cosine * down - sine * right)];
  return Math.min(170 - across, 230 - along);
}

const frameOf = (image: RgbImage) => measureSurroundings(image, face).frameContrast;
const linesOf = (image: RgbImage) => measureSurroundings(image, face).printedLines;

describe('The frame around a face', () => {
  it('is the edge of a printed photo, though the card is askew', () => {
    for (const degrees of [0, 3, -8])
      expect(frameOf(drawn((x, y) => (insideTurned(x, y, degrees) > 0 ? 100 : 140)))).toBeGreaterThan(25);
  });

  it('may be missing on one side, but not below', () => {
    const withGap = (gap: (x: number, y: number) => boolean) =>
      drawn((x, y) => (insideTurned(x, y, 0) > 0 || gap(x, y) ? 100 : 140));
    expect(frameOf(withGap((x) => x < 400))).toBeGreaterThan(25);
    expect(frameOf(withGap((_, y) => y < 400))).toBeGreaterThan(25);
    expect(frameOf(withGap((_, y) => y > 600))).toBeLessThan(personLimits.frameContrast);
  });

  it('is no shoulder, no slope of light and no texture', () => {
    expect(frameOf(drawn((x, y) => (y > 700 + Math.abs(x - 500) ** 1.3 / 6 ? 60 : 160)))).toBeLessThan(5);
    expect(frameOf(drawn((x) => x / 5))).toBeLessThan(5);
    const texture = drawn((x, y) => 128 + 60 * Math.sin(x / 7) * Math.sin(y / 9));
    expect(frameOf(texture)).toBeLessThan(personLimits.frameContrast);
  });
});

describe('Lines of print', () => {
  const letters = (x: number, y: number) => Math.floor(x / 7) % 2 === 0 && Math.floor(y / 3) % 2 === 0;

  it('are thin rows of strokes with nothing between them', () => {
    const printed = drawn((x, y) => (x > 640 && y > 300 && y < 700 && y % 60 < 24 && letters(x, y) ? 20 : 220));
    expect(linesOf(printed)).toBeGreaterThanOrEqual(personLimits.printedLines);
  });

  it('are seen at the edge of the picture, too', () => {
    const printed = drawn((x, y) => (x > 880 && y % 60 < 24 && letters(x, y) ? 20 : 220));
    expect(linesOf(printed)).toBeGreaterThanOrEqual(personLimits.printedLines);
  });

  it('are neither a fence, nor a blind, nor a wall of leaves', () => {
    expect(linesOf(drawn((x) => (x % 40 < 20 ? 60 : 200)))).toBe(0);
    expect(linesOf(drawn((_, y) => (y % 40 < 20 ? 60 : 200)))).toBe(0);
    expect(
      linesOf(drawn((x, y) => 60 + 140 * Math.abs(Math.sin(Math.floor(x / 9) * 12.9898 + Math.floor(y / 9) * 78.233)))),
    ).toBe(0);
  });
});
