/** Videos in which one flat picture moves, as an attacker makes them of a photo in minutes: what no check of motion may pass. */
import { centreOf, type Point } from '../../engine/faces.ts';
import { clamp } from '../../engine/pixels.ts';
import { mulberry32 } from './random.ts';

/** How the picture lies in one frame. */
interface Pose {
  /** Of the frame's width and height. */
  readonly right?: number;
  readonly down?: number;
  readonly scale?: number;
  /** Radians: in the picture's plane, about its upright axis, about its level one. */
  readonly roll?: number;
  readonly yaw?: number;
  readonly pitch?: number;
  /** Of the face's height: how far the lower lip is pulled down. */
  readonly mouth?: number;
  readonly brightness?: number;
  /** σ, 0..255. */
  readonly noise?: number;
}

export interface StillAttack {
  readonly name: string;
  readonly poseAt: (seconds: number) => Pose;
}

/** What a hand does: a few slow waves that never repeat. */
const wobble = (seconds: number, size = 1): Pose => ({
  right: size * (0.012 * Math.sin(2.1 * seconds) + 0.004 * Math.sin(11.3 * seconds)),
  down: size * (0.01 * Math.sin(2.9 * seconds + 1) + 0.003 * Math.sin(13.7 * seconds)),
  roll: size * 0.015 * Math.sin(1.7 * seconds + 2),
  scale: 1.06 + size * 0.015 * Math.sin(1.3 * seconds),
});

/** Open and shut as syllables are, three a second. */
const speaking = (seconds: number): number => 0.05 * Math.max(0, Math.sin(2 * Math.PI * 1.6 * seconds)) ** 2;

const tilted = (seconds: number, radians: number): Pose => ({
  ...wobble(seconds, 0.5),
  scale: 1.12,
  yaw: radians * Math.sin(1.9 * seconds),
  pitch: 0.5 * radians * Math.sin(1.3 * seconds + 1),
});

export const stillAttacks: readonly StillAttack[] = [
  { name: 'still', poseAt: () => ({}) },
  { name: 'wobble', poseAt: (seconds) => wobble(seconds) },
  { name: 'zoom', poseAt: (seconds) => ({ scale: 1 + 0.06 * seconds }) },
  { name: 'pan', poseAt: (seconds) => ({ scale: 1.2, right: 0.03 * seconds - 0.07, down: 0.01 * seconds }) },
  { name: 'tilt', poseAt: (seconds) => tilted(seconds, 0.2) },
  { name: 'wide tilt', poseAt: (seconds) => tilted(seconds, 0.5) },
  { name: 'mouth', poseAt: (seconds) => ({ ...wobble(seconds, 0.5), mouth: speaking(seconds) }) },
  { name: 'mouth and tilt', poseAt: (seconds) => ({ ...tilted(seconds, 0.25), mouth: speaking(seconds) }) },
  { name: 'noise', poseAt: (seconds) => ({ ...wobble(seconds), noise: 8 }) },
  { name: 'much noise', poseAt: (seconds) => ({ ...wobble(seconds), noise: 20 }) },
  {
    name: 'flicker',
    poseAt: (seconds) => ({ ...wobble(seconds), brightness: 1 + 0.08 * Math.sin(23 * seconds) }),
  },
];

/** Luma, 0..255, row by row. */
export interface Still {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** The picture as the pose shows it, at another size; what lies beyond it is its edge. */
export function showStill(still: Still, landmarks: readonly Point[], pose: Pose, size: Size, frame = 0): Still {
  const { right = 0, down = 0, scale = 1, roll = 0, yaw = 0, pitch = 0, mouth = 0, brightness = 1, noise = 0 } = pose;
  const { width, height } = size;
  const fit = Math.max(width / still.width, height / still.height) * scale;
  const [middleX, middleY] = [width * (0.5 + right), height * (0.5 + down)];
  const [cosRoll, sinRoll, cosYaw, sinYaw] = [Math.cos(roll), Math.sin(roll), Math.cos(yaw), Math.sin(yaw)];
  const [cosPitch, sinPitch] = [Math.cos(pitch), Math.sin(pitch)];
  // The camera is two widths of the picture away.
  const distance = 2 * still.width;
  const lip = centreOf(landmarks.slice(55, 60));
  const faceHeight = Math.abs((landmarks[8]?.y ?? 0) - (landmarks[27]?.y ?? 0));
  const pull = mouth * faceHeight;
  const [lipWide, lipHigh] = [0.28 * faceHeight, 0.2 * faceHeight];
  const pixels = new Uint8Array(width * height);
  const random = noiseFrom(frame);
  for (let v = 0, target = 0; v < height; v += 1) {
    for (let u = 0; u < width; u += 1, target += 1) {
      const levelX = (u - middleX) / fit;
      const levelY = (v - middleY) / fit;
      const x = cosRoll * levelX + sinRoll * levelY;
      const y = cosRoll * levelY - sinRoll * levelX;
      // Where the ray through (x, y) meets the turned picture.
      const nearness = 1 / distance;
      const a = cosYaw + x * sinYaw * nearness;
      const b = x * cosYaw * sinPitch * nearness;
      const c = sinYaw * sinPitch + y * sinYaw * nearness;
      const d = cosPitch - y * cosYaw * sinPitch * nearness;
      const determinant = a * d + b * c || 1;
      const fromX = (x * d + b * y) / determinant + still.width / 2;
      let fromY = (a * y - c * x) / determinant + still.height / 2;
      if (pull > 0) {
        const [byX, byY] = [(fromX - lip.x) / lipWide, (fromY - lip.y) / lipHigh];
        fromY -= pull * Math.exp(-(byX * byX + byY * byY));
      }
      const value = brightness * sample(still, fromX, fromY);
      pixels[target] = clamp(Math.round(noise > 0 ? value + noise * random() : value), 0, 255);
    }
  }
  return { width, height, pixels };
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

function noiseFrom(frame: number): () => number {
  const random = mulberry32(frame + 1);
  // Nearly normal, σ 1: the sum of three even ones.
  return () => 2 * (random() + random() + random() - 1.5);
}

/** The bilinear value at (x, y). */
function sample({ width, height, pixels }: Still, x: number, y: number): number {
  const insideX = clamp(x, 0, width - 1.001);
  const insideY = clamp(y, 0, height - 1.001);
  const [left, top] = [Math.floor(insideX), Math.floor(insideY)];
  const [right, bottom] = [insideX - left, insideY - top];
  const from = top * width + left;
  const upper = (1 - right) * (pixels[from] as number) + right * (pixels[from + 1] as number);
  const below = from + width;
  const lower = (1 - right) * (pixels[below] as number) + right * (pixels[below + 1] as number);
  return (1 - bottom) * upper + bottom * lower;
}
