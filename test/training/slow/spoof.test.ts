/** Trains on 26 pictures that are made from sample photos: what holds here is the path, and no rate. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { mulberry32 } from '../../../tools/evaluate/random.ts';
import { pythonEnvironment } from '../../../tools/python.ts';
import { folderOfCaptures } from '../captures.ts';

const root = path.join(import.meta.dirname, '../../..');
const kit = path.join(root, 'engine/training/spoof');
const newFolder = () => mkdtemp(path.join(tmpdir(), 'bonafide-trained-'));
const digestOf = async (file: string) =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

function run(program: string, ...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [path.join(root, program), ...options], { cwd: root }, (error, stdout, stderr) => {
      done({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}
const train = (data: string, out: string) => run('tools/train-spoof.ts', '--data', data, '--out', out, '--json');

describe('npm run train:spoof', () => {
  let data: string;
  let out: string;
  let trained: Awaited<ReturnType<typeof train>>;

  beforeAll(async () => {
    [data, out] = [await folderOfCaptures(), await newFolder()];
    trained = await train(data, out);
  });

  it('says what models that had never seen a source made of it, and why the shipped model stays', () => {
    expect(trained).toMatchObject({ code: 0 });
    expect(JSON.parse(trained.stdout)).toMatchObject({
      captures: { bonaFide: 13, attack: 13, sources: 7 },
      own: { bpcer: { of: 12 } },
      shipped: { bpcer: { of: 12 } },
      missing: expect.arrayContaining(['12 bona fide captures of 7 sources were decided: 150 of 5 are the least']),
    });
  });

  it('makes a pack that npm run evaluate opens, and that tells apart what it was trained on', async () => {
    await copyFile(path.join(data, 'provenance.csv'), path.join(data, 'pad.csv'));
    const evaluated = await run(
      'tools/evaluate.ts',
      '--data',
      data,
      '--models',
      out,
      '--curves',
      out,
      '--quick',
      '--json',
    );
    const { models, spoof } = JSON.parse(evaluated.stdout);
    expect(models).toBe('own-spoof');
    expect(spoof.report).toMatchObject({ bpcer: { errors: 0, of: 12 }, apcer: { replay: { errors: 0, of: 8 } } });
  });

  it('makes the same weights of the same captures', async () => {
    const again = await newFolder();
    await train(data, again);
    expect(await digestOf(path.join(again, 'spoof.onnx'))).toBe(await digestOf(path.join(out, 'spoof.onnx')));
  });

  it('leaves nothing behind that was derived from faces', async () => {
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('bonafide-spoof-'))).toEqual([]);
  });

  it('makes nothing of captures whose provenance is wrong', async () => {
    const [wrong, nothing] = [await newFolder(), await newFolder()];
    await copyFile(path.join(data, 'portrait.jpg'), path.join(wrong, 'portrait.jpg'));
    const [header, row] = (await readFile(path.join(data, 'provenance.csv'), 'utf8')).split('\n');
    await writeFile(path.join(wrong, 'provenance.csv'), `${header}\n${row}\n`);
    expect(await train(wrong, nothing)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no file sample1-0.jpg'),
    });
    expect(await readdir(nothing)).toEqual([]);
  });
});

describe('the heads', () => {
  const featureCount = 384;

  /** Made-up views: those of source 2 say the opposite of the others. */
  async function heads(sources: readonly number[]): Promise<string> {
    const random = mulberry32(11);
    const directory = await newFolder();
    const views = sources.flatMap((source) =>
      Array.from({ length: 20 }, (_, index) => ({
        source,
        label: index % 2 === 0 ? 'bona_fide' : 'attack',
        species: '',
        simulated: false,
      })),
    );
    const features = views.flatMap(({ source, label }) =>
      Array.from({ length: featureCount }, () => random() + ((label === 'attack') === (source === 2) ? 0.5 : 0)),
    );
    await writeFile(path.join(directory, 'views.json'), JSON.stringify(views));
    await writeFile(path.join(directory, 'features.f32'), Buffer.from(Float32Array.from(features).buffer));
    const binaries = await pythonEnvironment(path.join(root, 'build/spoof/python'), path.join(kit, 'requirements.txt'));
    const environment = { env: { ...process.env, OPENBLAS_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' } };
    await promisify(execFile)(
      path.join(binaries, 'python'),
      [path.join(kit, 'head.py'), '--views', directory, '--out', directory],
      environment,
    );
    return directory;
  }

  it('of a source that is left out, nothing reaches the head that is measured on it', async () => {
    const [all, two] = [await heads([0, 1, 2]), await heads([0, 1])];
    const withoutLast = await digestOf(path.join(all, 'without-2.onnx'));
    expect(withoutLast).toBe(await digestOf(path.join(two, 'spoof.onnx')));
    expect(withoutLast).not.toBe(await digestOf(path.join(all, 'spoof.onnx')));
  });
});
