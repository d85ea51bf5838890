import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { build } from 'esbuild';
import type * as EngineModule from '../engine/engine.ts';
import { allocator } from '../functions/analyse-capture/environment.ts';
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

/** Runs this program anew with the function's allocator, which a process chooses once, when it begins. */
export function restartAsDeployed(): void {
  if (Object.entries(allocator).every(([name, value]) => process.env[name] === value)) return;
  const env = { ...process.env, ...allocator };
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env,
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
