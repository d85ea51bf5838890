import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Manifest, manifest, type SpoofingModel, weightsOf } from '../../manifest.ts';

/** What the network is shown: `backbone.py` normalises nothing itself. */
const contract = {
  name: 'EfficientNet-Lite0, six stages, linear head',
  licence: 'Apache-2.0 (backbone); the head is its maker’s',
  input: { name: 'input', width: 224, height: 224, channels: 'rgb', mean: 127, scale: 128 },
  liveClass: 0,
  context: 2.7,
} satisfies Partial<SpoofingModel>;

export interface NewSpoofingModel {
  /** The .onnx file. */
  readonly weights: string;
  /** Its output that the head reads, or the engine decides by. */
  readonly output: 'features' | 'classes';
  readonly provenance: string;
}

/**
 * A copy of a model pack with another spoof model, and everything else as it was.
 * @param shipped directory of the pack that is copied
 */
export async function packWith(
  { weights, output, provenance }: NewSpoofingModel,
  { shipped, name, directory }: { readonly shipped: string; readonly name: string; readonly directory: string },
): Promise<Manifest> {
  const original = manifest.parse(JSON.parse(await readFile(path.join(shipped, 'manifest.json'), 'utf8')));
  const bytes = await readFile(weights);
  const file = 'spoof.onnx';
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const model = { ...contract, file, sha256, provenance, outputs: { classes: output } };
  const pack: Manifest = { ...original, name, spoofing: { models: [model], thresholds: { live: 0.5 } } };
  await mkdir(directory, { recursive: true });
  for (const other of weightsOf(pack).filter((one) => one.file !== file)) {
    await copyFile(path.join(shipped, other.file), path.join(directory, other.file));
  }
  await writeFile(path.join(directory, file), bytes);
  await writeFile(path.join(directory, 'manifest.json'), `${JSON.stringify(manifest.parse(pack), null, 2)}\n`);
  return pack;
}
