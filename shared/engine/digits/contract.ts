import * as z from 'zod';

/** What a pack says about its recogniser of spoken digits: log-mel frames [1, frames, 40] in, CTC log-probabilities out. */
export const digitsModel = z.object({
  name: z.string(),
  /** A file of the pack's own directory: never a path that leaves it. */
  file: z.string().regex(/^[a-z0-9][a-z0-9._-]*\.onnx$/i),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  licence: z.string(),
  provenance: z.string(),
  /** Languages it understands, as ISO 639 codes. */
  languages: z.array(z.string().regex(/^[a-z]{2,3}$/)).min(1),
  input: z.object({ name: z.string() }),
  /** [1, ceil(frames / 2), 11]: log-probabilities of the digits 0 to 9 and of the blank. */
  outputs: z.object({ logProbabilities: z.string() }),
  thresholds: z.object({
    /** ln P(expected digits | that many digits were spoken): from here on they are accepted … */
    digits: z.number().max(0),
    /** … if ln P(that many digits were spoken) is at least this. */
    length: z.number().max(0),
  }),
  /** Whose recordings it was trained on, and whose it has never heard: only these say how good it is. */
  training_speakers: z.array(z.string()),
  held_out_speakers: z.array(z.string()),
});
export type DigitsModel = z.infer<typeof digitsModel>;
