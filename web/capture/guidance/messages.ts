import type { Detector, Landmarker } from '../../../engine/faces.ts';
import type { Measurements, Reason } from '../../../shared/domain/verdict.ts';

/** What a look at a frame found. */
export interface Judgement {
  /** Why the backend would ask for another picture, the most actionable first; empty where this one will do. */
  readonly reasons: readonly Reason[];
  /** The largest face, in shares of the frame's width and height; absent where none was found. */
  readonly box?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly measurements: Measurements;
  /** The backend asks a model that the browser lacks whether this is a face. */
  readonly unclear: boolean;
}

/** Weights, and how its pack says that they are fed. */
export interface ServedModel<Opened extends Detector | Landmarker> {
  readonly contract: Opened['contract'];
  readonly weights: ArrayBuffer;
}

/** What a page sends to the worker; buffers and frames change hands. */
export type Request =
  | {
      readonly kind: 'open';
      readonly wasm: ArrayBuffer;
      readonly detector: ServedModel<Detector>;
      readonly landmarker: ServedModel<Landmarker>;
      readonly minimumFacePx: number | undefined;
    }
  | { readonly kind: 'look'; readonly id: number; readonly frame: ImageBitmap | VideoFrame }
  | { readonly kind: 'picture'; readonly id: number };

/** What the worker answers, each to its request. A look that failed has no judgement. */
export type Answer =
  | { readonly kind: 'opened' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'judged'; readonly id: number; readonly judgement: Judgement | undefined }
  | { readonly kind: 'pictured'; readonly id: number; readonly picture: Blob | undefined };
