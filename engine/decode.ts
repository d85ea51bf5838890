import sharp, { type Metadata, type Sharp } from 'sharp';
import { type ContentType, sniffContentType } from '../shared/domain/captures.ts';
import { convertToSrgb } from './colour.ts';
import type { Orientation } from './exif.ts';
import { decodeHeic } from './heic.ts';
import { mendJpeg } from './jpeg.ts';
import type { RgbImage } from './pixels.ts';

/** A capture as the engine sees it: upright, sRGB, inside its working size, decoded once. */
export interface DecodedCapture {
  readonly image: RgbImage;
  /** The capture's own size, upright: faces are judged in its pixels, not in those of `image`. */
  readonly widthPx: number;
  readonly heightPx: number;
}

/** `too_large` means pixels here, not bytes: nothing of it was decoded. */
export type Decoded =
  | { readonly kind: 'decoded'; readonly capture: DecodedCapture }
  | { readonly kind: 'too_large'; readonly pixels: number }
  | { readonly kind: 'unreadable' };

/** The longer side of what the models see. Scores on the development data are the same at 960, 1280 and 4000 px. */
export const workingSizePx = 1280;

/** The same for an ID card, whose face is a small part of it: all of what phones save by default. */
export const cardSizePx = 4096;

/**
 * Caps on width × height, checked on the header before a pixel is decoded.
 * A baseline JPEG shrinks while it is read, strip by strip. Everything else may have to be held whole (progressive
 * JPEG, interlaced PNG, WebP, HEIC): 26 million pixels take a 24 megapixel phone photo and stay under 300 MB.
 */
export const maximumPixels = { shrinkable: 50_000_000, whole: 26_000_000 } as const;

const decodeTimeoutSeconds = 20;

const formats: Readonly<Partial<Record<ContentType, string>>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/webp': 'webp',
};

// Only the three loaders that magic bytes can select, and nothing kept between captures. They are native code: a memory
// error in one reaches this process and its role (docs/security.md, hostile captures).
sharp.cache(false);
sharp.concurrency(1);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp'] });

/** Bytes to pixels. Whatever the bytes are, the answer is a value: a capture never throws. */
export async function decodeImage(bytes: Uint8Array, sizePx = workingSizePx): Promise<Decoded> {
  const type = sniffContentType(bytes);
  if (type === 'image/heic') return decodeContainer(bytes, sizePx);
  const format = type && formats[type];
  return format ? decodeFile(bytes, format, sizePx) : { kind: 'unreadable' };
}

async function decodeFile(bytes: Uint8Array, format: string, sizePx: number): Promise<Decoded> {
  const metadata = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => undefined);
  if (!metadata || metadata.format !== format) return { kind: 'unreadable' };

  const pixels = metadata.width * metadata.height;
  const cap = shrinksWhileRead(metadata) ? maximumPixels.shrinkable : maximumPixels.whole;
  if (pixels > cap) return { kind: 'too_large', pixels };

  const { width, height } = metadata.autoOrient;
  const shrunkFrom = (whole: Uint8Array, failOn: 'warning' | 'error') =>
    // Only the first frame of an animation is read.
    shrink(sharp(whole, { limitInputPixels: cap, failOn }).autoOrient(), width, height, sizePx);
  // Broken data is refused rather than guessed at: half a face is no face. Where data end too soon before an end marker,
  // libjpeg only warns, and goes on in grey.
  if (format !== 'jpeg') return shrunkFrom(bytes, 'error');
  const mended = mendJpeg(bytes);
  if (!mended) return { kind: 'unreadable' };
  const decoded = await shrunkFrom(mended.bytes, 'warning');
  if (!mended.otherwiseEnded) return decoded;
  const twin = await shrunkFrom(mended.otherwiseEnded, 'warning');
  return haveSamePixels(decoded, twin) ? decoded : { kind: 'unreadable' };
}

const haveSamePixels = (one: Decoded, other: Decoded): boolean =>
  one.kind === 'decoded' &&
  other.kind === 'decoded' &&
  Buffer.compare(one.capture.image.pixels, other.capture.image.pixels) === 0;

const shrinksWhileRead = ({ format, isProgressive }: Metadata) => format === 'jpeg' && !isProgressive;

async function decodeContainer(bytes: Uint8Array, sizePx: number): Promise<Decoded> {
  const decoded = await decodeHeic(bytes, maximumPixels.whole);
  if (decoded.kind !== 'decoded') return decoded;
  const { image, orientation, colours } = decoded;
  const stored = sharp(image.pixels, { raw: { width: image.width, height: image.height, channels: 3 } });
  const [width, height] = orientation > 4 ? [image.height, image.width] : [image.width, image.height];
  const shrunk = await shrink(upright[orientation](stored), width, height, sizePx);
  if (shrunk.kind === 'decoded' && colours) convertToSrgb(shrunk.capture.image, colours);
  return shrunk;
}

/** What undoes each EXIF orientation. sharp mirrors before it turns. */
const upright: Readonly<Record<Orientation, (stored: Sharp) => Sharp>> = {
  1: (stored) => stored,
  2: (stored) => stored.flop(),
  3: (stored) => stored.rotate(180),
  4: (stored) => stored.flip(),
  5: (stored) => stored.flip().rotate(90),
  6: (stored) => stored.rotate(90),
  7: (stored) => stored.flip().rotate(270),
  8: (stored) => stored.rotate(270),
};

/** To 8-bit sRGB inside the working size. CMYK, 16 bit, grey and palettes become RGB; what is transparent, black. */
async function shrink(file: Sharp, width: number, height: number, sizePx: number): Promise<Decoded> {
  try {
    const { data, info } = await file
      .timeout({ seconds: decodeTimeoutSeconds })
      .resize({ width: sizePx, height: sizePx, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#000' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) return { kind: 'unreadable' };
    return {
      kind: 'decoded',
      capture: { image: { width: info.width, height: info.height, pixels: data }, widthPx: width, heightPx: height },
    };
  } catch {
    return { kind: 'unreadable' };
  }
}
