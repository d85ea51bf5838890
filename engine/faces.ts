import type { FaceDetection, FaceLandmarks } from './manifest.ts';
import { type Model, outputOf } from './model.ts';
import { at, type Box, crop, newPatch, type Patch, type RgbImage } from './pixels.ts';

/** A face in pixels of the image it was found in; `score` 0..1. */
export interface Face extends Box {
  readonly score: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export type Detector = Model<Pick<FaceDetection, 'input' | 'outputs' | 'thresholds'>>;
export type Landmarker = Model<Pick<FaceLandmarks, 'input' | 'outputs'>>;

/** The detector does not mind a coarse picture; more samples would cost more than the model. */
const detectionSamples = 2;

/** Faces by size, the largest first. */
export function detectFaces(image: RgbImage, model: Detector): Promise<Face[]> {
  return detectWithin(image, { x: 0, y: 0, width: image.width, height: image.height }, model);
}

/** The part of the image is letterboxed into the model's input: 320 × 240 for RFB-320. */
async function detectWithin(image: RgbImage, part: Box, model: Detector): Promise<Face[]> {
  const { input, outputs: names, thresholds } = model.contract;
  const pixelsPerInput = Math.max(part.width / input.width, part.height / input.height);
  const width = Math.max(1, Math.round(part.width / pixelsPerInput));
  const height = Math.max(1, Math.round(part.height / pixelsPerInput));
  const outputs = await model.run((patch) => crop(image, part, patch, { width, height, samples: detectionSamples }));
  const scores = outputOf(outputs, names.scores);
  const boxes = outputOf(outputs, names.boxes);

  const across = input.width * pixelsPerInput;
  const down = input.height * pixelsPerInput;
  const candidates: Face[] = [];
  for (let index = 0; index * 2 < scores.length; index += 1) {
    const score = scores[index * 2 + 1] as number;
    if (score <= thresholds.score) continue;
    const x = at(boxes, index * 4) * across;
    const y = at(boxes, index * 4 + 1) * down;
    const box = {
      x: part.x + x,
      y: part.y + y,
      width: at(boxes, index * 4 + 2) * across - x,
      height: at(boxes, index * 4 + 3) * down - y,
    };
    if (box.width >= 1 && box.height >= 1) candidates.push({ ...box, score });
  }
  return bySize(suppressOverlaps(candidates, thresholds.overlap));
}

const bySize = (faces: readonly Face[]) => faces.toSorted((a, b) => b.width * b.height - a.width * a.height);

/** Parts of the image that overlap, each seen enlarged: three by three finds faces a fifth as wide as the model's limit. */
const tilesPerSide = 3;

/** The same, closer: for a face too small in the whole picture. The parts overlap by a third. */
export async function detectSmallFaces(image: RgbImage, model: Detector): Promise<Face[]> {
  const width = Math.ceil(image.width / (1 + (tilesPerSide - 1) * tileStep));
  const height = Math.ceil(image.height / (1 + (tilesPerSide - 1) * tileStep));
  const found: Face[] = [];
  for (let tile = 0; tile < tilesPerSide * tilesPerSide; tile += 1) {
    const x = Math.min(Math.round((tile % tilesPerSide) * width * tileStep), image.width - width);
    const y = Math.min(Math.round(Math.floor(tile / tilesPerSide) * height * tileStep), image.height - height);
    found.push(...(await detectWithin(image, { x, y, width, height }, model)));
  }
  return bySize(suppressOverlaps(found, model.contract.thresholds.overlap));
}
const tileStep = 2 / 3;

/** Non-maximum suppression: of faces that overlap more than `limit` (intersection over union) the best score stays. */
function suppressOverlaps(faces: readonly Face[], limit: number): Face[] {
  const kept: Face[] = [];
  for (const face of [...faces].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => intersectionOverUnion(face, other) <= limit)) kept.push(face);
  }
  return kept;
}

/** Square pixels that both boxes cover. */
export function sharedArea(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, width) * Math.max(0, height);
}

function intersectionOverUnion(a: Box, b: Box): number {
  const shared = sharedArea(a, b);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** The face box alone, at the size the landmark model takes: landmarks, sharpness and exposure are all read off it. */
export function cropFace(image: RgbImage, face: Face, model: Landmarker): Patch {
  return crop(image, face, newPatch(model.contract.input.width, model.contract.input.height));
}

/** 68 points in iBUG order, in pixels of the image the face was found in. */
export async function findLandmarks(faceCrop: Patch, face: Face, model: Landmarker): Promise<Point[]> {
  const outputs = await model.run(({ values }) => values.set(faceCrop.values));
  const values = outputOf(outputs, model.contract.outputs.points);
  return Array.from({ length: values.length / 2 }, (_, index) => ({
    x: face.x + at(values, index * 2) * face.width,
    y: face.y + at(values, index * 2 + 1) * face.height,
  }));
}

/** The mean of some points; (0, 0) of none. */
export function centreOf(points: readonly Point[]): Point {
  const sum = points.reduce((total, { x, y }) => ({ x: total.x + x, y: total.y + y }), { x: 0, y: 0 });
  return { x: sum.x / Math.max(points.length, 1), y: sum.y / Math.max(points.length, 1) };
}
