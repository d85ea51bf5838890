import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../engine/engine.ts';
import { type Manifest, manifest } from '../../engine/manifest.ts';
import { portrait } from '../../tools/samples.ts';
import { decoders, modelsDirectory, shippedEngine } from './engine.ts';

async function packWith(change: (shipped: Manifest) => unknown): Promise<string> {
  const directory = await modelsDirectory();
  const file = path.join(directory, 'manifest.json');
  const shipped = manifest.parse(JSON.parse(await readFile(file, 'utf8')));
  await writeFile(file, JSON.stringify(change(shipped)));
  return directory;
}

describe('A model pack', () => {
  it('is refused when one byte of its weights differs from the hash in its manifest', async () => {
    const directory = await modelsDirectory();
    const file = path.join(directory, 'fr_liveness.onnx');
    const weights = await readFile(file);
    weights.writeUInt8(weights.readUInt8(weights.length - 1) ^ 1, weights.length - 1);
    await writeFile(file, weights);
    await expect(openEngine({ modelsDirectory: directory })).rejects.toThrow(
      /fr_liveness\.onnx has sha256 .* not loaded/,
    );
  });

  it('is refused when weights are missing, when there is no manifest, and when that is something else', async () => {
    const incomplete = await modelsDirectory();
    await rm(path.join(incomplete, 'fr_detect.onnx'));
    await expect(openEngine({ modelsDirectory: incomplete })).rejects.toThrow(/lacks fr_detect\.onnx/);
    await expect(openEngine({ modelsDirectory: '/nowhere' })).rejects.toThrow(/No model pack at \/nowhere/);
    await expect(openEngine({ modelsDirectory: await packWith(() => ({})) })).rejects.toThrow(/not the manifest/);
  });

  it('whose recogniser of digits is refused judges photos all the same, and no video', async () => {
    const directory = await modelsDirectory();
    await writeFile(path.join(directory, 'digits.onnx'), 'not the weights');
    const engine = await openEngine({ modelsDirectory: directory, decoders });
    expect((await engine.analyseSelfie(await portrait(), {})).finding.outcome).toBe('passed');
    const [video, card] = [Buffer.from('a video'), Buffer.from('a card')];
    await expect(engine.analyseVideo(video, card, '407193', {})).rejects.toThrow(/digits\.onnx has sha256/);
  });

  it('names files of its own directory only', async () => {
    const escaping = await packWith((shipped) => ({
      ...shipped,
      faceDetection: { ...shipped.faceDetection, file: '../fr_detect.onnx' },
    }));
    await expect(openEngine({ modelsDirectory: escaping })).rejects.toThrow(/not the manifest/);
  });

  it('brings its own threshold and may average several spoof models', async () => {
    const other = await packWith((shipped) => ({
      ...shipped,
      name: 'strict-pair',
      spoofing: {
        models: shipped.spoofing.models.flatMap((model) => [model, { ...model, context: 2 }]),
        thresholds: { live: 1 },
      },
    }));
    const strict = await openEngine({ modelsDirectory: other });
    const shipped = await shippedEngine();
    const selfie = await portrait();
    const [here, there] = [await shipped.analyseSelfie(selfie, {}), await strict.analyseSelfie(selfie, {})];
    expect(strict.manifest.name).toBe('strict-pair');
    expect(here.finding.outcome).toBe('passed');
    expect(there.finding.outcome).toBe('failed');
    expect(there.finding.scores.live).not.toBe(here.finding.scores.live);
  });
});
