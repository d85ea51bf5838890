/**
 * The pages, built by esbuild alone and in this process: scripts, styles, what live guidance loads, and the licences of all
 * that is inside, under names that hold a hash of their content. Compressed here, once, so that no request waits for it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { type BuildOptions, buildSync, type Metafile } from 'esbuild';
import type { Built, BuiltFile, Encoding, Entry } from '../shared/pages/built.ts';
import type { GuidanceAssets } from './capture/guidance/assets.ts';

const projectRoot = join(import.meta.dirname, '..');

/** What a build needs, and where it goes. */
export interface PagesBuild {
  /** Directory of a model pack, as the engine's function carries it: `manifest.json` and weights. */
  readonly models: string;
  /** Where what was compressed before is found again, by the hash of its content. @default build/compressed */
  readonly cache?: string;
  /** A tenth of the time, and an eighth more bytes: for pages that cross no network. */
  readonly quick?: boolean | undefined;
}

/** A file that was built, before it is compressed. */
interface Source {
  readonly name: string;
  readonly contents: Uint8Array;
}

const typeOf: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.onnx': 'application/octet-stream',
};
/** Megabytes, which Lambda's answers have no room for as they are: compressed by brotli alone. */
const onlyBrotli = ['.wasm', '.onnx'];

const wasmFile = 'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm';

const scriptOptions = {
  absWorkingDir: projectRoot,
  outdir: 'out',
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: ['chrome109', 'firefox115', 'safari16.4'],
  entryNames: '[name]-[hash]',
  chunkNames: 'part-[hash]',
  legalComments: 'none', // licences.txt has them whole
  charset: 'utf8',
  metafile: true,
  write: false,
  logLevel: 'error',
} satisfies BuildOptions;

/** Writes every file, compressed, and `built.json` into a directory. */
export function buildPages(
  outputDirectory: string,
  { models, cache = join(projectRoot, 'build', 'compressed'), quick = false }: PagesBuild,
): Built {
  const compression = { cache, quality: quick ? quickQuality : constants.BROTLI_MAX_QUALITY };
  const guidance = buildGuidance(models);
  const scripts = buildSync({
    ...scriptOptions,
    splitting: true,
    entryPoints: [
      { in: 'web/capture/page.ts', out: 'capture' },
      { in: 'web/capture/element.ts', out: 'element' },
      { in: 'web/console/page.ts', out: 'console' },
    ],
    define: { BONAFIDE_GUIDANCE: JSON.stringify(guidance.assets) },
  });
  const icon = hashed('icon.svg', readFileSync(join(projectRoot, 'web', 'icon.svg')));
  const inputs = [scripts.metafile, guidance.metafile].flatMap((metafile) => Object.keys(metafile.inputs));
  const licences = hashed('licences.txt', Buffer.from(licencesOf([...inputs, wasmFile], guidance.models)));
  const sources = [...sourcesOf(scripts), ...guidance.sources, icon, licences];
  const files = sources.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  mkdirSync(outputDirectory, { recursive: true });
  const built: Built = {
    capture: entryOf(scripts.metafile, 'web/capture/page.ts'),
    console: entryOf(scripts.metafile, 'web/console/page.ts'),
    element: entryOf(scripts.metafile, 'web/capture/element.ts'),
    icon: icon.name,
    licences: licences.name,
    guidance: guidance.sources.map(({ name }) => name),
    files: Object.fromEntries(files.map((file) => [file.name, writeCompressed(file, outputDirectory, compression)])),
  };
  writeWhole(join(outputDirectory, 'built.json'), `${JSON.stringify(built, null, 2)}\n`);
  return built;
}

/** The worker, its runtime and its models: built first, because scripts hold their names. */
function buildGuidance(models: string) {
  const worker = buildSync({
    ...scriptOptions,
    entryPoints: [{ in: 'web/capture/guidance/worker.ts', out: 'guidance' }],
  });
  const wasm = hashed(basename(wasmFile), readFileSync(join(projectRoot, wasmFile)));
  const { faceDetection, faceLandmarks } = readManifest(models);
  const [detection, landmarks] = [faceDetection, faceLandmarks].map(({ file }) =>
    hashed(file, readFileSync(join(models, file))),
  );
  if (!detection || !landmarks) throw new Error('A pack has a detector and landmarks.');
  const sources = [...sourcesOf(worker), wasm, detection, landmarks];
  const served = ({ name, input, outputs, thresholds }: WeightsInManifest, { name: file }: Source) =>
    ({ name, input, outputs, thresholds, path: pathOf(file) }) as unknown;
  const assets = {
    worker: pathOf(entryOf(worker.metafile, 'web/capture/guidance/worker.ts').script),
    wasm: pathOf(wasm.name),
    faceDetection: served(faceDetection, detection),
    faceLandmarks: served(faceLandmarks, landmarks),
  } satisfies Record<keyof GuidanceAssets, unknown>;
  return { assets, sources, models: [faceDetection, faceLandmarks], metafile: worker.metafile };
}

const pathOf = (name: string) => `/assets/${name}`;

/** Of a pack's manifest, which the engine validates: what guidance needs to know. */
interface WeightsInManifest {
  readonly name: string;
  readonly file: string;
  readonly input: unknown;
  readonly outputs: unknown;
  readonly thresholds?: unknown;
  readonly licence: string;
  readonly provenance: string;
}

function readManifest(models: string): Record<'faceDetection' | 'faceLandmarks', WeightsInManifest> {
  return JSON.parse(readFileSync(join(models, 'manifest.json'), 'utf8'));
}

const sourcesOf = ({ outputFiles }: { outputFiles: readonly { path: string; contents: Uint8Array }[] }): Source[] =>
  outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }));

/** The entry made of a source, and what it imports before it runs. */
function entryOf({ outputs }: Metafile, source: string): Entry {
  const [file] = Object.keys(outputs).filter((each) => outputs[each]?.entryPoint === source);
  if (!file) throw new Error(`${source} is no entry of the build`);
  const imported = new Set<string>();
  const follow = (from: string): void => {
    for (const { path, kind, external } of outputs[from]?.imports ?? []) {
      if (external || kind !== 'import-statement' || imported.has(path)) continue;
      imported.add(path);
      follow(path);
    }
  };
  follow(file);
  const { cssBundle } = outputs[file] ?? {};
  return {
    script: basename(file),
    imports: [...imported].map((each) => basename(each)).sort(),
    ...(cssBundle !== undefined && { style: basename(cssBundle) }),
  };
}

/** Licences of what carries none in its own package: texts of the project. */
const licencesElsewhere: Readonly<Record<string, string>> = {
  'onnxruntime-web': 'engine/licences/MIT-onnxruntime.txt',
};

/** The licence of every package that is inside, whole, and of the models. */
function licencesOf(inputs: readonly string[], models: readonly WeightsInManifest[]): string {
  const packages = new Set(
    inputs.flatMap((input) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.slice(1, 2) ?? []),
  );
  const texts = [...packages].sort().map((name) => {
    const directory = join(projectRoot, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    const own = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license']
      .map((each) => join(directory, each))
      .find(existsSync);
    const elsewhere = licencesElsewhere[name];
    const file = own ?? (elsewhere && join(projectRoot, elsewhere));
    if (!file) throw new Error(`${name}, which pages carry, has no licence in its package: name one in web/build.ts`);
    return `${name} ${version}: ${license}\n\n${readFileSync(file, 'utf8').trim()}\n`;
  });
  const ofModels = models.map(({ name, licence, provenance }) => `${name}: ${licence}\n\n${provenance}\n`);
  const faceplugin = readFileSync(join(projectRoot, 'engine/licences/MIT-faceplugin.txt'), 'utf8');
  return [...texts, ...ofModels, faceplugin].join(`\n${'-'.repeat(80)}\n\n`);
}

const hashOf = (contents: Uint8Array) => createHash('sha256').update(contents).digest('hex');

function hashed(name: string, contents: Uint8Array): Source {
  const extension = extname(name);
  const hash = hashOf(contents).slice(0, 8).toUpperCase();
  return { name: `${basename(name, extension)}-${hash}${extension}`, contents };
}

/** Writes a file in each form that it is sent in. */
function writeCompressed({ name, contents }: Source, directory: string, compression: Compression): BuiltFile {
  const extension = extname(name);
  const type = typeOf[extension];
  if (!type) throw new Error(`web/build.ts names no content type for ${extension}, of ${name}`);
  const hash = hashOf(contents);
  const forms: [Encoding, string, Uint8Array][] = [['br', '.br', brotli(contents, hash, compression)]];
  if (!onlyBrotli.includes(extension)) {
    forms.push(['gzip', '.gz', gzipSync(contents, { level: 9 })], ['identity', '', contents]);
  }
  for (const [, ending, bytes] of forms) writeFileSync(join(directory, `${name}${ending}`), bytes);
  return {
    type,
    hash: hash.slice(0, 16),
    bytes: Object.fromEntries(forms.map(([encoding, , bytes]) => [encoding, bytes.length])),
  };
}

interface Compression {
  readonly cache: string;
  readonly quality: number;
}

/** Of the runtime of the models in 3 s, 2.67 MB; the best in 33 s, 2.30 MB. */
const quickQuality = 9;

/** The best takes half a minute for the runtime of the models, so it is done once per content. */
function brotli(contents: Uint8Array, hash: string, { cache, quality }: Compression): Uint8Array {
  const kept = join(cache, `${hash}-${quality}.br`);
  if (existsSync(kept)) return readFileSync(kept);
  const compressed = brotliCompressSync(contents, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: contents.length,
    },
  });
  mkdirSync(dirname(kept), { recursive: true });
  writeWhole(kept, compressed);
  return compressed;
}

/** Whole or not at all: builds run beside each other, and beside the function that reads them. */
function writeWhole(file: string, contents: string | Uint8Array): void {
  writeFileSync(`${file}.${process.pid}`, contents);
  renameSync(`${file}.${process.pid}`, file);
}
