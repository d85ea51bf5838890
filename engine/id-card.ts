import type { Measurements, Reason } from '../shared/domain/verdict.ts';
import type { DecodedCapture } from './decode.ts';
import { cropFace, detectFaces, detectSmallFaces, type Face, findLandmarks } from './faces.ts';
import type { FaceDetection, FaceLandmarks, FaceMatching, SpoofingModel } from './manifest.ts';
import { type Embedding, embedFace } from './matching.ts';
import type { Model } from './models.ts';
import { type RgbImage, turn } from './pixels.ts';
import { measureLiveness } from './spoofing.ts';

/** Widths of the printed face, in pixels of the capture. */
export const idCardLimits = {
  /** What to ask people for: as good as a selfie (figures in `engine/notes/matching.md`). */
  askedFacePx: 64,
  /** Below this the error rate doubles and doubles again: refused. */
  minimumFacePx: 48,
  certainScore: 0.9,
} as const;

/** Below this share of the card's width the detector sees a dozen pixels of a face, and looks again, closer. */
const closerLookRatio = 0.06;

export interface IdCardModels {
  readonly detector: Model<FaceDetection>;
  readonly landmarker: Model<FaceLandmarks>;
  readonly matcher: Model<FaceMatching['model']>;
  readonly spoofModels: readonly Model<SpoofingModel>[];
  readonly uprightNorm: number;
}

export interface IdCard {
  readonly reasons: readonly Reason[];
  readonly measurements: Measurements;
  readonly embedding?: Embedding;
}

type Quarter = 0 | 90 | 180 | 270;
const quarters: readonly Quarter[] = [0, 90, 180, 270];

/** The card upright, as a reader holds it. */
interface Sight {
  readonly degrees: Quarter;
  readonly image: RgbImage;
  readonly faces: readonly [Face, ...Face[]];
  readonly embedding: Embedding;
}

/**
 * The largest face on the card, which may lie on its side or head. Cards carry more faces than one (holograms, ghost
 * images): the others are counted and ignored. The card's own live score is recorded and decides nothing: what is
 * printed is a print.
 */
export async function readIdCard({ image, widthPx, heightPx }: DecodedCapture, models: IdCardModels): Promise<IdCard> {
  const size = { id_capture_width_px: widthPx, id_capture_height_px: heightPx };
  const sight = (await look(image, models, detectFaces)) ?? (await look(image, models, detectSmallFaces));
  if (!sight) return { reasons: ['face_not_detected'], measurements: { ...size, id_face_count: 0 } };

  const { faces, degrees, embedding } = sight;
  const [face] = faces;
  const pixels = Math.max(widthPx, heightPx) / Math.max(image.width, image.height);
  const faceWidthPx = Math.round(face.width * pixels);
  return {
    reasons: faceWidthPx < idCardLimits.minimumFacePx ? ['id_face_too_small'] : [],
    embedding,
    measurements: {
      ...size,
      id_rotation_degrees: degrees,
      id_face_count: faces.length,
      id_faces_ignored: faces.length - 1,
      id_face_score: face.score,
      id_face_width_px: faceWidthPx,
      id_face_height_px: Math.round(face.height * pixels),
      id_face_width_ratio: face.width / sight.image.width,
      id_face_norm: embedding.norm,
      id_live_score: await measureLiveness(sight.image, face, models.spoofModels),
    },
  };
}

/**
 * Upright, unless another quarter turn shows a face that is more of one: the detector finds faces on their side, too,
 * and the landmarks put anything upright, but the embedding of a face that does not stand is short.
 */
async function look(image: RgbImage, models: IdCardModels, detect: typeof detectFaces): Promise<Sight | undefined> {
  let best: Sight | undefined;
  for (const degrees of quarters) {
    const sight = await lookAt(turn(image, degrees), degrees, models, detect);
    if (sight && sight.embedding.norm > (best?.embedding.norm ?? 0)) best = sight;
    if (best && best.embedding.norm >= models.uprightNorm) break;
  }
  return best;
}

/** Whether the face would be more of one if the picture were turned. Only what is in doubt is looked at again. */
export async function liesDown(image: RgbImage, upright: Embedding, models: IdCardModels): Promise<boolean> {
  if (upright.norm >= models.uprightNorm) return false;
  for (const degrees of quarters.slice(1)) {
    const sight = await lookAt(turn(image, degrees), degrees, models, detectFaces);
    if (sight && sight.embedding.norm > upright.norm) return true;
  }
  return false;
}

async function lookAt(
  image: RgbImage,
  degrees: Quarter,
  models: IdCardModels,
  detect: typeof detectFaces,
): Promise<Sight | undefined> {
  const { detector, landmarker, matcher } = models;
  const seen = await detect(image, detector);
  const closer = seen[0] && seen[0].width < closerLookRatio * image.width && detect === detectFaces;
  const [face, ...others] = sure(closer ? await detectSmallFaces(image, detector) : seen);
  if (!face) return undefined;
  const landmarks = await findLandmarks(cropFace(image, face, landmarker), face, landmarker);
  return { degrees, image, faces: [face, ...others], embedding: await embedFace(image, landmarks, matcher) };
}

/** A card's ornaments resemble a face a little: one that surely is goes before a larger one that may be. */
function sure(faces: readonly Face[]): readonly Face[] {
  const certain = faces.filter(({ score }) => score >= idCardLimits.certainScore);
  return certain.length > 0 ? certain : faces;
}
