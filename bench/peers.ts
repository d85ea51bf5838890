import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const root = path.dirname(import.meta.dirname);
const source = path.join(root, 'bench/peers');
const modules = path.join(root, 'build/peers');
const run = promisify(execFile);

/**
 * The same two photos through `@vladmandic/human` and `@vladmandic/face-api`, each in a process of its own, in the same
 * run as the engine. Both compute on TensorFlow.js' wasm, the engine on native onnxruntime: that is most of the
 * difference, and what their users get without a native build.
 */
export async function benchPeers(selfie: Uint8Array, card: Uint8Array, ours: number): Promise<Record<string, unknown>> {
  try {
    await install();
  } catch {
    return { missing: 'npm could not install the peers into build/peers: is the registry reachable?' };
  }
  const files = [path.join(modules, 'selfie.jpg'), path.join(modules, 'card.jpg')] as const;
  await writeFile(files[0], selfie);
  await writeFile(files[1], card);
  const reports: Record<string, unknown> = {};
  for (const peer of ['human', 'face-api']) {
    const { stdout } = await run(process.execPath, [path.join(source, 'measure.mjs'), peer, modules, ...files]);
    const { times, similarity, backend, peakBytes } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    const median = times.toSorted((a: number, b: number) => a - b)[Math.floor(times.length / 2)];
    reports[peer] = {
      photo_verify_milliseconds: Number(median.toFixed(1)),
      timesOurs: Number((median / ours).toFixed(1)),
      similarity,
      backend,
      peakMegabytes: Math.round(peakBytes / 1e6),
    };
  }
  return reports;
}

/** By the lockfile of `bench/peers`, once. */
async function install(): Promise<void> {
  const lock = await readFile(path.join(source, 'package-lock.json'), 'utf8');
  const installed = await readFile(path.join(modules, 'package-lock.json'), 'utf8').catch(() => undefined);
  if (installed === lock) return;
  await mkdir(modules, { recursive: true });
  await cp(path.join(source, 'package.json'), path.join(modules, 'package.json'));
  await writeFile(path.join(modules, 'package-lock.json'), lock);
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['ci', ...quiet], { cwd: modules });
}
