import type { SpoofingModel } from './manifest.ts';
import { type Model, outputOf } from './model.ts';
import { type Box, clamp, crop, type Patch, type RgbImage, smooth } from './pixels.ts';

/**
 * How many box sizes a crop around the face can span and still lie inside the image, at most `wanted`.
 * Below about 1.5 the spoof model sees no paper edge, bezel or hand, and real faces fail, too.
 */
export function contextAround(image: RgbImage, face: Box, wanted: number): number {
  return Math.min(wanted, (image.width - 1) / face.width, (image.height - 1) / face.height);
}

/** The crop the spoof model was trained on: the box grown about its centre, then shifted back inside the image. */
function surroundings(image: RgbImage, face: Box, wanted: number): Box {
  const context = contextAround(image, face, wanted);
  const width = face.width * context;
  const height = face.height * context;
  return {
    x: clamp(face.x + face.width / 2 - width / 2, 0, image.width - 1 - width),
    y: clamp(face.y + face.height / 2 - height / 2, 0, image.height - 1 - height),
    width,
    height,
  };
}

/** How a spoof model's input is changed before the model sees it, in place. */
type Look = (patch: Patch) => void;
const asItIs: Look = () => undefined;

/** Probability 0..1 that the face belongs to a person before the camera; the mean over the pack's models. */
export async function measureLiveness(
  image: RgbImage,
  face: Box,
  models: readonly Model<SpoofingModel>[],
  look: Look = asItIs,
): Promise<number> {
  let sum = 0;
  for (const { contract, run } of models) {
    const region = surroundings(image, face, contract.context);
    const outputs = await run((patch) => look(crop(image, region, patch)));
    sum += softmax(outputOf(outputs, contract.outputs.classes))[contract.liveClass] ?? 0;
  }
  return clamp(sum / models.length, 0, 1);
}

export interface Liveness {
  /** What decides. */
  readonly live: number;
  readonly asIs: number;
  /** Absent where there was too little noise to take out. */
  readonly smoothed?: number;
}

/** Noise from which on a second look is worth its time. Of clean captures it shows nothing new. */
const noticeableNoise = 2;
/** Smoothing takes something from people, too: only what it takes beyond this counts (`engine/notes/limits.md`). */
const smoothingAllowance = 0.25;

/**
 * Noise hides from the model what tells a print or a screen; smoothed, the same picture shows it again.
 * @param noise of the face, as the quality gate measured it
 */
export async function measureRobustLiveness(
  image: RgbImage,
  face: Box,
  noise: number,
  models: readonly Model<SpoofingModel>[],
): Promise<Liveness> {
  const asIs = await measureLiveness(image, face, models);
  if (noise < noticeableNoise) return { asIs, live: asIs };
  const smoothed = await measureLiveness(image, face, models, smooth);
  return { asIs, smoothed, live: Math.min(asIs, smoothed + smoothingAllowance) };
}

function softmax(logits: Float32Array): number[] {
  const highest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
