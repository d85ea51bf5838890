import { typesOf } from '../../domain/captures.ts';
import type { Capabilities } from '../provider.ts';

/** What the built-in engine can do today. Its own queue is consumed by `functions/analyse-capture`. */
export const builtin: Capabilities = {
  name: 'builtin',
  remote: false,
  checks: ['spoof_detect', 'photo_verify'],
  accepts: typesOf,
  maximumBytes: {},
  timeoutSeconds: { spoof_detect: 60, photo_verify: 60, video_verify: 60 },
};
