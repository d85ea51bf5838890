import { cropFace, findLandmarks, type Landmarker, type Point } from '../faces.ts';
import type { Sighting } from '../motion.ts';
import { at, type Box, clamp, type RgbImage } from '../pixels.ts';
import type { GreyFrame } from '../video-worker.ts';

/** A face in one of the grey frames. */
export interface Tracked {
  readonly time: number;
  /** 68, in pixels of the frame. */
  readonly landmarks: readonly Point[];
}

/** Sightings further apart than this say nothing of where the face is in between: one may be missing. */
const furthestSeconds = 1.2;

/** The face's landmarks in every grey frame, its box put between those of the sightings before and after. */
export async function trackFace(
  frames: readonly GreyFrame[],
  sightings: readonly Sighting[],
  landmarker: Landmarker,
): Promise<readonly Tracked[]> {
  const tracked: Tracked[] = [];
  for (const frame of frames) {
    const box = boxAt(frame, sightings);
    if (!box) continue;
    const { part, left, top } = cutOut(frame, box);
    const face = { ...box, score: 1 };
    const faceCrop = cropFace(part, { ...face, x: box.x - left, y: box.y - top }, landmarker);
    tracked.push({ time: frame.time, landmarks: await findLandmarks(faceCrop, face, landmarker) });
  }
  return tracked;
}

function boxAt({ time, width }: GreyFrame, sightings: readonly Sighting[]): Box | undefined {
  const before = sightings.findLast((sighting) => sighting.time <= time) ?? sightings[0];
  const after = sightings.find((sighting) => sighting.time >= time) ?? sightings.at(-1);
  if (!before || !after) return undefined;
  const apart = Math.max(time, before.time, after.time) - Math.min(time, before.time, after.time);
  if (apart > furthestSeconds) return undefined;
  const passed = after === before ? 0 : (time - before.time) / (after.time - before.time);
  const between = (side: keyof Box) =>
    width *
    (((1 - passed) * before.face[side]) / before.pictureWidthPx + (passed * after.face[side]) / after.pictureWidthPx);
  return { x: between('x'), y: between('y'), width: between('width'), height: between('height') };
}

/** The part of the frame that the box lies in, as the models take pictures: each of three colours is grey. */
function cutOut(frame: GreyFrame, box: Box): { readonly part: RgbImage; readonly left: number; readonly top: number } {
  const left = clamp(Math.floor(box.x) - 1, 0, frame.width - 1);
  const top = clamp(Math.floor(box.y) - 1, 0, frame.height - 1);
  const width = clamp(Math.ceil(box.x + box.width) + 1, left + 1, frame.width) - left;
  const height = clamp(Math.ceil(box.y + box.height) + 1, top + 1, frame.height) - top;
  const pixels = new Uint8Array(3 * width * height);
  for (let y = 0, to = 0; y < height; y += 1) {
    const from = (top + y) * frame.width + left;
    for (let x = 0; x < width; x += 1, to += 3) pixels.fill(at(frame.pixels, from + x), to, to + 3);
  }
  return { part: { width, height, pixels }, left, top };
}
