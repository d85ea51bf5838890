import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { rateOf } from '../../tools/evaluate/rates.ts';
import { parseCsv } from '../../tools/evaluate.ts';
import { samples } from '../../tools/samples.ts';

const program = path.join(import.meta.dirname, '../../tools/evaluate.ts');

function evaluate(...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [program, ...options], (error, stdout, stderr) => {
      done({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

async function dataWith(padCsv: string): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-data-'));
  for (const { file, bytes } of await samples()) await writeFile(path.join(directory, file), bytes);
  await writeFile(path.join(directory, 'pad.csv'), padCsv);
  return directory;
}

describe('A rate', () => {
  it('has a Wilson interval, which is honest about few captures and no errors', () => {
    const [low, high] = rateOf(0, 10).interval ?? [];
    expect(low).toBe(0);
    expect(high).toBeCloseTo(0.2775, 3);
    expect(rateOf(8, 10).interval?.map((value) => Number(value.toFixed(3)))).toEqual([0.49, 0.943]);
    expect(rateOf(0, 0)).toEqual({ errors: 0, of: 0, rate: null, interval: null });
  });
});

describe('A table of captures', () => {
  it('may end its lines as Windows does and lack columns', () => {
    expect(parseCsv('\uFEFFfile,label\r\na.jpg,attack\r\n\r\nb.jpg\r\n')).toEqual([
      { file: 'a.jpg', label: 'attack' },
      { file: 'b.jpg', label: '' },
    ]);
  });
});

describe('npm run evaluate', () => {
  it('prints APCER per species, BPCER and failures to acquire, with counts', async () => {
    const rows = [
      'file,label,species,subject,source',
      'portrait.jpg,bona_fide,,1,nasa',
      'landscape.jpg,bona_fide,,,',
      'face-on-screen.jpg,attack,replay,,',
      'portrait.jpg,attack,,,',
      'gone.jpg,attack,mask,,',
    ];
    const { code, stdout } = await evaluate('--json', '--data', await dataWith(rows.join('\r\n')));
    expect(code).toBe(0);
    expect(JSON.parse(stdout).spoof.report).toMatchObject({
      captures: { bonaFide: 2, attack: 2 },
      bpcer: { errors: 0, of: 1 },
      apcer: { replay: { errors: 0, of: 1 }, unnamed: { errors: 1, of: 1 } },
      apcerWorst: { species: 'unnamed', rate: 1 },
      failureToAcquire: { bonaFide: { rate: { errors: 1, of: 2 }, reasons: { face_not_detected: 1 } } },
      unreadableFiles: ['gone.jpg'],
    });
  });

  it('says why when there is nothing to measure, and fails', async () => {
    const empty = await mkdtemp(path.join(tmpdir(), 'bonafide-data-'));
    for (const [directory, why] of [
      [empty, 'there is no'],
      [await dataWith('file,label\n'), 'names no captures'],
      [await dataWith('file,label\ngone.jpg,attack\n'), 'can be read'],
      [await dataWith('file,label\nportrait.jpg,alive\n'), 'label'],
    ] as const) {
      const { code, stdout } = await evaluate('--data', directory);
      expect(stdout).toContain(why);
      expect(code).toBe(1);
    }
    expect((await evaluate()).code).toBe(1);
  });
});
