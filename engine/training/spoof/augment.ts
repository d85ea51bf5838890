import sharp from 'sharp';
import type { RgbImage } from '../../pixels.ts';
import type { Random } from './recapture.ts';

/**
 * The file that another phone, on another day, might have sent of the same scene: mirrored, cut, smaller, softer or
 * sharper, in another light, noisier, compressed anew. Bona fide captures and attacks alike go through it.
 */
export async function augment({ width, height, pixels }: RgbImage, random: Random): Promise<Buffer> {
  const between = (low: number, high: number) => low + (high - low) * random();
  let picture = sharp(pixels, { raw: { width, height, channels: 3 } });
  const share = between(0.88, 1);
  const area = { width: Math.round(width * share), height: Math.round(height * share) };
  const left = Math.floor(random() * (width - area.width + 1));
  const top = Math.floor(random() * (height - area.height + 1));
  picture = picture.extract({ left, top, ...area });
  if (random() < 0.5) picture = picture.flop();
  if (random() < 0.6) picture = picture.resize(Math.round(area.width * between(0.7, 1.1)));
  const softened = random();
  if (softened < 0.4) picture = picture.blur(between(0.4, 1.4));
  else if (softened < 0.7) picture = picture.sharpen({ sigma: between(0.6, 1.4), m1: 1, m2: 2 });
  if (random() < 0.5) picture = picture.gamma(between(1, 1.6), between(1, 1.6));
  const contrast = between(0.85, 1.2);
  const offset = 128 * (1 - contrast) + between(-18, 18);
  const cast = [between(0.92, 1.08), 1, between(0.92, 1.08)];
  picture = picture.linear(
    cast.map((gain) => gain * contrast),
    [offset, offset, offset],
  );
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  addNoise(data, random() < 0.5 ? between(0, 4) : 0, random);
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
    .jpeg({ quality: Math.round(between(45, 95)), chromaSubsampling: random() < 0.7 ? '4:2:0' : '4:4:4' })
    .toBuffer();
}

/** Of about σ `sigma`, mostly the same for all colours of a pixel, as cameras and their JPEGs leave it. */
function addNoise(pixels: Uint8Array, sigma: number, random: Random): void {
  if (sigma === 0) return;
  for (let at = 0; at < pixels.length; at += 3) {
    const luma = 2.4 * sigma * (random() + random() - 1);
    const tint = sigma * (random() - 0.5);
    for (let channel = 0; channel < 3; channel += 1) {
      const value = (pixels[at + channel] as number) + luma + tint * (1 - channel);
      pixels[at + channel] = value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
    }
  }
}
