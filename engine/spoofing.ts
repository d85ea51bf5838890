import type { SpoofingModel } from './manifest.ts';
import { type Model, outputOf } from './model.ts';
import {
  type Box,
  balanceColours,
  clamp,
  crop,
  newPatch,
  type Patch,
  type RgbImage,
  smearColours,
  smooth,
} from './pixels.ts';

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
type Look = (patch: Patch) => unknown;
const asItIs: Look = () => undefined;

/** Probability 0..1 that the face belongs to a person before the camera; the mean over the pack's models. */
export async function measureLiveness(
  image: RgbImage,
  face: Box,
  models: readonly Model<SpoofingModel>[],
): Promise<number> {
  return openLooks(image, face, models)(asItIs);
}

/** The same for any look at what the models see, which is cut out once. */
function openLooks(image: RgbImage, face: Box, models: readonly Model<SpoofingModel>[]) {
  const inputs = models.map((model) => {
    const { input, context } = model.contract;
    return { model, seen: crop(image, surroundings(image, face, context), newPatch(input.width, input.height)) };
  });
  return async (look: Look): Promise<number> => {
    let sum = 0;
    for (const { model, seen } of inputs) {
      const { contract, run } = model;
      const outputs = await run((patch) => {
        patch.values.set(seen.values);
        look(patch);
      });
      sum += softmax(outputOf(outputs, contract.outputs.classes))[contract.liveClass] ?? 0;
    }
    return clamp(sum / models.length, 0, 1);
  };
}

export interface Liveness {
  /** What decides between a person and an attack. */
  readonly live: number;
  readonly asIs: number;
  /** Absent where there was too little noise to take out. */
  readonly smoothed?: number;
  /** 0..1, at most `live`: what is left of it where colours count for less. Where this alone is too low, colours decided. */
  readonly plain: number;
}

/** Noise from which on a second look is worth its time. Of clean captures it shows nothing new. */
export const noticeableNoise = 2;
/**
 * Each look takes something from people, too: only what it takes beyond this counts. Fitted to bona fide captures, as they
 * are and degraded; the figures are in `engine/notes/limits.md`.
 */
const allowances = {
  smoothed: 0.25,
  balanced: 0.1,
  smeared: 0.2,
  smearedOfNoisy: 0.4,
  smoothedAndSmeared: 0.1,
} as const;

/**
 * Noise hides from the model what tells a print or a screen; smoothed, the same picture shows it again. Colours do the same:
 * a print that is tinted like skin, or has soft blotches of any colour, looks live to it. Without the tint, or with colours
 * that run into one another, it does not.
 * @param noise of the face, as the quality gate measured it
 */
export async function measureRobustLiveness(
  image: RgbImage,
  face: Box,
  noise: number,
  models: readonly Model<SpoofingModel>[],
): Promise<Liveness> {
  const look = openLooks(image, face, models);
  const asIs = await look(asItIs);
  const balanced = (await look(balanceColours)) + allowances.balanced;
  const smeared = await look(smearColours);
  if (noise < noticeableNoise) {
    return { asIs, live: asIs, plain: Math.min(asIs, balanced, smeared + allowances.smeared) };
  }
  const smoothed = await look(smooth);
  const live = Math.min(asIs, smoothed + allowances.smoothed);
  const both = (await look((patch) => smearColours(smooth(patch)))) + allowances.smoothedAndSmeared;
  return { asIs, smoothed, live, plain: Math.min(live, balanced, smeared + allowances.smearedOfNoisy, both) };
}

function softmax(logits: Float32Array): number[] {
  const highest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
