import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { modelsDirectory } from '../engine.ts';

const root = path.join(import.meta.dirname, '../../..');

/** Analyses all samples and the HEIC in a process of its own; answers findings and measurements as text, to the last digit. */
async function numbersOfOneProcess(directory: string, threads: number): Promise<string> {
  const program = `
    import { readFile } from 'node:fs/promises';
    import { openEngine } from '${root}/engine/engine.ts';
    import { samples } from '${root}/tools/samples.ts';
    const engine = await openEngine({ modelsDirectory: '${directory}', threads: ${threads} });
    const captures = [...await samples(), { bytes: await readFile('${root}/test/fixtures/portrait.heic') }];
    for (const { bytes } of [...captures, ...captures]) {
      const { finding, measurements } = await engine.analyseSelfie(bytes, {});
      console.log(JSON.stringify({ finding, measurements }));
    }`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  return stdout;
}

describe('The same bytes', () => {
  it('give the same numbers twice, in two processes, and on more threads', async () => {
    const directory = await modelsDirectory();
    const [one, other] = await Promise.all([numbersOfOneProcess(directory, 1), numbersOfOneProcess(directory, 2)]);
    const lines = one.trim().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines.slice(5)).toEqual(lines.slice(0, 5));
    expect(other).toBe(one);
  });
});
