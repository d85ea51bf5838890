import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { bundleFunction } from '../../infra/bundle.ts';
import { copyleftPackages } from '../../tools/release/copyleft.ts';
import {
  type Architecture,
  architectures,
  prepareEngineAssets,
  putInPlace,
} from '../../tools/release/engine-assets.ts';
import { readLockfile } from '../../tools/release/lockfile.ts';
import { sourceOffer } from '../../tools/release/source-offer.ts';
import { portrait } from '../../tools/samples.ts';
import { engineEnvironment } from '../builders/deployment.ts';
import { fixture } from './captures.ts';
import { idCard, selfieOfPair } from './people.ts';

const elfMachines: Readonly<Record<Architecture, number>> = { x64: 62, arm64: 183 };
/** Lambda's limit on a function unzipped, layers included. */
const lambdaLimitBytes = 250 * 1024 * 1024;
const packageJson = z.object({ name: z.string(), version: z.string(), license: z.string() });
const sbom = z.object({
  components: z.array(
    z.object({
      group: z.string().optional(),
      name: z.string(),
      version: z.string(),
      hashes: z.array(z.object({ content: z.string() })).optional(),
    }),
  ),
});

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

  const textOf = (file: string) => readFile(path.join(directory, file), 'utf8');
  const packagesIn = async () => {
    const manifests = files.filter((file) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file));
    return z
      .array(packageJson)
      .parse(await Promise.all(manifests.map(async (file) => JSON.parse(await readFile(file, 'utf8')))));
  };

  it.each([
    ['LICENSE', 'Apache License'],
    ['NOTICE', 'FFmpeg'],
    ['MODELS.md', '# Models'],
    ['SOURCE-OFFER.md', 'for at least three\nyears'],
    ['licences/GPL-2.0.txt', 'GNU GENERAL PUBLIC LICENSE\n                       Version 2, June 1991'],
    ['licences/GPL-3.0.txt', 'GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007'],
    ['licences/LGPL-2.1.txt', 'GNU LESSER GENERAL PUBLIC LICENSE\n                       Version 2.1, February 1999'],
    ['licences/LGPL-3.0.txt', 'GNU LESSER GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007'],
    ['licences/MPL-1.1.txt', 'MOZILLA PUBLIC LICENSE\n                                Version 1.1'],
    ['licences/MIT-onnxruntime.txt', 'Copyright (c) Microsoft Corporation'],
    ['licences/MIT-faceplugin.txt', 'Copyright (c) 2021 gitguanqi'],
    ['node_modules/sharp/LICENSE', 'Apache License'],
    ['licences/MPL-2.0.txt', 'Mozilla Public License Version 2.0'],
    ['node_modules/ogv/dist/COPYING-dav1d.txt', 'VideoLAN and dav1d authors'],
    ['node_modules/@img/sharp-wasm32/LICENSE', 'Apache License'],
    ['node_modules/@emnapi/runtime/LICENSE', 'MIT License'],
    ['node_modules/libheif-js/LICENSE', 'GNU LESSER GENERAL PUBLIC LICENSE'],
  ])('carry %s', async (file, words) => {
    expect(await textOf(file)).toContain(words);
  });

  it('offer the source of every package under a copyleft licence, naming the very build that lies there', async () => {
    const offer = await textOf('SOURCE-OFFER.md');
    const copyleft = (await packagesIn()).filter(({ license }) => /GPL|MPL/.test(license));
    expect(copyleft.map(({ name }) => name).toSorted()).toEqual([
      '@ffmpeg/core',
      `@img/sharp-libvips-linux-${architecture}`,
      '@img/sharp-wasm32',
      'libheif-js',
      'mediabunny',
    ]);
    for (const { name, version } of copyleft) expect(offer).toContain(`## ${name} ${version}\n`);
    const builds = files.filter((file) =>
      /(libheif|ffmpeg-core|mediabunny\.min|sharp-wasm32-[\d.]+\.node)\.(c?js|wasm)$|libvips-cpp\.so/.test(file),
    );
    expect(builds).toHaveLength(8);
    for (const build of builds) {
      expect(offer).toContain(
        createHash('sha256')
          .update(await readFile(build))
          .digest('hex'),
      );
    }
    for (const text of offer.match(/licences\/[^`]+/g) ?? []) expect(files).toContain(path.join(directory, text));
  });

  it('cannot be made with an offer for another version than the locked one', async () => {
    const [first, ...others] = await copyleftPackages(directory, architecture);
    if (!first) throw new Error('No copyleft package');
    const outdated = [{ ...first, version: '0.12.9' }, ...others];
    const modules = path.join(directory, 'node_modules');
    await expect(sourceOffer(outdated, await readLockfile(), modules)).rejects.toThrow(
      'The source offer is for @ffmpeg/core 0.12.9, package-lock.json has 0.12.10',
    );
  });

  it('list every package in them, and every model by its hash, in a valid SBOM', async () => {
    const text = await textOf('sbom.cdx.json');
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull();
    const { components } = sbom.parse(JSON.parse(text));
    const listed = new Set(
      components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`),
    );
    const packages = await packagesIn();
    expect(packages).toHaveLength(14);
    for (const { name, version } of packages) expect(listed).toContain(`${name}@${version}`);
    const hashes = new Map(components.map(({ name, hashes }) => [name, hashes?.[0]?.content]));
    const models = files.filter((file) => file.endsWith('.onnx'));
    expect(models).toHaveLength(5);
    for (const model of models) {
      expect(hashes.get(path.basename(model))).toBe(
        createHash('sha256')
          .update(await readFile(model))
          .digest('hex'),
      );
    }
  });

  it('list every package that is bundled into the function and its workers', async () => {
    const { components } = sbom.parse(JSON.parse(await textOf('sbom.cdx.json')));
    const listed = components.map(({ group, name }) => `${group ? `${group}/` : ''}${name}`);
    const output = await mkdtemp(path.join(tmpdir(), 'bonafide-bundle-'));
    const workers = ['container', 'heic', 'photo', 'video'].map((name) => `engine/${name}-worker.ts`);
    const { metafile } = await build({
      entryPoints: workers,
      bundle: true,
      platform: 'node',
      format: 'esm',
      write: false,
      outdir: output,
      metafile: true,
    });
    const inputs = [metafile, bundleFunction('analyse-capture', output)].flatMap(({ inputs }) => Object.keys(inputs));
    const bundled = inputs.flatMap((input) => /.*node_modules\/((@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []);
    expect(bundled).toContain('zod');
    expect(bundled).toContain('@aws-sdk/client-s3');
    expect([...new Set(bundled)].filter((name) => !listed.includes(name))).toEqual([]);
    await rm(output, { recursive: true });
  });
});

describe('A bundled function beside its assets', () => {
  const host = architectures.find((architecture) => architecture === process.arch);

  it.runIf(host && process.platform === 'linux')(
    'has every model open when its init ends, and sees out of reach of the project',
    async () => {
      const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-function-'));
      await cp(await prepareEngineAssets(host ?? 'x64'), directory, { recursive: true });
      await writeFile(path.join(directory, 'selfie.jpg'), await portrait());
      await writeFile(path.join(directory, 'pair.jpg'), await selfieOfPair());
      await writeFile(path.join(directory, 'card.jpg'), await idCard());
      await writeFile(path.join(directory, 'card-of-portrait.jpg'), await idCard({ of: 'portrait' }));
      await writeFile(path.join(directory, 'selfie.heic'), await fixture('portrait.heic'));
      await writeFile(path.join(directory, 'video.webm'), await fixture('portrait-407193.webm'));
      bundleFunction('analyse-capture', directory);
      await writeFile(
        path.join(directory, 'program.mjs'),
        `
        import { readFile, rm } from 'node:fs/promises';
        import { engine } from './index.mjs';
        await rm('models', { recursive: true });
        const { analyseSelfie, analysePhotos, analyseVideo } = await engine;
        for (const name of ['selfie.jpg', 'selfie.heic']) {
          console.log((await analyseSelfie(await readFile(name), {})).finding.outcome);
        }
        const [pair, card] = [await readFile('pair.jpg'), await readFile('card.jpg')];
        console.log((await analysePhotos(pair, card, {})).finding.outcome);
        const [video, ofPortrait] = [await readFile('video.webm'), await readFile('card-of-portrait.jpg')];
        console.log((await analyseVideo(video, ofPortrait, '407193', {})).finding.reasons.join());
        process.exit();`,
      );
      expect((await readFile(path.join(directory, 'index.mjs'))).length).toBeLessThan(800_000);
      const { stdout } = await promisify(execFile)(process.execPath, ['program.mjs'], {
        cwd: directory,
        env: engineEnvironment,
      });
      expect(stdout.trim().split('\n')).toEqual(['passed', 'passed', 'passed', 'same_photo_as_id,face_does_not_move']);
      await rm(directory, { recursive: true });
    },
  );
});

describe('Engine assets made by several at once', () => {
  const make = async (directory: string, key: string) => {
    await mkdir(path.join(directory, 'models'), { recursive: true });
    await writeFile(path.join(directory, 'models', 'weights'), key);
    await writeFile(path.join(directory, '.ready'), key);
    return directory;
  };
  const read = (directory: string) => readFile(path.join(directory, 'models', 'weights'), 'utf8');

  it.each([undefined, 'old'])('are in place once, whole, and fail in no process: before them %s', async (before) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'bonafide-place-'));
    const directory = path.join(folder, 'x64');
    if (before) await make(directory, before);
    const copies = await Promise.all([...'abcdefgh'].map((one) => make(path.join(folder, one), 'new')));
    await Promise.all(copies.map((each) => putInPlace(each, directory)));
    expect(await read(directory)).toBe('new');
    expect((await readdir(folder)).filter((name) => name.endsWith('.old'))).toEqual([]);
  });

  it('are left alone where they are made from the same: a process may be reading them', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'bonafide-place-'));
    const directory = await make(path.join(folder, 'x64'), 'same');
    const before = await stat(directory);
    await putInPlace(await make(path.join(folder, 'a'), 'same'), directory);
    expect((await stat(directory)).ino).toBe(before.ino);
  });
});
