import { describe, expect, it } from 'vitest';
import type { Point } from '../../engine/faces.ts';
import type { Tracked } from '../../engine/motion/face-track.ts';
import { watchTurn } from '../../engine/turn.ts';

/** A face of which the nose is so far off the middle of the eyes, over the distance between them. */
function faceTurned(ratio: number): readonly Point[] {
  const points = Array.from({ length: 68 }, () => ({ x: 50, y: 50 }));
  const eyes = [36, 37, 38, 39, 40, 41].map((index) => [index, 0] as const);
  for (const [index, x] of [...eyes, ...eyes.map(([index]) => [index + 6, 100] as const)]) points[index] = { x, y: 0 };
  points[30] = { x: 50 + 100 * ratio, y: 40 };
  return points;
}

/** Ten frames a second for six, of a video that begins at second 7. */
const trackOf = (ratioAt: (seconds: number) => number): readonly Tracked[] =>
  Array.from({ length: 60 }, (_, index) => ({
    time: 7 + index / 10,
    landmarks: faceTurned(ratioAt(index / 10)),
  }));

/** Up within half a second, and down. */
const turnBegunAt = (second: number, ratio: number) => (seconds: number) =>
  ratio * Math.max(0, 1 - Math.abs(seconds - second - 0.5) / 0.5);

const watch = (ratioAt: (seconds: number) => number, side: 'left' | 'right' = 'left', second = 3) =>
  watchTurn(trackOf(ratioAt), { side, second }, 7).seen;

describe('A turn of the head', () => {
  it('to the own left moves the nose right in the picture, to the right left', () => {
    expect(watch(turnBegunAt(3, 0.4))).toBe(true);
    expect(watch(turnBegunAt(3, -0.4))).toBe(false);
    expect(watch(turnBegunAt(3, -0.4), 'right')).toBe(true);
  });

  it('counts from where the head mostly is', () => {
    expect(watch((seconds) => 0.15 + turnBegunAt(3, 0.4)(seconds))).toBe(true);
    expect(watch(() => 0.4)).toBe(false);
  });

  it('is seen from a fifth of the distance between the eyes on', () => {
    expect(watch(turnBegunAt(3, 0.26))).toBe(true);
    expect(watch(turnBegunAt(3, 0.17))).toBe(false);
  });

  it.each([
    [2.2, false],
    [2.6, true],
    [4.4, true],
    [4.7, false],
  ])('that begins at second %f instead of 3: %s', (second, seen) => {
    expect(watch(turnBegunAt(second, 0.4))).toBe(seen);
  });

  it('is one: a head that turns to and fro has not turned then', () => {
    expect(watch((seconds) => 0.4 * Math.sin(3 * seconds))).toBe(false);
    expect(watch((seconds) => turnBegunAt(3, 0.4)(seconds) + turnBegunAt(1, 0.35)(seconds))).toBe(false);
    expect(watch((seconds) => turnBegunAt(3, 0.4)(seconds) + turnBegunAt(1, -0.35)(seconds))).toBe(false);
  });

  it('may be held until the end, and is not one misread frame', () => {
    expect(watch((seconds) => (seconds < 3.5 ? 0 : 0.4))).toBe(true);
    expect(watch((seconds) => (seconds === 3.5 ? 0.4 : 0))).toBe(false);
  });

  it('is not seen where there is no face', () => {
    expect(watchTurn([], { side: 'left', second: 3 }, 0)).toEqual({ seen: false, measurements: {} });
  });
});
