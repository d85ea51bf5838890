import type { Capabilities } from '../provider.ts';

/** One Smart Lab takes the captures themselves as multipart and answers at once; a video takes it about a minute. */
export const onesmartlab: Capabilities = {
  name: 'onesmartlab',
  remote: true,
  consumer: 'dispatch-verification',
  answersBy: 'response',
  live: true,
  checks: ['spoof_detect', 'photo_verify', 'video_verify'],
  accepts: { selfie: ['image/jpeg', 'image/png'], id_card: ['image/jpeg', 'image/png'], video: ['video/mp4'] },
  maximumBytes: {},
  thresholds: {}, // its own decide
  challengeDigits: [6],
  timeoutSeconds: { spoof_detect: 30, photo_verify: 30, video_verify: 120 },
};
