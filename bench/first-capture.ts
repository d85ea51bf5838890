/*
 * What a fresh process of the engine takes for its first capture, beside what it takes for one later on: the deployed
 * bundle with its assets, one process per measurement. Its init (all models open, a picture gone through) is not part of
 * the first capture and is told apart. In turns, so that what else the machine does meets both checks alike.
 *
 * node bench/first-capture.ts
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import * as z from 'zod';
import { bundleEngine, type ProcessorName } from '../infra/bundle.ts';
import { engineEnvironment } from '../test/builders/deployment.ts';
import { idCard, selfieOfPair } from '../test/engine/people.ts';
import { prepareEngineAssets } from '../tools/release/engine-assets.ts';
import { percentile } from './requests.ts';

const processes = 10;
const videoProcesses = 3;
/** How many times a warm one the first may take, and how long the init; Lambda ends an init after 10 s. */
const mostTimesWarm = 1.5;
const mostInitMilliseconds = 5000;

const checks = ['spoof_detect', 'photo_verify', 'video_verify'] as const;
type Check = (typeof checks)[number];

const measurement = z.object({ init: z.number(), first: z.number(), warm: z.number() });
type Measurement = z.infer<typeof measurement>;

/** What each process runs, beside the bundle: one check, again and again, as slowly as Lambda would ask. */
const program = `
  import { readFile } from 'node:fs/promises';
  const [check, laterRuns] = process.argv.slice(2);
  const begun = performance.now();
  const { engine } = await import('./index.mjs');
  const init = performance.now() - begun;
  const { analyseSelfie, analysePhotos, analyseVideo, prepared } = await engine;
  const read = (name) => readFile(new URL(name, import.meta.url));
  const [selfie, card, film] = [await read('selfie.jpg'), await read('card.jpg'), await read('film.mp4')];
  const works = {
    spoof_detect: () => analyseSelfie(selfie, {}),
    photo_verify: () => analysePhotos(selfie, card, {}),
    video_verify: () => analyseVideo(film, card, '407193', {}),
  };
  const times = [];
  for (let run = 0; run <= Number(laterRuns); run += 1) {
    const from = performance.now();
    await works[check]();
    times.push(performance.now() - from);
    await prepared();
  }
  const [first, ...later] = times;
  const warm = later.sort((a, b) => a - b)[Math.floor(later.length / 2)];
  console.log(JSON.stringify({ init, first, warm }));
  process.exit();
`;

/** Medians over the processes, and what of them is over its bound. */
export async function benchFirstCapture() {
  const processor: ProcessorName = process.arch === 'arm64' ? 'arm64' : 'x64';
  await prepareEngineAssets(processor);
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-first-'));
  try {
    bundleEngine(directory, { processor });
    await writeFile(path.join(directory, 'program.mjs'), program);
    await writeFile(path.join(directory, 'selfie.jpg'), await selfieOfPair());
    await writeFile(path.join(directory, 'card.jpg'), await sharp(await idCard({ widthPx: 1280 })).toBuffer());
    const film = new URL('../test/fixtures/portrait-407193-720p.mp4', import.meta.url);
    await writeFile(path.join(directory, 'film.mp4'), await readFile(film));

    const measured: Record<Check, Measurement[]> = { spoof_detect: [], photo_verify: [], video_verify: [] };
    for (let run = 0; run < processes; run += 1) {
      for (const check of checks) {
        if (check === 'video_verify' && run >= videoProcesses) continue;
        measured[check].push(await measure(directory, check));
      }
    }
    const init = median(Object.values(measured).flatMap((each) => each.map(({ init }) => init)));
    const told = Object.fromEntries(checks.map((check) => [check, summary(measured[check])]));
    const tooSlow = (['spoof_detect', 'photo_verify'] as const).filter(
      (check) => summary(measured[check]).timesWarm > mostTimesWarm,
    );
    const over = [
      ...(init > mostInitMilliseconds ? [`init takes ${Math.round(init)} ms, ${mostInitMilliseconds} at most`] : []),
      ...tooSlow.map((check) => `the first ${check} takes over ${mostTimesWarm} times a warm one`),
    ];
    return { initMilliseconds: Math.round(init), mayBe: { mostInitMilliseconds, mostTimesWarm }, ...told, over };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(directory: string, check: Check): Promise<Measurement> {
  const laterRuns = check === 'video_verify' ? 1 : 10;
  const { stdout } = await promisify(execFile)(process.execPath, ['program.mjs', check, String(laterRuns)], {
    cwd: directory,
    env: engineEnvironment,
  });
  return measurement.parse(JSON.parse(stdout));
}

const median = (values: readonly number[]) => percentile(values, 0.5, 2);

function summary(measurements: readonly Measurement[]) {
  return {
    firstMilliseconds: median(measurements.map(({ first }) => first)),
    warmMilliseconds: median(measurements.map(({ warm }) => warm)),
    timesWarm: median(measurements.map(({ first, warm }) => first / warm)),
  };
}

if (import.meta.main) {
  const report = await benchFirstCapture();
  console.log(JSON.stringify(report, null, 2));
  process.exit(report.over.length > 0 ? 1 : 0);
}
