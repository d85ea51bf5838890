import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Architecture,
  architectures,
  prepareEngineAssets,
  putInPlace,
} from '../../tools/release/engine-assets.ts';
import { portrait } from '../../tools/samples.ts';
import { fixture } from './captures.ts';

const elfMachines: Readonly<Record<Architecture, number>> = { x64: 62, arm64: 183 };
/** Lambda's limit on a function unzipped, layers included. */
const lambdaLimitBytes = 250 * 1024 * 1024;
const root = path.join(import.meta.dirname, '../..');

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** `e_machine` of an ELF header: which processor a native file is for. */
async function elfMachine(file: string): Promise<number> {
  await using handle = await open(file);
  const { buffer } = await handle.read(Buffer.alloc(20), 0, 20, 0);
  expect(buffer.toString('latin1', 0, 4), file).toBe('\x7fELF');
  return buffer.readUInt16LE(18);
}

describe.each(architectures)('The engine assets for %s', (architecture) => {
  let directory: string;
  let files: string[];
  beforeAll(async () => {
    directory = await prepareEngineAssets(architecture);
    files = await filesBelow(directory);
  });

  it('hold natives of that processor only', async () => {
    const natives = files.filter((file) => /\.(node|so(\.[\d.]+)?|dylib|dll)$/.test(file));
    expect(natives).toHaveLength(4); // onnxruntime, its binding, libvips, sharp's binding
    for (const native of natives) expect(await elfMachine(native), native).toBe(elfMachines[architecture]);
  });

  it('fit a Lambda with room to spare', async () => {
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`engine assets for ${architecture}: ${(total / 1e6).toFixed(1)} MB unzipped, ${files.length} files`);
    expect(total).toBeLessThan(lambdaLimitBytes * 0.5);
  });

  it('are made once: a second call leaves them as they are', async () => {
    const before = await stat(path.join(directory, '.ready'));
    expect(await prepareEngineAssets(architecture)).toBe(directory);
    expect((await stat(path.join(directory, '.ready'))).mtimeMs).toBe(before.mtimeMs);
  });

  it('carry the licences of what they redistribute', () => {
    const names = files.map((file) => path.relative(directory, file));
    expect(names).toEqual(
      expect.arrayContaining(['node_modules/sharp/LICENSE', 'node_modules/libheif-js/LICENSE', 'NOTICE', 'MODELS.md']),
    );
  });
});

describe('A bundled function beside its assets', () => {
  const host = architectures.find((architecture) => architecture === process.arch);

  it.runIf(host && process.platform === 'linux')('sees, out of reach of the project', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-function-'));
    await cp(await prepareEngineAssets(host ?? 'x64'), directory, { recursive: true });
    await writeFile(path.join(directory, 'selfie.jpg'), await portrait());
    await writeFile(path.join(directory, 'selfie.heic'), await fixture('portrait.heic'));
    await writeFile(path.join(directory, 'video.webm'), await fixture('portrait-407193.webm'));
    await build({
      stdin: {
        contents: `
          import { readFile } from 'node:fs/promises';
          import { openEngine } from './engine/engine.ts';
          const here = (name) => new URL(name, import.meta.url).pathname;
          const engine = await openEngine({ modelsDirectory: here('./models/') });
          for (const name of ['selfie.jpg', 'selfie.heic']) {
            console.log((await engine.analyseSelfie(await readFile(here(name)), {})).finding.outcome);
          }
          const [video, card] = [await readFile(here('video.webm')), await readFile(here('selfie.jpg'))];
          console.log((await engine.analysePhotos(card, card, {})).finding.outcome);
          console.log((await engine.analyseVideo(video, card, '407193', {})).finding.outcome);`,
        resolveDir: root,
      },
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      external: ['onnxruntime-node', 'sharp', 'libheif-js', '@ffmpeg/core'],
      outfile: path.join(directory, 'index.mjs'),
      logLevel: 'error',
    });
    expect((await readFile(path.join(directory, 'index.mjs'))).length).toBeLessThan(150_000);
    const { stdout } = await promisify(execFile)(process.execPath, ['index.mjs'], { cwd: directory, env: {} });
    expect(stdout.trim().split('\n')).toEqual(['passed', 'passed', 'passed', 'passed']);
    await rm(directory, { recursive: true });
  });
});

describe('Engine assets made by several at once', () => {
  const make = async (directory: string, key: string) => {
    await mkdir(path.join(directory, 'models'), { recursive: true });
    await writeFile(path.join(directory, 'models', 'weights'), key);
    await writeFile(path.join(directory, '.ready'), key);
    return directory;
  };
  const read = (directory: string) => readFile(path.join(directory, 'models', 'weights'), 'utf8');

  it.each([undefined, 'old'])('are in place once, whole, and fail for nobody: before them %s', async (before) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'bonafide-place-'));
    const directory = path.join(folder, 'x64');
    if (before) await make(directory, before);
    const made = await Promise.all([...'abcdefgh'].map((one) => make(path.join(folder, one), 'new')));
    await Promise.all(made.map((each) => putInPlace(each, directory)));
    expect(await read(directory)).toBe('new');
    expect((await readdir(folder)).filter((name) => name.endsWith('.old'))).toEqual([]);
  });

  it('are left alone where they are made from the same: somebody may be reading them', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'bonafide-place-'));
    const directory = await make(path.join(folder, 'x64'), 'same');
    const before = await stat(directory);
    await putInPlace(await make(path.join(folder, 'a'), 'same'), directory);
    expect((await stat(directory)).ino).toBe(before.ino);
  });
});
