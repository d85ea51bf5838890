import { createHash } from 'node:crypto';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { fasterWeights, withoutNegligible, withoutPrelu } from '../../../tools/release/faster-weights.ts';
import { publishedModels, readPublishedModel } from '../../../tools/release/published-models.ts';

async function published(file: string): Promise<Buffer> {
  const model = publishedModels.find((each) => each.file === file);
  if (!model) throw new Error(`No published model is called ${file}`);
  return readPublishedModel(model);
}

async function answerOf(model: Uint8Array, side: number, channels = 3): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  // A pattern with both signs everywhere, the same for both models.
  const pixels = Float32Array.from({ length: channels * side * side }, (_, index) => 100 * Math.sin(index * index));
  const outputs = await session.run({ input: new Tensor('float32', pixels, [1, channels, side, side]) });
  return Object.values(outputs)[0]?.data as Float32Array;
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
    const [before, after] = [await answerOf(original, side), await answerOf(rewritten, side)];
    expect(after).toHaveLength(before.length);
    const largest = Math.max(...before.map(Math.abs));
    expect(Math.max(...after.map((value, index) => Math.abs(value - (before[index] ?? Number.NaN))))).toBeLessThan(
      1e-5 * largest,
    );
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
    expect(hash(fasterWeights(original))).toBe(hash(withoutPrelu(original)));
  });
});
