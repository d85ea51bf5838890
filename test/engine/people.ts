/** Other people and ID cards, made when the tests run from devDependencies' sample photos: none of them is committed. */
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { PrintedPhoto as PrintedOnCards } from '../../tools/evaluate/card-fronts.ts';
import { portrait } from '../../tools/samples.ts';

const samplePhoto = (number: number) =>
  fileURLToPath(new URL(`../../node_modules/@vladmandic/face-api/demo/sample${number}.jpg`, import.meta.url));

interface CutOut {
  readonly photo: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** People of group photos who pass the gate and the spoof model when they are cut out. */
const cutOuts: readonly CutOut[] = [
  { photo: 1, left: 691, top: 286, width: 478, height: 502 },
  { photo: 4, left: 551, top: 0, width: 404, height: 543 },
  { photo: 4, left: 174, top: 42, width: 341, height: 559 },
  { photo: 1, left: 298, top: 208, width: 419, height: 531 },
];

/** A person who is not the portrait's, alone in a photo 960 px wide. */
export async function stranger(index = 0): Promise<Buffer> {
  const cutOut = cutOuts[index];
  if (!cutOut) throw new Error(`there are ${cutOuts.length} strangers`);
  const { photo, ...area } = cutOut;
  return sharp(samplePhoto(photo)).extract(area).resize({ width: 960 }).jpeg({ quality: 92 }).toBuffer();
}

/** The same person further away, for a video: the photo at half its size, its edges repeated around it. */
export async function strangerFurtherAway(index = 2): Promise<Buffer> {
  const near = await sharp(await stranger(index))
    .resize(460, 460, { fit: 'cover', position: 'top' })
    .toBuffer();
  return sharp(near).extend({ top: 100, bottom: 400, left: 250, right: 250, extendWith: 'copy' }).jpeg().toBuffer();
}

/**
 * The genuine pair: two different photos of one person, who is in both group photos (cosine 0.71). They prove paths and
 * no rates. This one is the selfie, 960 px wide.
 */
export const selfieOfPair = (): Promise<Buffer> =>
  sharp(samplePhoto(3))
    .extract({ left: 770, top: 30, width: 720, height: 960 })
    .resize({ width: 960 })
    .jpeg({ quality: 92 })
    .toBuffer();

/** The photo that the pair's card prints, with no card around it. */
export const otherPhotoOfPair = (): Promise<Buffer> =>
  sharp(samplePhoto(1)).extract(printedPhotos.pair().area).jpeg({ quality: 92 }).toBuffer();

/** A person who holds a card below the face. */
export async function holdingCard(index: number, card: Buffer): Promise<Buffer> {
  const [person, held] = [sharp(await stranger(index)), await sharp(card).resize(560).toBuffer()];
  const { width, height } = await person.metadata();
  const floor = await person.extend({ bottom: 200, extendWith: 'copy' }).toBuffer();
  return sharp(floor)
    .composite([{ input: held, left: Math.round((width - 560) / 2), top: height - 190 }])
    .jpeg({ quality: 92 })
    .toBuffer();
}

/** The same photo further away, square, for a video. */
export const selfieOfPairFurtherAway = (): Promise<Buffer> =>
  sharp(samplePhoto(3)).extract({ left: 600, top: 0, width: 1180, height: 1180 }).resize(960).png().toBuffer();

/** A group of people: more faces than one. */
export const group = (): Promise<Buffer> => sharp(samplePhoto(3)).jpeg({ quality: 92 }).toBuffer();

/** A photo as a document prints it: cut to the face and this much around it. */
interface PrintedPhoto {
  readonly photo: Promise<Buffer> | string;
  readonly area: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  /** Of the face, in the photo. */
  readonly facePx: number;
}

const printedPhotos = {
  /** The person of `selfieOfPair`, in another photo. */
  pair: () => ({ photo: samplePhoto(1), area: { left: 1330, top: 30, width: 480, height: 600 }, facePx: 229 }),
  /** The portrait: beside it as a selfie, one photo twice. */
  portrait: () => ({ photo: portrait(), area: { left: 340, top: 60, width: 440, height: 540 }, facePx: 217 }),
} satisfies Record<string, () => PrintedPhoto>;

export interface CardOptions {
  /** Whose face is printed. */
  readonly of?: keyof typeof printedPhotos;
  /** Of the printed face. */
  readonly facePx?: number;
  readonly widthPx?: number;
  /** Clockwise. */
  readonly turned?: 0 | 90 | 180 | 270;
  /** A smaller print of another face beside the first, as holograms are. */
  readonly ghost?: Buffer;
  readonly quality?: number;
}

/** An ID card drawn around a face, less sharp and paler than the photo, as prints are. */
export async function idCard(options: CardOptions = {}): Promise<Buffer> {
  const { of = 'pair', facePx = 110, widthPx = 1200, turned = 0, ghost, quality = 85 } = options;
  const { photo, area, facePx: photographedFacePx } = printedPhotos[of]();
  const scale = facePx / photographedFacePx;
  const heightPx = Math.round(widthPx * 0.63);
  const printWidthPx = Math.round(area.width * scale);
  const print = await sharp(await photo)
    .extract(area)
    .resize(printWidthPx, Math.round(area.height * scale))
    .linear(0.8, 40)
    .toBuffer();
  const other =
    ghost &&
    (await sharp(ghost)
      .resize(Math.round(printWidthPx / 2))
      .toBuffer());
  // Drawn from boxes: the engine forbids libvips its SVG loader in this process.
  const line = (left: number, top: number, width: number, height: number) => ({
    input: { create: { ...sizeOf(width, height), channels: 3 as const, background: '#567' } },
    left: Math.round(widthPx * left),
    top: Math.round(heightPx * top),
  });
  const sizeOf = (width: number, height: number) => ({
    width: Math.round(widthPx * width),
    height: Math.round(heightPx * height),
  });
  const card = await sharp({ create: { width: widthPx, height: heightPx, channels: 3, background: '#cfdbe6' } })
    .composite([
      line(0.55, 0.15, 0.35, 0.06),
      line(0.55, 0.3, 0.3, 0.03),
      line(0.55, 0.38, 0.36, 0.03),
      { input: print, left: Math.round(widthPx * 0.06), top: Math.round(heightPx * 0.12) },
      ...(other ? [{ input: other, left: Math.round(widthPx * 0.72), top: Math.round(heightPx * 0.45) }] : []),
    ])
    .png()
    .toBuffer();
  return sharp(card).rotate(turned).jpeg({ quality }).toBuffer();
}

/** What generated fronts of cards print (`tools/evaluate/card-fronts.ts`). */
export const photosForCards: readonly [PrintedOnCards, ...PrintedOnCards[]] = [
  async () =>
    sharp(await portrait())
      .extract({ left: 340, top: 60, width: 440, height: 540 })
      .toBuffer(),
  ...[0, 1, 2, 3].map((index) => () => stranger(index)),
  selfieOfPair,
  otherPhotoOfPair,
];
