import type * as z from 'zod';
import { Fault } from '../../domain/fault.ts';
import type { Finding, Measurements, Reason, Scores } from '../../domain/verdict.ts';
import type { photoVerified, spoofDetected, videoVerified } from './wire.ts';

export interface Found {
  readonly finding: Finding;
  readonly measurements: Measurements;
  /** The digits among what was heard, without spaces. */
  readonly transcript?: string;
}

/** Which reasons apply: those another capture would not change, and those it might. */
interface Reasons {
  /** The vendor saw no face where it looked for the person's: what it says of attack and match is of nothing. */
  readonly noFace: boolean;
  readonly failed: readonly (Reason | false | undefined)[];
  readonly recapture: readonly (Reason | false | undefined)[];
}

/** `/spoofdetect`. Its `not_spoof_confidence` is about the very question, so it is the confidence too. */
export function spoofDetectFinding({ predictions }: z.output<typeof spoofDetected>): Found {
  const { metadata, verification } = predictions;
  const { breakdown, status } = verification;
  const faces = metadata?.num_faces;
  const notSpoof = breakdown?.not_spoof_passed ?? metadata?.not_spoof_passed;
  const single = breakdown?.single_face ?? metadata?.single_face;
  const ratioPassed = breakdown?.face_to_frame_width_ratio_passed ?? metadata?.face_to_frame_width_ratio_passed;
  const tooLarge = isTooLarge(ratioPassed, predictions, metadata?.face_to_frame_width_ratio);
  const live = probability(metadata?.not_spoof_confidence);
  const finding = findingOf(
    status,
    { live },
    {
      noFace: faces === 0,
      failed: [notSpoof === false && 'presentation_attack_suspected'],
      recapture: [facesReason(faces, single === false), tooLarge && 'face_too_large'],
    },
  );
  const confidences = { passed: live, failed: live === undefined ? undefined : 1 - live, recapture: undefined };
  return {
    finding: { ...finding, confidence: confidences[finding.outcome] ?? null },
    measurements: known({ face_count: faces, face_width_ratio: metadata?.face_to_frame_width_ratio }),
  };
}

/**
 * `/photoverify` has flags neither for the match nor for the width: one face each, none too wide and no attack, and yet
 * false, leaves only a mismatch.
 */
export function photoVerifyFinding({ predictions }: z.output<typeof photoVerified>): Found {
  const { breakdown, status } = predictions.verification;
  const photo = breakdown?.photo;
  const card = breakdown?.id_card;
  const oneFaceEach = photo?.num_faces === 1 && card?.num_faces === 1;
  const tooLarge = isTooLarge(
    undefined,
    predictions,
    photo?.face_to_frame_width_ratio,
    card?.face_to_frame_width_ratio,
    predictions.model_output?.largest_face_to_frame_ratio,
  );
  const finding = findingOf(
    status,
    { live: probability(photo?.not_spoof_confidence) },
    {
      noFace: photo?.num_faces === 0,
      failed: [
        photo?.not_spoof_passed === false && 'presentation_attack_suspected',
        oneFaceEach && !tooLarge && photo?.not_spoof_passed === true && 'face_mismatch',
      ],
      recapture: [facesReason(photo?.num_faces), facesReason(card?.num_faces), tooLarge && 'face_too_large'],
    },
  );
  return {
    finding,
    measurements: known({
      ...secondsTaken(predictions),
      face_count: photo?.num_faces,
      face_width_ratio: photo?.face_to_frame_width_ratio,
      face_distance: photo?.distance,
      // A photograph of a card is a photograph of a photograph: what they think of it is kept, and decides nothing.
      id_card_not_spoof_confidence: card?.not_spoof_confidence,
      id_card_not_spoof_passed: asNumber(card?.not_spoof_passed),
      id_card_face_count: card?.num_faces,
      id_card_face_width_ratio: card?.face_to_frame_width_ratio,
    }),
  };
}

/** `/videoverify` */
export function videoVerifyFinding({ predictions }: z.output<typeof videoVerified>): Found {
  const { breakdown, status } = predictions.verification;
  const output = predictions.model_output ?? undefined;
  const heard = transcriptOf(output);
  const saidWrong = breakdown?.audio_challenge_passed === false && heard.transcript !== '';
  const singleFace = output?.single_face_in_frames;
  const tooLarge = isTooLarge(
    breakdown?.face_to_frame_width_ratio_passed,
    predictions,
    output?.largest_face_to_frame_ratio,
  );
  const scores = {
    live: probability(output?.non_spoof_detected),
    digits: asNumber(breakdown?.audio_challenge_passed),
  };
  const finding = findingOf(status, scores, {
    noFace: singleFace === 0,
    failed: [
      breakdown?.not_spoof_passed === false && 'presentation_attack_suspected',
      breakdown?.video_face_to_id_face_passed === false && 'face_mismatch',
      breakdown?.video_face_no_change_passed === false && 'face_changed_in_video',
      saidWrong && 'wrong_digits',
    ],
    recapture: [
      tooLarge && 'face_too_large',
      breakdown?.audio_challenge_passed === false && !saidWrong && 'digits_not_heard',
      // The share of frames with exactly one face; of the others it does not tell whether they had none or several.
      typeof singleFace === 'number' && singleFace < 1 && 'multiple_faces',
    ],
  });
  return {
    finding,
    measurements: known({
      ...secondsTaken(predictions),
      face_width_ratio: output?.largest_face_to_frame_ratio,
      face_distance: output?.face_distance_avg,
      face_sameness_ratio: output?.face_sameness,
      single_face_frames_ratio: singleFace,
      transcription_confidence: heard.confidence,
      video_frames: predictions.model_input?.video?.frames,
      video_frames_per_second: predictions.model_input?.video?.fps,
    }),
    transcript: heard.transcript.replaceAll(/\D/g, '').slice(0, 64),
  };
}

/** `status` decides; the flags only say why not. */
function findingOf(
  status: boolean,
  measured: { live?: number | undefined; digits?: number | undefined },
  reasons: Reasons,
): Finding {
  const scores: Scores = known(measured);
  if (status) return { outcome: 'passed', confidence: null, reasons: [], scores };
  if (reasons.noFace) return { outcome: 'recapture', confidence: null, reasons: ['face_not_detected'], scores };
  for (const outcome of ['failed', 'recapture'] as const) {
    const applying = [...new Set(reasons[outcome].filter((reason) => reason !== false && reason !== undefined))];
    if (applying.length > 0) return { outcome, confidence: null, reasons: applying, scores };
  }
  throw new Fault('provider_unreadable', 'onesmartlab answered status: false and did not say why.');
}

type Ratio = number | null | undefined;

/**
 * Whether a face is too wide: as the flag says, or without one where a ratio is over the answer's own maximum. Asked only
 * to tell why a `status` is false.
 */
function isTooLarge(
  passed: boolean | null | undefined,
  { model_params: parameters }: { model_params?: { FACE_TO_FRAME_RATIO_MAX?: Ratio } | null | undefined },
  ...ratios: readonly Ratio[]
): boolean {
  if (typeof passed === 'boolean') return !passed;
  const maximum = parameters?.FACE_TO_FRAME_RATIO_MAX;
  return typeof maximum === 'number' && ratios.some((ratio) => typeof ratio === 'number' && ratio > maximum);
}

function facesReason(count: number | null | undefined, notSingle = false): Reason | undefined {
  if (count === 0) return 'face_not_detected';
  return notSingle || (count ?? 1) !== 1 ? 'multiple_faces' : undefined;
}

/** All that was heard. No transcription, no results, no alternatives and a blank transcript are the same silence. */
function transcriptOf(output: z.output<typeof videoVerified>['predictions']['model_output']): {
  transcript: string;
  confidence: number | undefined;
} {
  const best = (output?.transcription?.results ?? []).flatMap(({ alternatives }) => alternatives?.slice(0, 1) ?? []);
  return {
    transcript: best
      .map(({ transcript }) => transcript ?? '')
      .join(' ')
      .trim(),
    confidence: best[0]?.confidence ?? undefined,
  };
}

function secondsTaken({ start, end }: { start?: number | null | undefined; end?: number | null | undefined }) {
  return typeof start === 'number' && typeof end === 'number' ? { vendor_seconds: end - start } : {};
}

const probability = (value: number | null | undefined): number | undefined =>
  typeof value === 'number' && value >= 0 && value <= 1 ? value : undefined;

const asNumber = (value: boolean | null | undefined): number | undefined =>
  typeof value === 'boolean' ? Number(value) : undefined;

/** Only what has a value: a score or measurement that was not made is absent, never null. */
function known(values: Readonly<Record<string, number | null | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value]] : [])),
  );
}
