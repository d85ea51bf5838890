import * as z from 'zod';
import type { FaultCode } from '../../domain/fault.ts';
import { type SpoofsenseEdition, spoofsenseEdition } from '../../domain/policy.ts';
import type { Reason } from '../../domain/verdict.ts';
import { defaultLive, type Judged, type Reply } from '../served.ts';
import { contentTooLong, defaultThresholds, type Endpoint, type ErrorCode } from './wire.ts';

/* What we answer where SpoofSense's API is served: its documents' words, to the letter. */

/** The two documents: what was not judged has an `error_code` (003), or a message alone (001). */
export const editions = spoofsenseEdition.options;
export type Edition = SpoofsenseEdition;

export const processed = z.strictObject({
  success: z.literal(true),
  message: z.literal('Process finished successfully'),
  model_output: z.strictObject({ pred_idx: z.enum(['real', 'spoof']), prob_real: z.number().min(0).max(1) }),
});
export type Processed = z.infer<typeof processed>;

export const coded = z.discriminatedUnion('error_code', [
  z.strictObject({
    success: z.literal(false),
    message: z.literal('Face detection failed'),
    error_code: z.literal('FACE_NOT_DETECTED'),
  }),
  z.strictObject({
    success: z.literal(false),
    message: z.literal('Invalid input image payload'),
    error_code: z.literal('INVALID_IMAGE_PAYLOAD'),
  }),
  z.strictObject({
    success: z.literal(false),
    message: z.templateLiteral([
      'Detected face box: ',
      z.int(),
      'x',
      z.int(),
      ' smaller than minimum required size: ',
      z.int(),
      'x',
      z.int(),
    ]),
    error_code: z.literal('FACE_TOO_SMALL'),
  }),
]);
export type Coded = z.infer<typeof coded>;

export const worded = z.strictObject({
  success: z.literal(false),
  message: z.enum(['face not detected', 'Invalid base64 string']),
});
export type Worded = z.infer<typeof worded>;

/** The body of a 200, by edition. */
export const answers = {
  error_codes: z.union([processed, coded]),
  messages: z.union([processed, worded]),
} as const satisfies Record<Edition, z.ZodType>;
export type Answer = Processed | Coded | Worded;

/** How each reason is told: by a code of the newer document, or as a probability that does not pass. */
export const reasonAnswers = {
  face_not_detected: 'FACE_NOT_DETECTED',
  multiple_faces: 'FACE_NOT_DETECTED',
  face_too_small: 'FACE_TOO_SMALL',
  face_too_large: 'FACE_NOT_DETECTED',
  face_cropped: 'FACE_NOT_DETECTED',
  face_turned: 'FACE_NOT_DETECTED',
  too_blurred: 'FACE_NOT_DETECTED',
  too_noisy: 'FACE_NOT_DETECTED',
  unnatural_colours: 'FACE_NOT_DETECTED',
  too_dark: 'FACE_NOT_DETECTED',
  too_bright: 'FACE_NOT_DETECTED',
  capture_unreadable: 'INVALID_IMAGE_PAYLOAD',
  capture_too_large: 'INVALID_IMAGE_PAYLOAD',
  format_unsupported: 'INVALID_IMAGE_PAYLOAD',
  video_too_short: 'FACE_NOT_DETECTED',
  move_your_head: 'FACE_NOT_DETECTED',
  card_not_seen: 'FACE_NOT_DETECTED',
  id_face_too_small: 'FACE_NOT_DETECTED',
  audio_missing: 'FACE_NOT_DETECTED',
  digits_not_heard: 'FACE_NOT_DETECTED',
  challenge_expired: 'FACE_NOT_DETECTED',
  presentation_attack_suspected: 'prob_real',
  face_mismatch: 'prob_real',
  same_photo_as_id: 'prob_real',
  wrong_digits: 'prob_real',
  face_changed_in_video: 'prob_real',
  face_does_not_move: 'prob_real',
  capture_reused: 'prob_real',
} as const satisfies Record<Reason, ErrorCode | 'prob_real'>;

export interface Asked {
  readonly endpoint: Endpoint;
  readonly edition: Edition;
}

/** The body that says what was judged. No probability is told of a capture that has to be taken again. */
export function answer({ verdict, measurements, thresholds }: Judged, { endpoint, edition }: Asked): Answer {
  const { outcome, reasons, scores } = verdict;
  if (outcome !== 'recapture') {
    const passed = outcome === 'passed';
    const limits = { ours: thresholds.live ?? defaultLive, theirs: defaultThresholds[endpoint] };
    return {
      success: true,
      message: 'Process finished successfully',
      model_output: { pred_idx: passed ? 'real' : 'spoof', prob_real: probability(scores.live, passed, limits) },
    };
  }
  const code = codeOf(reasons);
  const { face_height_px: height, face_width_px: width } = measurements;
  if (code !== 'FACE_TOO_SMALL') return unprocessed(code, edition);
  if (edition === 'messages' || height === undefined || width === undefined) {
    return unprocessed('FACE_NOT_DETECTED', edition);
  }
  const least = Math.max(minimumFacePx, thresholds.minimumFacePx ?? 0);
  return {
    success: false,
    message: `Detected face box: ${height}x${width} smaller than minimum required size: ${least}x${least}`,
    error_code: code,
  };
}

/** The smallest face that SpoofSense's document judges: what a verification that is served in its words asks for. */
export const minimumFacePx = 128;

/** So far above the threshold is what passes by a hair: also where it is read as a 32-bit number. */
const hair = 1e-6;

/**
 * The live score on SpoofSense's scale: straight from 0 to the threshold and from there to 1, so that order is kept, and
 * above the threshold exactly where the verdict passed. Without a live score, as near to the threshold as that allows.
 */
function probability(live: number | undefined, passed: boolean, { ours, theirs }: { ours: number; theirs: number }) {
  const mapped = live === undefined ? theirs : mapTo(live, ours, theirs);
  return passed ? Math.max(mapped, theirs + hair) : Math.min(mapped, theirs);
}

function mapTo(live: number, ours: number, theirs: number): number {
  if (ours === theirs) return live;
  if (live < ours) return (live / ours) * theirs;
  return ours < 1 ? theirs + ((live - ours) / (1 - ours)) * (1 - theirs) : 1;
}

/** The first code that says more than that there is no face to judge. */
function codeOf(reasons: readonly Reason[]): ErrorCode {
  const codes = reasons.map((reason) => reasonAnswers[reason]).filter((code) => code !== 'prob_real');
  return codes.find((code) => code !== 'FACE_NOT_DETECTED') ?? 'FACE_NOT_DETECTED';
}

/** What was not judged, in the words of an edition. */
export function unprocessed(code: Exclude<ErrorCode, 'FACE_TOO_SMALL'>, edition: Edition): Coded | Worded {
  const noFace = code === 'FACE_NOT_DETECTED';
  if (edition === 'messages') {
    return { success: false, message: noFace ? 'face not detected' : 'Invalid base64 string' };
  }
  return noFace
    ? { success: false, message: 'Face detection failed', error_code: code }
    : { success: false, message: 'Invalid input image payload', error_code: code };
}

/** What API Gateway and Lambda say in front of SpoofSense, and what we say where we fail. */
export const gateway = {
  tooLarge: { status: 413, body: contentTooLong },
  forbidden: { status: 403, body: { message: 'Forbidden' } },
  failed: { status: 500, body: { message: 'Internal server error' } },
  /** The verdict did not come in time; the verification goes on. */
  timedOut: { status: 504, body: { message: 'Endpoint request timed out' } },
} as const satisfies Record<string, Reply>;

/** How each fault is told, of a request that is refused and of a verification that ended without a verdict. */
export const faultAnswers = {
  request_unreadable: 'INVALID_IMAGE_PAYLOAD',
  request_invalid: 'INVALID_IMAGE_PAYLOAD',
  request_too_large: 'tooLarge',
  route_unknown: 'failed',
  api_key_invalid: 'forbidden',
  client_token_invalid: 'forbidden',
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
  capture_type_unsupported: 'INVALID_IMAGE_PAYLOAD',
  capture_length_invalid: 'tooLarge',
  language_unsupported: 'failed',
  challenge_unsupported: 'failed',
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
} as const satisfies Record<FaultCode, 'INVALID_IMAGE_PAYLOAD' | keyof typeof gateway>;

export function refusal(code: FaultCode, edition: Edition): Reply {
  const how = faultAnswers[code];
  if (how === 'INVALID_IMAGE_PAYLOAD') return { status: 200, body: unprocessed(how, edition) };
  return gateway[how];
}
