import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/engine.ts';
import type { FaceLandmarks, FaceMatching } from '../../../engine/manifest.ts';
import type { Model } from '../../../engine/model.ts';
import { newPatch, type Patch, type RgbImage } from '../../../engine/pixels.ts';
import { seeFace, sightLimits } from '../../../engine/sight.ts';
import { cardBack } from '../../../tools/evaluate/card-backs.ts';
import { faceOnScreen, portrait } from '../../../tools/samples.ts';
import { outcomeText, shippedEngine } from '../engine.ts';
import { idCard, selfieOfPair, stranger } from '../people.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await shippedEngine();
});

const quarters = [90, 180, 270] as const;
const turned = (photo: Uint8Array, degrees: number) => sharp(photo).rotate(degrees).jpeg({ quality: 95 }).toBuffer();

// `slow/card-backs.test.ts` looks at more of them.
describe('The back of an ID card', () => {
  it.each([3, 8, 13])('has no face, as a card and as a selfie: %i', async (seed) => {
    const back = await cardBack(seed);
    expect(outcomeText(await engine.analysePhotos(await portrait(), back, {}))).toBe('recapture face_not_detected');
    expect(outcomeText(await engine.analyseSelfie(back, {}))).toBe('recapture face_not_detected');
  });
});

describe('A selfie that was stored on its side or head', () => {
  it.each(quarters)('by %i° gets the verdict of the upright one', async (degrees) => {
    for (const selfie of [await portrait(), await stranger(2)]) {
      const upright = await engine.analyseSelfie(selfie, {});
      const lying = await engine.analyseSelfie(await turned(selfie, degrees), {});
      expect(outcomeText(lying)).toBe(outcomeText(upright));
      expect(lying.measurements).toMatchObject({ face_rotation_degrees: 360 - degrees });
      expect(Math.abs((lying.finding.scores.live ?? 0) - (upright.finding.scores.live ?? 0))).toBeLessThan(0.01);
    }
  });

  it.each(quarters)('by %i° is compared with the card', async (degrees) => {
    const lying = await turned(await selfieOfPair(), degrees);
    expect(outcomeText(await engine.analysePhotos(lying, await idCard(), {}))).toBe('passed');
    const other = await turned(await stranger(), degrees);
    expect(outcomeText(await engine.analysePhotos(other, await idCard(), {}))).toBe('failed face_mismatch');
  });

  it.each(quarters)('by %i° is an attack where the upright one is', async (degrees) => {
    const screen = await turned(await faceOnScreen(), degrees);
    expect(outcomeText(await engine.analyseSelfie(screen, {}))).toBe('failed presentation_attack_suspected');
  });
});

/** What the models say of a picture in one of its turns. */
interface View {
  readonly score: number;
  readonly shift: number;
  readonly norm: number;
  readonly aspect?: number;
}

/** Every quarter has its own shade, so the shade of the first one says how the picture was turned. */
const sidePx = 100;
const picture = {
  width: sidePx,
  height: sidePx,
  pixels: Uint8Array.from({ length: 3 * sidePx ** 2 }, (_, index) => {
    const [x, y] = [Math.floor(index / 3) % sidePx, Math.floor(index / 3 / sidePx)];
    if (y < sidePx / 2) return x < sidePx / 2 ? 0 : 3;
    return x < sidePx / 2 ? 1 : 2;
  }),
};

/** Looks at a picture of which the models say, upright and turned by 90, 180 and 270°, what `views` are. */
async function see(...views: readonly (View | undefined)[]) {
  return look({ embed: true }, views);
}

async function look({ embed }: { readonly embed: boolean }, views: readonly (View | undefined)[]) {
  const input = { name: 'input', width: 8, height: 8, channels: 'rgb' as const, mean: 0, scale: 1 };
  const weights = { name: '', file: 'a.onnx', sha256: '', licence: '', provenance: '', input };
  const viewOf = (paint: (patch: Patch) => void) => {
    const patch = newPatch(8, 8);
    paint(patch);
    return views[Math.round(patch.values[0] ?? 0)];
  };
  let looks = 0;
  const landmarker: Model<FaceLandmarks> = {
    contract: { ...weights, outputs: { points: 'points' } },
    // Every second time the picture is mirrored.
    run: async (paint) => {
      looks += 1;
      const y = 0.5 + (looks % 2 === 0 ? (viewOf(paint)?.shift ?? 0) : 0);
      return { points: Float32Array.from({ length: 136 }, (_, index) => (index % 2 === 0 ? 0.5 : y)) };
    },
  };
  const matcher: Model<FaceMatching['model']> = {
    contract: { ...weights, outputs: { embedding: 'embedding' } },
    run: async (paint) => ({ embedding: Float32Array.of(viewOf(paint)?.norm ?? 0) }),
  };
  const models = { detector: undefined as never, landmarker, matcher: async () => matcher, faceNorm: 2.5 };
  const detect = async ({ pixels }: RgbImage) => {
    const view = views[pixels[0] ?? 0];
    return view ? [{ x: 10, y: 10, width: 20, height: 20 * (view.aspect ?? 1.3), score: view.score }] : [];
  };
  const { kind, sight } = await seeFace(picture, models, { detect, tries: 1, embed, shaded: false });
  return sight ? `${kind} at ${sight.degrees}°` : kind;
}

const clear: View = { score: 0.99, shift: 0.01, norm: 3.5 };
const passable: View = { score: 0.85, shift: 0.02, norm: 2.6 };
const nothing: View = { score: 0.95, shift: 0.08, norm: 1.7 };

describe('A picture', () => {
  it('stays upright where the face in it is clear, whatever other turns show', async () => {
    expect(await see(clear, { score: 1, shift: 0, norm: 5 })).toBe('certain at 0°');
  });

  it('of a clear face is asked for no embedding where none is compared', async () => {
    const noFaceByEmbedding = { ...clear, norm: 1 };
    expect(await look({ embed: false }, [noFaceByEmbedding])).toBe('certain at 0°');
    expect(await look({ embed: true }, [noFaceByEmbedding])).toBe('nothing');
    expect(await look({ embed: false }, [{ ...noFaceByEmbedding, shift: 0.02 }])).toBe('nothing');
  });

  it('is turned where another turn surpasses it in score, landmarks and embedding', async () => {
    expect(await see(nothing, undefined, clear)).toBe('certain at 180°');
    expect(await see(passable, clear)).toBe('certain at 90°');
    expect(await see(undefined, undefined, undefined, clear)).toBe('certain at 270°');
  });

  it.each([
    ['a score', { score: 0.84 }],
    ['landmarks', { shift: 0.026 }],
    ['an embedding', { norm: sightLimits.turnedNormRatio * passable.norm - 0.01 }],
  ])('is not turned for all but %s', async (_, weak) => {
    expect(await see(passable, { ...clear, ...weak })).toBe('certain at 0°');
  });

  it('is in doubt where two turns show a face and neither surpasses the other', async () => {
    expect(await see({ ...nothing, shift: 0.02, norm: 2.4 }, passable)).toBe('doubtful at 90°');
  });

  it.each([
    ['score', { score: 0.7 }],
    ['shape', { aspect: 0.8 }],
    ['shape', { aspect: 2.2 }],
    ['landmarks', { shift: 0.035 }],
    ['embedding', { norm: 2.3 }],
  ])('is in doubt where everything but the %s is that of a face', async (_, weak) => {
    expect(await see({ ...passable, ...weak })).toBe('doubtful at 0°');
  });

  it.each([
    ['landmarks', { shift: 0.05 }],
    ['embedding', { norm: 2.1 }],
  ])('shows nothing where the %s is far from that of a face', async (_, far) => {
    expect(await see({ ...clear, ...far })).toBe('nothing');
    expect(await see(undefined, { ...clear, ...far })).toBe('nothing');
  });
});
