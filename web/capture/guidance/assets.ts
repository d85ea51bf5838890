import type { FaceDetection, FaceLandmarks } from '../../../engine/manifest.ts';

/** A model as its pack describes it, and where it is served. */
type Served<Model> = Pick<Model, Extract<keyof Model, 'name' | 'input' | 'outputs' | 'thresholds'>> & {
  readonly path: string;
};

/** What guidance loads, by its path on the origin of the API: names with hashes, which only the build knows. */
export interface GuidanceAssets {
  /** The worker, an ES module. */
  readonly worker: string;
  /** The runtime of the models; compressed by brotli alone, else 406. */
  readonly wasm: string;
  readonly faceDetection: Served<FaceDetection>;
  readonly faceLandmarks: Served<FaceLandmarks>;
}

/** Put in its place by web/build.ts. */
declare const BONAFIDE_GUIDANCE: GuidanceAssets;

/** The guidance that was built with this page. The worker, which is built before it, must be handed it. */
export const guidanceAssets = (): GuidanceAssets => BONAFIDE_GUIDANCE;
