import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Point } from '../../../engine/faces.ts';
import { watchMotion } from '../../../engine/motion.ts';
import { luma, type RgbImage } from '../../../engine/pixels.ts';
import type { GreyFrame } from '../../../engine/video-worker.ts';
import { showStill, stillAttacks } from '../../../tools/evaluate/moving-stills.ts';
import { drawHead, type Gesture, gestureAt, type Head, headOf } from '../head.ts';
import { selfieOfPairFurtherAway } from '../people.ts';

/** Little more than the face, which is 203 px wide. */
const sizePx = 400;
let head: Head;
beforeAll(async () => {
  const photo = sharp(await selfieOfPairFurtherAway()).extract({ left: 270, top: 90, width: sizePx, height: sizePx });
  head = await headOf(await photo.png().toBuffer(), sizePx);
});

const framesPerSecond = 10;
const times = Array.from({ length: 3 * framesPerSecond }, (_, index) => index / framesPerSecond);
const atRest: Gesture = { yaw: 0, pitch: 0, blink: 0, mouth: 0 };

function greyOf({ width, height, pixels }: RgbImage): Omit<GreyFrame, 'time'> {
  const values = new Float32Array(3 * width * height);
  for (const [index, value] of pixels.entries()) values[(index % 3) * width * height + Math.floor(index / 3)] = value;
  return { width, height, pixels: luma({ width, height, values }) };
}

/** Every frame's landmarks are the photo's own: a picture that moves is followed from there. */
function motionOf(shownAt: (seconds: number, frame: number) => Omit<GreyFrame, 'time'>, landmarks: readonly Point[]) {
  const frames = times.map((time, index) => ({ ...shownAt(time, index), time }));
  const sighting = { landmarks, pictureWidthPx: sizePx, face: { x: 0, y: 0, width: 203, height: 203 } };
  return watchMotion(
    frames,
    times.map((time) => ({ ...sighting, time })),
  );
}

const headThat = (gesture: (seconds: number) => Partial<Gesture>) =>
  motionOf((seconds) => greyOf(drawHead(head, { ...atRest, ...gesture(seconds) })), head.landmarks);

function photoThat(attack: string) {
  const { poseAt } = stillAttacks.find(({ name }) => name === attack) ?? { poseAt: () => ({}) };
  const grey = greyOf(head.photo);
  const still = { ...grey, pixels: Uint8Array.from(grey.pixels, Math.round) };
  const size = { width: sizePx, height: sizePx };
  return motionOf((seconds, frame) => showStill(still, head.landmarks, poseAt(seconds), size, frame), head.landmarks);
}

describe('A head', () => {
  it('is one that turns by a few degrees, though it neither blinks nor speaks', () => {
    const { kind, measurements } = headThat((seconds) => ({ yaw: 0.05 * Math.sin(2 * seconds) }));
    expect(kind).toBe('head');
    expect(measurements.motion_eyes_ratio).toBeLessThan(10);
  });

  it('is one that hardly turns, if it blinks', () => {
    const turning = (seconds: number) => ({ yaw: 0.012 * Math.sin(2 * seconds) });
    expect(headThat(turning).kind).toBe('unclear');
    const blinking = headThat((seconds) => ({ ...turning(seconds), blink: gestureAt(seconds, 0).blink }));
    expect(blinking.measurements.motion_eyes_ratio).toBeGreaterThan(25);
    expect(blinking.kind).toBe('head');
  });

  it('is none for speaking alone: a mouth is easily drawn', () => {
    expect(headThat((seconds) => ({ mouth: Math.abs(Math.sin(5 * seconds)) })).kind).toBe('unclear');
  });
});

describe('A photo', () => {
  it.each(['still', 'wide tilt', 'zoom'])('is flat however it moves: %s', (attack) => {
    expect(photoThat(attack).kind).toBe('flat');
  });

  it.each(['mouth', 'much noise'])('is no head, and nobody is accused, where something else moves: %s', (attack) => {
    expect(photoThat(attack).kind).toBe('unclear');
  });
});

it('Nothing is said of a video without a face, or with too few frames', () => {
  expect(watchMotion([], []).kind).toBe('unclear');
  const frame = { ...greyOf(head.photo), time: 0 };
  const sighting = {
    time: 0,
    landmarks: head.landmarks,
    pictureWidthPx: sizePx,
    face: { x: 0, y: 0, width: 203, height: 203 },
  };
  expect(watchMotion([frame], [sighting]).kind).toBe('unclear');
  expect(watchMotion([frame], []).kind).toBe('unclear');
});
