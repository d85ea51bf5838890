/** Captures made when the tests run: the public-domain portrait in every shape a client may send it, and worse. */
import { readFile } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { pngChunk } from '../../shared/providers/grey-picture.ts';

export const fixture = (name: string): Promise<Buffer> => readFile(new URL(`../fixtures/${name}`, import.meta.url));

/** 960 × 1280, so that a wrong turn shows in the size; the face is 217 px wide. */
export async function uprightPortrait(): Promise<Sharp> {
  upright ??= fixture('portrait.png').then((portrait) =>
    sharp(portrait).resize(1280).extract({ left: 160, top: 0, width: 960, height: 1280 }).png().toBuffer(),
  );
  return sharp(await upright);
}
let upright: Promise<Buffer> | undefined;

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

// HEVC cannot be encoded here: what follows are edits of the two fixtures' boxes.

/** Behind the type of a box, which is where its content begins. */
const boxAt = (file: Buffer, path: readonly string[]): number =>
  path.reduce((from, type) => {
    const at = file.indexOf(type, from, 'latin1');
    if (at < 0) throw new Error(`no ${type} in this HEIC`);
    return at + 4;
  }, 0);

/** With other brands: as many compatible ones as the file has (three), so that nothing moves. */
export function withBrands(heic: Uint8Array, major: string, compatible: readonly [string, string, string]): Buffer {
  const file = Buffer.from(heic);
  file.write(`${major}\0\0\0\0${compatible.join('')}`, 8, 'latin1');
  return file;
}

/** `irot` of a container that has one: quarter turns counter-clockwise, or 'none' for a box that is not there. */
export function withRotation(heic: Uint8Array, quarters: 0 | 1 | 2 | 3 | 'none'): Buffer {
  const file = Buffer.from(heic);
  const at = boxAt(file, ['ipco', 'irot']);
  if (quarters !== 'none') {
    file[at] = quarters;
    return file;
  }
  file.write('free', at - 4, 'latin1');
  // Its association says that a reader must know it: the last of this item's, in whose first bit.
  const association = boxAt(file, ['ipma']);
  const last = association - 8 + file.readUInt32BE(association - 8) - 1;
  file[last] = (file[last] ?? 0) & 0x7f;
  return file;
}

/** Another orientation in the EXIF that the file has. */
export function withExifOrientation(heic: Uint8Array, orientation: number): Buffer {
  const file = Buffer.from(heic);
  const entry = Buffer.from([0x01, 0x12, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01]);
  const swapped = Buffer.from([0x12, 0x01, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00]);
  const [big, little] = [file.indexOf(entry), file.indexOf(swapped)];
  if (big < 0 && little < 0) throw new Error('no orientation in this HEIC');
  if (big >= 0) file.writeUInt16BE(orientation, big + 8);
  else file.writeUInt16LE(orientation, little + 8);
  return file;
}

/** The picture's colours said by a `colr` box: the bytes of an ICC profile, or code points of ITU-T H.273. */
export function withColours(heic: Uint8Array, colours: Uint8Array | { primaries: number; transfer: number }): Buffer {
  const content = Buffer.alloc(colours instanceof Uint8Array ? 4 + colours.length : 11);
  content.write(colours instanceof Uint8Array ? 'prof' : 'nclx', 0, 'latin1');
  if (colours instanceof Uint8Array) content.set(colours, 4);
  else content.set([0, colours.primaries, 0, colours.transfer, 0, 6, 0x80], 4);
  return withProperty(heic, 'colr', content);
}

/** A further property of the primary item, which is the first of `ipma`; what lies behind moves. */
function withProperty(heic: Uint8Array, type: string, content: Uint8Array): Buffer {
  const file = Buffer.from(heic);
  const property = Buffer.concat([Buffer.alloc(4), Buffer.from(type, 'latin1'), content]);
  property.writeUInt32BE(property.length);
  const [meta, iprp, ipco] = [['meta'], ['iprp'], ['iprp', 'ipco']].map((path) => boxAt(file, path));
  const [ipma, iloc] = [boxAt(file, ['iprp', 'ipma']), boxAt(file, ['iloc'])];
  if (meta === undefined || iprp === undefined || ipco === undefined) throw new Error('no properties in this HEIC');
  const grow = (box: number, bytes: number) => file.writeUInt32BE(file.readUInt32BE(box - 8) + bytes, box - 8);
  const properties = propertiesIn(file, ipco);
  const associations = ipma + 10;
  const count = file[associations] ?? 0;
  const afterProperties = ipco - 8 + file.readUInt32BE(ipco - 8);
  const afterAssociations = associations + 1 + count;

  grow(ipco, property.length);
  grow(ipma, 1);
  for (const box of [iprp, meta]) grow(box, property.length + 1);
  file[associations] = count + 1;
  // Each item's base offset, for offsets, lengths and bases of 4 bytes: this version of the box is the fixtures'.
  for (let item = 0; item < file.readUInt16BE(iloc + 6); item += 1) {
    const base = iloc + 8 + item * 18 + 4;
    const offset = file.readUInt32BE(base) > 0 ? base : base + 6;
    file.writeUInt32BE(file.readUInt32BE(offset) + property.length + 1, offset);
  }
  return Buffer.concat([
    file.subarray(0, afterProperties),
    property,
    file.subarray(afterProperties, afterAssociations),
    Buffer.from([properties + 1]),
    file.subarray(afterAssociations),
  ]);
}

function propertiesIn(file: Buffer, ipco: number): number {
  const end = ipco - 8 + file.readUInt32BE(ipco - 8);
  let count = 0;
  for (let at = ipco; at < end; at += file.readUInt32BE(at)) count += 1;
  return count;
}

/** An ICC profile as sharp ships it. */
export async function profileOf(name: 'p3' | 'srgb'): Promise<Buffer> {
  const pixel = sharp({ create: { width: 8, height: 8, channels: 3, background: '#456' } });
  const { icc } = await sharp(await pixel.withIccProfile(name).jpeg().toBuffer()).metadata();
  if (!icc) throw new Error(`sharp has no profile ${name}`);
  return icc;
}

/** An ICC profile of tags as they are given, in a header that says RGB and XYZ. */
export function profileWith(tags: Readonly<Record<string, Uint8Array>>): Buffer {
  const header = Buffer.alloc(128);
  const write = (text: string, at: number) => header.write(text, at, 'latin1');
  header.writeUInt32BE(0x04_00_00_00, 8);
  for (const [at, text] of [
    [12, 'mntr'],
    [16, 'RGB '],
    [20, 'XYZ '],
    [36, 'acsp'],
  ] as const)
    write(text, at);
  header.set([0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d], 68); // D50
  const table = Buffer.alloc(4 + 12 * Object.keys(tags).length);
  table.writeUInt32BE(Object.keys(tags).length);
  let offset = header.length + table.length;
  for (const [index, [name, content]] of Object.entries(tags).entries()) {
    table.write(name, 4 + 12 * index, 'latin1');
    table.writeUInt32BE(offset, 8 + 12 * index);
    table.writeUInt32BE(content.length, 12 + 12 * index);
    offset += content.length;
  }
  const profile = Buffer.concat([header, table, ...Object.values(tags)]);
  profile.writeUInt32BE(profile.length);
  return profile;
}

/** A tag of type XYZ, and one of type `curv` with the entries as they are (one is a gamma in 1/256). */
export function xyzTag(...values: readonly [number, number, number]): Buffer {
  const tag = Buffer.from('XYZ \0\0\0\0............', 'latin1');
  for (const [index, value] of values.entries()) tag.writeInt32BE(Math.round(value * 65_536), 8 + 4 * index);
  return tag;
}

export function curveTag(entries: readonly number[], claimed = entries.length): Buffer {
  const tag = Buffer.alloc(12 + 2 * entries.length + (entries.length % 2) * 2);
  tag.write('curv', 0, 'latin1');
  tag.writeUInt32BE(claimed, 8);
  for (const [index, entry] of entries.entries()) tag.writeUInt16BE(entry, 12 + 2 * index);
  return tag;
}

/** Adobe RGB (1998), without its name. */
export const adobeRgbTags = {
  wtpt: xyzTag(0.9642, 1, 0.8249),
  rXYZ: xyzTag(0.60974, 0.31111, 0.01947),
  gXYZ: xyzTag(0.20528, 0.62567, 0.06087),
  bXYZ: xyzTag(0.14919, 0.06322, 0.74457),
  rTRC: curveTag([563]),
  gTRC: curveTag([563]),
  bTRC: curveTag([563]),
};

/** The same PNG whose pixels are said to be in the profile's colours; none is converted. */
export function taggedPng(png: Uint8Array, profile: Uint8Array): Buffer {
  const afterHeader = 8 + 25;
  const chunk = pngChunk('iCCP', Buffer.concat([Buffer.from('profile\0\0', 'latin1'), deflateSync(profile)]));
  return Buffer.concat([png.subarray(0, afterHeader), chunk, png.subarray(afterHeader)]);
}

/** A JPEG without its last two bytes: whole to every viewer. */
export function withoutEndMarker(jpeg: Uint8Array): Uint8Array {
  if (jpeg.at(-2) !== 0xff || jpeg.at(-1) !== 0xd9) throw new Error('no end marker to take away');
  return jpeg.subarray(0, -2);
}
