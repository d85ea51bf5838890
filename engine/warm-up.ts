import { readFile } from 'node:fs/promises';
import type { Engine } from './engine.ts';

/**
 * Runs the picture of a person in `file` through the engine, as a selfie and as a document's portrait: the first capture
 * then finds models that have run, code that is compiled and memory that is there. What is found in it is of no consequence.
 * Where there is no such file, nothing is run.
 */
export async function warmUp(engine: Engine, file: string): Promise<void> {
  const picture = await readFile(file).catch(() => undefined);
  if (!picture) return;
  await engine.analysePhotos(picture, picture, {}, { barePortraits: true });
  await engine.prepared();
}
