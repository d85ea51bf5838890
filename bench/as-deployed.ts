import path from 'node:path';
import { build } from 'esbuild';
import type * as EngineModule from '../engine/engine.ts';
import { workerSources } from '../tools/release/engine-assets.ts';

/** Bundled, workers and all: from source, each of a decoder's three workers would load what strips types, 45 MB for all of them. */
export async function engineAsDeployed(): Promise<typeof EngineModule> {
  const root = path.join(import.meta.dirname, '..');
  const outdir = path.join(root, 'build', 'bench');
  await build({
    absWorkingDir: root,
    entryPoints: ['engine/engine.ts', ...workerSources],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node24',
  });
  return import(path.join(outdir, 'engine.mjs'));
}
