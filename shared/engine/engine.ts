import { availableParallelism } from 'node:os';
import type { Finding, Measurements, Reason } from '../domain/verdict.ts';
import { type DecodedCapture, decodeImage } from './decode.ts';
import { cropFace, detectFaces, type Face, findLandmarks } from './faces.ts';
import type { Manifest } from './manifest.ts';
import { openModelPack } from './models.ts';
import { assessEmptyCapture, assessQuality, type Quality } from './quality.ts';
import { measureLiveness } from './spoofing.ts';

export interface EngineOptions {
  /** A directory with `manifest.json` and the .onnx files it names. */
  readonly modelsDirectory: string;
  /** Milliseconds, for the stages' durations only; nothing the engine decides depends on it. */
  readonly now?: () => number;
  /** Threads per model, 1 by default: the models are too small to gain from more (figures in `docs/decisions/010-engine-limits.md`). */
  readonly threads?: number;
}

/** What the tenant's policy may set; anything absent is the model pack's own threshold. */
export interface Thresholds {
  /** 0..1: from this live score on a capture passes. */
  readonly live?: number;
}

export interface Analysis {
  readonly finding: Finding;
  readonly measurements: Measurements;
  /** Milliseconds by stage: decode, detect, quality, spoofing; a stage that was not reached is absent. */
  readonly stages: Readonly<Record<string, number>>;
}

/** Captures in, findings out. The same bytes give the same numbers. */
export interface Engine {
  readonly manifest: Manifest;
  /** spoof_detect: is this selfie of a person before the camera? Bytes of a JPEG, PNG, WebP or HEIC. */
  readonly analyseSelfie: (bytes: Uint8Array, thresholds: Thresholds) => Promise<Analysis>;
}

/** Opens and verifies the models once; the sessions are kept for the life of the process. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const threads = Math.min(options.threads ?? 1, availableParallelism());
  const now = options.now ?? (() => performance.now());
  const pack = await openModelPack(options.modelsDirectory, threads);
  const { faceDetection, faceLandmarks, spoofing } = pack.manifest;
  const detector = await pack.open(faceDetection);
  const landmarker = await pack.open(faceLandmarks);
  const spoofModels = await Promise.all(spoofing.models.map((model) => pack.open(model)));
  const context = Math.max(...spoofing.models.map((model) => model.context));

  async function assess(capture: DecodedCapture, faces: readonly Face[]): Promise<Quality> {
    const [face, ...others] = faces;
    if (!face) return assessEmptyCapture(capture);
    const faceCrop = await cropFace(capture.image, face, landmarker);
    const landmarks = await findLandmarks(faceCrop, face, landmarker);
    return assessQuality(capture, [face, ...others], landmarks, faceCrop, context);
  }

  async function analyseSelfie(bytes: Uint8Array, thresholds: Thresholds): Promise<Analysis> {
    const stages: Record<string, number> = {};
    const timed = async <T>(stage: string, work: Promise<T>): Promise<T> => {
      const from = now();
      const result = await work;
      stages[stage] = now() - from;
      return result;
    };

    const decoded = await timed('decode', decodeImage(bytes));
    if (decoded.kind === 'unreadable') return { finding: recapture(['capture_unreadable']), measurements: {}, stages };
    if (decoded.kind === 'too_large') {
      const measurements = { capture_pixels: decoded.pixels };
      return { finding: recapture(['capture_too_large']), measurements, stages };
    }

    const { capture } = decoded;
    const faces = await timed('detect', detectFaces(capture.image, detector));
    const quality = await timed('quality', assess(capture, faces));
    const measurements = {
      capture_width_px: capture.widthPx,
      capture_height_px: capture.heightPx,
      ...quality.measurements,
    };
    const [face] = faces;
    if (!face || quality.reasons.length > 0) return { finding: recapture(quality.reasons), measurements, stages };

    const live = await timed('spoofing', measureLiveness(capture.image, face, spoofModels));
    return { finding: decide(live, thresholds.live ?? spoofing.thresholds.live), measurements, stages };
  }

  return { manifest: pack.manifest, analyseSelfie };
}

function decide(live: number, threshold: number): Finding {
  if (live >= threshold) return { outcome: 'passed', confidence: live, reasons: [], scores: { live } };
  return { outcome: 'failed', confidence: 1 - live, reasons: ['presentation_attack_suspected'], scores: { live } };
}

function recapture(reasons: readonly Reason[]): Finding {
  return { outcome: 'recapture', confidence: null, reasons: [...reasons], scores: {} };
}
