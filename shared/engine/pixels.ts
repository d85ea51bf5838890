import sharp from 'sharp';
import type { PixelInput } from './manifest.ts';

/** Upright 8-bit sRGB: `pixels` is width × height × 3 bytes, row by row, R G B interleaved. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** A rectangle in pixels of an image, fractions allowed; it may reach beyond the image. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const openRaw = ({ pixels, width, height }: RgbImage) => sharp(pixels, { raw: { width, height, channels: 3 } });

/** The whole image at another size, its proportions not kept. libvips averages what it shrinks. */
export async function resize(image: RgbImage, width: number, height: number): Promise<RgbImage> {
  const pixels = await openRaw(image).resize(width, height, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
  return { width, height, pixels };
}

/** `box` of the image at width × height. What lies beyond the image repeats its edge. */
export async function crop(image: RgbImage, box: Box, width: number, height: number): Promise<RgbImage> {
  const left = clamp(Math.round(box.x), 0, image.width - 1);
  const top = clamp(Math.round(box.y), 0, image.height - 1);
  const right = clamp(Math.round(box.x + box.width), left + 1, image.width);
  const bottom = clamp(Math.round(box.y + box.height), top + 1, image.height);

  // The part of the result that the image covers, then the edges around it.
  const across = width / box.width;
  const down = height / box.height;
  const inside = {
    left: clamp(Math.round((left - box.x) * across), 0, width - 1),
    top: clamp(Math.round((top - box.y) * down), 0, height - 1),
  };
  const insideWidth = clamp(Math.round((right - left) * across), 1, width - inside.left);
  const insideHeight = clamp(Math.round((bottom - top) * down), 1, height - inside.top);
  const pixels = await openRaw(image)
    .extract({ left, top, width: right - left, height: bottom - top })
    .resize(insideWidth, insideHeight, { fit: 'fill', kernel: 'linear' })
    .extend({
      left: inside.left,
      top: inside.top,
      right: width - inside.left - insideWidth,
      bottom: height - inside.top - insideHeight,
      extendWith: 'copy',
    })
    .raw()
    .toBuffer();
  return { width, height, pixels };
}

/** Luma (BT.601), 0..255, one value per pixel. */
export function luma({ pixels }: RgbImage): Float32Array {
  const grey = new Float32Array(pixels.length / 3);
  for (let pixel = 0, offset = 0; pixel < grey.length; pixel += 1, offset += 3) {
    grey[pixel] = 0.299 * at(pixels, offset) + 0.587 * at(pixels, offset + 1) + 0.114 * at(pixels, offset + 2);
  }
  return grey;
}

/**
 * The image in the top left corner of a tensor of `input`'s size, [channels, height, width]; the rest is black.
 * The image must not be larger than the input.
 */
export function toTensor(image: RgbImage, input: PixelInput): Float32Array {
  const planeSize = input.width * input.height;
  const channels = input.channels === 'grey' ? 1 : 3;
  const tensor = new Float32Array(channels * planeSize).fill(-input.mean / input.scale);
  const grey = input.channels === 'grey' ? luma(image) : undefined;

  for (let y = 0; y < image.height; y += 1) {
    for (let x = 0; x < image.width; x += 1) {
      const pixel = y * image.width + x;
      const target = y * input.width + x;
      if (grey) {
        tensor[target] = (at(grey, pixel) - input.mean) / input.scale;
        continue;
      }
      for (let channel = 0; channel < 3; channel += 1) {
        const plane = input.channels === 'bgr' ? 2 - channel : channel;
        tensor[plane * planeSize + target] = (at(image.pixels, pixel * 3 + channel) - input.mean) / input.scale;
      }
    }
  }
  return tensor;
}

export const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

/** An element that is known to exist: typed arrays have no holes, the compiler cannot know the index. */
export const at = (values: Float32Array | Uint8Array, index: number): number => values[index] as number;
