import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Plant } from './plants.ts';

/** A process of its own, as it is used: the verbs are instrumented while Node loads them. */
function simulate(...options: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['test/simulation/simulate.ts', ...options],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
      },
    );
  });
}

describe('npm run simulate', () => {
  it('finds nothing wrong in some hundred runs, and says what it looked for', async () => {
    const { code, output } = await simulate('--seed', '2026', '--runs', '150'); // `.ci/run` has 100,000 of seed 1
    expect({ code, output }).toMatchObject({ code: 0 });
    const verdict = output.split('\n').filter((line) => line.startsWith('0 '));
    expect(verdict).toEqual([
      '0 illegal moves',
      '0 unfinished',
      '0 double decisions',
      '0 excess calls',
      '0 moves without an event',
      '0 events without a move',
      '0 event ids with two bodies',
      '0 doubled history entries',
      '0 histories broken',
      '0 answers passed over',
      '0 captures swapped',
      '0 captures lost',
      '0 reviews misplaced',
      '0 hand-offs misjudged',
      '0 videos misjudged',
      '0 repeats misjudged',
      '0 credits miscounted',
      '0 results lost',
      '0 results with two bodies',
      '0 webhooks lost',
      '0 webhooks not owed',
      '0 webhooks with two bodies',
      '0 webhooks unsigned',
      '0 receipts wrong',
      '0 verbs failed',
    ]);
    expect(output).toMatch(/^150 runs of seed \d+ in .* moves/m);
    expect(output).toMatch(/^kill coverage: [1-9]\d* \/ \d+ awaits reached/m);
  });

  // `.ci/run` plants them all.
  it.each(['no-condition'] satisfies Plant[])(
    'finds %s within a thousand runs, and tells the run so that it can be had again',
    async (plant) => {
      const { code, output } = await simulate('--seed', '1', '--runs', '1000', '--plant', plant);
      expect(code).toBe(1);
      const [, run = ''] = /^seed 1, run (\d+); again: npm run simulate/m.exec(output) ?? [];
      expect(output).toContain(`seed 1, run ${run} with ${plant}:`);
      expect(output).toMatch(/^ {2}\d\d:\d\d:\d\d\.\d{3} {2}/m);
      expect(output).toMatch(/^WRONG, /m);
      const again = await simulate('--seed', '1', '--from', run, '--runs', '1', '--plant', plant);
      expect(again).toEqual({ code, output });
    },
  );

  it('tells the same run in the same words, whatever ran before it', async () => {
    const trace = async (from: number, runs: number) => {
      const { output } = await simulate('--seed', '3', '--from', `${from}`, '--runs', `${runs}`, '--trace');
      return output.split('\n').filter((line) => /^\d\d:/.test(line));
    };
    const [alone, after] = [await trace(6, 1), await trace(5, 2)];
    expect(alone.length).toBeGreaterThan(5);
    expect(after.slice(-alone.length)).toEqual(alone);
    expect(after.length).toBeGreaterThan(alone.length);
  });

  it('refuses what it does not understand', async () => {
    const { code, output } = await simulate('--plant', 'nothing');
    expect(code).toBe(2);
    expect(output).toContain('npm run simulate -- [options]');
  });
});
