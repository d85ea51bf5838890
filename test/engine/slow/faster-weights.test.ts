import { createHash } from 'node:crypto';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { mulberry32 } from '../../../tools/evaluate/random.ts';
import {
  fasterWeights,
  inWholeBlocks,
  withoutNegligible,
  withoutPrelu,
} from '../../../tools/release/faster-weights.ts';
import { publishedModels, readPublishedModel } from '../../../tools/release/published-models.ts';
import { portrait } from '../../../tools/samples.ts';

async function published(file: string): Promise<Buffer> {
  const model = publishedModels.find((each) => each.file === file);
  if (!model) throw new Error(`No published model is called ${file}`);
  return readPublishedModel(model);
}

/** With both signs everywhere. */
const pattern = (index: number) => 100 * Math.sin(index * index);

/** Of the same pixels, whatever the model. */
async function answerOf(model: Uint8Array, side: number, channels = 3, pixelAt = pattern): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const pixels = Float32Array.from({ length: channels * side * side }, (_, index) => pixelAt(index));
  const outputs = await session.run({ input: new Tensor('float32', pixels, [1, channels, side, side]) });
  return Object.values(outputs)[0]?.data as Float32Array;
}

/** The largest difference between two answers, in shares of the largest number in them. */
function differenceOf(one: Float32Array, other: Float32Array): number {
  expect(other).toHaveLength(one.length);
  const differences = one.map((value, index) => Math.abs(value - (other[index] ?? Number.NaN)));
  return Math.max(...differences) / Math.max(...one.map(Math.abs));
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('A model written without PRelu', () => {
  it.each([
    ['fr_feature.onnx', 112],
    ['fr_liveness.onnx', 128],
  ])('answers as it did: %s', async (file, side) => {
    const original = await published(file);
    const rewritten = withoutPrelu(original);
    expect(Buffer.from(original).includes('PRelu')).toBe(true);
    expect(Buffer.from(rewritten).includes('\x22\x05PRelu')).toBe(false); // as an operator: names may still say it
    expect(differenceOf(await answerOf(original, side), await answerOf(rewritten, side))).toBeLessThan(1e-5);
    expect(withoutPrelu(rewritten)).toEqual(rewritten);
  });

  it.each(['fr_detect.onnx', 'fr_landmark.onnx'])('is the same file where it had none: %s', async (file) => {
    const original = await published(file);
    expect(hash(withoutPrelu(original))).toBe(hash(original));
  });
});

describe('A model without negligible weights', () => {
  it.each([
    ['fr_feature.onnx', 112, 3],
    ['fr_landmark.onnx', 64, 1],
  ])('answers as it did, to the last bit: %s', async (file, side, channels) => {
    const original = withoutPrelu(await published(file));
    const rewritten = withoutNegligible(original);
    expect(hash(rewritten)).not.toBe(hash(original));
    expect(rewritten).toHaveLength(original.length);
    expect(await answerOf(rewritten, side, channels)).toEqual(await answerOf(original, side, channels));
    expect(withoutNegligible(rewritten)).toEqual(rewritten);
  });

  it.each(['fr_detect.onnx', 'fr_liveness.onnx'])('is the same file where it had none: %s', async (file) => {
    const original = await published(file);
    expect(hash(withoutNegligible(original))).toBe(hash(original));
    expect(hash(fasterWeights(original))).toBe(hash(withoutPrelu(inWholeBlocks(original))));
  });
});

describe('A model in whole blocks', () => {
  it('answers as it did, to a pattern, to noise and to a face', async () => {
    const original = await published('fr_liveness.onnx');
    const rewritten = inWholeBlocks(original);
    expect(rewritten.length).toBeGreaterThan(original.length);
    const random = mulberry32(1);
    const noise = Float32Array.from({ length: 3 * 128 * 128 }, () => 255 * random());
    const { data } = await sharp(await portrait(128))
      .resize(128, 128, { fit: 'cover' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const face = (index: number) => data[3 * (index % 16384) + 2 - Math.floor(index / 16384)] ?? 0;
    for (const pixelAt of [pattern, (index: number) => noise[index] ?? 0, face]) {
      const [before, after] = [await answerOf(original, 128, 3, pixelAt), await answerOf(rewritten, 128, 3, pixelAt)];
      expect(differenceOf(before, after)).toBeLessThan(1e-5);
    }
    expect(hash(inWholeBlocks(rewritten))).toBe(hash(rewritten));
  });

  it.each(['fr_detect.onnx', 'fr_feature.onnx', 'fr_landmark.onnx'])(
    'is the same file where no depthwise convolution lacks channels: %s',
    async (file) => {
      const original = await published(file);
      expect(hash(inWholeBlocks(original))).toBe(hash(original));
    },
  );
});
