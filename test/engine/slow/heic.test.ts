import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readOrientation } from '../../../engine/exif.ts';
import type { DecodedCapture } from '../../../engine/pixels.ts';
import {
  fixture,
  orientations,
  profileOf,
  taggedPng,
  withBrands,
  withColours,
  withExifOrientation,
  withFlippedBits,
  withRotation,
} from '../captures.ts';
import { decode } from '../engine.ts';

const square = () => fixture('portrait.heic');
const sideways = () => fixture('portrait-sideways.heic');

async function decoded(bytes: Uint8Array): Promise<DecodedCapture> {
  const answer = await decode(bytes);
  if (answer.kind !== 'decoded') throw new Error(answer.kind);
  return answer.capture;
}

/** The mean difference of two captures' pixels, 0..255, which have one size. */
function differenceOf(one: DecodedCapture, other: DecodedCapture): number {
  expect([one.widthPx, one.heightPx]).toEqual([other.widthPx, other.heightPx]);
  const { pixels } = other.image;
  const sum = one.image.pixels.reduce((total, value, at) => total + Math.abs(value - (pixels[at] ?? 0)), 0);
  return sum / pixels.length;
}

const losslessOf = ({ image: { width, height, pixels } }: DecodedCapture) =>
  sharp(pixels, { raw: { width, height, channels: 3 } }).png({ compressionLevel: 1 });

describe("A HEIC's orientation", () => {
  it("is its container's where that turns the picture, whatever its EXIF says", async () => {
    const contradicted = await decoded(withExifOrientation(await sideways(), 8));
    expect(differenceOf(contradicted, await decoded(await sideways()))).toBe(0);
    expect([contradicted.widthPx, contradicted.heightPx]).toEqual([960, 1280]);
  });

  it("is its EXIF's where the container turns by nothing", async () => {
    const lying = await decoded(withRotation(await sideways(), 0));
    expect(differenceOf(lying, await decoded(withRotation(await sideways(), 'none')))).toBe(0);
    expect([lying.widthPx, lying.heightPx]).toEqual([960, 1280]);
  });

  it('is put upright as libvips does it, all eight of EXIF', async () => {
    const lying = withRotation(await sideways(), 'none');
    const stored = losslessOf(await decoded(withExifOrientation(lying, 1)));
    for (const orientation of orientations) {
      const png = await stored.clone().withMetadata({ orientation }).toBuffer();
      const heic = withExifOrientation(lying, orientation);
      expect(differenceOf(await decoded(heic), await decoded(png)), `EXIF ${orientation}`).toBe(0);
    }
  });

  it('is not guessed at where the EXIF was cut off', async () => {
    const lying = withRotation(await sideways(), 'none');
    expect((await decode(lying.subarray(0, -1))).kind).toBe('unreadable');
    expect((await decode(lying.subarray(0, -36))).kind).toBe('unreadable');
  });
});

describe('The orientation in EXIF', () => {
  const entry = (value: number) => [0x01, 0x12, 0, 3, 0, 0, 0, 1, value >> 8, value & 255, 0, 0];
  const exif = (...entries: number[][]) =>
    Uint8Array.from([
      0,
      0,
      0,
      0,
      ...Buffer.from('MM\0*'),
      0,
      0,
      0,
      8,
      0,
      entries.length,
      ...entries.flat(),
      0,
      0,
      0,
      0,
    ]);

  it('is one of eight, in either byte order, behind an offset of its own', () => {
    for (const orientation of orientations) expect(readOrientation(exif(entry(orientation)))).toBe(orientation);
    const little = [0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0];
    const named = [0, 0, 0, 6, ...Buffer.from('Exif\0\0II*\0'), 8, 0, 0, 0, 1, 0, ...little];
    expect(readOrientation(Uint8Array.from(named))).toBe(6);
  });

  it('is 1 where there is none, or no such one', () => {
    for (const value of [0, 9, 65_535]) expect(readOrientation(exif(entry(value)))).toBe(1);
    expect(readOrientation(exif())).toBe(1);
    expect(readOrientation(exif([0x01, 0x12, 0, 4, 0, 0, 0, 1, 0, 0, 0, 6]))).toBe(1);
    const whole = exif(entry(6));
    for (let length = 0; length < 22; length += 1) expect(readOrientation(whole.subarray(0, length))).toBe(1);
    for (let seed = 0; seed < 300; seed += 1) {
      const damaged = withFlippedBits(Buffer.concat([whole, Buffer.alloc(64)]), 8, seed);
      expect(orientations).toContain(readOrientation(damaged));
    }
    const endless = exif(entry(1));
    endless.set([0xff, 0xff], 12);
    expect(readOrientation(endless.subarray(0, 14))).toBe(1);
  });
});

describe("A HEIC's colours", () => {
  it('are converted from Display P3 as libvips converts them in a PNG', async () => {
    const plain = await decoded(await square());
    const png = await losslessOf(plain).toBuffer();
    const byLibvips = await decoded(taggedPng(png, await profileOf('p3')));
    expect(differenceOf(byLibvips, plain)).toBeGreaterThan(3);

    const byProfile = await decoded(withColours(await square(), await profileOf('p3')));
    expect(differenceOf(byProfile, byLibvips)).toBeLessThan(0.1);
    const byCodePoints = await decoded(withColours(await square(), { primaries: 12, transfer: 13 }));
    expect(differenceOf(byCodePoints, byLibvips)).toBeLessThan(0.1);
  });

  it('are taken for sRGB where they are said to be, or nothing plausible is said', async () => {
    const plain = await decoded(await square());
    const p3 = await profileOf('p3');
    const nothing = [
      await profileOf('srgb'),
      Buffer.concat([p3, Buffer.alloc(1024 * 1024)]),
      { primaries: 12, transfer: 16 },
    ];
    for (const colours of nothing) {
      expect(differenceOf(await decoded(withColours(await square(), colours)), plain)).toBe(0);
    }
  });
});

describe('An AVIF', () => {
  it('is unreadable, though its other brands are those of a HEIC', async () => {
    expect((await decode(withBrands(await square(), 'avif', ['mif1', 'miaf', 'MA1B']))).kind).toBe('unreadable');
  });
});
