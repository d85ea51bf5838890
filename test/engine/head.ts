/**
 * A head with depth out of one photo, as a living person before a camera: it turns, blinks and opens its mouth while the
 * background stands still. Drawn when the tests run. It proves that such a video passes, and no rate.
 */
import sharp from 'sharp';
import { cropFace, detectFaces, findLandmarks, type Point } from '../../engine/faces.ts';
import { openModelPack } from '../../engine/models.ts';
import { clamp, type RgbImage } from '../../engine/pixels.ts';
import type { Turn } from '../../shared/domain/challenge.ts';
import { modelsDirectory } from './engine.ts';

/** What the head does at one moment. */
export interface Gesture {
  /** Radians, to the right and down. */
  readonly yaw: number;
  readonly pitch: number;
  /** 0..1: how far the lids are shut, and the mouth open. */
  readonly blink: number;
  readonly mouth: number;
}

/** The photo's face: everything is measured from between the eyes, in distances between them. */
export interface Head {
  readonly photo: RgbImage;
  /** 68, in its pixels. */
  readonly landmarks: readonly Point[];
  readonly middle: Point;
  /** From the left eye to the right one, as pixels. */
  readonly across: Point;
  readonly eyes: readonly Point[];
  readonly noseTip: Point;
  readonly mouth: Point;
  readonly mouthHalfWidth: number;
}

/** A square of the photo, and the face in it. */
export async function headOf(photo: Uint8Array, sizePx = 960): Promise<Head> {
  const { data, info } = await sharp(photo)
    .resize(sizePx, sizePx, { fit: 'cover', position: 'top' })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const image: RgbImage = { width: info.width, height: info.height, pixels: data };
  const landmarks = await landmarksOf(image);
  const mean = (indices: readonly number[]): Point => ({
    x: indices.reduce((sum, index) => sum + (landmarks[index]?.x ?? 0), 0) / indices.length,
    y: indices.reduce((sum, index) => sum + (landmarks[index]?.y ?? 0), 0) / indices.length,
  });
  const [left, right] = [mean([36, 37, 38, 39, 40, 41]), mean([42, 43, 44, 45, 46, 47])];
  const middle = { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2 };
  const across = { x: right.x - left.x, y: right.y - left.y };
  const inFace = ({ x, y }: Point) => faceCoordinates(x, y, middle, across);
  const [mouthLeft, mouthRight] = [inFace(mean([48])), inFace(mean([54]))];
  return {
    photo: image,
    landmarks,
    middle,
    across,
    eyes: [inFace(left), inFace(right)],
    noseTip: inFace(mean([30])),
    mouth: inFace(mean([62, 66])),
    mouthHalfWidth: Math.abs(mouthRight.x - mouthLeft.x) / 2,
  };
}

async function landmarksOf(image: RgbImage): Promise<readonly Point[]> {
  opening ??= modelsDirectory().then((directory) => openModelPack(directory, 1));
  const pack = await opening;
  const [detector, landmarker] = [
    await pack.open(pack.manifest.faceDetection),
    await pack.open(pack.manifest.faceLandmarks),
  ];
  const [face] = await detectFaces(image, detector);
  if (!face) throw new Error('a head is made of a photo with a face');
  return findLandmarks(cropFace(image, face, landmarker), face, landmarker);
}
let opening: ReturnType<typeof openModelPack> | undefined;

function faceCoordinates(x: number, y: number, middle: Point, across: Point): Point {
  const square = across.x ** 2 + across.y ** 2;
  const [right, down] = [x - middle.x, y - middle.y];
  return { x: (right * across.x + down * across.y) / square, y: (down * across.x - right * across.y) / square };
}

/** Half of the head's width and height, and where its middle lies below the eyes. */
const size = { halfWidth: 1.25, halfHeight: 1.75, below: 0.35 } as const;

/** How far towards the camera a point of the face lies before the plane of the ears. */
function depthAt({ x, y }: Point, noseTip: Point): number {
  const outwards = (x / size.halfWidth) ** 2 + ((y - size.below) / size.halfHeight) ** 2;
  if (outwards >= 1) return 0;
  const down = clamp(y / noseTip.y, 0, 1);
  const under = Math.max(0, y - noseTip.y) / 0.13;
  const sideways = (x - noseTip.x * down) / (0.13 + 0.1 * down);
  return 1.1 * Math.sqrt(1 - outwards) + 0.4 * down * Math.exp(-(sideways ** 2 + under ** 2) / 2);
}

/** The photo with the head in this gesture. */
export function drawHead(head: Head, gesture: Gesture): RgbImage {
  const { photo, middle, across } = head;
  const { width, height } = photo;
  const pixels = Uint8Array.from(photo.pixels);
  const reach = 1.9 * Math.hypot(across.x, across.y);
  const [left, right] = [Math.max(0, Math.floor(middle.x - reach)), Math.min(width, Math.ceil(middle.x + reach))];
  const [top, bottom] = [
    Math.max(0, Math.floor(middle.y - reach)),
    Math.min(height, Math.ceil(middle.y + 1.3 * reach)),
  ];
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) {
      const shown = faceCoordinates(x, y, middle, across);
      // Two rounds undo the turn: a point came from where its depth has moved it here.
      let rest = shown;
      for (let round = 0; round < 2; round += 1) {
        const depth = depthAt(rest, head.noseTip);
        rest = { x: shown.x - depth * Math.sin(gesture.yaw), y: shown.y - depth * Math.sin(gesture.pitch) };
      }
      const { from, shade } = behindLidsAndLips(head, rest, gesture);
      if (from === shown && shade === 1) continue;
      const fromX = middle.x + from.x * across.x - from.y * across.y;
      const fromY = middle.y + from.x * across.y + from.y * across.x;
      paint(photo, fromX, fromY, shade, pixels, 3 * (y * width + x));
    }
  }
  return { width, height, pixels };
}

/** Where the skin of this point is in the photo: lids cover the eyes, the jaw goes down, and between the lips it is dark. */
function behindLidsAndLips(head: Head, point: Point, { blink, mouth }: Gesture): { from: Point; shade: number } {
  for (const eye of head.eyes) {
    const [right, down] = [(point.x - eye.x) / 0.27, (point.y - eye.y) / 0.14];
    const opening = Math.sqrt(Math.max(0, 1 - right * right));
    if (opening > 0 && down > -opening && down < opening) {
      const lidEnds = -opening + 2 * opening * blink;
      if (down < lidEnds)
        return { from: { x: point.x, y: eye.y - 0.14 * (opening + 0.5 * (down + opening)) - 0.02 }, shade: 1 };
    }
  }
  const [right, down] = [(point.x - head.mouth.x) / head.mouthHalfWidth, point.y - head.mouth.y];
  const gap = 0.2 * mouth * Math.sqrt(Math.max(0, 1 - right * right));
  if (gap === 0 || down <= 0) return { from: point, shade: 1 };
  if (down < gap) return { from: point, shade: 0.25 };
  const fading = 1 - clamp((down - gap) / 0.9, 0, 1);
  return { from: { x: point.x, y: point.y - gap * fading }, shade: 1 };
}

function paint(
  { width, height, pixels }: RgbImage,
  x: number,
  y: number,
  shade: number,
  into: Uint8Array,
  target: number,
): void {
  const insideX = clamp(x, 0, width - 1.001);
  const insideY = clamp(y, 0, height - 1.001);
  const [left, top] = [Math.floor(insideX), Math.floor(insideY)];
  const [right, below] = [insideX - left, insideY - top];
  const from = 3 * (top * width + left);
  for (let channel = 0; channel < 3; channel += 1) {
    const at = from + channel;
    const upper = (1 - right) * (pixels[at] as number) + right * (pixels[at + 3] as number);
    const lower = (1 - right) * (pixels[at + 3 * width] as number) + right * (pixels[at + 3 * width + 3] as number);
    into[target + channel] = Math.round(shade * ((1 - below) * upper + below * lower));
  }
}

/** A person who looks about a little, blinks now and then, and speaks as loud as the sound is: 0..1 at each moment. */
export function gestureAt(seconds: number, loudness: number): Gesture {
  const sinceBlink = (seconds + 0.9) % 1.7;
  return {
    yaw: 0.13 * Math.sin(2.2 * seconds),
    pitch: 0.06 * Math.sin(1.5 * seconds + 1),
    blink: Math.max(0, 1 - Math.abs(sinceBlink - 0.2) / 0.15),
    mouth: loudness,
  };
}

/** The same person, who besides turns the head once, as far as people do, and back: begun at this second, over in 1.4 s. */
export function turningAt({ side, second }: Turn): typeof gestureAt {
  return (seconds, loudness) => {
    const gesture = gestureAt(seconds, loudness);
    const passed = clamp((seconds - second) / 1.4, 0, 1);
    const yaw = 0.6 * Math.sin(Math.PI * passed) ** 2;
    return { ...gesture, yaw: 0.4 * gesture.yaw + (side === 'left' ? yaw : -yaw) };
  };
}
