/** Each run opens the engine anew: `npm run test:slow` runs it and `npm test` does not. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../../shared/domain/policy.ts';
import { landscape, samples } from '../../../tools/samples.ts';
import { idCard, selfieOfPair, stranger } from '../people.ts';

const program = path.join(import.meta.dirname, '../../../tools/evaluate.ts');

function evaluate(...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [program, '--curves', path.join(tmpdir(), 'bonafide-curves'), ...options],
      (error, stdout, stderr) => {
        done({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
  });
}

async function dataWith(padCsv: string): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-data-'));
  for (const { file, bytes } of await samples()) await writeFile(path.join(directory, file), bytes);
  await writeFile(path.join(directory, 'pad.csv'), padCsv);
  return directory;
}

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
    const { code, stdout } = await evaluate('--json', '--quick', '--data', await dataWith(rows.join('\r\n')));
    expect(code).toBe(0);
    expect(JSON.parse(stdout).spoof.report).toMatchObject({
      captures: { bonaFide: 2, attack: 2 },
      bpcer: { errors: 0, of: 1 },
      apcer: { replay: { errors: 0, of: 1 }, unnamed: { errors: 1, of: 1 } },
      // Of too few to have a rate.
      apcerWorst: null,
      failureToAcquire: { bonaFide: { rate: { errors: 1, of: 2 }, reasons: { face_not_detected: 1 } } },
      unreadableFiles: ['gone.jpg'],
    });
  });

  it('compares faces: at the shipped threshold first, fitted figures apart, as curves, and the goals last', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-data-'));
    await writeFile(path.join(directory, 'a1.jpg'), await selfieOfPair());
    await writeFile(path.join(directory, 'a2.jpg'), await idCard());
    await writeFile(path.join(directory, 'b.jpg'), await stranger());
    await writeFile(path.join(directory, 'nobody.jpg'), await landscape());
    await writeFile(
      path.join(directory, 'match.csv'),
      'file,person\na1.jpg,a\na2.jpg,a\nb.jpg,b\nnobody.jpg,c\ngone.jpg,d\n',
    );
    await writeFile(
      path.join(directory, 'match-pairs.csv'),
      'file_a,file_b,label\na1.jpg,a2.jpg,same\na1.jpg,b.jpg,different',
    );
    const curves = path.join(directory, 'curves');
    const json = await evaluate('--json', '--data', directory, '--curves', curves);
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout).match.report).toMatchObject({
      threshold: 0.36,
      people: {
        falseMatch: { errors: 0, of: 2 },
        falseNonMatch: { errors: 0, of: 1 },
        inSample: { equalErrorRate: 0 },
      },
      pairs: { falseMatch: { errors: 0, of: 1 }, falseNonMatch: { errors: 0, of: 1 } },
      idFaces: { '64 px': { falseMatch: { of: 4 }, falseNonMatch: { of: 2 } } },
      withoutFace: ['nobody.jpg'],
      unreadableFiles: ['gone.jpg'],
    });
    expect(await readFile(path.join(curves, 'det-face-comparison.svg'), 'utf8')).toMatch(
      /^<svg[\s\S]*FNMR[\s\S]*<\/svg>\n$/,
    );

    const { stdout } = await evaluate('--data', directory, '--curves', curves);
    const summary = stdout.slice(stdout.indexOf('\nSummary')).trim().split('\n');
    expect(summary.length).toBeLessThanOrEqual(40);
    expect(summary.join('\n')).toMatch(/TMR at FMR 0\.1 % +100\.00 % +goal ≥ 99\.0 %: met/);
    expect(summary.join('\n')).toMatch(/spoof: not measured, there is no .*pad\.csv/);
  });

  it('decides by the thresholds of a policy', async () => {
    const directory = await dataWith('file,label\nportrait.jpg,bona_fide\n');
    await writeFile(path.join(directory, 'selfie.jpg'), await selfieOfPair());
    await writeFile(path.join(directory, 'card.jpg'), await idCard());
    await writeFile(path.join(directory, 'match-pairs.csv'), 'file_a,file_b,label\nselfie.jpg,card.jpg,same\n');
    const policy = path.join(directory, 'policy.json');
    const measured = async (thresholds: object) => {
      await writeFile(policy, JSON.stringify({ ...defaultPolicy, thresholds: { builtin: thresholds } }));
      const { stdout } = await evaluate('--json', '--quick', '--data', directory, '--policy', policy);
      const { spoof, match } = JSON.parse(stdout);
      return [
        spoof.report.threshold,
        spoof.report.bpcer.errors,
        match.report.threshold,
        match.report.pooled.falseNonMatch.errors,
      ];
    };
    expect(await measured({ match: 0.5 })).toEqual([expect.any(Number), 0, 0.36, 0]);
    expect(await measured({ live: 1, match: 0.999999 })).toEqual([1, 1, expect.any(Number), 1]);
    const { stdout } = await evaluate('--quick', '--data', directory, '--policy', policy);
    expect(stdout).toContain('live threshold 1 (policy)');
    expect(stdout).toContain('Not measured: left out by --quick');
  });

  it('tells errors by the size of the face, of captures as they are and shrunk, whatever the limit is', async () => {
    const directory = await dataWith('file,label\nportrait.jpg,bona_fide\nportrait.jpg,attack\nlandscape.jpg,attack\n');
    const sizes = async (...options: string[]) =>
      JSON.parse((await evaluate('--json', '--quick', '--data', directory, ...options)).stdout).faceSizes.report;
    const { minimumFacePx, bands } = await sizes();
    expect(minimumFacePx).toBe(112);
    expect(bands.map(({ fromPx, toPx }: { fromPx: number; toPx: number }) => [fromPx, toPx])).toEqual([
      [64, 80],
      [80, 96],
      [96, 112],
      [112, 128],
      [128, 160],
      [160, null],
    ]);
    expect(bands.at(-1)).toMatchObject({ asTheyAre: { bpcer: { errors: 0, of: 1 }, apcer: { errors: 1, of: 1 } } });
    expect(bands[0]).toMatchObject({
      asTheyAre: { bpcer: { of: 0 } },
      shrunk: { bpcer: { errors: 0, of: 1 }, bpcerIsAlike: true, sentBack: { bonaFide: { errors: 0, of: 1 } } },
    });

    const policy = path.join(directory, 'policy.json');
    await writeFile(policy, JSON.stringify({ ...defaultPolicy, thresholds: { builtin: { minimumFacePx: 512 } } }));
    const strict = await sizes('--policy', policy);
    expect(strict.minimumFacePx).toBe(512);
    expect(strict.bands).toEqual(bands);
  });

  it('tells what passes under transforms, attacks and bona fide captures apart', async () => {
    const directory = await dataWith('file,label\nportrait.jpg,bona_fide\nsmall.jpg,attack\n');
    await writeFile(
      path.join(directory, 'small.jpg'),
      await sharp(await landscape())
        .resize(240)
        .toBuffer(),
    );
    const { stdout } = await evaluate('--data', directory);
    const robustness = stdout.slice(stdout.indexOf('Robustness under cheap transforms'));
    expect(robustness).toMatch(/worst of \d\d, per attack +0\.0 % {2}\(0 of 1,/);
    expect(robustness).toMatch(/Bona fide[\s\S]*as is +100\.0 %[\s\S]*JPEG 60 +100\.0 %/);
    expect(robustness).toMatch(/attacks passed under the worst transform +0\.00 % +goal ≤ 5\.0 %: met/);
  });

  it('counts captures that are recognised when they come again, and different ones that are taken for one', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-data-'));
    await writeFile(path.join(directory, 'a1.jpg'), await selfieOfPair());
    await writeFile(path.join(directory, 'a2.jpg'), await idCard());
    await writeFile(path.join(directory, 'b.jpg'), await stranger());
    await writeFile(path.join(directory, 'match.csv'), 'file,person\na1.jpg,a\na2.jpg,a\nb.jpg,b\n');
    const { stdout } = await evaluate('--json', '--data', directory);
    expect(JSON.parse(stdout).repeats.report).toMatchObject({
      found: { 'JPEG 60': { errors: 3, of: 3 }, 'half its size': { errors: 3, of: 3 } },
      mistaken: {
        'two people': { errors: 0, of: 2 },
        'two photos of one person (match.csv)': { errors: 0, of: 1 },
      },
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
    expect(await evaluate()).toMatchObject({ code: 2, stderr: expect.stringContaining('--data DIR') });
  });
});
