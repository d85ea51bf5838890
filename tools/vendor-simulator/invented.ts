import type { Check } from '../../shared/domain/captures.ts';
import { failureReasons, type Measurements, type Reason } from '../../shared/domain/verdict.ts';
import type { Judged } from '../../shared/providers/served.ts';
import type { Says } from './behaviour.ts';

/** Numbers as an engine could have measured them, most of them those of the vendors' own samples. */
const measurements: Readonly<Record<Check, Measurements>> = {
  spoof_detect: { face_count: 1, face_width_ratio: 0.4, face_height_px: 240, face_width_px: 200 },
  photo_verify: {
    face_count: 1,
    face_width_ratio: 0.4419047619047619,
    match_distance: 0.5682702660560608,
    id_face_count: 1,
    id_face_width_ratio: 0.0966796875,
    id_live_score: 0.65,
  },
  video_verify: {
    video_width_px: 640,
    video_height_px: 480,
    video_frames: 105,
    video_frames_per_second: 30,
    match_distance_average: 0.5534744282563527,
    face_sameness_ratio: 0.9904761904761905,
    largest_face_width_ratio: 0.334375,
    single_face_ratio: 1,
    id_face_count: 1,
    digits_confidence: 0.95064026,
  },
};

/** What is measured otherwise where a capture is as this reason says. */
const changed: Partial<Record<Reason, Measurements>> = {
  face_not_detected: { face_count: 0, single_face_ratio: 0 },
  multiple_faces: { face_count: 2, single_face_ratio: 0.5 },
  face_too_small: { face_height_px: 90, face_width_px: 80 },
  face_too_large: { face_width_ratio: 0.9, largest_face_width_ratio: 0.9 },
  face_mismatch: { match_distance: 1.21, match_distance_average: 1.21 },
  face_changed_in_video: { face_sameness_ratio: 0.4 },
};

const genuine = 0.9997915625572205;
const spoof = 0.00045343424235454;

export interface Asked {
  readonly challenge?: string | undefined;
  readonly languageCode?: string | undefined;
}

/** A verdict with made-up numbers behind it: passed, or as the reason says. */
export function invented(check: Check, reason?: Reason, { challenge = '123457', languageCode }: Asked = {}): Judged {
  const failed = failureReasons.some((one) => one === reason);
  const outcome = reason === undefined ? 'passed' : failed ? 'failed' : 'recapture';
  const live = reason === 'presentation_attack_suspected' ? spoof : genuine;
  return {
    verdict: {
      outcome,
      confidence: { passed: 0.91, failed: 0.88, recapture: null }[outcome],
      reasons: reason === undefined ? [] : [reason],
      scores: outcome === 'recapture' ? {} : { live },
    },
    measurements: { live_score: live, ...measurements[check], ...(reason && changed[reason]) },
    startedAt: '2018-08-17T19:37:25.081Z',
    endedAt: '2018-08-17T19:37:26.186Z',
    thresholds: {},
    transcript: spokenIn(challenge, reason),
    challenge,
    languageCode,
  };
}

function spokenIn(challenge: string, reason?: Reason): string | undefined {
  switch (reason) {
    case 'wrong_digits':
      return [...challenge].reverse().join('');
    case 'digits_not_heard':
      return '';
    case 'audio_missing':
      return undefined;
    default:
      return challenge;
  }
}

/** What a simulated vendor finds, as our reason. */
export const reasonOf: Readonly<Record<Says, Reason | undefined>> = {
  genuine: undefined,
  spoof: 'presentation_attack_suspected',
  no_face: 'face_not_detected',
  multiple_faces: 'multiple_faces',
  face_too_small: 'face_too_small',
  face_too_large: 'face_too_large',
  unreadable: 'capture_unreadable',
  mismatch: 'face_mismatch',
  face_changed: 'face_changed_in_video',
  wrong_digits: 'wrong_digits',
  digits_not_heard: 'digits_not_heard',
};

/** What can be found in a selfie, whichever vendor looks; with an ID card, and in a video, there is more. */
const inSelfies: readonly Says[] = [
  'genuine',
  'spoof',
  'no_face',
  'multiple_faces',
  'face_too_small',
  'face_too_large',
  'unreadable',
];

/** Whether a check can find this; of anything else a simulated vendor answers its undocumented error. */
export const canFind = (check: Check, said: Says): boolean =>
  check === 'video_verify' || inSelfies.includes(said) || (check === 'photo_verify' && said === 'mismatch');
