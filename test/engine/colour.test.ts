import { describe, expect, it } from 'vitest';
import {
  type ColourConversion,
  convertToSrgb,
  displayP3,
  maximumProfileBytes,
  readProfile,
} from '../../engine/colour.ts';
import { adobeRgbTags, curveTag, profileOf, profileWith, withFlippedBits, xyzTag } from './captures.ts';

const converted = (conversion: ColourConversion | undefined, ...colour: number[]): number[] => {
  const pixels = Uint8Array.from(colour);
  if (conversion) convertToSrgb({ width: 1, height: 1, pixels }, conversion);
  return [...pixels];
};

const tags = adobeRgbTags;
const linear = curveTag([]);

describe('A colour profile of curves and a matrix', () => {
  it('is converted: greys stay, a colour moves, one beyond sRGB is cut off', async () => {
    for (const conversion of [readProfile(await profileOf('p3')), displayP3()]) {
      expect(converted(conversion, 0, 0, 0)).toEqual([0, 0, 0]);
      expect(converted(conversion, 128, 128, 128)).toEqual([128, 128, 128]);
      expect(converted(conversion, 255, 255, 255)).toEqual([255, 255, 255]);
      // CSS Color 4: color(display-p3 …) of sRGB's red.
      expect(converted(conversion, 234, 51, 35)[0]).toBeGreaterThanOrEqual(254);
      expect(converted(conversion, 255, 0, 0)).toEqual([255, 0, 0]);
    }
  });

  it('may have a gamma, a straight line or a table for a curve', () => {
    expect(converted(readProfile(profileWith(tags)), 128, 128, 128)).toEqual([129, 129, 129]);
    const straight = readProfile(profileWith({ ...tags, rTRC: linear, gTRC: linear, bTRC: linear }));
    expect(converted(straight, 128, 128, 128)).toEqual([188, 188, 188]);
    const table = curveTag([0, 13_107, 26_214, 39_321, 52_428, 65_535]);
    const steps = readProfile(profileWith({ ...tags, rTRC: table, gTRC: table, bTRC: table }));
    expect(converted(steps, 128, 128, 128)).toEqual([188, 188, 188]);
  });

  it("is not used where it is sRGB's own", async () => {
    expect(readProfile(await profileOf('srgb'))).toBeUndefined();
  });
});

describe('A hostile colour profile', () => {
  const { rTRC: _, ...withoutRedCurve } = tags;
  const broken: Record<string, Buffer> = {
    'of no bytes': Buffer.alloc(0),
    'of zeros': Buffer.alloc(4_096),
    'larger than any of its kind': Buffer.concat([profileWith(tags), Buffer.alloc(maximumProfileBytes)]),
    'that claims four billion entries': profileWith({ ...tags, rTRC: curveTag([0, 65_535], 0xffff_ffff) }),
    'whose curve falls': profileWith({ ...tags, gTRC: curveTag([65_535, 0]) }),
    'whose curve is black': profileWith({ ...tags, gTRC: curveTag([0, 0, 0, 0]) }),
    'whose white is none': profileWith({ ...tags, rXYZ: xyzTag(30_000, -30_000, 12) }),
    'of tables': profileWith({ ...tags, A2B0: Buffer.alloc(64) }),
    'without a curve': profileWith(withoutRedCurve),
    'of four billion tags': (() => {
      const profile = profileWith(withoutRedCurve);
      profile.writeUInt32BE(0xffff_ffff, 128);
      return profile;
    })(),
    'of a press': (() => {
      const profile = profileWith(tags);
      profile.write('CMYK', 16, 'latin1');
      return profile;
    })(),
  };

  it.each(Object.entries(broken))('changes nothing: one %s', (_name, profile) => {
    expect(readProfile(profile)).toBeUndefined();
  });

  it('that was cut or has flipped bits changes nothing, or stays plausible', async () => {
    const whole = await profileOf('p3');
    const damaged = [
      ...Array.from({ length: whole.length }, (_, length) => whole.subarray(0, length)),
      ...Array.from({ length: 300 }, (_, seed) => withFlippedBits(whole, 1 + (seed % 12), seed)),
    ];
    for (const profile of damaged) {
      const conversion = readProfile(profile);
      const [red = 0, green = 0, blue = 0] = converted(conversion, 255, 255, 255);
      expect(Math.min(red, green, blue)).toBeGreaterThan(225);
      expect(Math.max(...converted(conversion, 0, 0, 0))).toBeLessThan(70);
    }
  });
});
