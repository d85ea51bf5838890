import * as z from 'zod';
import type { FaultCode } from '../../domain/fault.ts';
import type { Reason } from '../../domain/verdict.ts';
import { type Judged, type Reply, takeItAgain, whatToDo } from '../served.ts';
import { service } from './wire.ts';

/* What we answer, and post, where Identify's API is served: its document's shapes. */

/** 200: the request was taken, and the result is posted. */
export const received = z.strictObject({
  message: z.literal(`${service} request received`),
  remaining_credits: z.int().nonnegative(),
});
export type Received = z.infer<typeof received>;

export const refused = z.strictObject({ message: z.string() });
export type Refused = z.infer<typeof refused>;

/** ISO 8601 with microseconds and offset, as in the document. */
const completedAt = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);

export const result = z.strictObject({
  source_event: z.literal(service),
  payload: z.strictObject({
    passed: z.boolean(),
    /** That the result is right; null where the provider does not know it. */
    probability: z.number().min(0).max(1).nullable(),
    image_link: z.string(),
    source_id: z.string(),
  }),
  error: z.null(),
  completed_at: completedAt,
});
export type Result = z.infer<typeof result>;

/** What was not judged: why, in words, and which request it was. */
export const failure = z.strictObject({
  source_event: z.literal(service),
  payload: z.strictObject({ image_link: z.string(), source_id: z.string() }),
  error: z.string().min(1),
  completed_at: completedAt,
});
export type Failure = z.infer<typeof failure>;

/** How each reason is told: by words in `error`, or as `passed: false`, which has no words. */
export const reasonWords = {
  ...whatToDo,
  presentation_attack_suspected: false,
  face_mismatch: false,
  same_photo_as_id: false,
  wrong_digits: false,
  face_changed_in_video: false,
  face_does_not_move: false,
  capture_reused: false,
} as const satisfies Record<Reason, string | false>;

/** How a verification came to rest: with a verdict, with a fault, or without its image. */
export type Ended =
  | { readonly kind: 'decided'; readonly verdict: Judged['verdict'] }
  | { readonly kind: 'errored'; readonly fault: FaultCode }
  | { readonly kind: 'expired' };

/** What names the request, as the caller sent it, and when the verification came to rest (ISO). */
export interface About {
  readonly imageLink: string;
  readonly sourceId: string;
  readonly endedAt: string;
}

/** The body that is posted to the tenant's webhook: the same for the same record, however often it is posted. */
export function posted(ended: Ended, { imageLink, sourceId, endedAt }: About): Result | Failure {
  const asked = { image_link: imageLink, source_id: sourceId };
  const completed_at = new Date(endedAt).toISOString().replace('Z', '000+00:00');
  if (ended.kind === 'decided' && ended.verdict.outcome !== 'recapture') {
    const { outcome, confidence } = ended.verdict;
    const payload = { passed: outcome === 'passed', probability: confidence, ...asked };
    return { source_event: service, payload, error: null, completed_at };
  }
  return { source_event: service, payload: asked, error: errorOf(ended), completed_at };
}

function errorOf(ended: Ended): string {
  switch (ended.kind) {
    case 'decided':
      return ended.verdict.reasons.map((reason) => reasonWords[reason]).find((words) => words !== false) ?? takeItAgain;
    case 'errored':
      return errorWords[faultAnswers[ended.fault].error];
    case 'expired':
      return 'The image could not be fetched from its image_link.';
  }
}

export const accepted = (remainingCredits: number): Reply & { body: Received } => ({
  status: 200,
  body: { message: `${service} request received`, remaining_credits: remainingCredits },
});

export const refusals = {
  unauthorized: { status: 401, body: { message: 'Invalid API token' } },
  service: { status: 422, body: { message: 'Invalid service name' } },
  credits: { status: 422, body: { message: 'Not enough credits' } },
  payload: { status: 422, body: { message: 'Invalid payload' } },
  tooLarge: { status: 413, body: { message: 'Request body too large' } },
  failed: { status: 500, body: { message: 'Internal server error' } },
} as const satisfies Record<string, Reply & { body: Refused }>;

/** Why an accepted request has no result. */
const errorWords = {
  type: 'The image is of a type that is not taken. Please send a JPEG or PNG.',
  failed: 'The image could not be processed. Please send another request.',
} as const;

interface FaultAnswer {
  /** Of a request: it is not accepted. */
  readonly refused: keyof typeof refusals;
  /** Of a verification that was accepted, in the posted body. */
  readonly error: keyof typeof errorWords;
}

const ours: FaultAnswer = { refused: 'failed', error: 'failed' };
const payload: FaultAnswer = { refused: 'payload', error: 'failed' };

/** How each fault is told, to the caller and in the posted body. */
export const faultAnswers = {
  request_unreadable: payload,
  request_invalid: payload,
  request_too_large: { refused: 'tooLarge', error: 'failed' },
  route_unknown: ours,
  api_key_invalid: { refused: 'unauthorized', error: 'failed' },
  client_token_invalid: { refused: 'unauthorized', error: 'failed' },
  session_invalid: ours,
  invitation_invalid: ours,
  operator_forbidden: ours,
  origin_forbidden: ours,
  hand_off_invalid: ours,
  verification_unknown: ours,
  source_id_conflict: payload,
  source_id_erased: payload,
  subject_locked: ours,
  state_conflict: ours,
  rounds_spent: ours,
  retries_spent: ours,
  erasure_unfinished: ours,
  captures_gone: ours,
  version_outdated: ours,
  check_unavailable: ours,
  provider_unavailable: ours,
  capture_type_unsupported: { refused: 'failed', error: 'type' },
  capture_length_invalid: ours,
  language_unsupported: ours,
  challenge_unsupported: ours,
  capture_missing: ours,
  provider_unreachable: ours,
  provider_timed_out: ours,
  provider_throttled: ours,
  provider_failed: ours,
  provider_refused: ours,
  provider_unauthorized: ours,
  provider_credits_spent: ours,
  provider_unreadable: ours,
  breaker_open: ours,
  endpoint_unknown: ours,
  endpoint_disabled: ours,
  delivery_unknown: ours,
  event_erased: ours,
  result_closed: ours,
  replay_running: ours,
  replay_unknown: ours,
  webhook_unknown: ours,
  webhook_overdue: ours,
  lease_expired: ours,
} as const satisfies Record<FaultCode, FaultAnswer>;

export const refusal = (code: FaultCode): Reply => refusals[faultAnswers[code].refused];
