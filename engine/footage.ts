import type { Turn } from '../shared/domain/challenge.ts';
import type { Measurements, Reason } from '../shared/domain/verdict.ts';
import { cosineOf, type Embedding } from './matching.ts';
import { type Tracked, trackFace } from './motion/face-track.ts';
import { type Motion, type Sighting, watchMotion } from './motion.ts';
import { type FaceModels, lookAtPerson, type Plain, type Portrait } from './selfie.ts';
import type { Sight } from './sight.ts';
import { watchTurn } from './turn.ts';
import type { DecodedVideo } from './video-worker.ts';

/** When a video shows enough of one person. */
export const footageLimits = {
  /** Single frames vary: the median of fewer is not to be trusted. */
  minimumFrames: 8,
  /** Six digits take longer to say: the shortest of 60 strings of single recordings, 0.15 s apart, 2.0 s. */
  minimumSeconds: 2,
  /** Of the frames, those the quality gate takes. */
  minimumGoodRatio: 0.5,
  /** A second person in more of the frames than this is no passer-by. */
  maximumCompanyRatio: 0.2,
  /** Frames that show another person than the most typical one does, beyond which the face has changed. One may be a slip. */
  maximumOddFrames: 1,
} as const;

/**
 * What keeps a face from being compared at all. Anything else does not: else a second person need only stand too near
 * to be left out of the comparison.
 */
const disfiguring: readonly Reason[] = [
  'face_not_detected',
  'face_turned',
  'face_cropped',
  'too_blurred',
  'too_noisy',
  'too_dark',
  'too_bright',
];

export interface Footage {
  readonly reasons: readonly Reason[];
  readonly measurements: Measurements;
  /** Median over the good frames; absent where another video is needed. */
  readonly live?: number;
  /** Median over the good frames, and the reason of one of them. */
  readonly plain?: Plain;
  /** Of the good frames. */
  readonly embeddings: readonly Embedding[];
  readonly changed: boolean;
  readonly motion: Motion['kind'];
  readonly track: readonly Tracked[];
  /** Whether the head turned as it was asked to; true where it was not. */
  readonly turned: boolean;
}

/** What a verification asks of its video besides. */
export interface FootageOptions {
  readonly minimumFacePx?: number | undefined;
  readonly turn?: Turn | undefined;
}

/** Every frame through the gate and the spoof model that a selfie goes through; the good ones are compared. */
export async function watchFrames(
  { frames, times, motion: greyFrames, widthPx, heightPx, ...video }: DecodedVideo,
  models: FaceModels,
  sameFace: number,
  { minimumFacePx, turn }: FootageOptions = {},
): Promise<Footage> {
  const look = { compared: true, photo: false, minimumFacePx };
  const portraits: Portrait[] = [];
  const embeddings: Embedding[] = [];
  const recognisable: Embedding[] = [];
  const sightings: Sighting[] = [];
  for (const [index, image] of frames.entries()) {
    const portrait = await lookAtPerson({ image, widthPx, heightPx }, models, (_, work) => work(), look);
    portraits.push(portrait);
    const { live, reasons, seen } = portrait;
    if (seen?.degrees === 0) sightings.push(sightingOf(seen, times[index] ?? 0));
    if (!seen || reasons.some((reason) => disfiguring.includes(reason))) continue;
    const embedding = await seen.embedding();
    recognisable.push(embedding);
    if (live !== undefined) embeddings.push(embedding);
  }
  const good = portraits.filter(({ live }) => live !== undefined);
  const share = (count: number) => count / Math.max(frames.length, 1);
  const sameness = samenessOf(recognisable, sameFace);
  const live = good.length > 0 ? median(good.map((portrait) => portrait.live ?? 0)) : undefined;
  // One frame stands for all: a phone that was held sideways was so throughout.
  const middle = good[Math.floor(good.length / 2)];
  const plain = middle?.plain && {
    live: median(good.map((portrait) => portrait.plain?.live ?? 0)),
    reason: middle.plain.reason,
  };
  const motion = watchMotion(greyFrames, sightings);
  const track = await trackFace(greyFrames, sightings, models.landmarker);
  const turned = turn && watchTurn(track, turn, times[0] ?? 0);
  const measured = (name: string) => portraits.flatMap(({ measurements }) => measurements[name] ?? []);
  const ratios = measured('face_width_ratio');
  const measurements = {
    video_width_px: widthPx,
    video_height_px: heightPx,
    video_seconds: video.seconds,
    video_frames: video.storedFrames,
    video_frames_per_second: video.framesPerSecond,
    frames_analysed: frames.length,
    frames_good: good.length,
    single_face_ratio: share(measured('face_count').filter((count) => count === 1).length),
    ...(ratios.length > 0 && { largest_face_width_ratio: Math.max(...ratios) }),
    ...(live !== undefined && { live_score: live }),
    ...(plain && { live_score_plain: plain.live }),
    ...(recognisable.length > 0 && { face_sameness_ratio: sameness.ratio }),
    ...motion.measurements,
    ...turned?.measurements,
  };
  const lies = middle?.seen !== undefined && middle.seen.degrees !== 0;
  const reasons = lies ? (['face_turned'] as const) : reasonsOf(portraits, good.length, lastsSeconds(video));
  return {
    reasons,
    measurements,
    embeddings,
    ...(reasons.length === 0 && live !== undefined && { live, ...(plain && { plain }) }),
    changed: sameness.odd > footageLimits.maximumOddFrames,
    motion: motion.kind,
    track,
    turned: turned?.seen ?? true,
  };
}

const sightingOf = ({ landmarks, image, faces }: Sight, time: number): Sighting => ({
  time,
  landmarks,
  face: faces[0],
  pictureWidthPx: image.width,
});

/** To the end of the last frame, which is shown for as long as the others. */
const lastsSeconds = ({ seconds, storedFrames }: Pick<DecodedVideo, 'seconds' | 'storedFrames'>): number =>
  (seconds * storedFrames) / Math.max(storedFrames - 1, 1);

/** What is wrong with most of the frames that are no good, the most frequent first. */
function reasonsOf(portraits: readonly Portrait[], good: number, seconds: number): Reason[] {
  const { minimumFrames, minimumSeconds } = footageLimits;
  if (portraits.length < minimumFrames || seconds < minimumSeconds) return ['video_too_short'];
  const counts = new Map<Reason, number>();
  for (const reason of portraits.flatMap(({ reasons }) => reasons)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const company = (counts.get('multiple_faces') ?? 0) / portraits.length > footageLimits.maximumCompanyRatio;
  const enough = good >= footageLimits.minimumFrames && good / portraits.length >= footageLimits.minimumGoodRatio;
  if (enough) return company ? ['multiple_faces'] : [];
  const byCount = [...counts].toSorted(([, a], [, b]) => b - a);
  const most = byCount[0]?.[1] ?? 0;
  return byCount.filter(([, count]) => 2 * count >= most).map(([reason]) => reason);
}

/** How many faces are that of the most typical one: the one most like all others. */
function samenessOf(embeddings: readonly Embedding[], sameFace: number): { ratio: number; odd: number } {
  const likeness = embeddings.map((one) => embeddings.map((other) => cosineOf(one, other)));
  const sums = likeness.map((row) => row.reduce((sum, cosine) => sum + cosine, 0));
  const typical = likeness[sums.indexOf(Math.max(...sums))] ?? [];
  const odd = typical.filter((cosine) => cosine < sameFace).length;
  return { odd, ratio: embeddings.length > 0 ? 1 - odd / embeddings.length : 0 };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
