/** Frames as a camera would give them, of people in a folder of captures, and what may be wrong with such a frame. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import * as z from 'zod';
import type { Face } from '../../engine/faces.ts';
import type { RgbImage } from '../../engine/pixels.ts';
import { decodeVideo } from '../../engine/video.ts';
import { readRows } from '../../tools/evaluate/csv.ts';
import { personRow } from '../../tools/evaluate/matching.ts';
import { mulberry32 } from '../../tools/evaluate/random.ts';

/** A picture of a person, at the size of a camera's frame. */
export interface Base {
  readonly name: string;
  readonly subject: string;
  readonly image: RgbImage;
}

const bonaFide = z.object({ file: z.string().min(1), label: z.string(), subject: z.string(), source: z.string() });

/** The longer side of a frame: what the capture page asks a camera for. */
const frameSizePx = 1280;

/** Every bona fide capture of `pad.csv`, every photo of `match.csv` and four frames of each video, as far as they are there. */
export async function* bases(directory: string): AsyncGenerator<Base> {
  const pad = await readRows(path.join(directory, 'pad.csv'), bonaFide);
  for (const { file, label, subject, source } of 'rows' in pad ? pad.rows : []) {
    if (label !== 'bona_fide') continue;
    yield {
      name: file,
      subject: subject ? `${source} ${subject}` : file,
      image: await frameOf(path.join(directory, file)),
    };
  }
  const people = await readRows(path.join(directory, 'match.csv'), personRow);
  for (const { file, person } of 'rows' in people ? people.rows : [])
    yield { name: file, subject: person, image: await frameOf(path.join(directory, file)) };
  for (const [file, subject] of await clips(path.join(directory, 'videos'))) {
    const decoded = await decodeVideo(await readFile(path.join(directory, 'videos', file)));
    if (decoded.kind !== 'decoded') continue;
    const { frames } = decoded;
    for (const share of [0.1, 0.35, 0.6, 0.85]) {
      const frame = frames[Math.floor(share * frames.length)];
      if (frame) yield { name: `${file} ${share}`, subject, image: await imageOf(sized(of(frame))) };
    }
  }
}

/** File and person of each clip, from the table of the folder's README. */
async function clips(directory: string): Promise<readonly (readonly [string, string])[]> {
  const readme = await readFile(path.join(directory, 'README.md'), 'utf8').catch(() => '');
  return readme.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const [, file = '', , , , person = ''] = cells;
    return file.endsWith('.mp4') ? [[file, person] as const] : [];
  });
}

const frameOf = async (file: string) => imageOf(sized(sharp(await readFile(file)).autoOrient()));
const sized = (picture: Sharp) => picture.resize({ width: frameSizePx, height: frameSizePx, fit: 'inside' });
const of = ({ width, height, pixels }: RgbImage) => sharp(pixels, { raw: { width, height, channels: 3 } });

export async function imageOf(picture: Sharp): Promise<RgbImage> {
  const { data, info } = await picture.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: data };
}

/** Lossless: what the camera gave is what the page sees. */
export const pngOf = (image: RgbImage): Promise<Buffer> => of(image).png({ compressionLevel: 1 }).toBuffer();

interface Scene {
  readonly image: RgbImage;
  /** The largest face that the detector finds. */
  readonly face: Face;
  /** Another person. */
  readonly other: RgbImage;
  readonly random: () => number;
}

/** A part of the picture, its edges repeated beyond it, at the size of the whole. */
async function view({ width, height, ...image }: RgbImage, left: number, top: number, across: number): Promise<Sharp> {
  const down = Math.round((across * height) / width);
  const beyond = {
    left: Math.max(0, -left),
    top: Math.max(0, -top),
    right: Math.max(0, left + across - width),
    bottom: Math.max(0, top + down - height),
  };
  const larger = await imageOf(of({ width, height, ...image }).extend({ ...beyond, extendWith: 'copy' }));
  return of(larger)
    .extract({ left: left + beyond.left, top: top + beyond.top, width: across, height: down })
    .resize(width, height, { fit: 'fill' });
}

const between = (random: () => number, from: number, to: number) => from + (to - from) * random();

/**
 * What may be wrong. Strengths are drawn so that some frames are near the gate's limits, on both sides: nothing else
 * shows whether browser and backend agree.
 */
export const degradations: Readonly<Record<string, (scene: Scene) => Promise<Sharp> | Sharp>> = {
  'as it is': ({ image }) => of(image),
  dark: ({ image, random }) => of(image).linear(between(random, 0.05, 0.5), 0),
  burnt: ({ image, random }) => of(image).linear(between(random, 1.2, 2.4), between(random, 0, 70)),
  blurred: ({ image, face, random }) => of(image).blur(Math.max(0.5, face.width * between(random, 0.005, 0.06))),
  far: ({ image, random }) => {
    const factor = between(random, 1.3, 4);
    const across = Math.round(image.width * factor);
    return view(image, Math.round((image.width - across) / 2), Math.round((image.height * (1 - factor)) / 2), across);
  },
  near: ({ image, face, random }) => {
    const across = Math.round(face.width / between(random, 0.45, 0.95));
    const down = (across * image.height) / image.width;
    const middle = { x: face.x + face.width / 2, y: face.y + face.height / 2 };
    return view(image, Math.round(middle.x - across / 2), Math.round(middle.y - down / 2), across);
  },
  'cut at the side': ({ image, face, random }) => {
    const across = Math.round(face.width * 2.2);
    const left = Math.round(face.x + face.width * between(random, -0.2, 0.4));
    return view(image, left, Math.round(face.y - face.height * 0.4), across);
  },
  'cut below': async ({ image, face, random }) => {
    const across = Math.round(face.width * 2.2);
    const down = Math.round((across * image.height) / image.width);
    const top = Math.round(face.y + face.height * between(random, 0.7, 1.2)) - down;
    return view(image, Math.round(face.x - face.width * 0.6), top, across);
  },
  tilted: ({ image, random }) =>
    of(image)
      .rotate(between(random, 20, 60) * (random() < 0.5 ? -1 : 1), { background: '#777' })
      .resize(image.width, image.height, { fit: 'cover' }),
  'two people': async ({ image, other }) => {
    const [width, height] = [Math.round(image.width / 2), image.height];
    const halves = [image, other].map((half) =>
      of(half).resize(width, height, { fit: 'contain', background: '#777' }).png().toBuffer(),
    );
    const [left, right] = await Promise.all(halves);
    return sharp({ create: { width: 2 * width, height, channels: 3, background: '#777' } }).composite([
      { input: left, left: 0, top: 0 },
      { input: right, left: width, top: 0 },
    ]);
  },
  empty: ({ image, face }) => {
    const rightIsWider = image.width - face.x - face.width > face.x;
    const across = Math.max(48, Math.round(rightIsWider ? image.width - face.x - face.width : face.x));
    return view(image, rightIsWider ? image.width - across : 0, 0, Math.min(across, image.width));
  },
  noisy: ({ image, random }) => {
    const sigma = between(random, 4, 24);
    const pixels = new Uint8ClampedArray(image.pixels);
    for (let index = 0; index < pixels.length; index += 1)
      pixels[index] = (pixels[index] ?? 0) + sigma * 1.732 * (random() + random() + random() + random() - 2);
    return of({ ...image, pixels: new Uint8Array(pixels.buffer) });
  },
};

/** For each base, as it is, and a few of the other degradations in turn. */
export function* chosenFor(index: number, each: number): Generator<readonly [string, (typeof degradations)[string]]> {
  const [first, ...others] = Object.entries(degradations);
  if (first) yield first;
  for (let turn = 0; turn < each; turn += 1) {
    const chosen = others[(index * each + turn) % others.length];
    if (chosen) yield chosen;
  }
}

/** The same for the same frame. */
export const randomOf = (index: number) => mulberry32(7_919 * index + 13);
