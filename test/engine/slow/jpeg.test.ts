import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Decoded } from '../../../engine/decode.ts';
import { mendJpeg } from '../../../engine/jpeg.ts';
import { uprightPortrait, withoutEndMarker } from '../captures.ts';
import { decode } from '../engine.ts';
import { withRestarts } from '../restart-markers.ts';

const endMarker = Buffer.from([0xff, 0xd9]);
const small = async () => (await uprightPortrait()).resize(240);
const large = async () => sharp(await (await uprightPortrait()).resize(2700).png({ compressionLevel: 1 }).toBuffer());
const jpeg = (picture: Sharp, options = {}) => picture.jpeg({ chromaSubsampling: '4:4:4', ...options }).toBuffer();

const kinds: Record<string, () => Promise<Buffer>> = {
  baseline: async () => jpeg(await small()),
  'baseline, 4:2:0': async () => (await small()).jpeg().toBuffer(),
  progressive: async () => jpeg(await small(), { progressive: true }),
  'progressive, 4:2:0': async () => (await small()).jpeg({ progressive: true }).toBuffer(),
  'with restart markers': async () => withRestarts(await jpeg(await small(), { optimiseCoding: false }), 30),
  grey: async () => (await small()).greyscale().jpeg().toBuffer(),
};

const largeKinds: typeof kinds = {
  'baseline, shrunk while it is read': async () => jpeg(await large(), { quality: 60 }),
  'progressive, shrunk while it is read': async () => jpeg(await large(), { quality: 60, progressive: true }),
};

const pixelsOf = (decoded: Decoded): Buffer => {
  if (decoded.kind !== 'decoded') throw new Error(decoded.kind);
  return Buffer.from(decoded.capture.image.pixels);
};

/** Where segments of a kind begin, of what sharp or `withRestarts` wrote: no marker lies inside another segment. */
function markers(bytes: Buffer, code: number): number[] {
  const marker = Buffer.from([0xff, code]);
  const found: number[] = [];
  for (let at = bytes.indexOf(marker); at >= 0; at = bytes.indexOf(marker, at + 2)) found.push(at);
  return found;
}

/** Up to every marker of a scan, its tables and its restarts; 30 more over the file, and without each of the last bytes. */
const lengthsOf = (whole: Buffer): Set<number> =>
  new Set([
    ...Array.from({ length: 30 }, (_, index) => Math.floor((whole.length * (index + 1)) / 32)),
    ...Array.from({ length: 24 }, (_, index) => whole.length - 3 - index),
    ...[0xda, 0xc4, 0xd0, 0xd3, 0xd7].flatMap((code) => markers(whole, code)),
  ]);

describe('A JPEG whose end marker is missing', () => {
  it.each(Object.entries({ ...kinds, ...largeKinds }))('is the whole picture: %s', async (_name, make) => {
    const whole = await make();
    const pixels = pixelsOf(await decode(whole));
    expect(pixelsOf(await decode(withoutEndMarker(whole))).equals(pixels)).toBe(true);
    expect(pixelsOf(await decode(whole.subarray(0, -1))).equals(pixels)).toBe(true);
  });
});

it.each(Object.entries(kinds))(
  'A JPEG with zeros before its end marker is the whole picture: %s',
  async (_name, make) => {
    const whole = await make();
    for (const zeros of [2, 16, 1000]) {
      const padded = Buffer.concat([whole.subarray(0, -2), Buffer.alloc(zeros), endMarker]);
      expect(pixelsOf(await decode(padded)).equals(pixelsOf(await decode(whole)))).toBe(true);
    }
  },
);

describe('A JPEG that was cut', () => {
  it.each(Object.entries(kinds))('is unreadable at any length: %s', async (_name, make) => {
    const whole = await make();
    for (const length of lengthsOf(whole)) {
      expect((await decode(whole.subarray(0, length))).kind, `${length} of ${whole.length}`).toBe('unreadable');
    }
  });

  it.each(Object.entries(largeKinds))('is unreadable: %s', async (_name, make) => {
    const whole = await make();
    for (const length of [whole.length - 3, Math.floor(whole.length * 0.97)]) {
      expect((await decode(whole.subarray(0, length))).kind, `${length} of ${whole.length}`).toBe('unreadable');
    }
  });

  it.each(Object.entries(kinds))(
    'and given an end marker is unreadable, or whole but for its last 16 rows: %s',
    async (kind, make) => {
      const whole = await make();
      const pixels = pixelsOf(await decode(whole));
      const trusted = pixels.length - 16 * 240 * 3;
      for (const length of lengthsOf(whole)) {
        const decoded = await decode(Buffer.concat([whole.subarray(0, length), endMarker]));
        if (decoded.kind === 'unreadable') continue;
        expect(kind, 'libjpeg reads all of a progressive one before libvips asks for its warnings').not.toContain(
          'prog',
        );
        const same = pixelsOf(decoded).subarray(0, trusted).equals(pixels.subarray(0, trusted));
        expect(same, `${length} of ${whole.length}`).toBe(true);
      }
    },
  );

  it('is unreadable between two scans of a progressive one, where no data are missing', async () => {
    const whole = await kinds.progressive?.();
    const scans = markers(whole ?? Buffer.alloc(0), 0xda);
    expect(scans.length).toBeGreaterThan(3);
    for (const scan of scans) expect(mendJpeg((whole ?? Buffer.alloc(0)).subarray(0, scan))).toBeUndefined();
  });

  it('is unreadable between the scans of two components', () => {
    const frame = [0xff, 0xc0, 0, 14, 8, 0, 8, 0, 8, 2, 1, 0x11, 0, 2, 0x11, 0];
    const scanOf = (component: number) => [0xff, 0xda, 0, 8, 1, component, 0, 0, 63, 0, 0x12, 0xff, 0x00, 0x34];
    const first = Buffer.from([0xff, 0xd8, ...frame, ...scanOf(1)]);
    expect(mendJpeg(first)).toBeUndefined();
    expect(mendJpeg(Buffer.from([...first, ...scanOf(2)]))).toBeDefined();
  });
});

describe('A JPEG of thousands of scans', () => {
  it('is unreadable before one of them is decoded', async () => {
    const whole = (await kinds.progressive?.()) ?? Buffer.alloc(0);
    const last = whole.subarray(markers(whole, 0xda).at(-1), -2);
    const repeated = (times: number) =>
      Buffer.concat([whole.subarray(0, -2), ...Array<Buffer>(times).fill(last), endMarker]);
    expect(mendJpeg(repeated(50))).toBeDefined();
    expect(mendJpeg(repeated(100))).toBeUndefined();
    expect((await decode(repeated(5_000))).kind).toBe('unreadable');
    expect(mendJpeg(repeated(5_000).subarray(0, -1_000))).toBeUndefined();
  });
});

describe('A JPEG with numbers that decoders ignore', () => {
  it('is the same picture: another version of JFIF', async () => {
    const whole = await jpeg(await small());
    const jfif = (major: number) =>
      Buffer.from([0xff, 0xe0, 0, 16, ...Buffer.from('JFIF\0'), major, 1, 0, 0, 1, 0, 1, 0, 0]);
    const [usual, odd] = [1, 2].map((major) => Buffer.concat([whole.subarray(0, 2), jfif(major), whole.subarray(2)]));
    await expectSamePixels(odd, usual);
  });

  it('is the same picture: another last coefficient of a baseline scan', async () => {
    const whole = await jpeg(await small());
    const odd = Buffer.from(whole);
    odd[(markers(odd, 0xda)[0] ?? 0) + 12] = 0;
    expect(odd.equals(whole)).toBe(false);
    await expectSamePixels(odd, whole);
  });
});

async function expectSamePixels(one = Buffer.alloc(0), other = Buffer.alloc(0)): Promise<void> {
  expect(pixelsOf(await decode(one)).equals(pixelsOf(await decode(other)))).toBe(true);
}
