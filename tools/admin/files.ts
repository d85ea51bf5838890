import { readFile } from 'node:fs/promises';

/** A JSON file. The error says what to do where there is none, and never quotes what is in it: it may be a key. */
export async function readJson(path: string, remedy: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(`${path} is not there: ${remedy}`);
  });
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')); // some editors put a byte order mark before it
  } catch {
    throw new Error(`${path} is not JSON`);
  }
}
