import type { Measurements, Reason } from '../shared/domain/verdict.ts';
import { detectFaces, detectSmallFaces, type Face } from './faces.ts';
import type { Embedding } from './matching.ts';
import { clamp, type DecodedCapture, type RgbImage } from './pixels.ts';
import type { FaceModels } from './selfie.ts';
import { type Look, type Sight, seeFace } from './sight.ts';
import { measureLiveness } from './spoofing.ts';
import { measureSurroundings, type Surroundings } from './surroundings.ts';

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
 * When a picture shows a person and no card. A card may be cut tightly or printed well, so what is uncertain is a card.
 * The figures are in `engine/notes/matching.md`.
 */
export const personLimits = {
  /** Width of the face over the picture's longer side: of a card that is seen whole it is 0.1 to 0.26 … */
  minimumFaceRatio: 0.15,
  /** … and only of one that is cut tightly wider than this. */
  wideFaceRatio: 0.3,
  /** Live score from which on a face may be a person's before the camera, not a print; less is asked of a wide one. */
  minimumLive: 0.5,
  minimumLiveOfWide: 0.1,
  /** A frame or print around the face, as `measureSurroundings` finds them, make it a card's. */
  frameContrast: 15,
  printedLines: 6,
} as const;

export interface CardOptions {
  /** Take a picture of a person for the card: the portrait of a document's chip has no card around it. */
  readonly barePortraits?: boolean | undefined;
}

/** A face that may be on a card. */
interface Candidate {
  readonly sight: Sight;
  readonly live: number;
  /** Measured where the face may be a person's before the camera. */
  readonly surroundings?: Surroundings;
}

/**
 * The largest face on the card that is one for certain; the card may lie on its side or head. Cards carry more faces
 * than one (holograms, ghost images): the others are counted and ignored. Of a person who holds a card, the card's face
 * is read. The card's own live score passes nothing: what is printed is a print.
 */
export async function readIdCard(
  { image, widthPx, heightPx }: DecodedCapture,
  models: FaceModels,
  { barePortraits = false }: CardOptions = {},
): Promise<IdCard> {
  const size = { id_capture_width_px: widthPx, id_capture_height_px: heightPx };
  const pixels = Math.max(widthPx, heightPx) / Math.max(image.width, image.height);
  const largest = await findFace(image, models);
  if (!largest) return { reasons: ['face_not_detected'], measurements: { ...size, id_face_count: 0 } };
  const { sight, surroundings } = largest;
  if (barePortraits || !surroundings) return describe(largest);
  const held = await findHeldCard(sight, models);
  const read = held && (await describe(held, sight.degrees));
  const seen = hasCardAround(surroundings);
  if (read && (read.reasons.length === 0 || !seen)) return read;
  const card = await describe(largest);
  return seen ? card : { ...card, reasons: ['card_not_seen'] };

  async function describe({ sight, live, surroundings }: Candidate, turned = 0): Promise<IdCard> {
    const { faces } = sight;
    const [face] = faces;
    const embedding = await sight.embedding();
    const faceWidthPx = Math.round(face.width * pixels);
    return {
      reasons: faceWidthPx < idCardLimits.minimumFacePx ? ['id_face_too_small'] : [],
      embedding,
      measurements: {
        ...size,
        id_rotation_degrees: (turned + sight.degrees) % 360,
        id_face_count: faces.length,
        id_faces_ignored: faces.length - 1,
        id_face_score: face.score,
        id_face_width_px: faceWidthPx,
        id_face_height_px: Math.round(face.height * pixels),
        id_face_width_ratio: face.width / sight.image.width,
        id_face_norm: embedding.norm,
        id_live_score: live,
        ...(surroundings && {
          id_frame_contrast: surroundings.frameContrast,
          id_printed_lines: surroundings.printedLines,
        }),
      },
    };
  }
}

async function findFace(image: RgbImage, models: FaceModels): Promise<Candidate | undefined> {
  const atFirst = await seeFace(image, models, fromAfar);
  const { kind, sight } = atFirst.kind === 'certain' ? atFirst : await seeFace(image, models, closer);
  if (kind !== 'certain') return undefined;
  const live = await measureLiveness(sight.image, sight.faces[0], models.spoofModels);
  return {
    sight,
    live,
    ...(mayBePerson(sight, live) && { surroundings: measureSurroundings(sight.image, sight.faces[0]) }),
  };
}

function mayBePerson({ image, faces: [face] }: Sight, live: number): boolean {
  const ratio = face.width / Math.max(image.width, image.height);
  const { minimumFaceRatio, wideFaceRatio, minimumLive, minimumLiveOfWide } = personLimits;
  return ratio >= minimumFaceRatio && live >= (ratio >= wideFaceRatio ? minimumLiveOfWide : minimumLive);
}

/** A face on a card, in the picture of a person. */
async function findHeldCard(person: Sight, models: FaceModels): Promise<Candidate | undefined> {
  const held = await findFace(without(person), models);
  return held && hasCardAround(measureSurroundings(held.sight.image, held.sight.faces[0])) ? held : undefined;
}

const hasCardAround = ({ frameContrast, printedLines }: Surroundings): boolean =>
  frameContrast >= personLimits.frameContrast || printedLines >= personLimits.printedLines;

/** The picture with the face painted over. */
function without({ image, faces: [face] }: Sight): RgbImage {
  const { width, height } = image;
  const pixels = image.pixels.slice();
  const [left, right] = [face.x, face.x + face.width].map((x) => 3 * clamp(Math.round(x), 0, width));
  const [top, bottom] = [face.y, face.y + face.height].map((y) => clamp(Math.round(y), 0, height));
  for (let row = top ?? 0; row < (bottom ?? 0); row += 1)
    pixels.fill(128, 3 * row * width + (left ?? 0), 3 * row * width + (right ?? 0));
  return { width, height, pixels };
}

const closer: Look = {
  detect: async (image, detector) => sure(await detectSmallFaces(image, detector)),
  tries: 3,
  embed: true,
  shaded: false,
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
