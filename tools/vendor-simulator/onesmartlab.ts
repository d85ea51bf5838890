import type { IncomingMessage } from 'node:http';
import type { Check } from '../../shared/domain/captures.ts';
import {
  endpoints,
  type PhotoVerified,
  type Problem,
  type SpoofDetected,
  type VideoVerified,
} from '../../shared/providers/onesmartlab/wire.ts';
import { json, type Reply, type Says } from './behaviour.ts';
import { describeCapture, type Parsed, type ReceivedCapture } from './request.ts';

/** Which check a path under `/v1.1` is. */
export function checkOf(path: string): Check | undefined {
  return (Object.keys(endpoints) as Check[]).find((check) => `/v1.1${endpoints[check].path}` === path);
}

/** Multipart, read by the platform's own parser: not by anything that shares code with our client. */
export async function parse(incoming: IncomingMessage, body: Buffer): Promise<Parsed> {
  const form = await new Response(new Uint8Array(body), {
    headers: { 'content-type': incoming.headers['content-type'] ?? '' },
  })
    .formData()
    .catch(() => undefined);
  if (!form) return { key: undefined, fields: { problem: 'multipart' }, captures: {} };
  const fields: Record<string, string> = {};
  const captures: Record<string, ReceivedCapture> = {};
  for (const [name, value] of form.entries()) {
    if (typeof value === 'string') fields[name] = value;
    else captures[name] = describeCapture(new Uint8Array(await value.arrayBuffer()), value.type);
  }
  const { api_key: key, ...others } = fields;
  return { key, fields: others, captures };
}

export const problem = (error: string): Reply => json(200, { error } satisfies Problem);

export function missing(check: Check, { captures, fields }: Parsed): boolean {
  const files = Object.keys(endpoints[check].files).some((name) => !captures[name]);
  return files || (check === 'video_verify' && !(fields.audiochallenge && fields.languageCode));
}

export function answer(check: Check, said: Says, { fields }: Parsed): Reply {
  const body = { spoof_detect: spoofDetected, photo_verify: photoVerified, video_verify: videoVerified }[check](
    said,
    fields,
  );
  return body ? json(200, body) : problem(`Could not process: ${said}`);
}

const facesIn = (said: Says): number => ({ no_face: 0, multiple_faces: 2 })[said as string] ?? 1;

function spoofDetected(said: Says): SpoofDetected | undefined {
  if (!['genuine', 'spoof', 'no_face', 'multiple_faces', 'face_too_large'].includes(said)) return undefined;
  const faces = facesIn(said);
  const breakdown = {
    face_to_frame_width_ratio_passed: said !== 'face_too_large',
    not_spoof_passed: said !== 'spoof',
    single_face: faces === 1,
  };
  return {
    predictions: {
      metadata: {
        face_to_frame_width_ratio: said === 'face_too_large' ? 0.9 : 0.4,
        face_to_frame_width_ratio_passed: breakdown.face_to_frame_width_ratio_passed,
        not_spoof_confidence: said === 'spoof' ? '0.03' : '1.00',
        not_spoof_passed: breakdown.not_spoof_passed,
        num_faces: faces,
        single_face: breakdown.single_face,
      },
      verification: { breakdown, status: said === 'genuine' },
    },
    success: true,
  };
}

function photoVerified(said: Says): PhotoVerified | undefined {
  if (!['genuine', 'spoof', 'no_face', 'multiple_faces', 'face_too_large', 'mismatch'].includes(said)) return undefined;
  const ratio = said === 'face_too_large' ? 0.95 : 0.4419047619047619;
  return {
    predictions: {
      duration: '1.10',
      end: 1534534646.186395,
      model_input: {
        audiochallenge: null,
        languageCode: null,
        video: { fps: null, frames: null, height: null, width: null },
      },
      model_output: {
        audio_challenge_passed: true,
        face_distance_avg: 0.7475451231002808,
        face_sameness: 0,
        largest_face_to_frame_ratio: 0.5253456221198156,
        non_spoof_detected: said === 'spoof' ? 0 : 1,
        single_face_in_frames: 1,
        transcription: null,
      },
      model_params: modelParams,
      start: 1534534645.0817783,
      verification: {
        breakdown: {
          id_card: {
            face_to_frame_width_ratio: 0.0966796875,
            not_spoof_confidence: '0.65',
            not_spoof_passed: true,
            num_faces: 1,
          },
          photo: {
            distance: said === 'mismatch' ? 1.21 : 0.5682702660560608,
            face_to_frame_width_ratio: ratio,
            not_spoof_confidence: said === 'spoof' ? '0.02' : '1.00',
            not_spoof_passed: said !== 'spoof',
            num_faces: facesIn(said),
          },
        },
        status: said === 'genuine',
      },
    },
    success: true,
  };
}

function videoVerified(said: Says, fields: Readonly<Record<string, string>>): VideoVerified | undefined {
  if (said === 'unreadable' || said === 'face_too_small') return undefined;
  const digits = fields.audiochallenge ?? '';
  const spoken = said === 'wrong_digits' ? [...digits].reverse().join('') : digits;
  const transcript = said === 'digits_not_heard' ? '' : `${[...spoken].join(' ')} `;
  const audioPassed = said !== 'wrong_digits' && said !== 'digits_not_heard';
  return {
    predictions: {
      duration: '55.86',
      end: 1534534753.1725538,
      model_input: {
        audiochallenge: digits,
        languageCode: fields.languageCode ?? null,
        video: { fps: 30, frames: 105, height: 480, width: 640 },
      },
      model_output: {
        audio_challenge_passed: audioPassed,
        face_distance_avg: 0.5534744282563527,
        face_sameness: said === 'face_changed' ? 0.4 : 0.9904761904761905,
        largest_face_to_frame_ratio: said === 'face_too_large' ? 0.9 : 0.334375,
        non_spoof_detected: said === 'spoof' ? 0.1 : 1,
        single_face_in_frames: said === 'no_face' ? 0 : said === 'multiple_faces' ? 0.5 : 1,
        transcription: { results: [{ alternatives: [{ confidence: 0.95064026, transcript }] }] },
      },
      model_params: modelParams,
      start: 1534534697.3109004,
      verification: {
        breakdown: {
          audio_challenge_passed: audioPassed,
          face_to_frame_width_ratio_passed: said !== 'face_too_large',
          not_spoof_passed: said !== 'spoof',
          video_face_no_change_passed: said !== 'face_changed',
          video_face_to_id_face_passed: said !== 'mismatch',
        },
        status: said === 'genuine',
      },
    },
    success: true,
  };
}

const modelParams = {
  FACE_TO_FRAME_RATIO_MAX: 0.7,
  THRESHOLD_FACE_SIMILARITY: 0.9,
  THRESHOLD_L2_DISTANCE: 0.9,
  THRESHOLD_SPOOF: 0.9,
};
