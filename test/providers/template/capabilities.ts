import type { Capabilities } from '../../../shared/providers/provider.ts';

/** One line: how it is asked, and how it answers. */
export const template: Capabilities = {
  name: 'template',
  remote: true,
  consumer: 'dispatch-verification',
  answersBy: 'response',
  live: true,
  checks: ['spoof_detect'],
  accepts: { selfie: ['image/jpeg', 'image/png'] },
  maximumBytes: { selfie: 5_000_000 },
  thresholds: { live: { from: 0, to: 1 } },
  timeoutSeconds: { spoof_detect: 15, photo_verify: 15, video_verify: 15 },
};
