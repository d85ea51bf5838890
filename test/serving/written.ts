import * as identify from '../../shared/providers/identify/answers.ts';
import * as onesmartlab from '../../shared/providers/onesmartlab/answers.ts';
import type { Judged } from '../../shared/providers/served.ts';
import * as spoofsense from '../../shared/providers/spoofsense/answers.ts';
import { invented } from '../../tools/vendor-simulator/invented.ts';
import type { Example, Others } from './documents.ts';

export interface Writers {
  readonly identify: typeof identify;
  readonly onesmartlab: typeof onesmartlab;
  readonly spoofsense: typeof spoofsense;
}
export const writers: Writers = { identify, onesmartlab, spoofsense };

/** What we answer where a document has an example, of measurements that are the example's own as far as we measure them. */
export function writtenFor({ identify, onesmartlab, spoofsense }: Writers): Record<Example, unknown> {
  const selfie = (live: number): Judged => {
    const judged = invented('spoof_detect', live > 0.55 ? undefined : 'presentation_attack_suspected');
    return { ...judged, verdict: { ...judged.verdict, scores: { live } }, thresholds: { live: 0.55 } };
  };
  const inEdition = (edition: spoofsense.Edition) => {
    const asked = { endpoint: 'antispoofing', edition } as const;
    return {
      live: spoofsense.answer(selfie(0.9997915625572205), asked),
      spoof: spoofsense.answer(selfie(0.00045343424235454), asked),
      noFace: spoofsense.answer(invented('spoof_detect', 'face_not_detected'), asked),
      badInput: spoofsense.answer(invented('spoof_detect', 'capture_unreadable'), asked),
      tooLarge: spoofsense.refusal('request_too_large', edition).body,
      tooSmall: spoofsense.answer(invented('spoof_detect', 'face_too_small'), asked),
    };
  };
  const [messages, codes] = [inEdition('messages'), inEdition('error_codes')];
  return {
    '000 received': identify.accepted(92).body,
    '000 result': identify.posted(
      { kind: 'decided', verdict: invented('spoof_detect').verdict },
      {
        imageLink: '<LINK TO SELFIE IMAGE>',
        sourceId: '<YOUR UNIQUE REQUEST ID>',
        endedAt: '2024-01-13T05:39:48.966Z',
      },
    ),
    '001 live': messages.live,
    '001 spoof': messages.spoof,
    '001 no face': messages.noFace,
    '001 bad input': messages.badInput,
    '001 too large': messages.tooLarge,
    '003 live': codes.live,
    '003 spoof': codes.spoof,
    '003 no face': codes.noFace,
    '003 bad input': codes.badInput,
    '003 too large': codes.tooLarge,
    '003 face too small': codes.tooSmall,
    '002 photoverify': onesmartlab.answer('photo_verify', { ...withLive(invented('photo_verify'), 1), ...photoTimes }),
    '002 videoverify': onesmartlab.answer('video_verify', {
      ...withLive(invented('video_verify', undefined, { languageCode: 'th-TH' }), 1),
      ...videoTimes,
    }),
    '002 spoofdetect': onesmartlab.answer('spoof_detect', invented('spoof_detect', 'face_too_large')),
    '002 photoverify error': onesmartlab.answer('photo_verify', invented('photo_verify', 'too_dark')),
    '002 videoverify error': onesmartlab.answer('video_verify', invented('video_verify', 'move_your_head')),
    '002 spoofdetect error': onesmartlab.answer('spoof_detect', invented('spoof_detect', 'face_cropped')),
  };
}

const withLive = (judged: Judged, live: number): Judged => ({
  ...judged,
  verdict: { ...judged.verdict, scores: { live } },
});

/** The examples' own, in milliseconds. */
const photoTimes = { startedAt: timeOf(1534534645.0817783), endedAt: timeOf(1534534646.186395) };
const videoTimes = { startedAt: timeOf(1534534697.3109004), endedAt: timeOf(1534534753.1725538) };

function timeOf(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString();
}

const sameMillisecond = (ours: unknown, theirs: unknown) =>
  typeof ours === 'number' && typeof theirs === 'number' && Math.abs(ours - theirs) < 0.001;
const times = { 'predictions.end': sameMillisecond, 'predictions.start': sameMillisecond };
const anError = { error: (ours: unknown) => /^(photo|video|id_card): [A-Z].*\.$/.test(String(ours)) };
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/;

/** Where our value is another than the example's, and what it has to be then. */
export const others: Partial<Record<Example, Others>> = {
  '000 result': { completed_at: (ours, theirs) => iso.test(String(ours)) && iso.test(String(theirs)) },
  '003 face too small': {
    message: (ours, theirs) => ours === String(theirs).replace('{Height}', '90').replace('{Width}', '80'),
  },
  '002 photoverify': {
    ...times,
    // Of two photos there is one distance, and one face whose width counts: the document has others here.
    'predictions.model_output.face_distance_avg': (ours) => ours === 0.5682702660560608,
    'predictions.model_output.largest_face_to_frame_ratio': (ours) => ours === 0.4419047619047619,
  },
  '002 videoverify': times,
  '002 photoverify error': anError,
  '002 videoverify error': anError,
  '002 spoofdetect error': anError,
};
