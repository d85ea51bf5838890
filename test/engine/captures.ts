/** Captures made when the tests run: the public-domain portrait in every shape a client may send it, and worse. */
import { readFile } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { pngChunk } from '../../shared/providers/grey-picture.ts';

export const fixture = (name: string): Promise<Buffer> => readFile(new URL(`../fixtures/${name}`, import.meta.url));

/** 960 × 1280, so that a wrong turn shows in the size; the face is 217 px wide. */
export async function uprightPortrait(): Promise<Sharp> {
  const pixels = await sharp(await fixture('portrait.png'))
    .resize(1280)
    .extract({ left: 160, top: 0, width: 960, height: 1280 })
    .png()
    .toBuffer();
  return sharp(pixels);
}

/** What undoes each EXIF orientation: the picture as the sensor stored it. sharp mirrors before it turns. */
const stored: Readonly<Record<number, (upright: Sharp) => Sharp>> = {
  1: (upright) => upright,
  2: (upright) => upright.flop(),
  3: (upright) => upright.rotate(180),
  4: (upright) => upright.flip(),
  5: (upright) => upright.flip().rotate(90),
  6: (upright) => upright.rotate(270),
  7: (upright) => upright.flip().rotate(270),
  8: (upright) => upright.rotate(90),
};

export const orientations = Object.keys(stored).map(Number);

export async function withOrientation(orientation: number): Promise<Buffer> {
  const turn = stored[orientation];
  if (!turn) throw new Error(`no orientation ${orientation}`);
  const image = turn(await uprightPortrait());
  return image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).withMetadata({ orientation }).toBuffer();
}

/** Two of the portrait beside each other. */
export async function twoPeople(): Promise<Buffer> {
  const person = await (await uprightPortrait()).png().toBuffer();
  return sharp({ create: { width: 1920, height: 1280, channels: 3, background: '#456' } })
    .composite([
      { input: person, left: 0, top: 0 },
      { input: person, left: 960, top: 0 },
    ])
    .jpeg()
    .toBuffer();
}

/** A PNG of some kilobytes that is 20,000 × 20,000 pixels when decoded: one bit each, all white. */
export function pixelBomb(sidePx = 20_000): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(sidePx, 0);
  header.writeUInt32BE(sidePx, 4);
  header[8] = 1;
  const rows = Buffer.alloc(sidePx * (1 + Math.ceil(sidePx / 8)), 0xff);
  for (let row = 0; row < sidePx; row += 1) rows[row * (1 + Math.ceil(sidePx / 8))] = 0;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows, { level: 1 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The same HEIC with another size claimed in every `ispe` box. */
export function claimingSize(heic: Uint8Array, widthPx: number, heightPx: number): Buffer {
  const lying = Buffer.from(heic);
  for (let at = lying.indexOf('ispe'); at >= 0; at = lying.indexOf('ispe', at + 4)) {
    lying.writeUInt32BE(widthPx, at + 8);
    lying.writeUInt32BE(heightPx, at + 12);
  }
  return lying;
}

/** `count` bits flipped, the same ones for the same seed (mulberry32). The first 16 bytes keep the file's type. */
export function withFlippedBits(bytes: Uint8Array, count: number, seed: number): Uint8Array {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const flipped = Uint8Array.from(bytes);
  for (let flip = 0; flip < count; flip += 1) {
    const index = 16 + Math.floor(random() * (flipped.length - 16));
    flipped[index] = (flipped[index] ?? 0) ^ (1 << Math.floor(random() * 8));
  }
  return flipped;
}
