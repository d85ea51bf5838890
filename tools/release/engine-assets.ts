/**
 * `npm run engine-assets -- --arch x64|arm64`: everything the engine's function carries beside its bundle, for one
 * architecture of Linux, in `build/engine/<arch>/`:
 *
 *     node_modules/     onnxruntime-node and sharp with that architecture's natives, sharp, libheif, FFmpeg and dav1d as wasm, mediabunny, and nothing else of them
 *     models/           the model pack
 *     warm-up.jpg       the picture that goes through the engine while a container starts
 *     *-worker.mjs      the workers that read containers and decode captures, which a bundle cannot hold
 *     LICENSE, NOTICE, MODELS.md, licences/   whose work all that is, and on which terms
 *     SOURCE-OFFER.md   the written offer of the source of its GPL, LGPL and MPL works, naming the builds
 *     sbom.cdx.json     every package and model of the function (CycloneDX)
 *     .ready            written last; holds what the directory was made from
 *
 * `npm ci` brings the natives of this machine only. Those of another one come through npm, into a directory of their
 * own, with the versions and integrity hashes of the committed lockfile.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { type Manifest, manifest, type WeightsFile, weightsOf } from '../../engine/manifest.ts';
import { commandLine, misused } from '../command-line.ts';
import { portrait, portraitFile } from '../samples.ts';
import { copyleftPackages } from './copyleft.ts';
import { fasterWeights } from './faster-weights.ts';
import { type Lockfile, lockedPackageAt, readLockfile, root, topLevel } from './lockfile.ts';
import { readPublishedModel } from './published-models.ts';
import { sbomOf } from './sbom.ts';
import { sourceOffer } from './source-offer.ts';

export const architectures = ['x64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

const inRoot = (...parts: string[]) => path.join(root, ...parts);
const manifestFile = inRoot('engine/models.json');
const licences = inRoot('engine/licences');
/** A person's, with nothing personal about it: Eileen Collins, NASA, public domain. */
const warmUpPicture = 'warm-up.jpg';
/** Texts that travel as they are. */
const texts = ['LICENSE', 'NOTICE', 'MODELS.md'].map((text) => inRoot(text));
/** Beside the bundle, as .mjs. */
export const workerSources = ['container', 'heic', 'photo', 'video'].map((name) =>
  inRoot('engine', `${name}-worker.ts`),
);
/** Weights of others come out of their package, and are rewritten for speed; our own are in the repository. */
const ownWeights: Readonly<Record<string, string>> = { 'digits.onnx': inRoot('engine/training/digits/digits.onnx') };

export const engineAssetsDirectory = (architecture: Architecture) => inRoot('build/engine', architecture);

/** Which files of a package travel: natives of one architecture, the JavaScript that is loaded, the licences. */
function packagesFor(architecture: Architecture): Readonly<Record<string, readonly string[]>> {
  return {
    'onnxruntime-node': ['package.json', 'dist', `bin/napi-v6/linux/${architecture}`],
    'onnxruntime-common': ['package.json', 'dist/cjs'],
    sharp: ['package.json', 'LICENSE', 'dist'],
    '@img/colour': ['package.json', 'LICENSE.md', 'index.cjs', 'color.cjs'],
    'detect-libc': ['package.json', 'LICENSE', 'lib'],
    semver: ['.'],
    '@img/sharp-wasm32': ['package.json', 'LICENSE', 'versions.json', 'index.cjs', 'lib'],
    '@emnapi/runtime': ['package.json', 'LICENSE', 'dist/emnapi.cjs.min.js'],
    '@ffmpeg/core': ['package.json', 'dist/umd'],
    ogv: [
      ...['package.json', 'COPYING', 'dist/COPYING-dav1d.txt'],
      ...['js', 'wasm'].map((kind) => `dist/ogv-decoder-video-av1-simd-wasm.${kind}`),
    ],
    mediabunny: ['package.json', 'LICENSE', 'dist/bundles/mediabunny.min.cjs'],
    'libheif-js': ['package.json', 'LICENSE', 'libheif-wasm/libheif.js', 'libheif-wasm/libheif.wasm'],
  };
}

const nativesFor = (architecture: Architecture) => [
  `@img/sharp-linux-${architecture}`,
  `@img/sharp-libvips-linux-${architecture}`,
];

/** The models of the engine as a pack: `manifest.json`, which it answers, and the weights that names. */
export async function prepareModels(directory: string): Promise<Manifest> {
  const text = await readFile(manifestFile, 'utf8');
  await mkdir(directory, { recursive: true });
  const pack = manifest.parse(JSON.parse(text));
  for (const weights of weightsOf(pack)) {
    await writeFile(path.join(directory, weights.file), await weightsAsRun(weights));
  }
  await writeFile(path.join(directory, 'manifest.json'), text);
  return pack;
}

async function weightsAsRun(weights: WeightsFile): Promise<Uint8Array> {
  const own = ownWeights[weights.file];
  const bytes = own ? await readFile(own) : fasterWeights(await readPublishedModel(weights));
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === weights.sha256) return bytes;
  throw new Error(`${weights.file} has sha256 ${found}, engine/models.json says ${weights.sha256}`);
}

/** Makes `build/engine/<arch>/`, or leaves it as it is when nothing it was made from has changed. Answers its path. */
export async function prepareEngineAssets(architecture: Architecture): Promise<string> {
  const directory = engineAssetsDirectory(architecture);
  const key = await inputsKey();
  if ((await readyKey(directory)) === key) return directory;

  // Made aside and moved into place, so that no bundle ever holds half of it.
  await mkdir(path.dirname(directory), { recursive: true });
  const making = await mkdtemp(`${directory}.making-`);
  try {
    for (const [name, parts] of Object.entries(packagesFor(architecture))) {
      for (const part of parts) await copyPackage(inRoot('node_modules'), making, path.join(name, part));
    }
    const lockfile = await readLockfile();
    await copyNatives(architecture, making, lockfile);
    const models = await prepareModels(path.join(making, 'models'));
    await writeTerms(architecture, making, lockfile, models);
    await writeFile(path.join(making, warmUpPicture), await portrait(960));
    await build({
      entryPoints: workerSources,
      outdir: making,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
    });
    await writeFile(path.join(making, '.ready'), key);
    await putInPlace(making, directory);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return directory;
}

/** Licence texts, the offer of sources and the list of parts; refuses a copyleft package that the offer leaves out. */
async function writeTerms(
  architecture: Architecture,
  directory: string,
  lockfile: Lockfile,
  models: Manifest,
): Promise<void> {
  for (const text of texts) await cp(text, path.join(directory, path.basename(text)));
  await cp(licences, path.join(directory, 'licences'), { recursive: true });
  const beside = [...Object.keys(packagesFor(architecture)), ...nativesFor(architecture)];
  const copyleft = await copyleftPackages(directory, architecture);
  const unoffered = beside
    .map((name) => lockedPackageAt(lockfile, topLevel(name)))
    .find(({ name, licence }) => /GPL|MPL/.test(licence ?? '') && !copyleft.some((part) => part.name === name));
  if (unoffered) {
    throw new Error(`${unoffered.name} is under ${unoffered.licence}: add its sources to tools/release/copyleft.ts`);
  }
  const modules = path.join(directory, 'node_modules');
  await writeFile(path.join(directory, 'SOURCE-OFFER.md'), await sourceOffer(copyleft, lockfile, modules));
  await writeFile(path.join(directory, 'sbom.cdx.json'), sbomOf({ lockfile, beside, copyleft, models }));
}

/**
 * Moves what was made to where it is looked for. Others may do the same at the same time (two `npm start`): one that is
 * in place and made from the same is left alone, as another process may be reading it; an older one goes.
 */
export async function putInPlace(from: string, directory: string): Promise<void> {
  const key = await readyKey(from);
  const old = `${from}.old`;
  while ((await readyKey(directory)) !== key) {
    await renamed(directory, old, 'ENOENT');
    const placed = await renamed(from, directory, 'ENOTEMPTY', 'EEXIST'); // else another process was quicker: look at theirs
    await rm(old, { recursive: true, force: true });
    if (placed) return;
  }
}

/** Whether it was; not for these reasons. */
async function renamed(from: string, to: string, ...unless: readonly string[]): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (unless.includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

const readyKey = (directory: string) => readFile(path.join(directory, '.ready'), 'utf8').catch(() => undefined);

/** What the assets are made from: locked packages, the manifest, the engine, the texts, and the rules of this folder. */
async function inputsKey(): Promise<string> {
  const hash = createHash('sha256');
  const rules = ['copyleft', 'engine-assets', 'faster-weights', 'lockfile', 'sbom', 'source-offer'].map((name) =>
    path.join(import.meta.dirname, `${name}.ts`),
  );
  const licenceTexts = (await readdir(licences)).toSorted().map((text) => path.join(licences, text));
  // All of it: workers import the rest.
  const engine = (await readdir(inRoot('engine'))).filter((file) => file.endsWith('.ts')).toSorted();
  const modules = engine.map((file) => inRoot('engine', file));
  const sources = [inRoot('package-lock.json'), manifestFile, portraitFile, ...modules, ...Object.values(ownWeights)];
  for (const file of [...sources, ...texts, ...licenceTexts, ...rules]) hash.update(await readFile(file));
  return hash.digest('hex');
}

/** Types and source maps stay behind. */
async function copyPackage(modules: string, target: string, part: string): Promise<void> {
  await cp(path.join(modules, part), path.join(target, 'node_modules', part), {
    recursive: true,
    filter: (source) => !/\.(d\.[cm]?ts|map)$/.test(source),
  });
}

async function copyNatives(architecture: Architecture, target: string, lockfile: Lockfile): Promise<void> {
  const natives = nativesFor(architecture);
  const installed = await readFile(inRoot('node_modules', natives[0] ?? '', 'package.json')).catch(() => undefined);
  if (installed) {
    for (const name of natives) await copyPackage(inRoot('node_modules'), target, name);
    return;
  }
  const fetched = await fetchNatives(architecture, natives, lockfile);
  try {
    for (const name of natives) await copyPackage(path.join(fetched, 'node_modules'), target, name);
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
}

/**
 * `npm ci` of just these packages, as if on the other machine, by the entries of the project's own lockfile.
 * They are optional dependencies as they are sharp's: npm heeds `--cpu` for no other kind, and skips in silence what it
 * cannot get, so what came is checked by the step that copies it.
 */
async function fetchNatives(architecture: Architecture, names: readonly string[], lockfile: Lockfile): Promise<string> {
  const { packages, lockfileVersion } = lockfile;
  const optionalDependencies: Record<string, string> = {};
  const locked: Record<string, unknown> = {};
  for (const name of names) {
    optionalDependencies[name] = lockedPackageAt(lockfile, topLevel(name)).version;
    locked[topLevel(name)] = packages[topLevel(name)];
  }
  const project = { name: 'engine-natives', version: '0.0.0', private: true, optionalDependencies };
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-natives-'));
  await writeFile(path.join(directory, 'package.json'), JSON.stringify(project));
  await writeFile(
    path.join(directory, 'package-lock.json'),
    JSON.stringify({ ...project, lockfileVersion, requires: true, packages: { '': project, ...locked } }),
  );
  const target = ['--os=linux', `--cpu=${architecture}`, '--libc=glibc'];
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await promisify(execFile)('npm', ['ci', ...target, ...quiet], { cwd: directory }).catch(async (cause: unknown) => {
    await rm(directory, { recursive: true, force: true });
    throw new Error(`npm could not fetch ${names.join(' and ')}: is the registry reachable?`, { cause });
  });
  return directory;
}

if (import.meta.main) {
  const usage = `npm run engine-assets -- [--arch x64|arm64]

Puts what the engine's function carries beside its bundle into build/engine/<arch>/, for this machine's architecture by
default; what is there already is left as it is.`;
  const { values } = commandLine(usage, { options: { arch: { type: 'string', default: process.arch } } });
  const architecture =
    architectures.find((known) => known === values.arch) ??
    misused(usage, `--arch is x64 or arm64, not ${values.arch}.`);
  const directory = await prepareEngineAssets(architecture).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  });
  console.log(`Engine assets for ${architecture}: ${path.relative(process.cwd(), directory)}`);
}
