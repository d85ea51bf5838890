import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** A copy of the pages and of what they import, to change the client's types in. */
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bonafide-renamed-'));
  for (const part of ['web', 'shared', 'engine', 'package.json', 'tsconfig.json']) {
    cpSync(part, join(directory, part), { recursive: true, filter: (file) => !/\.(onnx|bin|wav)$/.test(file) });
  }
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  const include = ['web/styles.d.ts', 'web/capture', 'web/console', 'web/client'];
  writeFileSync(join(directory, 'tsconfig.pages.json'), JSON.stringify({ extends: './web/tsconfig.json', include }));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What the compiler says when every field of one name has another one. */
async function brokenBy(field: string, renamed: string): Promise<string[]> {
  const schema = readFileSync('web/client/schema.ts', 'utf8');
  const changed = schema.replaceAll(new RegExp(`\\b${field}(?=\\??: )`, 'g'), renamed);
  writeFileSync(join(directory, 'web/client/schema.ts'), changed);
  const compiler = resolve('node_modules/typescript/bin/tsc');
  const compiling = promisify(execFile)(process.execPath, [compiler, '--noEmit', '-p', 'tsconfig.pages.json'], {
    cwd: directory,
  });
  const { stdout } = await compiling.catch((error: { stdout: string }) => error);
  return stdout.split('\n').filter((line) => line.includes(': error '));
}

describe('a field of the API', () => {
  it('as it is named breaks nothing', async () => {
    expect(await brokenBy('missing', 'missing')).toEqual([]);
  });

  it.each([
    ['challenge', 'capture'],
    ['handed_off', 'capture'],
    ['uploads', 'client'],
    ['notes_dropped', 'console'],
  ])('that is named otherwise, %s, breaks the compilation of web/%s', async (field, folder) => {
    const errors = await brokenBy(field, `${field}_renamed`);
    expect(errors).toContainEqual(expect.stringMatching(`^web/${folder}/.*'${field}'`));
  });
});
