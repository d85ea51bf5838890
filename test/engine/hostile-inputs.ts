import sharp from 'sharp';
import { portrait } from '../../tools/samples.ts';
import { claimingSize, fixture, pixelBomb, uprightPortrait, withFlippedBits } from './captures.ts';

export interface HostileInput {
  readonly name: string;
  readonly kind: 'image' | 'video';
  readonly bytes: Uint8Array;
}

const plain = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: '#777' } });

/** Whole files that are unusual or lie; each is damaged in its turn. */
async function sources(): Promise<HostileInput[]> {
  const upright = await (await uprightPortrait()).resize(480).png().toBuffer();
  const photo = () => sharp(upright);
  const jpeg = await photo().jpeg().toBuffer();
  const heic = await fixture('portrait.heic');
  const film = await fixture('portrait-407193-hevc.mp4');
  const web = await fixture('portrait-407193.webm');
  const image = (name: string, bytes: Uint8Array): HostileInput => ({ name, kind: 'image', bytes });
  const video = (name: string, bytes: Uint8Array): HostileInput => ({ name, kind: 'video', bytes });
  return [
    image('JPEG', jpeg),
    video('MP4 with HEVC', film),
    image('progressive JPEG', await photo().jpeg({ progressive: true }).toBuffer()),
    video('WebM with VP9', web),
    image('CMYK JPEG', await photo().toColourspace('cmyk').jpeg().toBuffer()),
    image('PNG', upright),
    video('MP4 with H.264', await fixture('portrait-407193-720p.mp4')),
    image('16-bit interlaced PNG', await photo().toColourspace('rgb16').png({ progressive: true }).toBuffer()),
    image('WebP', await photo().webp().toBuffer()),
    image(
      'animated WebP',
      await sharp([upright, upright], { join: { animated: true } })
        .webp()
        .toBuffer(),
    ),
    image('HEIC', heic),
    image('a bomb of 400 megapixels', pixelBomb()),
    image('20,000 px wide', await plain(20_000, 40).jpeg().toBuffer()),
    image('a HEIC that claims 400 megapixels', claimingSize(heic, 20_000, 20_000)),
    image('JPEG and ZIP', Buffer.concat([jpeg, Buffer.from('PK\x03\x04'), await portrait(320)])),
    video('MP4 and JPEG', Buffer.concat([film, jpeg])),
    image('MP4 as a picture', film),
    video('JPEG as a video', jpeg),
    video('HEIC as a video', heic),
    image('zero bytes', new Uint8Array()),
    video('zero bytes as a video', new Uint8Array()),
  ];
}

/** `count` inputs, the same ones for the same seed: first all sources whole, then cut off or with bits flipped. */
export async function* hostileInputs(count: number, seed: number): AsyncGenerator<HostileInput> {
  const all = await sources();
  for (let index = 0; index < count; index += 1) {
    const source = all[index % all.length];
    if (!source) return;
    const { name, kind, bytes } = source;
    const turn = Math.floor(index / all.length);
    if (turn === 0 || bytes.length < 32) yield source;
    else if (turn % 3 === 0) {
      const length = Math.floor((bytes.length * ((turn * 37 + seed * 11) % 100)) / 100);
      yield { name: `${name}, cut off at ${length}`, kind, bytes: bytes.subarray(0, length) };
    } else {
      const flips = 1 + ((turn * 7) % 60);
      yield {
        name: `${name}, ${flips} bits flipped`,
        kind,
        bytes: withFlippedBits(bytes, flips, seed * 10_000 + index),
      };
    }
  }
}
