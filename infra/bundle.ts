import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type BuildOptions, buildSync, type Metafile, type OutputFile } from 'esbuild';
import { buildPages } from '../web/build.ts';

/** Where the project lies: bundles must not depend on the directory a command was started in. */
export const projectRoot: string = join(import.meta.dirname, '..');

/** A processor Lambda runs on, as npm and Node name it. */
export type ProcessorName = 'arm64' | 'x64';

/** The one function that carries models and native code. */
export const engineFunction = 'analyse-capture';

/** The one function that carries the pages. */
export const pagesFunction = 'serve-pages';

/** Where they lie beside its bundle. */
export const pagesDirectory = 'pages';

/** Native or wasm packages, and packages that only it needs: they lie beside the bundle as they were published. */
const engineExternals = ['onnxruntime-node', 'sharp', 'libheif-js'];

/**
 * Ways to credentials that a function never takes: Lambda gives them in the environment, which the SDK looks at first,
 * and it imports each of these only when it gets to it. Left out they are a fifth of an API function's code.
 */
const unusedCredentialChains = [
  '@aws-sdk/credential-provider-http',
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-login',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-web-identity',
  '@smithy/credential-provider-imds',
];

export interface BundleSettings {
  /** Lays `index.mjs.map` beside the bundle, and names it in it. Local runs have it; docs/decisions/014 says why no other. */
  readonly sourceMaps?: boolean;
}

/** How every function is bundled: everything inside, the SDK too, so what was tested is what runs. */
export function bundleOptions(
  name: string,
  outputDirectory: string,
  { sourceMaps = false }: BundleSettings = {},
): BuildOptions & { metafile: true } {
  return {
    absWorkingDir: projectRoot,
    entryPoints: [`functions/${name}/handler.ts`],
    outfile: join(outputDirectory, 'index.mjs'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'], // the SDK's ES modules are what can be shaken
    external: [...unusedCredentialChains, ...(name === engineFunction ? engineExternals : [])],
    // CommonJS packages inside an ES module still call require for Node's own modules.
    banner: { js: "import{createRequire as $cr}from'node:module';const require=$cr(import.meta.url);" },
    legalComments: 'none',
    sourcemap: sourceMaps ? 'linked' : false,
    sourcesContent: false, // the sources lie beside it
    metafile: true,
    logLevel: 'error',
  };
}

/** Writes `functions/<name>/handler.ts` as one file, `index.mjs`, and says what went into it. */
export function bundleFunction(name: string, outputDirectory: string, settings: BundleSettings = {}): Metafile {
  const { metafile } = buildSync(bundleOptions(name, outputDirectory, settings));
  return metafile;
}

/** Each function's bundle, by name and not yet written, and what went into them. */
export interface Bundles {
  readonly files: ReadonlyMap<string, readonly OutputFile[]>;
  readonly metafile: Metafile;
}
const bundled = new Map<string, Bundles>();

/**
 * Bundles all functions in one go, which reads what they share once: less than half the time of one after the other. Each is
 * byte for byte what `bundleFunction` writes into a directory of its own in this one.
 */
export function bundleFunctions(directory: string, { sourceMaps = false }: BundleSettings = {}): Bundles {
  const key = sourceMaps ? directory : ''; // only a map tells where it lies
  const before = bundled.get(key);
  if (before) return before;
  const names = readdirSync(join(projectRoot, 'functions'));
  const { outfile: _, ...options } = bundleOptions(engineFunction, directory, { sourceMaps });
  const { metafile, outputFiles } = buildSync({
    ...options,
    entryPoints: names.map((name) => ({ in: `functions/${name}/handler.ts`, out: `${name}/index` })),
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    write: false,
  });
  const filesOf = (name: string) => outputFiles.filter(({ path }) => dirname(path) === resolve(directory, name));
  const bundles = { files: new Map(names.map((name) => [name, filesOf(name)])), metafile };
  bundled.set(key, bundles);
  return bundles;
}

/** Writes one function's bundle during a synthesis, whose first one makes all of them. */
export function layBundle(name: string, outputDirectory: string, settings: BundleSettings = {}): void {
  const files = bundleFunctions(dirname(outputDirectory), settings).files.get(name);
  if (!files) throw new Error(`There is no functions/${name}/handler.ts`);
  for (const { path, contents } of files) writeFileSync(join(outputDirectory, basename(path)), contents);
}

export interface EngineParts {
  readonly processor: ProcessorName;
  /** Without the picture that goes through the engine while a container starts. */
  readonly coldEngine?: boolean | undefined;
  /** A directory with a model pack of the deployment's own. @default the shipped one */
  readonly modelPack?: string | undefined;
  /** Where the prepared parts lie. @default the project */
  readonly root?: string;
}

/** And pages, compressed in a hurry or as far as it goes. */
export interface PagesParts extends EngineParts {
  readonly quickPages?: boolean | undefined;
}

/** Bundles the engine's function, with all that lies beside it. */
export function bundleEngine(outputDirectory: string, parts: EngineParts): void {
  layEngine(outputDirectory, parts);
  bundleFunction(engineFunction, outputDirectory);
}

/** Lays models and native packages of one processor beside the engine's bundle. */
export function layEngine(
  outputDirectory: string,
  { processor, modelPack, root = projectRoot, coldEngine = false }: EngineParts,
): void {
  const prepared = preparedFor(processor, root);
  const left = ['.ready', ...(coldEngine ? ['warm-up.jpg'] : [])];
  cpSync(prepared, outputDirectory, { recursive: true, filter: (path) => !left.includes(basename(path)) });
  if (modelPack !== undefined) replaceModels(join(outputDirectory, 'models'), resolve(root, modelPack));
}

/** Builds the pages beside a bundle; their guidance runs the engine's own models. */
export function layPages(
  outputDirectory: string,
  { processor, modelPack, root = projectRoot, quickPages }: PagesParts,
): void {
  const shipped = join(preparedFor(processor, root), 'models');
  const models = modelPack === undefined ? shipped : resolve(root, modelPack);
  buildPages(join(outputDirectory, pagesDirectory), { models, quick: quickPages });
}

/** What `npm run engine-assets` made for a processor. */
function preparedFor(processor: ProcessorName, root: string): string {
  const prepared = join(root, 'build', 'engine', processor);
  if (existsSync(join(prepared, '.ready'))) return prepared;
  throw new Error(
    `The engine's models and native packages for ${processor} are not prepared. Run: npm run engine-assets -- --arch ${processor}`,
  );
}

/** What a container would refuse when it starts is refused here: files that are missing, or not what the manifest says. */
function replaceModels(models: string, pack: string): void {
  const manifest = join(pack, 'manifest.json');
  if (!existsSync(manifest))
    throw new Error(`Context models names ${pack}, where there is no manifest.json: see MODELS.md`);
  const weights = weightsIn(JSON.parse(readFileSync(manifest, 'utf8')));
  if (weights.length === 0) throw new Error(`${manifest} names no file with its sha256: see MODELS.md`);
  rmSync(models, { recursive: true, force: true });
  mkdirSync(models);
  for (const { file, sha256 } of weights) {
    const from = join(pack, file);
    if (basename(file) !== file || !existsSync(from))
      throw new Error(`${manifest} names ${file}, which is not beside it`);
    const bytes = readFileSync(from);
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found !== sha256) throw new Error(`${from} has sha256 ${found}, its manifest says ${sha256}`);
    writeFileSync(join(models, file), bytes);
  }
  cpSync(manifest, join(models, 'manifest.json'));
  listModels(join(models, '..', 'sbom.cdx.json'), weights);
}

/** What of `sbom.cdx.json`, which `tools/release/sbom.ts` writes, is changed here. */
interface Sbom {
  components: { type: string; name: string; 'bom-ref'?: string }[];
  dependencies: { ref: string }[];
}
const model = 'machine-learning-model';

/** Puts these models into the function's list of parts, in place of the shipped ones. */
function listModels(sbomFile: string, weights: readonly { file: string; sha256: string }[]): void {
  const sbom: Sbom = JSON.parse(readFileSync(sbomFile, 'utf8'));
  const shipped = new Set(sbom.components.filter(({ type }) => type === model).map((each) => each['bom-ref']));
  const listed = weights.map(({ file, sha256 }) => ({
    type: model,
    name: file,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
  }));
  sbom.components = [...listed, ...sbom.components.filter(({ type }) => type !== model)];
  sbom.dependencies = sbom.dependencies.filter(({ ref }) => !shipped.has(ref));
  writeFileSync(sbomFile, `${JSON.stringify(sbom, null, 2)}\n`);
}

/** The files of a manifest, wherever in it they are named; its shape is the engine's business. */
function weightsIn(part: unknown): { file: string; sha256: string }[] {
  if (typeof part !== 'object' || part === null) return [];
  const { file, sha256 } = part as Record<string, unknown>;
  if (typeof file === 'string' && typeof sha256 === 'string') return [{ file, sha256 }];
  return Object.values(part).flatMap(weightsIn);
}
