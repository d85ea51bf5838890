import { readFile } from 'node:fs/promises';

/** The text of a file, or an error that says what to do where there is none. */
export async function readFileOr(path: string, remedy: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new Error(`${path} is not there: ${remedy}`);
  }
}
