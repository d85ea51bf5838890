/** A change of one field of what a vendor's writer writes: the text stands in its `answers.ts` exactly once. */
export interface WriterMutant {
  readonly vendor: 'identify' | 'onesmartlab' | 'spoofsense';
  readonly find: string;
  readonly replace: string;
}

const of = (vendor: WriterMutant['vendor'], changes: readonly (readonly [find: string, replace: string])[]) =>
  changes.map(([find, replace]): WriterMutant => ({ vendor, find, replace }));

export const writerMutants: readonly WriterMutant[] = [
  ...of('identify', [
    ['source_event: service, payload, error: null', 'event: service, payload, error: null'],
    ['probability: confidence, ...asked', 'probability: String(confidence), ...asked'],
    ['image_link: imageLink, source_id', 'image_source_link: imageLink, source_id'],
    ["passed: outcome === 'passed'", "passed: outcome !== 'passed'"],
    ['payload, error: null, completed_at', 'payload, completed_at, error: null'],
    ["replace('Z', '000+00:00')", "replace('Z', '+00:00')"],
    ['remaining_credits: remainingCredits', 'remaining_credits: String(remainingCredits)'],
  ]),
  ...of('spoofsense', [
    ["pred_idx: passed ? 'real' : 'spoof'", "pred_idx: passed ? 'Real' : 'spoof'"],
    [
      'prob_real: probability(scores.live, passed, limits)',
      'prob_real: String(probability(scores.live, passed, limits))',
    ],
    ["message: noFace ? 'face not detected'", "message: noFace ? 'Face not detected'"],
    ["'Invalid base64 string' };", "'Invalid input image payload' };"],
    ["message: 'Face detection failed', error_code: code", "message: 'Face detection failed'"],
    [
      "{ success: false, message: 'Invalid input image payload', error_code: code }",
      "{ success: false, error_code: code, message: 'Invalid input image payload' }",
    ],
    ['face_height_px: height, face_width_px: width', 'face_height_px: width, face_width_px: height'],
    ['body: contentTooLong', 'body: { message: contentTooLong }'],
  ]),
  ...of('onesmartlab', [
    ['duration: (end - start).toFixed(2)', 'duration: end - start'],
    ['(end - start).toFixed(2), end }', '(end - start).toFixed(2), end: end * 1000 }'],
    ['face_sameness: 0,', 'face_sameness: null,'],
    ['video: { fps: null, frames: null, height: null, width: null },', 'video: null,'],
    ["fps: measured(measurements, 'video_frames_per_second')", 'fps: 25'],
    ["frames: measured(measurements, 'video_frames'),", "frames: measured(measurements, 'frames_analysed'),"],
    ["height: measured(measurements, 'video_height_px')", "height: measured(measurements, 'video_width_px')"],
    [
      "face_distance_avg: measured(measurements, 'match_distance_average', 'face_distance')",
      "face_distance_avg: measured(measurements, 'match_distance')",
    ],
    ['single_face_in_frames: 1,', 'single_face_in_frames: true,'],
    [
      "num_faces: noFace ? 0 : measured(measurements, 'face_count'),\n        single_face: singleFace,",
      'single_face: singleFace,',
    ],
    ['not_spoof_confidence: decimals(liveOf(judged, noFace))', 'not_spoof_confidence: liveOf(judged, noFace)'],
    ['face_to_frame_width_ratio: noFace ? null : widthRatioOf(measurements)', 'face_to_frame_width_ratio: 0.4'],
    ['confidence, transcript: spoken }] }', 'confidence, transcript: spoken.trim() }] }'],
    ['alternatives: [{ confidence, transcript: spoken }]', 'alternatives: [{ transcript: spoken, confidence }]'],
    ['languageCode,\n        video: {', "languageCode: 'en-US',\n        video: {"],
    [
      "video_face_no_change_passed: !fields.has('video_face_no_change_passed'),\n          video_face_to_id_face_passed: !fields.has('video_face_to_id_face_passed')",
      "video_face_to_id_face_passed: !fields.has('video_face_to_id_face_passed'),\n          video_face_no_change_passed: !fields.has('video_face_no_change_passed')",
    ],
    ['THRESHOLD_SPOOF: 0.9,\n};', 'THRESHOLD_SPOOF: 0.5,\n};'],
    ['audiochallenge: challenge,', 'audiochallenge: Number(challenge),'],
  ]),
];
