import * as z from 'zod';
import type { CaptureName, Check } from '../../domain/captures.ts';
import { anError, ifReadable, looseBoolean, looseNumber } from '../wire-values.ts';

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
export const problem = z.object({ error: anError });

/** What is measured, and looked at only to tell why a `status` is false. */
const number = ifReadable(looseNumber);
const unread = z.unknown().optional();
const flag = looseBoolean.nullish();

/** A fraction of the frame's width, though the document says percentage. */
const ratio = number;

/** `start` and `end` are seconds since the epoch, though the document says milliseconds; `duration` is seconds as text. */
const times = { duration: unread, start: number, end: number };

/**
 * Internal to One Smart Lab, "you can safely ignore": the samples pass what these thresholds would not. One is looked at,
 * to tell why a `status` is false: the width a face may have.
 */
const modelParams = ifReadable(
  z.object({
    FACE_TO_FRAME_RATIO_MAX: ratio,
    THRESHOLD_FACE_SIMILARITY: unread,
    THRESHOLD_L2_DISTANCE: unread,
    THRESHOLD_SPOOF: unread,
  }),
);

const transcription = ifReadable(
  z.object({
    results: ifReadable(
      z.array(
        z.object({
          alternatives: ifReadable(z.array(z.object({ confidence: number, transcript: ifReadable(z.string()) }))),
        }),
      ),
    ),
  }),
);

const modelInput = ifReadable(
  z.object({
    audiochallenge: unread,
    languageCode: unread,
    video: ifReadable(z.object({ fps: number, frames: number, height: unread, width: unread })),
  }),
);

const modelOutput = ifReadable(
  z.object({
    audio_challenge_passed: unread,
    face_distance_avg: number,
    face_sameness: number,
    largest_face_to_frame_ratio: ratio,
    non_spoof_detected: number,
    single_face_in_frames: number,
    transcription,
  }),
);

const oneFace = {
  face_to_frame_width_ratio: ratio,
  not_spoof_confidence: number,
  not_spoof_passed: flag,
  num_faces: number,
};

/** Of a true `status` nothing else is needed; a false one without a flag that says why is an unknown answer. */
const answered = <Predictions extends z.ZodType>(predictions: Predictions) =>
  z.object({ predictions, success: ifReadable(looseBoolean) });

const verification = <Breakdown extends z.ZodRawShape>(breakdown: Breakdown) =>
  z.object({ status: looseBoolean, breakdown: z.object(breakdown).nullish() });

export const photoVerified = answered(
  z.object({
    ...times,
    model_input: modelInput,
    model_output: modelOutput,
    model_params: modelParams,
    verification: verification({
      id_card: z.object({ ...oneFace, not_spoof_passed: ifReadable(looseBoolean) }).nullish(),
      photo: z.object({ ...oneFace, distance: number }).nullish(),
    }),
  }),
);

export const videoVerified = answered(
  z.object({
    ...times,
    model_input: modelInput,
    model_output: modelOutput,
    model_params: modelParams,
    /** Read by name: the document explains `video_face_no_change` and `video_face_to_id_face` the wrong way round. */
    verification: verification({
      audio_challenge_passed: flag,
      face_to_frame_width_ratio_passed: flag,
      not_spoof_passed: flag,
      video_face_no_change_passed: flag,
      video_face_to_id_face_passed: flag,
    }),
  }),
);

export const spoofDetected = answered(
  z.object({
    model_params: modelParams,
    metadata: z.object({ ...oneFace, face_to_frame_width_ratio_passed: flag, single_face: flag }).nullish(),
    verification: verification({
      face_to_frame_width_ratio_passed: flag,
      not_spoof_passed: flag,
      single_face: flag,
    }),
  }),
);
