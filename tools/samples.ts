/** The four captures that show every outcome, and where they come from: `npm run verify -- --samples` and tests use them. */
import path from 'node:path';
import sharp from 'sharp';
import type { Outcome, Reason } from '../shared/domain/verdict.ts';

export interface Sample {
  readonly file: string;
  readonly contentType: 'image/jpeg';
  readonly bytes: Uint8Array;
  /** What the shipped models say of it. */
  readonly expected: { readonly outcome: Outcome; readonly reasons: readonly Reason[] };
}

const root = path.dirname(import.meta.dirname);
export const portraitFile = path.join(root, 'test/fixtures/portrait.png');
const screenshotFile = path.join(root, 'node_modules/@vladmandic/human/assets/screenshot-faceid.jpg');

/** Eileen Collins, NASA, public domain: a person before the camera. 512 px in the file; its face is 87 px wide there. */
export function portrait(sizePx = 1280): Promise<Buffer> {
  return sharp(portraitFile).resize(sizePx).jpeg({ quality: 92 }).toBuffer();
}

/** The same, as stored: a face of 87 px. */
export const portraitAsStored = (): Promise<Buffer> => sharp(portraitFile).jpeg({ quality: 92 }).toBuffer();

/** One face shown on a screen, from a devDependency's documentation. */
export async function faceOnScreen(): Promise<Buffer> {
  const screenshot = sharp(screenshotFile);
  const { width } = await screenshot.metadata();
  return screenshot
    .resize(width * 2)
    .jpeg({ quality: 92 })
    .toBuffer();
}

/** Sky, hills and a meadow, drawn: no person in it. */
export function landscape(): Promise<Buffer> {
  const drawing = new Uint8Array(1280 * 960 * 3);
  for (let y = 0; y < 960; y += 1) {
    for (let x = 0; x < 1280; x += 1) {
      const horizon = 520 + 60 * Math.sin(x / 190) + 25 * Math.sin(x / 61);
      const meadow = 690 + 20 * Math.sin(x / 240);
      const texture = 18 * Math.sin(x * 12.9898 + y * 78.233);
      const colour = colourAt(y, horizon, meadow);
      drawing.set(
        colour.map((value) => Math.max(0, Math.min(255, value + (y < horizon ? 0 : texture)))),
        (y * 1280 + x) * 3,
      );
    }
  }
  return sharp(drawing, { raw: { width: 1280, height: 960, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
}

function colourAt(y: number, horizon: number, meadow: number): number[] {
  if (y < horizon) return [110 + y / 8, 160 + y / 10, 225];
  return y < meadow ? [70, 95 + (y - horizon) / 8, 80] : [95, 140 - (y - meadow) / 6, 60];
}

/** What the name says it is not. */
export const textNamedJpeg = (): Uint8Array =>
  new TextEncoder().encode('This is not a photo, whatever its name says.\n');

export async function samples(): Promise<readonly Sample[]> {
  const sample = (file: string, bytes: Uint8Array, outcome: Outcome, ...reasons: Reason[]): Sample => ({
    file,
    contentType: 'image/jpeg',
    bytes,
    expected: { outcome, reasons },
  });
  return [
    sample('portrait.jpg', await portrait(), 'passed'),
    sample('face-on-screen.jpg', await faceOnScreen(), 'failed', 'presentation_attack_suspected'),
    sample('landscape.jpg', await landscape(), 'recapture', 'face_not_detected'),
    sample('text.jpg', textNamedJpeg(), 'recapture', 'capture_unreadable'),
  ];
}
