import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Decoded, decodeImage } from '../../engine/decode.ts';
import { type Analysis, type Engine, openEngine } from '../../engine/engine.ts';
import { keptDecoders } from '../../engine/photo.ts';
import { prepareModels } from '../../tools/release/engine-assets.ts';

/** A copy of the shipped model pack that a test may spoil. */
export async function modelsDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-models-'));
  await prepareModels(directory);
  return directory;
}

/** Kept from file to file, which saves their start. `confinement.test.ts` is about those of strangers' captures. */
export const decoders = keptDecoders();

export const decode = (bytes: Uint8Array): Promise<Decoded> => decodeImage(bytes, { decoders });

export async function shippedEngine(): Promise<Engine> {
  return openEngine({ modelsDirectory: await modelsDirectory(), decoders });
}

/** A finding as text: `passed`, `failed reason …` or `recapture reason …`. */
export const outcomeText = ({ finding: { outcome, reasons } }: Analysis): string => [outcome, ...reasons].join(' ');
