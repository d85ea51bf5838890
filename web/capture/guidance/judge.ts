import type { Manifest } from '../../../engine/manifest.ts';
import { type Infer, modelOf } from '../../../engine/model.ts';
import models from '../../../engine/models.json' with { type: 'json' };
import type { DecodedCapture } from '../../../engine/pixels.ts';
import { assessEmptyCapture, assessQuality } from '../../../engine/quality.ts';
import { glanceOnce } from '../../../engine/sight.ts';
import type { Judgement } from './messages.ts';

/** The shipped pack's manifest, which the engine's tests parse. */
const { faceDetection, faceLandmarks, spoofing } = models as Pick<
  Manifest,
  'faceDetection' | 'faceLandmarks' | 'spoofing'
>;
export const inputNames = { detector: faceDetection.input.name, landmarker: faceLandmarks.input.name } as const;
const context = Math.max(...spoofing.models.map((model) => model.context));

/**
 * The engine's quality gate, by the engine's own functions, without what a browser lacks: the model that compares
 * faces, which the engine asks about faces that are unclear or lie on their side, and the spoof model.
 */
export function openJudge(
  infer: { readonly detector: Infer; readonly landmarker: Infer },
  minimumFacePx?: number,
): (capture: DecodedCapture) => Promise<Judgement> {
  const sightModels = {
    detector: modelOf(faceDetection, infer.detector),
    landmarker: modelOf(faceLandmarks, infer.landmarker),
  };
  return async (capture) => {
    const seen = await glanceOnce(capture.image, sightModels);
    if (seen.kind === 'nothing') return { ...assessEmptyCapture(capture), unclear: false };
    const { faces, landmarks, faceCrop } = seen.glance;
    const { reasons, measurements } = assessQuality(capture, faces, landmarks, faceCrop, context, minimumFacePx);
    const { width, height } = capture.image;
    const [face] = faces;
    return {
      reasons,
      measurements,
      box: { x: face.x / width, y: face.y / height, width: face.width / width, height: face.height / height },
      unclear: seen.kind === 'unclear',
    };
  };
}
