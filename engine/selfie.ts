import type { Measurements, Reason } from '../shared/domain/verdict.ts';
import { type Decoded, type DecodedCapture, decodeImage } from './decode.ts';
import { cropFace, detectFaces, type Face, findLandmarks, type Point } from './faces.ts';
import type { FaceDetection, FaceLandmarks, SpoofingModel } from './manifest.ts';
import type { Model } from './models.ts';
import type { RgbImage } from './pixels.ts';
import { assessEmptyCapture, assessQuality } from './quality.ts';
import { measureLiveness } from './spoofing.ts';

export interface SelfieModels {
  readonly detector: Model<FaceDetection>;
  readonly landmarker: Model<FaceLandmarks>;
  readonly spoofModels: readonly Model<SpoofingModel>[];
}

/** Called with how long a stage took; nothing depends on it. */
export type Timed = <Result>(stage: string, work: Promise<Result>) => Promise<Result>;

/** A picture of a person, looked at once: what the gate says, and the live score where it may be believed. */
export interface Portrait {
  /** Why another picture is needed; empty where this one will do. */
  readonly reasons: readonly Reason[];
  readonly measurements: Measurements;
  /** Where there is a face, however poor; the first of `faces` is the one everything is about. */
  readonly seen?: { readonly image: RgbImage; readonly faces: readonly [Face, ...Face[]]; readonly landmarks: Point[] };
  /** 0..1; absent where the gate refused: then it is the measurement `live_score`, and decides nothing. */
  readonly live?: number;
}

/** Bytes of a JPEG, PNG, WebP or HEIC, or why there is nothing to look at. */
export async function openCapture(bytes: Uint8Array, sizePx?: number): Promise<DecodedCapture | Portrait> {
  const decoded: Decoded = await decodeImage(bytes, sizePx);
  switch (decoded.kind) {
    case 'decoded':
      return decoded.capture;
    case 'too_large':
      return { reasons: ['capture_too_large'], measurements: { capture_pixels: decoded.pixels } };
    case 'unreadable':
      return { reasons: ['capture_unreadable'], measurements: {} };
  }
}

/** Outside the limits of the quality gate the spoof model's answer means nothing, however sure it is. */
export async function lookAtPerson(capture: DecodedCapture, models: SelfieModels, timed: Timed): Promise<Portrait> {
  const { image } = capture;
  const size = { capture_width_px: capture.widthPx, capture_height_px: capture.heightPx };
  const [face, ...others] = await timed('detect', detectFaces(image, models.detector));
  if (!face) {
    const { reasons, measurements } = assessEmptyCapture(capture);
    return { reasons, measurements: { ...size, ...measurements } };
  }
  const faces = [face, ...others] as const;
  const { landmarks, quality } = await timed('quality', assess());
  const live = await timed('spoofing', measureLiveness(image, face, models.spoofModels));
  return {
    reasons: quality.reasons,
    measurements: { ...size, ...quality.measurements, live_score: live },
    seen: { image, faces, landmarks },
    ...(quality.reasons.length === 0 && { live }),
  };

  async function assess() {
    const faceCrop = cropFace(image, faces[0], models.landmarker);
    const points = await findLandmarks(faceCrop, faces[0], models.landmarker);
    const context = Math.max(...models.spoofModels.map(({ contract }) => contract.context));
    return { landmarks: points, quality: assessQuality(capture, faces, points, faceCrop, context) };
  }
}
