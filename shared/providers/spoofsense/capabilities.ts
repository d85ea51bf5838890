import type { Capabilities } from '../provider.ts';

/** SpoofSense takes the selfie as base64 in JSON and answers at once. */
export const spoofsense: Capabilities = {
  name: 'spoofsense',
  remote: true,
  consumer: 'dispatch-verification',
  answersBy: 'response',
  live: true,
  checks: ['spoof_detect'],
  accepts: { selfie: ['image/jpeg', 'image/png'] },
  // Its limit of 10,485,760 bytes is of the request's content: {"data":""} and four characters for three bytes.
  maximumBytes: { selfie: 7_864_311 },
  thresholds: { live: { from: 0, to: 1 } },
  timeoutSeconds: { spoof_detect: 15, photo_verify: 15, video_verify: 15 },
};
