/** What the camera of a test shows: JPEGs one after the other, made when the tests run from the project's own fixtures. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import type { Point } from '../../engine/faces.ts';
import { faceOnScreen, landscape, portrait } from '../../tools/samples.ts';
import { drawHead, gestureAt, headOf } from '../engine/head.ts';
import { idCard, selfieOfPairFurtherAway, strangerFurtherAway } from '../engine/people.ts';

/** As a phone held upright gives it. */
const size = { width: 720, height: 1280 } as const;

/** Chromium plays an .mjpeg at 30 pictures a second whatever is in it; heads are drawn for half of them. */
const feedFramesPerSecond = 30;
const drawnPerSecond = 15;

/** People before the camera: their heads turn, blink and speak, or the backend takes them for photos. */
const people = {
  /** Whose card `card` is. */
  pair: selfieOfPairFurtherAway,
  portrait: () => portrait(),
  stranger: () => strangerFurtherAway(),
} as const;
export type Person = keyof typeof people;

/** What may be wrong with a picture, and the reason the backend gives for it. */
export const wrongs = {
  dark: 'too_dark',
  burnt: 'too_bright',
  blurred: 'too_blurred',
  near: 'face_too_large',
  far: 'face_too_small',
  cut: 'face_cropped',
  turned: 'face_turned',
  empty: 'face_not_detected',
  two: 'multiple_faces',
} as const;
export type Wrong = keyof typeof wrongs;

export interface FeedOptions {
  /** Who or what is seen: a person, an ID card, a face on another screen, nothing but black. */
  readonly of?: Person | 'card' | 'screen' | 'black';
  readonly wrong?: Wrong;
  /** Wrong only for so long; good from then on, for `seconds`. */
  readonly wrongSeconds?: number;
  readonly seconds?: number;
  /** As a laptop shows a person: 1280 × 720. */
  readonly wide?: boolean;
}

/** The .mjpeg of it, made once for a run. It is played forth and back, so that no head jumps where the file begins anew. */
export async function feed(options: FeedOptions = {}): Promise<string> {
  const folder = join(tmpdir(), 'feeds');
  const file = join(folder, `${createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 16)}.mjpeg`);
  if (existsSync(file)) return file;
  await mkdir(folder, { recursive: true });
  const { of, wrong, wrongSeconds, seconds = 4, wide } = options;
  const good = await framesOf({ of, seconds, wide, wrong: wrongSeconds === undefined ? wrong : undefined });
  const bad = wrongSeconds === undefined ? [] : await framesOf({ of, seconds: wrongSeconds, wide, wrong });
  // Bad to good once: what follows is good for 20 s before the file begins anew.
  const forthAndBack = [...good, ...good.toReversed()];
  const all = wrongSeconds === undefined ? forthAndBack : [...bad, ...repeated(forthAndBack, 20)];
  const shownTimes = feedFramesPerSecond / drawnPerSecond;
  const making = join(folder, `${randomUUID()}.making`);
  await writeFile(making, Buffer.concat(all.flatMap((jpeg) => Array<Uint8Array>(shownTimes).fill(jpeg))));
  await rename(making, file);
  return file;
}

export interface Camera {
  /** For `openBrowser`. */
  readonly video: string;
  /** From the next opening of the camera on: pages close it when they do not need it. */
  readonly show: (options?: FeedOptions) => Promise<void>;
}

/** A camera whose feed is changed while the browser runs, as when a person puts an ID card before it. */
export async function camera(options?: FeedOptions): Promise<Camera> {
  const video = join(await mkdtemp(join(tmpdir(), 'camera-')), 'camera.mjpeg');
  const show = async (shown?: FeedOptions) => {
    await copyFile(await feed(shown), `${video}.new`);
    await rename(`${video}.new`, video); // a camera that is open goes on with the file it has
  };
  await show(options);
  return { video, show };
}

const repeated = (frames: readonly Uint8Array[], seconds: number): readonly Uint8Array[] =>
  Array.from({ length: Math.ceil((drawnPerSecond * seconds) / frames.length) }, () => frames).flat();

type FrameOptions = Omit<FeedOptions, 'wrongSeconds'>;

/** The pair's photo is lit from behind: the detector loses that face before it is burnt. */
const usualFor = (wrong: Wrong | undefined): Person => (wrong === 'burnt' ? 'portrait' : 'pair');

/** The JPEGs of a feed, one for each moment. */
export async function framesOf({
  wrong,
  of = usualFor(wrong),
  seconds = 4,
  wide = false,
}: FrameOptions): Promise<Buffer[]> {
  const count = Math.round(drawnPerSecond * seconds);
  const pictures = await picturesOf(wrong === 'empty' ? 'empty' : of, wrong, wide, count);
  return Promise.all(pictures.map((picture) => lit(picture, wrong).jpeg({ quality: 90 }).toBuffer()));
}

function lit(picture: Sharp, wrong: Wrong | undefined): Sharp {
  if (wrong === 'dark') return picture.linear(0.18, 0);
  if (wrong === 'burnt') return picture.linear(1.4, 50);
  return wrong === 'blurred' ? picture.blur(8) : picture;
}

async function picturesOf(
  of: NonNullable<FeedOptions['of']> | 'empty',
  wrong: Wrong | undefined,
  wide: boolean,
  count: number,
): Promise<Sharp[]> {
  if (of === 'card') return swaying(await cardOnTable(), count);
  if (of === 'screen') return still(await faceOnScreen(), count);
  if (of === 'empty') return swaying(await landscape(), count);
  if (of === 'black')
    return Array.from({ length: count }, () => sharp({ create: { ...size, channels: 3, background: '#000' } }));
  return framed(of, wrong, wide, count);
}

/** The pair's card flat on a table, its photo as large in it as on a real one. */
async function cardOnTable(): Promise<Buffer> {
  const card = await sharp(await idCard({ facePx: 190 }))
    .resize(680)
    .toBuffer();
  return sharp({ create: { ...size, channels: 3, background: '#8b6f52' } })
    .composite([{ input: card, left: 20, top: 420 }])
    .png()
    .toBuffer();
}

/** Held by a stand: the live score of this one changes much with some pixels, and 0.02 is far from passing. */
async function still(picture: Uint8Array, count: number): Promise<Sharp[]> {
  const larger = await sharp(picture).resize({ height: 1500 }).png().toBuffer();
  return Array.from({ length: count }, () => sharp(larger).extract({ left: 8, top: 8, ...size }));
}

/** A picture that fills the frame and sways by some pixels, as held in a hand. */
async function swaying(picture: Uint8Array, count: number): Promise<Sharp[]> {
  const [width, height] = [size.width + 40, size.height + 40];
  const larger = await sharp(picture).resize(width, height, { fit: 'cover' }).removeAlpha().raw().toBuffer();
  return Array.from({ length: count }, (_, index) => {
    const seconds = index / drawnPerSecond;
    const [left, top] = [20 + Math.round(12 * Math.sin(3 * seconds)), 20 + Math.round(9 * Math.sin(2 * seconds))];
    return sharp(larger, { raw: { width, height, channels: 3 } }).extract({ left, top, ...size });
  });
}

interface Square {
  readonly pixels: Uint8Array;
  /** Between the eyes. */
  readonly middle: Point;
}
/** Heads are drawn into squares of so many pixels a side. */
const squarePx = 960;
const drawings = new Map<string, Promise<readonly Square[]>>();

function squares(person: Person, count: number): Promise<readonly Square[]> {
  const name = `${person} ${count}`;
  const drawing = drawings.get(name) ?? drawn(person, count);
  drawings.set(name, drawing);
  return drawing;
}

async function drawn(person: Person, count: number): Promise<readonly Square[]> {
  const head = await headOf(await people[person](), squarePx);
  return Array.from({ length: count }, (_, index) => {
    const seconds = index / drawnPerSecond;
    const mouth = 0.8 * Math.max(0, Math.sin(2 * Math.PI * 2 * seconds)) ** 2; // two syllables a second
    return { pixels: drawHead(head, gestureAt(seconds, mouth)).pixels, middle: head.middle };
  });
}

/** Heads as the camera has them in its frame. */
async function framed(person: Person, wrong: Wrong | undefined, wide: boolean, count: number): Promise<Sharp[]> {
  const others = wrong === 'two' ? await squares(person === 'portrait' ? 'stranger' : 'portrait', count) : [];
  const heads = await squares(person, count);
  return Promise.all(
    heads.map(async (head, index) => {
      const other = others[index];
      if (other) return twoOf(head, other);
      return wide
        ? widened(head)
        : again(upright(head, wrong)).then((picture) => picture.resize({ ...size, fit: 'cover' }));
    }),
  );
}

const open = ({ pixels }: Square): Sharp => sharp(pixels, { raw: { width: squarePx, height: squarePx, channels: 3 } });
/** What sharp has done so far, as a picture of its own: its steps have an order of their own. */
const again = async (picture: Sharp): Promise<Sharp> => sharp(await picture.png({ compressionLevel: 0 }).toBuffer());

/** 9:16 of the square around its middle; `middle` is where the face is. */
function upright(head: Square, wrong?: Wrong): Sharp {
  const { x, y } = head.middle;
  const cut = (left: number, top: number, width: number) => {
    const height = Math.round((width * size.height) / size.width);
    return open(head).extract({ left: Math.round(left), top: Math.round(Math.max(0, top)), width, height });
  };
  switch (wrong) {
    case 'near':
      return cut(x - 130, y - 190, 260).resize(size);
    case 'cut':
      return cut(x - 50, 100, 300).resize(size);
    case 'far':
      return cut(210, 0, 540)
        .resize(240, 427)
        .extend({ top: 200, bottom: 653, left: 240, right: 240, extendWith: 'copy' });
    case 'turned':
      return cut(x - 190, y - 250, 380).rotate(-58, { background: '#777' });
    default:
      return cut(210, 0, 540).resize(size);
  }
}

/** As a laptop's camera has it: 1280 × 720. */
const widened = (head: Square): Promise<Sharp> =>
  again(upright(head).resize(405).extend({ left: 437, right: 438, extendWith: 'copy' }));

async function twoOf(head: Square, other: Square): Promise<Sharp> {
  const half = (square: Square) =>
    upright(square)
      .resize(size.width / 2, size.height / 2)
      .png()
      .toBuffer();
  const beside = await Promise.all([half(head), half(other)]);
  const both = await sharp({ create: { width: size.width, height: size.height / 2, channels: 3, background: '#456' } })
    .composite(beside.map((input, place) => ({ input, left: (place * size.width) / 2, top: 0 })))
    .png()
    .toBuffer();
  return sharp(both).extend({ top: 160, bottom: 480, extendWith: 'copy' });
}
