import * as z from 'zod';
import type { CaptureName, Check } from '../../domain/captures.ts';
import { looseBoolean, looseNumber } from '../wire-values.ts';

/** Where each check is posted, and which multipart field carries which capture. `api_key` goes with all of them. */
export const endpoints = {
  spoof_detect: { path: '/spoofdetect', files: { photo: 'selfie' } },
  photo_verify: { path: '/photoverify', files: { id_card: 'id_card', photo: 'selfie' } },
  video_verify: { path: '/videoverify', files: { id_card: 'id_card', video: 'video' } },
} as const satisfies Record<Check, { path: string; files: Record<string, CaptureName> }>;

export const audioChallenge = z.string().regex(/^\d{6}$/);

/** The fields beside the files; the last two for `/videoverify` alone. */
export const fields = z.object({
  api_key: z.string(),
  audiochallenge: audioChallenge.optional(),
  languageCode: z.string().optional(),
});
export type Fields = z.infer<typeof fields>;

/** Any refusal: free text. */
export const problem = z.object({ error: z.union([z.string(), z.record(z.string(), z.unknown())]) });
export type Problem = z.infer<typeof problem>;

const number = looseNumber.nullish();
const flag = looseBoolean.nullish();

/** A fraction of the frame's width, though the document says percentage. */
const ratio = number;

/** `start` and `end` are seconds since the epoch, though the document says milliseconds; `duration` is seconds as text. */
const times = { duration: number, start: number, end: number };

/**
 * Internal to One Smart Lab, "you can safely ignore": the samples pass what these thresholds would not. One is looked at,
 * to tell why a `status` is false: the width a face may have.
 */
const modelParams = z.object({ FACE_TO_FRAME_RATIO_MAX: ratio }).nullish();

const transcription = z
  .object({
    results: z
      .array(
        z.object({
          alternatives: z.array(z.object({ confidence: number, transcript: z.string().nullish() })).nullish(),
        }),
      )
      .nullish(),
  })
  .nullish();

const modelInput = z
  .object({
    audiochallenge: z.string().nullish(),
    languageCode: z.string().nullish(),
    video: z.object({ fps: number, frames: number, height: number, width: number }).nullish(),
  })
  .nullish();

const modelOutput = z
  .object({
    audio_challenge_passed: flag,
    face_distance_avg: number,
    face_sameness: number,
    largest_face_to_frame_ratio: ratio,
    non_spoof_detected: number,
    single_face_in_frames: number,
    transcription,
  })
  .nullish();

const oneFace = {
  face_to_frame_width_ratio: ratio,
  not_spoof_confidence: number,
  not_spoof_passed: flag,
  num_faces: number,
};

const answered = <Predictions extends z.ZodType>(predictions: Predictions) =>
  z.object({ predictions, success: looseBoolean.nullish() });

export const photoVerified = answered(
  z.object({
    ...times,
    model_input: modelInput,
    model_output: modelOutput,
    model_params: modelParams,
    verification: z.object({
      status: looseBoolean,
      breakdown: z.object({ id_card: z.object(oneFace), photo: z.object({ ...oneFace, distance: number }) }),
    }),
  }),
);
export type PhotoVerified = z.input<typeof photoVerified>;

export const videoVerified = answered(
  z.object({
    ...times,
    model_input: modelInput,
    model_output: modelOutput,
    model_params: modelParams,
    verification: z.object({
      status: looseBoolean,
      /** Read by name: the document explains `video_face_no_change` and `video_face_to_id_face` the wrong way round. */
      breakdown: z.object({
        audio_challenge_passed: flag,
        face_to_frame_width_ratio_passed: flag,
        not_spoof_passed: flag,
        video_face_no_change_passed: flag,
        video_face_to_id_face_passed: flag,
      }),
    }),
  }),
);
export type VideoVerified = z.input<typeof videoVerified>;

export const spoofDetected = answered(
  z.object({
    model_params: modelParams,
    metadata: z.object({ ...oneFace, face_to_frame_width_ratio_passed: flag, single_face: flag }).nullish(),
    verification: z.object({
      status: looseBoolean,
      breakdown: z.object({ face_to_frame_width_ratio_passed: flag, not_spoof_passed: flag, single_face: flag }),
    }),
  }),
);
export type SpoofDetected = z.input<typeof spoofDetected>;
