/** Fronts of ID cards and pages of passports, drawn around photos of people: whole on a table, scanned, or cut tightly. */
import sharp from 'sharp';
import { mulberry32 } from './random.ts';

export const frontKinds = [
  'on a table',
  'scanned to its edges',
  'cut inside its edges',
  'a page of a passport',
] as const;

/** Bytes of a photo, cut to a head and what is around it. */
export type PrintedPhoto = () => Promise<Uint8Array>;

/** One of as many fronts as there are seeds, around one of `photos`; the kinds take turns. */
export async function cardFront(seed: number, photos: readonly [PrintedPhoto, ...PrintedPhoto[]]): Promise<Buffer> {
  const random = mulberry32(seed);
  const between = (low: number, high: number) => low + (high - low) * random();
  const whole = (low: number, high: number) => Math.round(between(low, high));
  const kind = frontKinds[seed % frontKinds.length];
  const isPage = kind === 'a page of a passport';
  const [width, height] = [1000, isPage ? 704 : 630];
  const photo = photos[whole(0, photos.length - 1)] ?? photos[0];
  const across = whole(isPage ? 260 : 230, isPage ? 330 : 330);
  const print = {
    left: whole(40, 80),
    top: whole(90, 140),
    width: across,
    height: Math.round(across * between(1.2, 1.3)),
  };

  const paper = [between(180, 245), between(180, 245), between(180, 245)];
  const ink = [between(0, 100), between(0, 100), between(0, 100)];
  const pixels = new Uint8Array(3 * width * height);
  for (let index = 0; index < pixels.length; index += 1) pixels[index] = paper[index % 3] ?? 0;
  const mark = (left: number, top: number, right: number, down: number, amount = 1) => {
    for (let y = Math.max(0, top); y < Math.min(height, top + down); y += 1)
      for (let x = Math.max(0, left); x < Math.min(width, left + right); x += 1)
        for (let channel = 0; channel < 3; channel += 1) {
          const index = 3 * (Math.floor(y) * width + Math.floor(x)) + channel;
          pixels[index] = (pixels[index] ?? 0) * (1 - amount) + (ink[channel] ?? 0) * amount;
        }
  };
  waves();
  text(print.left + print.width + 40, print.top, width - 60, print.top + print.height, whole(9, 15));
  text(60, 25, width - 60, 75, 20);
  if (isPage) text(40, height - 110, width - 40, height - 20, 24);

  const photograph = await sharp(await photo())
    .resize(print.width, print.height, { fit: 'cover' })
    .linear(between(0.7, 0.9), between(10, 45))
    .toBuffer();
  const card = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .composite([{ input: photograph, left: print.left, top: print.top }])
    .png()
    .toBuffer();
  return (await presented(card))
    .blur(between(0.4, 1.2))
    .jpeg({ quality: whole(70, 92) })
    .toBuffer();

  async function presented(front: Buffer) {
    if (kind === 'on a table') {
      const table = { r: whole(30, 200), g: whole(30, 200), b: whole(30, 200) };
      const turned = await sharp(front)
        .rotate(between(-6, 6), { background: table })
        .extend({ top: 90, bottom: 90, left: 90, right: 90, background: table })
        .toBuffer();
      return sharp(turned);
    }
    if (kind !== 'cut inside its edges') return sharp(front);
    const margin = whole(10, 60);
    return sharp(front).extract({
      left: print.left - Math.min(margin, print.left - 5),
      top: print.top - Math.min(margin, 80),
      width: Math.min(print.width + margin + whole(120, 500), width - print.left),
      height: Math.min(print.height + margin + whole(20, 60), height - print.top),
    });
  }

  function waves() {
    const [period, swing, gap] = [between(80, 300), between(5, 40), whole(12, 40)];
    for (let line = 0; line < height; line += gap)
      for (let x = 0; x < width; x += 1) mark(x, line + swing * Math.sin((2 * Math.PI * x) / period), 1, 2, 0.15);
  }

  /** Letters as strokes that stand and lie, in lines that end where they like. */
  function text(left: number, top: number, right: number, bottom: number, size: number) {
    for (let y = top; y + size < bottom; y += size * between(1.8, 3)) {
      const end = left + (right - left) * between(0.4, 1);
      for (let x = left; x < end; x += size * 0.8) {
        if (random() < 0.12) continue;
        for (let stroke = 0; stroke < 2; stroke += 1)
          mark(x + between(0, size * 0.5), y, Math.max(2, size * 0.15), size);
        mark(x, y + between(0, size), size * 0.6, Math.max(2, size * 0.15));
      }
    }
  }
}
