import { readFile } from 'node:fs/promises';
import { readJson as parse } from '../../shared/providers/wire-values.ts';

/** A JSON file, or an error that says what to do where there is none. */
export async function readJson(path: string, remedy: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(`${path} is not there: ${remedy}`);
  });
  return parseJson(text, path);
}

/** The error names what it was read from and never quotes it: it may be a key. */
export function parseJson(text: string, from: string): unknown {
  const read = parse(text);
  if (read === undefined) throw new Error(`${from} is not JSON`);
  return read;
}
