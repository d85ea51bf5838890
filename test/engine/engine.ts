import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Analysis, type Engine, openEngine } from '../../engine/engine.ts';
import { prepareModels } from '../../tools/release/engine-assets.ts';

/** A copy of the shipped model pack that a test may spoil. */
export async function modelsDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-models-'));
  await prepareModels(directory);
  return directory;
}

export async function shippedEngine(): Promise<Engine> {
  return openEngine({ modelsDirectory: await modelsDirectory() });
}

/** A finding as text: `passed`, `failed reason …` or `recapture reason …`. */
export const outcomeText = ({ finding: { outcome, reasons } }: Analysis): string => [outcome, ...reasons].join(' ');
