/** Pictures out of the preview, and what can be known of them before they are sent. */

/** Of every JPEG that a page makes, 0..1: what the figures of engine/notes/guidance.md were measured at. */
export const jpegQuality = 0.92;

/** A JPEG of the camera's own frame, in its full size and never mirrored. */
export async function pictureOf(video: HTMLVideoElement): Promise<Blob> {
  const { videoWidth: width, videoHeight: height } = video;
  const canvas = canvasOf(width, height);
  canvas.getContext('2d')?.drawImage(video, 0, 0, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', jpegQuality));
  if (!blob || width === 0) throw new Error('The preview has no frame');
  return blob;
}

function canvasOf(width: number, height: number): HTMLCanvasElement {
  return Object.assign(document.createElement('canvas'), { width, height });
}

const sampleSize = 32;
/** Of luma 0..255: a covered lens gives some noise, a dark room a lamp or a window. */
const blackLimits = { mean: 10, deviation: 4 } as const;

/** Whether a sample of RGBA pixels is as good as black all over. */
export function isBlack(pixels: ArrayLike<number>): boolean {
  const lumas = Array.from(
    { length: pixels.length / 4 },
    (_, index) => 0.299 * at(pixels, 4 * index) + 0.587 * at(pixels, 4 * index + 1) + 0.114 * at(pixels, 4 * index + 2),
  );
  const mean = sum(lumas) / lumas.length;
  const deviation = Math.sqrt(sum(lumas.map((luma) => (luma - mean) ** 2)) / lumas.length);
  return mean < blackLimits.mean && deviation < blackLimits.deviation;
}

const at = (pixels: ArrayLike<number>, index: number): number => pixels[index] ?? 0;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The pixels of a picture made small; undefined where this browser cannot open it. */
export async function sampleOf(source: Blob | HTMLVideoElement): Promise<Uint8ClampedArray | undefined> {
  try {
    const bitmap = await createImageBitmap(source);
    const context = canvasOf(sampleSize, sampleSize).getContext('2d', { willReadFrequently: true });
    context?.drawImage(bitmap, 0, 0, sampleSize, sampleSize);
    bitmap.close();
    return context?.getImageData(0, 0, sampleSize, sampleSize).data;
  } catch {
    return undefined;
  }
}
