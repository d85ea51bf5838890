import { readFileSync } from 'node:fs';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import { assessQuality, qualityLimits } from '../../engine/quality.ts';
import { cheapTransforms } from '../../tools/evaluate/transforms.ts';
import { faceOnScreen, landscape, portrait, portraitAsStored } from '../../tools/samples.ts';
import { twoPeople, uprightPortrait } from './captures.ts';
import { decode, outcomeText, shippedEngine } from './engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await shippedEngine();
});

const analyse = async (bytes: Uint8Array) => engine.analyseSelfie(bytes, {});

/** The portrait, or another picture, after one of the transforms that `npm run evaluate` tries. */
async function transformed(name: string, picture = portrait): Promise<Uint8Array> {
  const decoded = await decode(await picture());
  if (decoded.kind !== 'decoded') throw new Error('the picture must decode');
  return cheapTransforms[name]?.(decoded.capture.image).toBuffer() ?? Promise.reject(new Error(`no transform ${name}`));
}
const jpeg = (image: Sharp) => image.jpeg({ quality: 92 }).toBuffer();

/** The portrait at 1280 px has its face at x 450, y 160, 217 wide and 276 high. */
const cutOut = async (left: number, top: number, width: number, height: number) =>
  jpeg(sharp(await portrait()).extract({ left, top, width, height }));

describe('The quality gate', () => {
  it('sees no face in a landscape', async () => {
    const { finding, measurements } = await analyse(await landscape());
    expect(finding.reasons).toEqual(['face_not_detected']);
    expect(measurements.face_count).toBe(0);
  });

  it('sees no face in the dark, and says that it is dark', async () => {
    const night = sharp({ create: { width: 640, height: 480, channels: 3, background: '#050505' } });
    expect(outcomeText(await analyse(await jpeg(night)))).toBe('recapture face_not_detected too_dark');
  });

  it('counts two people of like size', async () => {
    const { finding, measurements } = await analyse(await twoPeople());
    expect(finding.reasons).toContain('multiple_faces');
    expect(measurements.face_count).toBe(2);
  });

  it('lets a small face far behind pass', async () => {
    const behind = await (await uprightPortrait()).resize({ width: 240 }).toBuffer();
    const crowd = await jpeg((await uprightPortrait()).composite([{ input: behind, left: 0, top: 0 }]));
    const { finding, measurements } = await analyse(crowd);
    expect(finding.outcome).not.toBe('recapture');
    expect(measurements.face_count).toBe(1);
  });

  it("judges size in the capture's own pixels: 87 are too few, however they are enlarged later", async () => {
    const { finding, measurements } = await analyse(await portraitAsStored());
    expect(finding.reasons).toEqual(['face_too_small']);
    expect(measurements.face_width_px).toBeGreaterThan(80);
    expect(measurements.face_width_px).toBeLessThan(95);

    const large = await analyse(await portrait(4000));
    expect(large.finding.outcome).toBe('passed');
    expect(large.measurements.face_width_px).toBeGreaterThan(600);
  });

  it('wants the surroundings of the face, too', async () => {
    const { finding, measurements } = await analyse(await cutOut(420, 120, 280, 350));
    expect(finding.reasons).toContain('face_too_large');
    expect(measurements.face_width_ratio).toBeGreaterThan(qualityLimits.maximumWidthRatio);
    expect(measurements.face_context_ratio).toBeLessThan(qualityLimits.minimumContext);
  });

  it('wants the whole face', async () => {
    const halves = {
      left: [510, 0, 770, 1000],
      right: [0, 0, 610, 1000],
      top: [0, 230, 1280, 1000],
      bottom: [0, 0, 1280, 400],
    };
    for (const [left = 0, top = 0, width = 0, height = 0] of Object.values(halves)) {
      const { finding, measurements } = await analyse(await cutOut(left, top, width, height));
      expect(finding.reasons).toContain('face_cropped');
      const { face_margin_ratio: margin = 1, face_top_margin_ratio: topMargin = 1 } = measurements;
      expect(Math.min(margin, topMargin)).toBeLessThan(qualityLimits.minimumMarginRatio);
    }
  });

  it('wants the head upright', async () => {
    const tilted = await jpeg(sharp(await portrait()).rotate(45, { background: '#888' }));
    const { finding, measurements } = await analyse(tilted);
    expect(finding.reasons).toContain('face_turned');
    expect(measurements.face_roll_degrees).toBeGreaterThan(qualityLimits.maximumRollDegrees);
  });

  it('wants the face towards the camera', () => {
    const face = { x: 300, y: 300, width: 200, height: 260, score: 1 };
    const image = { width: 800, height: 800, pixels: new Uint8Array() };
    const values = Float32Array.from({ length: 3 * 64 * 64 }, (_, index) => ((index % 4096) * 37) % 251);
    const crop = { width: 64, height: 64, values };
    const withNoseAt = (x: number) => {
      const points = Array.from({ length: 68 }, (_, index) => {
        if (index === 30) return { x, y: 440 };
        return { x: index < 42 ? 350 : 450, y: 380 };
      });
      return assessQuality({ image, widthPx: 800, heightPx: 800 }, [face], points, crop, 2.7);
    };
    expect(withNoseAt(400)).toMatchObject({ reasons: [], measurements: { face_turn_ratio: 0 } });
    expect(withNoseAt(445)).toMatchObject({
      reasons: ['face_turned'],
      measurements: { face_turn_ratio: expect.closeTo(0.45) },
    });
    expect(withNoseAt(355).reasons).toEqual(['face_turned']);
  });

  it('wants it sharp, but not sharper than the model sees: the enlarged portrait passes', async () => {
    const blurred = await analyse(await jpeg(sharp(await portrait()).blur(6)));
    expect(blurred.finding.reasons).toContain('too_blurred');
    expect(blurred.measurements.sharpness_ratio).toBeLessThan(qualityLimits.minimumSharpnessRatio);

    const enlarged = await analyse(await portrait(2560));
    expect(enlarged.finding.outcome).toBe('passed');
    expect(enlarged.measurements.sharpness_ratio).toBeGreaterThan(4 * qualityLimits.minimumSharpnessRatio);
  });

  it.each(['colour noise 20', 'luma noise 30', 'coarse colour noise 12, 2 px', 'colour noise 30, JPEG 60'])(
    'does not want it noisy: %s',
    async (name) => {
      const { finding, measurements } = await analyse(await transformed(name));
      expect(finding.reasons).toEqual(['too_noisy']);
      expect(measurements.face_noise).toBeGreaterThan(qualityLimits.maximumNoise);
    },
  );

  it.each([
    ['noise of columns 30', 'too_noisy', 'face_lines', qualityLimits.maximumLines],
    ['stripes of colour 20, 8 px', 'too_noisy', 'face_lines', qualityLimits.maximumLines],
    ['blotches 40, 8 px', 'unnatural_colours', 'face_blotches', qualityLimits.maximumBlotches],
    ['blotches 40, 12 px', 'unnatural_colours', 'face_blotches', qualityLimits.maximumBlotches],
  ] as const)('wants a face without patterns: %s', async (name, reason, measurement, limit) => {
    const before = await analyse(await portrait());
    expect(before.measurements[measurement]).toBeLessThan(limit / 2);
    const { finding, measurements } = await analyse(await transformed(name));
    expect(finding.reasons).toEqual([reason]);
    expect(measurements[measurement]).toBeGreaterThan(limit);
  });

  it('sees lines along rows as it sees them along columns', async () => {
    // JPEG with half of the colours, as most software writes it.
    const lying = sharp(await transformed('stripes of colour 20, 8 px')).rotate(90);
    expect((await analyse(await jpeg(lying))).finding.reasons).toEqual(['too_noisy']);
  });

  it.each(['sepia', 'tinted like skin', 'tinted half', 'warmer'])(
    'does not take a screen for a person because of its colours: %s',
    async (name) => {
      expect(outcomeText(await analyse(await faceOnScreen()))).toBe('failed presentation_attack_suspected');
      const { finding, measurements } = await analyse(await transformed(name, faceOnScreen));
      expect(measurements.live_score).toBeGreaterThan(0.5);
      expect(measurements.live_score_plain).toBeLessThan(0.5);
      expect(finding).toEqual({ outcome: 'recapture', confidence: null, reasons: ['unnatural_colours'], scores: {} });
    },
  );

  it.each(['warmer', 'saturation 0.5', 'saturation 1.5', 'JPEG 15', 'blurred 1'])(
    'lets a person be whose colours are changed: %s',
    async (name) => {
      expect(outcomeText(await analyse(await transformed(name)))).toBe('passed');
    },
  );

  it('lets the noise of a small sensor be, and sharp hair and lashes', async () => {
    expect((await analyse(await portrait())).measurements.face_noise).toBeLessThan(4);
    const { finding, measurements } = await analyse(await transformed('colour noise 8'));
    expect(finding.outcome).toBe('passed');
    expect(measurements.face_noise).toBeGreaterThan(7);
    expect(measurements.face_noise).toBeLessThan(10);
  });

  it('wants light on the face', async () => {
    const { finding, measurements } = await analyse(await jpeg(sharp(await portrait()).linear(0.15, 0)));
    expect(finding.reasons).toContain('too_dark');
    expect(measurements.face_highlight_luma).toBeLessThan(qualityLimits.minimumHighlightLuma);
  });

  it('but not too much of it', async () => {
    const { finding, measurements } = await analyse(await jpeg(sharp(await portrait()).linear(1.8, 60)));
    expect(finding.reasons).toContain('too_bright');
    expect(measurements.face_burnt_ratio).toBeGreaterThan(qualityLimits.maximumBurntRatio);
  });

  it('names all that is wrong, what matters most first', async () => {
    const small = await jpeg(sharp(await portraitAsStored()).linear(0.15, 0));
    expect(outcomeText(await analyse(small))).toBe('recapture face_too_small too_dark');
  });
});

it.each(Object.entries(qualityLimits))('engine/notes/limits.md says why %s is %s', (_, limit) => {
  const [, table = ''] = readFileSync('engine/notes/limits.md', 'utf8').split('\n|---|---|---|\n');
  const numbers = (table.split('\n\n')[0] ?? '').match(/\d+(\.\d+)?/g) ?? [];
  expect(numbers.map(Number)).toContain(limit);
});
