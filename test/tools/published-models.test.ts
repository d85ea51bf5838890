import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { create } from 'tar';
import { describe, expect, it } from 'vitest';
import {
  fetchPublishedModels,
  type PackPackage,
  publishedModels,
  readPublishedModel,
} from '../../tools/release/published-models.ts';

const temporaryDirectory = () => mkdtemp(path.join(tmpdir(), 'bonafide-published-'));
const files = publishedModels.map(({ file }) => file);
const changed = 'fr_landmark.onnx';

/** Packs the tarball of the registry, in which each file is what `change` makes of it. */
const registry =
  (change: (file: string, bytes: Buffer) => Buffer | undefined = (_, bytes) => bytes): PackPackage =>
  async (specifier, directory) => {
    expect(specifier).toBe('faceplugin-face-recognition-js@0.0.1');
    await mkdir(path.join(directory, 'package/model'), { recursive: true });
    for (const model of publishedModels) {
      const bytes = change(model.file, await readPublishedModel(model));
      if (bytes) await writeFile(path.join(directory, 'package', model.published.file), bytes);
    }
    await create({ gzip: { level: 1 }, file: path.join(directory, 'package.tgz'), cwd: directory }, ['package']);
  };
const unreachable: PackPackage = () => Promise.reject(new Error('npm error code ENOTFOUND'));

const withOneBitChanged = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
  return copy;
};

describe('The face models', () => {
  it('come out of the tarball of their package, each with the hash of the manifest', async () => {
    const directory = await temporaryDirectory();
    expect(await fetchPublishedModels(publishedModels, directory, registry())).toEqual(files);
    expect((await readdir(directory)).toSorted()).toEqual(files.toSorted());
    for (const model of publishedModels) {
      expect(await readPublishedModel(model, directory)).toEqual(await readPublishedModel(model));
    }
  });

  it('are not fetched again, so a second installation needs no registry', async () => {
    const directory = await temporaryDirectory();
    await fetchPublishedModels(publishedModels, directory, registry());
    expect(await fetchPublishedModels(publishedModels, directory, unreachable)).toEqual([]);
  });

  it('are refused where one bit of the tarball is another: that one and no other is missing then', async () => {
    const directory = await temporaryDirectory();
    const tampered = registry((file, bytes) => (file === changed ? withOneBitChanged(bytes) : bytes));
    await expect(fetchPublishedModels(publishedModels, directory, tampered)).rejects.toThrow(
      /model\/fr_landmark\.onnx of faceplugin-face-recognition-js@0\.0\.1 has sha256 [0-9a-f]{64}, engine\/models\.json says f10b0ba1/,
    );
    expect(await readdir(directory)).not.toContain(changed);
    expect((await readdir(directory)).filter((name) => !files.includes(name))).toEqual([]);
  });

  it('are refused where the tarball lacks one', async () => {
    const lacking = registry((file, bytes) => (file === changed ? undefined : bytes));
    await expect(fetchPublishedModels(publishedModels, await temporaryDirectory(), lacking)).rejects.toThrow(
      'holds no model/fr_landmark.onnx',
    );
  });

  it('are refused where one bit has changed in place, and a second fetch mends that', async () => {
    const directory = await temporaryDirectory();
    await fetchPublishedModels(publishedModels, directory, registry());
    const [model] = publishedModels.filter(({ file }) => file === changed);
    if (!model) throw new Error(`${changed} is no model`);
    const file = path.join(directory, changed);
    await writeFile(file, withOneBitChanged(await readFile(file)));
    await expect(readPublishedModel(model, directory)).rejects.toThrow('Run: npm run models');
    expect(await fetchPublishedModels(publishedModels, directory, registry())).toEqual([changed]);
    expect(await readPublishedModel(model, directory)).toEqual(await readPublishedModel(model));
  });

  it('name the command that fetches them where they are missing, and where the registry is out of reach', async () => {
    const directory = await temporaryDirectory();
    const [model] = publishedModels;
    if (!model) throw new Error('The manifest names no published model');
    await expect(readPublishedModel(model, directory)).rejects.toThrow('Run: npm run models');
    await expect(fetchPublishedModels(publishedModels, directory, unreachable)).rejects.toThrow(
      /could not fetch faceplugin-face-recognition-js@0\.0\.1.*run: npm run models\n.*ENOTFOUND/s,
    );
  });
});

describe('A Node that cannot run TypeScript, as npm ci --ignore-scripts leaves it', () => {
  it.each(['local/start.ts', 'tools/release/engine-assets.ts'])('is told which command helps: %s', async (script) => {
    const old = ['--no-experimental-strip-types', '--import', './tools/release/require-typescript.mjs'];
    const run = promisify(execFile)(process.execPath, [...old, script]);
    await expect(run).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('npm rebuild --ignore-scripts=false node && npm run models'),
    });
  });
});
