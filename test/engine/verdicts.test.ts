import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../engine/decode.ts';
import type { Engine } from '../../engine/engine.ts';
import { finding } from '../../shared/domain/verdict.ts';
import { faceOnScreen, portrait, samples } from '../../tools/samples.ts';
import { fixture, orientations, uprightPortrait, withOrientation } from './captures.ts';
import { outcomeText, shippedEngine } from './engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await shippedEngine();
});

describe('The four samples', () => {
  it('get the outcome and reasons they stand for, in the words of the domain', async () => {
    for (const { file, bytes, expected } of await samples()) {
      const analysis = await engine.analyseSelfie(bytes, {});
      expect({ file, outcome: analysis.finding.outcome, reasons: analysis.finding.reasons }).toEqual({
        file,
        ...expected,
      });
      expect(finding.parse(analysis.finding)).toEqual(analysis.finding);
    }
  });
});

describe('A finding', () => {
  it('is confident by the live score when it passes, and by what is missing to it when it fails', async () => {
    const person = (await engine.analyseSelfie(await portrait(), {})).finding;
    expect(person.scores.live).toBeGreaterThan(0.99);
    expect(person.confidence).toBe(person.scores.live);

    const screen = (await engine.analyseSelfie(await faceOnScreen(), {})).finding;
    expect(screen.scores.live).toBeLessThan(0.3);
    expect(screen.confidence).toBe(1 - (screen.scores.live ?? 0));
  });

  it("follows the tenant's threshold where there is one", async () => {
    expect(outcomeText(await engine.analyseSelfie(await portrait(), { live: 1 }))).toBe(
      'failed presentation_attack_suspected',
    );
    expect(outcomeText(await engine.analyseSelfie(await faceOnScreen(), { live: 0.01 }))).toBe('passed');
  });

  it('has no live score and no confidence where the gate refused: what the model says then is only measured', async () => {
    const { finding: asked, measurements } = await engine.analyseSelfie(await portrait(512), {});
    expect(asked).toEqual({ outcome: 'recapture', confidence: null, reasons: ['face_too_small'], scores: {} });
    expect(measurements.live_score).toBeGreaterThan(0);
  });

  it('is timed by the clock it is given', async () => {
    const { stages } = await engine.analyseSelfie(await portrait(), {});
    expect(Object.keys(stages)).toEqual(['decode', 'detect', 'quality', 'spoofing']);
    expect(Object.values(stages).every((milliseconds) => milliseconds > 0)).toBe(true);
  });
});

describe('Orientation', () => {
  it.each(orientations)('%i of EXIF is put upright before anything is measured', async (orientation) => {
    const capture = await withOrientation(orientation);
    expect(await difference(capture, await withOrientation(1))).toBeLessThan(2);

    const { finding: turned, measurements } = await engine.analyseSelfie(capture, {});
    expect(turned.outcome).toBe('passed');
    expect(turned.scores.live).toBeGreaterThan(0.98);
    expect(measurements).toMatchObject({ capture_width_px: 960, capture_height_px: 1280, face_width_px: 218 });
  });

  it('of a HEIC is the one its container states, applied once', async () => {
    const { finding: turned, measurements } = await engine.analyseSelfie(await fixture('portrait-sideways.heic'), {});
    expect(turned.outcome).toBe('passed');
    expect(measurements).toMatchObject({ capture_width_px: 960, capture_height_px: 1280 });
  });
});

describe('Every kind of file a client may send', () => {
  const encodings: Record<string, () => Promise<Uint8Array>> = {
    HEIC: () => fixture('portrait.heic'),
    'a progressive JPEG': async () => (await uprightPortrait()).jpeg({ progressive: true }).toBuffer(),
    'a CMYK JPEG': async () => (await uprightPortrait()).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer(),
    'a 16-bit PNG': async () => (await uprightPortrait()).toColourspace('rgb16').png().toBuffer(),
    'an interlaced PNG': async () => (await uprightPortrait()).png({ progressive: true }).toBuffer(),
    'a palette PNG': async () => (await uprightPortrait()).png({ palette: true }).toBuffer(),
    'a PNG with transparency': async () => (await uprightPortrait()).ensureAlpha(0.9).png().toBuffer(),
    WebP: async () => (await uprightPortrait()).webp({ quality: 90 }).toBuffer(),
    'an animated WebP, by its first frame': animation,
  };

  it.each(Object.entries(encodings))('is read: %s', async (_name, make) => {
    expect(outcomeText(await engine.analyseSelfie(await make(), {}))).toBe('passed');
  });

  it('may be grey: then it is judged as it is', async () => {
    const grey = await (await uprightPortrait()).greyscale().jpeg().toBuffer();
    expect((await engine.analyseSelfie(grey, {})).finding.outcome).not.toBe('recapture');
  });
});

/** Mean difference of two captures' decoded pixels, 0..255. */
async function difference(...captures: readonly [Uint8Array, Uint8Array]): Promise<number> {
  const [one, other] = await Promise.all(captures.map((bytes) => decodeImage(bytes)));
  if (one?.kind !== 'decoded' || other?.kind !== 'decoded') throw new Error('both must decode');
  const { pixels } = other.capture.image;
  const sum = one.capture.image.pixels.reduce((total, value, at) => total + Math.abs(value - (pixels[at] ?? 0)), 0);
  return sum / pixels.length;
}

async function animation(): Promise<Uint8Array> {
  const first = await (await uprightPortrait()).png().toBuffer();
  const second = await sharp({ create: { width: 960, height: 1280, channels: 3, background: '#000' } })
    .png()
    .toBuffer();
  return sharp([first, second], { join: { animated: true } })
    .webp({ quality: 90 })
    .toBuffer();
}
