import type { Measurements, Reason } from '../shared/domain/verdict.ts';
import { type Decoded, type DecodeOptions, decodeImage } from './decode.ts';
import { detectFaces } from './faces.ts';
import type { SpoofingModel } from './manifest.ts';
import type { Model } from './model.ts';
import type { DecodedCapture } from './pixels.ts';
import { assessEmptyCapture, assessQuality } from './quality.ts';
import { type Sight, type SightModels, seeFace } from './sight.ts';
import { measureRobustLiveness, noticeableNoise } from './spoofing.ts';

export interface FaceModels extends SightModels {
  readonly spoofModels: readonly Model<SpoofingModel>[];
}

/** Does the work of a stage, and notes how long it took; nothing depends on it. */
export type Timed = <Result>(stage: string, work: () => Promise<Result>) => Promise<Result>;

/** A picture of a person, looked at once: what the gate says, and the live score where it may be believed. */
export interface Portrait {
  /** Why another picture is needed; empty where this one will do. */
  readonly reasons: readonly Reason[];
  readonly measurements: Measurements;
  /** Where there is a face, however poor, as it stands. */
  readonly seen?: Sight;
  /** 0..1; absent where the gate refused: then it is the measurement `live_score`, and decides nothing. */
  readonly live?: number;
  /** Beside `live`: at most as much, and why another picture is needed where it alone is too little. */
  readonly plain?: Plain;
}

export interface Plain {
  readonly live: number;
  readonly reason: Reason;
}

/** Bytes of a JPEG, PNG, WebP or HEIC, or why there is nothing to look at. */
export async function openCapture(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedCapture | Portrait> {
  const decoded: Decoded = await decodeImage(bytes, options);
  switch (decoded.kind) {
    case 'decoded':
      return decoded.capture;
    case 'too_large':
      return { reasons: ['capture_too_large'], measurements: { capture_pixels: decoded.pixels } };
    case 'unreadable':
      return { reasons: ['capture_unreadable'], measurements: {} };
  }
}

/** How to look at a picture of a person. */
export interface PersonLook {
  /** Whether the face will be compared, so that it must be one by its embedding, too. */
  readonly compared: boolean;
  /** A photo, not a frame of a video: faces that are drawn and shaded are told, too. */
  readonly photo: boolean;
  /** Width and height of the smallest face that will do, in pixels of the capture. */
  readonly minimumFacePx?: number;
}

/**
 * Outside the limits of the quality gate the spoof model's answer means nothing, however sure it is. A picture that was
 * stored on its side or head is judged as it stands.
 */
export async function lookAtPerson(
  capture: DecodedCapture,
  models: FaceModels,
  timed: Timed,
  { compared, photo, minimumFacePx }: PersonLook,
): Promise<Portrait> {
  const size = { capture_width_px: capture.widthPx, capture_height_px: capture.heightPx };
  const look = { detect: detectFaces, tries: 1, embed: compared, shaded: photo };
  const { kind, sight } = await timed('detect', () => seeFace(capture.image, models, look));
  if (!sight) {
    const { reasons, measurements } = assessEmptyCapture(capture);
    return { reasons, measurements: { ...size, ...measurements } };
  }
  const quality = await timed('quality', () => assess(sight));
  const { degrees, image: upright, faces, shiftRatio, flatRatio, slopeRatio } = sight;
  const { face_noise: noise = 0 } = quality.measurements;
  const liveness = await timed('spoofing', () => measureRobustLiveness(upright, faces[0], noise, models.spoofModels));
  const doubt: Reason = degrees === 0 ? 'face_not_detected' : 'face_turned';
  const reasons = kind === 'doubtful' ? [...new Set([...quality.reasons, doubt])] : quality.reasons;
  return {
    reasons,
    measurements: {
      ...size,
      ...quality.measurements,
      face_rotation_degrees: degrees,
      face_shift_ratio: shiftRatio,
      face_flat_ratio: flatRatio,
      face_slope_ratio: slopeRatio,
      live_score: liveness.live,
      live_score_as_is: liveness.asIs,
      ...(liveness.smoothed !== undefined && { live_score_smoothed: liveness.smoothed }),
      live_score_plain: liveness.plain,
    },
    seen: sight,
    ...(reasons.length === 0 && {
      live: liveness.live,
      plain: { live: liveness.plain, reason: noise < noticeableNoise ? 'unnatural_colours' : 'too_noisy' },
    }),
  };

  async function assess({ degrees, image, faces, landmarks, faceCrop }: Sight) {
    const { widthPx, heightPx } = capture;
    const asItStands = degrees % 180 === 0 ? { widthPx, heightPx } : { widthPx: heightPx, heightPx: widthPx };
    const context = Math.max(...models.spoofModels.map(({ contract }) => contract.context));
    return assessQuality({ image, ...asItStands }, faces, landmarks, faceCrop, context, minimumFacePx);
  }
}
