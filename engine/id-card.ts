import type { Measurements, Reason } from '../shared/domain/verdict.ts';
import type { DecodedCapture } from './decode.ts';
import { detectFaces, detectSmallFaces, type Face } from './faces.ts';
import type { Embedding } from './matching.ts';
import type { FaceModels } from './selfie.ts';
import { type Look, seeFace } from './sight.ts';
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

export interface IdCard {
  readonly reasons: readonly Reason[];
  readonly measurements: Measurements;
  readonly embedding?: Embedding;
}

/**
 * The largest face on the card that is one for certain; the card may lie on its side or head. Cards carry more faces
 * than one (holograms, ghost images): the others are counted and ignored. The card's own live score is recorded and
 * decides nothing: what is printed is a print.
 */
export async function readIdCard({ image, widthPx, heightPx }: DecodedCapture, models: FaceModels): Promise<IdCard> {
  const size = { id_capture_width_px: widthPx, id_capture_height_px: heightPx };
  const atFirst = await seeFace(image, models, fromAfar);
  const { kind, sight } = atFirst.kind === 'certain' ? atFirst : await seeFace(image, models, closer);
  if (kind !== 'certain') return { reasons: ['face_not_detected'], measurements: { ...size, id_face_count: 0 } };

  const { faces, degrees } = sight;
  const [face] = faces;
  const embedding = await sight.embedding();
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

const closer: Look = {
  detect: async (image, detector) => sure(await detectSmallFaces(image, detector)),
  tries: 3,
  embed: true,
};
const fromAfar: Look = {
  ...closer,
  detect: async (image, detector) => {
    const seen = await detectFaces(image, detector);
    const small = seen[0] && seen[0].width < closerLookRatio * image.width;
    return small ? closer.detect(image, detector) : sure(seen);
  },
};

/** A card's ornaments resemble a face a little: one that surely is goes before a larger one that may be. */
function sure(faces: readonly Face[]): readonly Face[] {
  const certain = faces.filter(({ score }) => score >= idCardLimits.certainScore);
  return certain.length > 0 ? certain : faces;
}
