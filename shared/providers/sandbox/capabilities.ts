import { typesOf } from '../../domain/captures.ts';
import type { Capabilities } from '../provider.ts';

/** Outcomes on demand, for integrators' tests. It looks at no capture and makes no call. */
export const sandbox: Capabilities = {
  name: 'sandbox',
  remote: false,
  consumer: 'dispatch-verification',
  answersBy: 'response',
  live: false, // it passes any capture
  readsSourceId: true,
  ignoresCaptures: true,
  checks: ['spoof_detect', 'photo_verify', 'video_verify'],
  accepts: typesOf,
  maximumBytes: {},
  thresholds: {},
  timeoutSeconds: { spoof_detect: 20, photo_verify: 20, video_verify: 20 },
};
