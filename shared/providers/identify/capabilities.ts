import type { Capabilities } from '../provider.ts';

/** Identify fetches the selfie from a link and answers by webhook. */
export const identify: Capabilities = {
  name: 'identify',
  remote: true,
  consumer: 'dispatch-verification',
  answersBy: 'webhook',
  live: true,
  checks: ['spoof_detect'],
  accepts: { selfie: ['image/jpeg', 'image/png'] },
  maximumBytes: {},
  thresholds: {},
  timeoutSeconds: { spoof_detect: 10, photo_verify: 10, video_verify: 10 },
};
