import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { cosineOf, type Embedding } from '../../../engine/matching.ts';
import { openModelPack } from '../../../engine/models.ts';
import { lookAtPerson } from '../../../engine/selfie.ts';
import { openSightModels } from '../../../engine/sight.ts';
import {
  adobeRgbTags,
  fixture,
  orientations,
  profileWith,
  uprightPortrait,
  withBrands,
  withOrientation,
  withoutEndMarker,
  withRotation,
} from '../captures.ts';
import { decode, modelsDirectory } from '../engine.ts';
import { withRestarts } from '../restart-markers.ts';

/** What a capture's file must not change: the live score and the face's embedding. */
interface Numbers {
  readonly live: number;
  readonly embedding: Embedding;
}

let numbersOf: (capture: Uint8Array) => Promise<Numbers>;
let reference: Numbers;
beforeAll(async () => {
  const pack = await openModelPack(await modelsDirectory(), 1);
  const models = {
    ...(await openSightModels(pack)),
    spoofModels: await Promise.all(pack.manifest.spoofing.models.map((model) => pack.open(model))),
  };
  numbersOf = async (bytes) => {
    const decoded = await decode(bytes);
    if (decoded.kind !== 'decoded') throw new Error(decoded.kind);
    expect([decoded.capture.widthPx, decoded.capture.heightPx]).toEqual([960, 1280]);
    const { reasons, live, seen } = await lookAtPerson(decoded.capture, models, (_stage, work) => work(), {
      compared: true,
      photo: true,
    });
    if (live === undefined || !seen) throw new Error(`sent back: ${reasons}`);
    return { live, embedding: await seen.embedding() };
  };
  reference = await numbersOf(await png());
});

const from = async (make: (upright: Sharp) => Sharp): Promise<Buffer> => make(await uprightPortrait()).toBuffer();
const png = () => from((upright) => upright.png({ compressionLevel: 1 }));
const jpeg = (upright: Sharp, options = {}) => upright.jpeg({ quality: 95, chromaSubsampling: '4:4:4', ...options });
const progressive = () => from((upright) => jpeg(upright, { progressive: true }));
const baseline = () => from((upright) => jpeg(upright, { optimiseCoding: false }));
const sideways = () => fixture('portrait-sideways.heic');

/** The portrait in other containers, orientations and colours: 30 files that a client may send of one picture. */
const files: Record<string, () => Promise<Uint8Array>> = {
  ...Object.fromEntries(
    orientations.map((orientation) => [`JPEG, EXIF ${orientation}`, () => withOrientation(orientation)]),
  ),
  'baseline JPEG': baseline,
  'baseline JPEG without its end marker': async () => withoutEndMarker(await baseline()),
  'progressive JPEG': progressive,
  'progressive JPEG without its end marker': async () => withoutEndMarker(await progressive()),
  'JPEG with restart markers': async () => withRestarts(await baseline(), 120),
  'JPEG of phones: 4:2:0, quality 85': () => from((upright) => upright.jpeg({ quality: 85 })),
  'JPEG in Display P3': () => from((upright) => jpeg(upright.withIccProfile('p3'))),
  'JPEG in Adobe RGB': async () => {
    const profile = path.join(await mkdtemp(path.join(tmpdir(), 'bonafide-profile-')), 'adobe-rgb.icc');
    await writeFile(profile, profileWith(adobeRgbTags));
    return from((upright) => jpeg(upright.withIccProfile(profile)));
  },
  '8-bit PNG': png,
  '16-bit PNG': () => from((upright) => upright.toColourspace('rgb16').png({ compressionLevel: 1 })),
  'interlaced PNG': () => from((upright) => upright.png({ progressive: true, compressionLevel: 1 })),
  'PNG with an alpha channel': () => from((upright) => upright.ensureAlpha(1).png({ compressionLevel: 1 })),
  'PNG, a tenth transparent': () => from((upright) => upright.ensureAlpha(0.9).png({ compressionLevel: 1 })),
  'PNG in Display P3': () => from((upright) => upright.withIccProfile('p3').png({ compressionLevel: 1 })),
  'lossless WebP': () => from((upright) => upright.webp({ lossless: true, effort: 0 })),
  'lossy WebP': () => from((upright) => upright.webp({ quality: 90 })),
  'animated WebP': animation,
  'WebP in Display P3': () => from((upright) => upright.withIccProfile('p3').webp({ quality: 95 })),
  'HEIC, turned by its container': sideways,
  'HEIC, turned by EXIF alone': async () => withRotation(await sideways(), 'none'),
  'HEIC of the brand hevc': async () => withBrands(await sideways(), 'hevc', ['mif1', 'heic', 'miaf']),
  'HEIC of a brand that only its compatible ones explain': async () =>
    withBrands(await sideways(), 'MiHE', ['mif1', 'heic', 'miaf']),
};

/** What loses colours cannot keep the numbers: bounds of their own, measured (engine/notes/pixels.md). */
const lossy: Record<string, { live: number; cosine: number; make: () => Promise<Uint8Array> }> = {
  'grey JPEG': { live: 0.03, cosine: 0.025, make: () => from((upright) => jpeg(upright.greyscale())) },
  'grey PNG': { live: 0.03, cosine: 0.025, make: () => from((upright) => upright.greyscale().png()) },
  'palette PNG: 256 colours': {
    live: 0.01,
    cosine: 0.008,
    make: () => from((upright) => upright.png({ palette: true, effort: 1 })),
  },
  // Rounding four inks leaves a noise of 3.3, so the capture is looked at a second time, smoothed, which costs 0.11.
  'CMYK JPEG without a profile': {
    live: 0.12,
    cosine: 0.005,
    make: () => from((upright) => jpeg(upright.toColourspace('cmyk'))),
  },
  'CMYK JPEG with the profile of a press, which has fewer colours': {
    live: 0.01,
    cosine: 0.008,
    make: () => from((upright) => jpeg(upright.toColourspace('cmyk').withIccProfile('cmyk'))),
  },
};

describe('One portrait', () => {
  it.each(Object.entries(files))('has one live score and one embedding: %s', async (_name, make) => {
    await expectWithin({ live: 0.01, cosine: 0.005 }, await make());
  });

  it.each(Object.entries(lossy))('has nearly the same in fewer colours: %s', async (_name, { make, ...bounds }) => {
    await expectWithin(bounds, await make());
  });
});

async function expectWithin(bounds: { live: number; cosine: number }, capture: Uint8Array): Promise<void> {
  const { live, embedding } = await numbersOf(capture);
  const difference = { live: Math.abs(live - reference.live), cosine: 1 - cosineOf(embedding, reference.embedding) };
  expect(difference.live).toBeLessThanOrEqual(bounds.live);
  expect(difference.cosine).toBeLessThanOrEqual(bounds.cosine);
}

async function animation(): Promise<Uint8Array> {
  const second = await sharp({ create: { width: 960, height: 1280, channels: 3, background: '#000' } })
    .png()
    .toBuffer();
  return sharp([await png(), second], { join: { animated: true } })
    .webp({ quality: 90 })
    .toBuffer();
}
