import type { FaceDetection, FaceLandmarks } from './manifest.ts';
import { type Model, outputOf } from './models.ts';
import { at, type Box, crop, type RgbImage, resize, toTensor } from './pixels.ts';

/** A face in pixels of the image it was found in; `score` 0..1. */
export interface Face extends Box {
  readonly score: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Faces by size, the largest first. The image is letterboxed into the model's input: 320 × 240 for RFB-320. */
export async function detectFaces(image: RgbImage, model: Model<FaceDetection>): Promise<Face[]> {
  const { input, outputs: names, thresholds } = model.contract;
  const pixelsPerInput = Math.max(image.width / input.width, image.height / input.height);
  const letterboxed = await resize(
    image,
    Math.max(1, Math.round(image.width / pixelsPerInput)),
    Math.max(1, Math.round(image.height / pixelsPerInput)),
  );
  const outputs = await model.run(toTensor(letterboxed, input));
  const scores = outputOf(outputs, names.scores);
  const boxes = outputOf(outputs, names.boxes);

  const across = input.width * pixelsPerInput;
  const down = input.height * pixelsPerInput;
  const candidates: Face[] = [];
  for (let index = 0; index * 2 < scores.length; index += 1) {
    const score = at(scores, index * 2 + 1);
    if (score <= thresholds.score) continue;
    const x = at(boxes, index * 4) * across;
    const y = at(boxes, index * 4 + 1) * down;
    const width = at(boxes, index * 4 + 2) * across - x;
    const height = at(boxes, index * 4 + 3) * down - y;
    if (width >= 1 && height >= 1) candidates.push({ x, y, width, height, score });
  }
  return suppressOverlaps(candidates, thresholds.overlap).sort((a, b) => b.width * b.height - a.width * a.height);
}

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
export function cropFace(image: RgbImage, face: Face, model: Model<FaceLandmarks>): Promise<RgbImage> {
  return crop(image, face, model.contract.input.width, model.contract.input.height);
}

/** 68 points in iBUG order, in pixels of the image the face was found in. */
export async function findLandmarks(faceCrop: RgbImage, face: Face, model: Model<FaceLandmarks>): Promise<Point[]> {
  const outputs = await model.run(toTensor(faceCrop, model.contract.input));
  const values = outputOf(outputs, model.contract.outputs.points);
  return Array.from({ length: values.length / 2 }, (_, index) => ({
    x: face.x + at(values, index * 2) * face.width,
    y: face.y + at(values, index * 2 + 1) * face.height,
  }));
}
