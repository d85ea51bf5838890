import { typesOf } from '../../domain/captures.ts';
import { defaultMinimumFacePx } from '../../domain/face-size.ts';
import type { Capabilities } from '../provider.ts';

/** What the built-in engine can do. Its own queue is consumed by `functions/analyse-capture`. */
export const builtin: Capabilities = {
  name: 'builtin',
  remote: false,
  consumer: 'analyse-capture',
  answersBy: 'response',
  live: true,
  checks: ['spoof_detect', 'photo_verify', 'video_verify'],
  accepts: typesOf,
  maximumBytes: {},
  thresholds: {
    live: { from: 0, to: 1 },
    match: { from: 0, to: 1 },
    digits: { from: 0, to: 1 },
    minimumFacePx: { from: 64, to: 512, default: defaultMinimumFacePx }, // smaller faces were not measured
  },
  languages: ['en'], // those of the shipped recogniser of digits (`engine/models.json`)
  judgesTurns: true,
  timeoutSeconds: { spoof_detect: 60, photo_verify: 60, video_verify: 100 },
};
