import type { Detector, Landmarker } from '../../../engine/faces.ts';
import type { DecodedCapture } from '../../../engine/pixels.ts';
import { assessEmptyCapture, assessQuality, qualityLimits } from '../../../engine/quality.ts';
import { glanceOnce } from '../../../engine/sight.ts';
import type { Judgement } from './messages.ts';

/**
 * The engine's quality gate by the engine's own functions, without what a browser lacks: the model that compares faces,
 * which the engine asks about faces that are unclear or lie on their side, and the spoof model.
 */
export async function judge(
  capture: DecodedCapture,
  models: { readonly detector: Detector; readonly landmarker: Landmarker },
  minimumFacePx?: number,
): Promise<Judgement> {
  const seen = await glanceOnce(capture.image, models);
  if (seen.kind === 'nothing') return { ...assessEmptyCapture(capture), unclear: false };
  const { faces, landmarks, faceCrop } = seen.glance;
  // The spoof models may want more, which only the measurement says: the gate asks for this.
  const context = qualityLimits.minimumContext;
  const { reasons, measurements } = assessQuality(capture, faces, landmarks, faceCrop, context, minimumFacePx);
  const { width, height } = capture.image;
  const [face] = faces;
  return {
    reasons,
    measurements,
    box: { x: face.x / width, y: face.y / height, width: face.width / width, height: face.height / height },
    unclear: seen.kind === 'unclear',
  };
}
