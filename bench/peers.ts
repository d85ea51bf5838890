import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { median } from '../engine/footage.ts';

const root = path.dirname(import.meta.dirname);
const source = path.join(root, 'bench/peers');
const modules = path.join(root, 'build/peers');
const run = promisify(execFile);

/** Milliseconds of one run each. */
export interface Ours {
  readonly photoVerify: () => Promise<number>;
  /** From the selfie's bytes to its embedding. */
  readonly perPhoto: () => Promise<number>;
}

const ourRuns = 20;

/**
 * The same two photos through `@vladmandic/human` and `@vladmandic/face-api`, each in a process of its own, ours before
 * and after it in this one: what the machine does meanwhile meets both. The peers compute on TensorFlow.js' wasm, the
 * engine on native onnxruntime: that is most of the difference, and what their users get without a native build.
 */
export async function benchPeers(selfie: Uint8Array, card: Uint8Array, ours: Ours): Promise<Record<string, unknown>> {
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
    const [photoVerify, perPhoto]: [number[], number[]] = [[], []];
    const runOurs = async () => {
      for (let run = 0; run < ourRuns; run += 1) {
        photoVerify.push(await ours.photoVerify());
        perPhoto.push(await ours.perPhoto());
      }
    };
    await runOurs();
    const { stdout } = await run(process.execPath, [path.join(source, 'measure.mjs'), peer, modules, ...files]);
    await runOurs();
    const theirs = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    reports[peer] = {
      photo_verify: besides(theirs.photoVerify, photoVerify),
      detection_and_embedding_of_the_selfie: besides(theirs.perPhoto, perPhoto),
      similarity: theirs.similarity,
      backend: theirs.backend,
      peakMegabytes: Math.round(theirs.peakBytes / 1e6),
    };
  }
  return reports;
}

function besides(theirs: readonly number[], ours: readonly number[]) {
  const [their, our] = [median(theirs), median(ours)];
  const rounded = (value: number) => Number(value.toFixed(1));
  return { milliseconds: rounded(their), oursMilliseconds: rounded(our), timesOurs: rounded(their / our) };
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
