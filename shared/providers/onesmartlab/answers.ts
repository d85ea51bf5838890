import * as z from 'zod';
import type { Check } from '../../domain/captures.ts';
import type { Fault, FaultCode } from '../../domain/fault.ts';
import type { Measurements, Reason } from '../../domain/verdict.ts';
import { defaultLive, type Judged, type Reply, takeItAgain, whatToDo } from '../served.ts';

/* What we answer where One Smart Lab's API is served: its document's bodies, every field of them measured. */

/** Measured, or null where the provider that decided did not. */
const measuredNumber = z.number().nullable();
/** Text of a number with two decimals, as the document has confidences and durations. */
const twoDecimals = z.string().regex(/^\d+\.\d\d$/);
const confidence = twoDecimals.nullable();
const count = z.int().nonnegative().nullable();

const maximumWidthRatio = 0.7;
const modelParams = z.strictObject({
  FACE_TO_FRAME_RATIO_MAX: z.literal(maximumWidthRatio),
  THRESHOLD_FACE_SIMILARITY: z.literal(0.9),
  THRESHOLD_L2_DISTANCE: z.literal(0.9),
  THRESHOLD_SPOOF: z.literal(0.9),
});

/** The body of a verification: `start` and `end` in seconds since the epoch. */
const verified = <Input extends z.ZodType, Output extends z.ZodType, Breakdown extends z.ZodType>(
  modelInput: Input,
  modelOutput: Output,
  breakdown: Breakdown,
) =>
  z.strictObject({
    predictions: z.strictObject({
      duration: twoDecimals,
      end: z.number(),
      model_input: modelInput,
      model_output: modelOutput,
      model_params: modelParams,
      start: z.number(),
      verification: z.strictObject({ breakdown, status: z.boolean() }),
    }),
    success: z.literal(true),
  });

/** `/photoverify` */
export const photoVerified = verified(
  z.strictObject({
    audiochallenge: z.null(),
    languageCode: z.null(),
    video: z.strictObject({ fps: z.null(), frames: z.null(), height: z.null(), width: z.null() }),
  }),
  z.strictObject({
    audio_challenge_passed: z.literal(true),
    face_distance_avg: measuredNumber,
    face_sameness: z.literal(0),
    largest_face_to_frame_ratio: measuredNumber,
    non_spoof_detected: measuredNumber,
    single_face_in_frames: z.literal(1),
    transcription: z.null(),
  }),
  z.strictObject({
    id_card: z.strictObject({
      face_to_frame_width_ratio: measuredNumber,
      not_spoof_confidence: confidence,
      not_spoof_passed: z.boolean(),
      num_faces: count,
    }),
    photo: z.strictObject({
      distance: measuredNumber,
      face_to_frame_width_ratio: measuredNumber,
      not_spoof_confidence: confidence,
      not_spoof_passed: z.boolean(),
      num_faces: count,
    }),
  }),
);
export type PhotoVerified = z.infer<typeof photoVerified>;

/** `/videoverify` */
export const videoVerified = verified(
  z.strictObject({
    audiochallenge: z.string(),
    languageCode: z.string().nullable(),
    video: z.strictObject({
      fps: measuredNumber,
      frames: measuredNumber,
      height: measuredNumber,
      width: measuredNumber,
    }),
  }),
  z.strictObject({
    audio_challenge_passed: z.boolean(),
    face_distance_avg: measuredNumber,
    face_sameness: measuredNumber,
    largest_face_to_frame_ratio: measuredNumber,
    non_spoof_detected: measuredNumber,
    single_face_in_frames: measuredNumber,
    /** Null where nothing was listened to. */
    transcription: z
      .strictObject({
        results: z
          .array(
            z.strictObject({
              alternatives: z
                .array(z.strictObject({ confidence: measuredNumber, transcript: z.string().regex(/^(\d )*$/) }))
                .length(1),
            }),
          )
          .length(1),
      })
      .nullable(),
  }),
  z.strictObject({
    audio_challenge_passed: z.boolean(),
    face_to_frame_width_ratio_passed: z.boolean(),
    not_spoof_passed: z.boolean(),
    video_face_no_change_passed: z.boolean(),
    video_face_to_id_face_passed: z.boolean(),
  }),
);
export type VideoVerified = z.infer<typeof videoVerified>;

/** `/spoofdetect` */
export const spoofDetected = z.strictObject({
  predictions: z.strictObject({
    metadata: z.strictObject({
      face_to_frame_width_ratio: measuredNumber,
      face_to_frame_width_ratio_passed: z.boolean(),
      not_spoof_confidence: confidence,
      not_spoof_passed: z.boolean(),
      num_faces: count,
      single_face: z.boolean(),
    }),
    verification: z.strictObject({
      breakdown: z.strictObject({
        face_to_frame_width_ratio_passed: z.boolean(),
        not_spoof_passed: z.boolean(),
        single_face: z.boolean(),
      }),
      status: z.boolean(),
    }),
  }),
  success: z.literal(true),
});
export type SpoofDetected = z.infer<typeof spoofDetected>;

/** What no field can tell, and what is wrong with a request: `<part>: <what to do>`. */
export const problem = z.strictObject({ error: z.string().min(1) });
export type Problem = z.infer<typeof problem>;

/** What is written where there are fields for it, by check. */
export const answers = {
  spoof_detect: spoofDetected,
  photo_verify: photoVerified,
  video_verify: videoVerified,
} as const satisfies Record<Check, z.ZodType>;
export type Answer = SpoofDetected | PhotoVerified | VideoVerified | Problem;

/** What tells a reason: a field, or `error` where there is none. `status` alone is false where no flag is for it. */
type Field =
  | 'num_faces'
  | 'single_face'
  | 'single_face_in_frames'
  | 'face_to_frame_width_ratio'
  | 'face_to_frame_width_ratio_passed'
  | 'not_spoof_passed'
  | 'audio_challenge_passed'
  | 'transcript'
  | 'video_face_no_change_passed'
  | 'video_face_to_id_face_passed'
  | 'status'
  | 'error';

type FieldOf = Readonly<Record<Check, Field>>;
const byError: FieldOf = { spoof_detect: 'error', photo_verify: 'error', video_verify: 'error' };
const byFlag: FieldOf = {
  spoof_detect: 'not_spoof_passed',
  photo_verify: 'not_spoof_passed',
  video_verify: 'not_spoof_passed',
};

/**
 * How each reason is told. A photo of a photo, a picture that does not move and a capture that was seen before are not a
 * person before the camera, which is what `not_spoof_passed` asks. A second person in a video has no flag in its
 * breakdown, and `status` is true where all flags are, so it is told by words.
 */
export const reasonFields = {
  face_not_detected: {
    spoof_detect: 'num_faces',
    photo_verify: 'num_faces',
    video_verify: 'single_face_in_frames',
  },
  multiple_faces: { spoof_detect: 'single_face', photo_verify: 'num_faces', video_verify: 'error' },
  face_too_small: byError,
  face_too_large: {
    spoof_detect: 'face_to_frame_width_ratio_passed',
    photo_verify: 'face_to_frame_width_ratio',
    video_verify: 'face_to_frame_width_ratio_passed',
  },
  face_cropped: byError,
  face_turned: byError,
  too_blurred: byError,
  too_noisy: byError,
  unnatural_colours: byError,
  too_dark: byError,
  too_bright: byError,
  capture_unreadable: byError,
  capture_too_large: byError,
  format_unsupported: byError,
  video_too_short: byError,
  move_your_head: byError,
  card_not_seen: byError,
  id_face_too_small: byError,
  audio_missing: { ...byError, video_verify: 'audio_challenge_passed' },
  digits_not_heard: { ...byError, video_verify: 'transcript' },
  challenge_expired: byError,
  presentation_attack_suspected: byFlag,
  face_mismatch: {
    spoof_detect: 'not_spoof_passed',
    photo_verify: 'status',
    video_verify: 'video_face_to_id_face_passed',
  },
  same_photo_as_id: byFlag,
  wrong_digits: { ...byFlag, video_verify: 'audio_challenge_passed' },
  face_changed_in_video: { ...byFlag, video_verify: 'video_face_no_change_passed' },
  face_does_not_move: byFlag,
  capture_reused: byFlag,
} as const satisfies Record<Reason, FieldOf>;

/** The body that says what was judged. */
export function answer(check: Check, judged: Judged): Answer {
  const { outcome, reasons } = judged.verdict;
  const fields = new Set(reasons.map((reason) => reasonFields[reason][check]).filter((field) => tells(field, judged)));
  if (outcome === 'recapture' && fields.size === 0) return { error: wordsOf(check, judged) };
  // `status` is false of every failure, and a breakdown that says why is never without a reason.
  if (outcome === 'failed' && fields.size === 0) fields.add('not_spoof_passed');
  return writers[check](judged, fields);
}

/** Of an answer: words ask for another capture, which is another request. */
export const statusOf = (body: Answer): 200 | 400 => ('error' in body ? 400 : 200);

type Writer<Body> = (judged: Judged, fields: ReadonlySet<Field>) => Body;

const writers = { spoof_detect: spoofDetect, photo_verify: photoVerify, video_verify: videoVerify } satisfies {
  [C in Check]: Writer<z.infer<(typeof answers)[C]>>;
};

/** Whether a field says so with these measurements. */
function tells(field: Field, { measurements, transcript }: Judged): boolean {
  switch (field) {
    case 'error':
      return false;
    case 'single_face_in_frames':
      return singleFaceOf(measurements) === 0;
    case 'face_to_frame_width_ratio':
      return (widthRatioOf(measurements) ?? 0) > maximumWidthRatio;
    case 'transcript': // digits that were heard, and are doubtful, would be read as wrong ones
      return !transcript;
    default:
      return true;
  }
}

function spoofDetect(judged: Judged, fields: ReadonlySet<Field>): SpoofDetected {
  const { measurements, verdict } = judged;
  const noFace = fields.has('num_faces');
  const singleFace = !noFace && !fields.has('single_face');
  const ratioPassed = !fields.has('face_to_frame_width_ratio_passed');
  const notSpoof = !noFace && !fields.has('not_spoof_passed');
  return {
    predictions: {
      metadata: {
        face_to_frame_width_ratio: noFace ? null : widthRatioOf(measurements),
        face_to_frame_width_ratio_passed: ratioPassed,
        not_spoof_confidence: decimals(liveOf(judged, noFace)),
        not_spoof_passed: notSpoof,
        num_faces: noFace ? 0 : measured(measurements, 'face_count'),
        single_face: singleFace,
      },
      verification: {
        breakdown: {
          face_to_frame_width_ratio_passed: ratioPassed,
          not_spoof_passed: notSpoof,
          single_face: singleFace,
        },
        status: verdict.outcome === 'passed',
      },
    },
    success: true,
  };
}

function photoVerify(judged: Judged, fields: ReadonlySet<Field>): PhotoVerified {
  const { measurements, verdict } = judged;
  const missing = verdict.reasons.includes('face_not_detected');
  const noCardFace = missing && cardFaces(measurements) === 0;
  const noFace = missing && (!noCardFace || measurements.face_count === 0);
  const live = liveOf(judged, noFace);
  const distance = distanceOf(measurements);
  const widthRatio = noFace ? null : widthRatioOf(measurements);
  return {
    predictions: {
      ...beginning(judged),
      model_input: {
        audiochallenge: null,
        languageCode: null,
        video: { fps: null, frames: null, height: null, width: null },
      },
      model_output: {
        audio_challenge_passed: true,
        face_distance_avg: distance,
        face_sameness: 0,
        largest_face_to_frame_ratio: widthRatio,
        non_spoof_detected: live,
        single_face_in_frames: 1,
        transcription: null,
      },
      model_params: parameters,
      start: secondsOf(judged).start,
      verification: {
        breakdown: {
          id_card: {
            face_to_frame_width_ratio: noCardFace
              ? null
              : measured(measurements, 'id_face_width_ratio', 'id_card_face_width_ratio'),
            not_spoof_confidence: decimals(
              noCardFace ? 0 : measured(measurements, 'id_live_score', 'id_card_not_spoof_confidence'),
            ),
            not_spoof_passed: !noCardFace && measurements.id_card_not_spoof_passed !== 0,
            num_faces: noCardFace ? 0 : cardFaces(measurements),
          },
          photo: {
            distance,
            face_to_frame_width_ratio: widthRatio,
            not_spoof_confidence: decimals(live),
            not_spoof_passed: !noFace && !fields.has('not_spoof_passed'),
            num_faces: noFace ? 0 : measured(measurements, 'face_count'),
          },
        },
        status: verdict.outcome === 'passed',
      },
    },
    success: true,
  };
}

function videoVerify(judged: Judged, fields: ReadonlySet<Field>): VideoVerified {
  const { measurements, verdict, challenge = '', languageCode = null } = judged;
  const noFace = fields.has('single_face_in_frames');
  const audioPassed = !fields.has('audio_challenge_passed') && !fields.has('transcript');
  return {
    predictions: {
      ...beginning(judged),
      model_input: {
        audiochallenge: challenge,
        languageCode,
        video: {
          fps: measured(measurements, 'video_frames_per_second'),
          frames: measured(measurements, 'video_frames'),
          height: measured(measurements, 'video_height_px'),
          width: measured(measurements, 'video_width_px'),
        },
      },
      model_output: {
        audio_challenge_passed: audioPassed,
        face_distance_avg: measured(measurements, 'match_distance_average', 'face_distance'),
        face_sameness: measured(measurements, 'face_sameness_ratio'),
        largest_face_to_frame_ratio: measured(measurements, 'largest_face_width_ratio', 'face_width_ratio'),
        non_spoof_detected: liveOf(judged, noFace),
        single_face_in_frames: singleFaceOf(measurements),
        transcription: transcriptionOf(judged),
      },
      model_params: parameters,
      start: secondsOf(judged).start,
      verification: {
        breakdown: {
          audio_challenge_passed: audioPassed,
          face_to_frame_width_ratio_passed: !fields.has('face_to_frame_width_ratio_passed'),
          not_spoof_passed: !noFace && !fields.has('not_spoof_passed'),
          video_face_no_change_passed: !fields.has('video_face_no_change_passed'),
          video_face_to_id_face_passed: !fields.has('video_face_to_id_face_passed'),
        },
        status: verdict.outcome === 'passed',
      },
    },
    success: true,
  };
}

const parameters: z.infer<typeof modelParams> = {
  FACE_TO_FRAME_RATIO_MAX: maximumWidthRatio,
  THRESHOLD_FACE_SIMILARITY: 0.9,
  THRESHOLD_L2_DISTANCE: 0.9,
  THRESHOLD_SPOOF: 0.9,
};

function beginning(judged: Judged): { duration: string; end: number } {
  const { start, end } = secondsOf(judged);
  return { duration: (end - start).toFixed(2), end };
}

/** Of the attempt; two machines wrote the two times, so the later one may read earlier. */
function secondsOf({ startedAt, endedAt }: Judged): { start: number; end: number } {
  const start = Date.parse(startedAt) / 1000;
  return { start, end: Math.max(start, Date.parse(endedAt) / 1000) };
}

/** The first of these that was measured: the built-in engine's name of it, then that of One Smart Lab's own answers. */
function measured(measurements: Measurements, ...names: readonly string[]): number | null {
  return names.map((name) => measurements[name]).find((value) => value !== undefined) ?? null;
}

const widthRatioOf = (measurements: Measurements) => measured(measurements, 'face_width_ratio');
const distanceOf = (measurements: Measurements) => measured(measurements, 'match_distance', 'face_distance');
const singleFaceOf = (measurements: Measurements) =>
  measured(measurements, 'single_face_ratio', 'single_face_frames_ratio');

/** Ghost images and holograms that were ignored are not counted: a card has one face, or none was found. */
function cardFaces(measurements: Measurements): number | null {
  const { id_face_count: count, id_faces_ignored: ignored = 0 } = measurements;
  return count === undefined ? measured(measurements, 'id_card_face_count') : count - ignored;
}

/** 0 where there is no face. Of another capture to be taken again the score is not certain: the client is told it where it calls no person an attacker. */
function liveOf({ verdict, measurements, thresholds }: Judged, noFace: boolean): number | null {
  if (noFace) return 0;
  const live = verdict.scores.live ?? measured(measurements, 'live_score');
  if (verdict.outcome !== 'recapture') return live;
  return live !== null && live >= (thresholds.live ?? defaultLive) ? live : null;
}

const decimals = (value: number | null): string | null => value?.toFixed(2) ?? null;

/** The digits with spaces between them and one at the end, as in the document. */
function transcriptionOf({
  transcript,
  measurements,
}: Judged): VideoVerified['predictions']['model_output']['transcription'] {
  if (transcript === undefined) return null;
  const confidence = measured(measurements, 'digits_confidence', 'transcription_confidence');
  const spoken = [...transcript].map((digit) => `${digit} `).join('');
  return { results: [{ alternatives: [{ confidence, transcript: spoken }] }] };
}

/** `<part>: <what to do>` of the first reason that has words. */
function wordsOf(check: Check, { verdict, measurements }: Judged): string {
  const words = new Map<Reason, string>(Object.entries(whatToDo) as [Reason, string][]);
  const reason = verdict.reasons.find((one) => words.has(one));
  return `${partOf(reason, check, measurements)}: ${(reason && words.get(reason)) ?? takeItAgain}`;
}

/** Which part of the request has to be made again. */
function partOf(reason: Reason | undefined, check: Check, measurements: Measurements): string {
  const person = check === 'video_verify' ? 'video' : 'photo';
  switch (reason) {
    case 'card_not_seen':
    case 'id_face_too_small':
      return 'id_card';
    case 'face_not_detected':
      return cardFaces(measurements) === 0 ? 'id_card' : person;
    case 'capture_unreadable':
    case 'capture_too_large':
      return measurements.id_card_refused === 1 || measurements.id_capture_bytes !== undefined ? 'id_card' : person;
    case 'challenge_expired':
      return 'audiochallenge';
    default:
      return person;
  }
}

const refused = (status: number, error: string): Reply & { body: Problem } => ({ status, body: { error } });

/** The document gives errors neither a status nor a text. */
export const refusals = {
  request: refused(400, 'request: send multipart/form-data with the documented parts.'),
  type: refused(400, 'request: send photos as JPEG or PNG, and a video as MP4.'),
  languageCode: refused(400, 'languageCode: send a language that is understood, such as en-US.'),
  audiochallenge: refused(400, 'audiochallenge: send six digits.'),
  apiKey: refused(401, 'api_key: send a valid key.'),
  tooLarge: refused(413, 'request: send smaller files.'),
  failed: refused(500, 'The verification failed on our side: send it again.'),
  /** The verdict did not come in time; the verification goes on. */
  timedOut: refused(504, 'The verification takes longer than this call waits: send it again.'),
} as const satisfies Record<string, Reply & { body: Problem }>;

/** How each fault is told, of a request that is refused and of a verification that ended without a verdict. */
export const faultAnswers = {
  request_unreadable: 'request',
  request_invalid: 'request',
  request_too_large: 'tooLarge',
  route_unknown: 'failed',
  api_key_invalid: 'apiKey',
  client_token_invalid: 'apiKey',
  session_invalid: 'failed',
  invitation_invalid: 'failed',
  operator_forbidden: 'failed',
  origin_forbidden: 'failed',
  hand_off_invalid: 'failed',
  verification_unknown: 'failed',
  source_id_conflict: 'failed',
  source_id_erased: 'failed',
  subject_locked: 'failed',
  state_conflict: 'failed',
  rounds_spent: 'failed',
  retries_spent: 'failed',
  erasure_unfinished: 'failed',
  captures_gone: 'failed',
  version_outdated: 'failed',
  check_unavailable: 'failed',
  provider_unavailable: 'failed',
  capture_type_unsupported: 'type',
  capture_length_invalid: 'tooLarge',
  language_unsupported: 'languageCode',
  challenge_unsupported: 'audiochallenge',
  capture_missing: 'failed',
  provider_unreachable: 'failed',
  provider_timed_out: 'failed',
  provider_throttled: 'failed',
  provider_failed: 'failed',
  provider_refused: 'failed',
  provider_unauthorized: 'failed',
  provider_credits_spent: 'failed',
  provider_unreadable: 'failed',
  breaker_open: 'failed',
  endpoint_unknown: 'failed',
  endpoint_disabled: 'failed',
  delivery_unknown: 'failed',
  event_erased: 'failed',
  result_closed: 'failed',
  replay_running: 'failed',
  replay_unknown: 'failed',
  webhook_unknown: 'failed',
  webhook_overdue: 'failed',
  lease_expired: 'failed',
} as const satisfies Record<FaultCode, keyof typeof refusals>;

/** What the caller has to change is said in the fault's own words, which name the part; the rest by its code. */
const inItsOwnWords: ReadonlySet<FaultCode> = new Set(['request_unreadable', 'request_invalid']);

export function refusal({ code, message }: Pick<Fault, 'code' | 'message'>): Reply & { body: Problem } {
  const reply = refusals[faultAnswers[code]];
  if (!inItsOwnWords.has(code)) return reply;
  return refused(reply.status, /^\w+: /.test(message) ? message : `request: ${message}`);
}
