import * as z from 'zod';
import { captureName } from './captures.ts';
import { orLater, tolerant } from './later.ts';

/** What the person, and the integrator, are told: bona fide, not, or "please try again". */
export const outcome = z.enum(['passed', 'failed', 'recapture']);
export type Outcome = z.infer<typeof outcome>;

/** What the person can put right with another capture. */
export const recaptureReasons = [
  'face_not_detected',
  'multiple_faces',
  'face_too_small',
  'face_too_large',
  'face_cropped',
  'face_turned',
  'too_blurred',
  'too_noisy',
  'unnatural_colours',
  'too_dark',
  'too_bright',
  'capture_unreadable',
  'capture_too_large',
  'format_unsupported',
  'video_too_short',
  'move_your_head',
  'card_not_seen',
  'id_face_too_small',
  'audio_missing',
  'digits_not_heard',
  'challenge_expired',
] as const;

/** What another capture would not change. */
export const failureReasons = [
  'presentation_attack_suspected',
  'face_mismatch',
  'same_photo_as_id',
  'wrong_digits',
  'face_changed_in_video',
  'face_does_not_move',
  'capture_reused',
] as const;

export const recaptureReason = z.enum(recaptureReasons);
export type RecaptureReason = z.infer<typeof recaptureReason>;

export const reason = z.enum([...recaptureReasons, ...failureReasons]);
export type Reason = z.infer<typeof reason>;

const score = z.number().min(0).max(1);

/** 0..1, higher is better: bona fide, same person, right digits. Absent where nothing was measured. */
export const scores = z.object({
  live: score.optional(),
  match: score.optional(),
  digits: score.optional(),
  /** −1..1: whether the lips open as the voice grows loud, null where that cannot be told. It decides nothing. */
  sync: z.number().min(-1).max(1).nullable().optional(),
});
export type Scores = z.infer<typeof scores>;

/** What pictures or sound are stored in, as FFmpeg names it (`av1`, `prores`). */
export const format = z.string().regex(/^[a-z0-9_]{1,32}$/);

/**
 * What a provider concluded, in our words.
 * `confidence` is the probability that the outcome is right, null where the provider does not know it.
 * `format` names what `format_unsupported` is about. `seenBefore`: captures that were judged under another source_id.
 */
export const finding = z.object({
  outcome,
  confidence: score.nullable(),
  reasons: z.array(reason),
  scores,
  format: format.optional(),
  seenBefore: z.array(captureName).optional(),
});
export type Finding = z.infer<typeof finding>;

/** The person should make another capture, for this reason. */
export const recaptureFor = (reason: Reason): Finding => ({
  outcome: 'recapture',
  confidence: null,
  reasons: [reason],
  scores: {},
});

/** `provider` of a verdict that we gave ourselves, without asking one. No provider has this name. */
export const ourselves = 'bonafide';

/** `provider` of a verdict that a reviewer gave. No provider has this name either. */
export const reviewed = 'review';

/**
 * A finding that became the decision of its round, or a reviewer's in its place. A later version may have given it: its
 * words and fields are kept, as the digest of its move covers them.
 */
export const verdict = tolerant({
  ...finding.shape,
  outcome: orLater(outcome),
  reasons: z.array(orLater(reason)),
  scores: tolerant(scores.shape),
  seenBefore: z.array(orLater(captureName)).optional(),
  provider: z.string(),
  policyVersion: z.int().positive(),
});
export type Verdict = z.infer<typeof verdict>;

/** Characters of a review's texts, in UTF-16 units. What cannot be stored as it is could not be hashed as it is stored. */
const words = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode');

/** What a person who looked at a decided verification says of it: the tenant's words, which no event or history has. */
export const review = tolerant({
  /** The sequence that the reviewer saw. */
  sequence: z.int().positive(),
  outcome: outcome.exclude(['recapture']),
  reason: words(500),
  reviewer: words(128),
});
export type Review = z.infer<typeof review>;

/** Numbers behind a finding by name, units in the name (`face_width_px`, `sharpness_ratio`): for the integrator, never for the person. */
export const measurements = z.record(z.string(), z.number());
export type Measurements = z.infer<typeof measurements>;
