import sharp, { type Sharp } from 'sharp';
import { type ContentType, sniffContentType } from '../shared/domain/captures.ts';
import { convertToSrgb } from './colour.ts';
import type { Orientation } from './exif.ts';
import { decodeHeic } from './heic.ts';
import { mendJpeg } from './jpeg.ts';
import { noInput, type PhotoDecoder, type PhotoDecoders, type PhotoMetadata, shrinking } from './photo.ts';
import { type DecodedCapture, type RgbImage, workingSizePx } from './pixels.ts';

/** `too_large` means pixels here, not bytes: nothing of it was decoded. */
export type Decoded =
  | { readonly kind: 'decoded'; readonly capture: DecodedCapture }
  | { readonly kind: 'too_large'; readonly pixels: number }
  | { readonly kind: 'unreadable' };

/** The same for an ID card, whose face is a small part of it: all of what phones save by default. */
export const cardSizePx = 4096;

/**
 * Caps on width × height, checked on the header before a pixel is decoded.
 * A baseline JPEG shrinks while it is read, strip by strip. Everything else may have to be held whole (progressive
 * JPEG, interlaced PNG, WebP, HEIC): 26 million pixels take a 24 megapixel phone photo and stay under 500 MB.
 */
export const maximumPixels = {
  shrinkable: 50_000_000,
  whole: 26_000_000,
  /** Held whole while another one is: a decoder takes up to 500 MB for 26 million. */
  beside: 8_000_000,
} as const;

const formats: Readonly<Partial<Record<ContentType, string>>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/webp': 'webp',
};

// Nothing is kept between captures, and no file is opened by native code but by tools and tests: here it turns and
// shrinks pixels that were decoded in wasm.
sharp.cache(false);
sharp.concurrency(1);

export interface DecodeOptions {
  /** The longer side of the picture that comes out, at most. @default workingSizePx */
  readonly sizePx?: number;
  /** Of JPEG, PNG and WebP. */
  readonly decoders: PhotoDecoders;
}

/** Bytes to pixels. Whatever the bytes are, the answer is a value: a capture never throws. */
export async function decodeImage(
  bytes: Uint8Array,
  { sizePx = workingSizePx, decoders }: DecodeOptions,
): Promise<Decoded> {
  const type = sniffContentType(bytes);
  if (type === 'image/heic') return decodeContainer(bytes, sizePx);
  const format = type && formats[type];
  return format ? decoders.use((decoder) => decodeFile(bytes, format, sizePx, decoder)) : { kind: 'unreadable' };
}

async function decodeFile(bytes: Uint8Array, format: string, sizePx: number, decoder: PhotoDecoder): Promise<Decoded> {
  const metadata = await decoder.metadata(bytes);
  if (!metadata || metadata.format !== format) return { kind: 'unreadable' };

  const pixels = metadata.width * metadata.height;
  const cap = shrinksWhileRead(metadata) ? maximumPixels.shrinkable : maximumPixels.whole;
  if (pixels > cap) return { kind: 'too_large', pixels };

  if (!shrinksWhileRead(metadata) && pixels > maximumPixels.beside) await decoder.alone();
  const { width, height } = metadata.autoOrient;
  const shrunkFrom = async (whole: Uint8Array, failOn: 'warning' | 'error'): Promise<Decoded> => {
    // Only the first frame of an animation is read.
    const picture = sharp(noInput, { limitInputPixels: cap, failOn }).autoOrient();
    const image = await decoder.pixels(whole, shrinking(picture, sizePx));
    return image ? { kind: 'decoded', capture: { image, widthPx: width, heightPx: height } } : { kind: 'unreadable' };
  };
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

const shrinksWhileRead = ({ format, isProgressive }: PhotoMetadata) => format === 'jpeg' && !isProgressive;

async function decodeContainer(bytes: Uint8Array, sizePx: number): Promise<Decoded> {
  const decoded = await decodeHeic(bytes, maximumPixels.whole);
  if (decoded.kind !== 'decoded') return decoded;
  const { image, orientation, colours } = decoded;
  const stored = sharp(image.pixels, { raw: { width: image.width, height: image.height, channels: 3 } });
  const [width, height] = orientation > 4 ? [image.height, image.width] : [image.width, image.height];
  const { data, info } = await shrinking(upright[orientation](stored), sizePx).toBuffer({ resolveWithObject: true });
  const shrunk: RgbImage = { width: info.width, height: info.height, pixels: data };
  if (colours) convertToSrgb(shrunk, colours);
  return { kind: 'decoded', capture: { image: shrunk, widthPx: width, heightPx: height } };
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
