/*
 * What the engine costs, in one process and one run: its checks beside the fixed floor (bare decoding by sharp and bare
 * `session.run` of the models they cannot do without), a video, and memory. Runs take turns, so that what else the
 * machine does meets all of them alike. Times in milliseconds, memory in megabytes.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { decodeImage } from '../shared/engine/decode.ts';
import { openEngine } from '../shared/engine/engine.ts';
import { detectFaces } from '../shared/engine/faces.ts';
import type { Weights } from '../shared/engine/manifest.ts';
import { openModelPack } from '../shared/engine/models.ts';
import { type Box, crop, toTensor } from '../shared/engine/pixels.ts';
import { idCard } from '../test/engine/people.ts';
import { prepareModels } from '../tools/engine-assets.ts';
import { portrait } from '../tools/samples.ts';
import { benchPeers } from './peers.ts';

const warmUpRuns = 5;
const measuredRuns = 40;
const videoRuns = 3;

const percentile = (values: readonly number[], share: number) => {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2));
};
interface Times {
  /** What a busy machine leaves of a quiet one. */
  readonly p10: number;
  readonly p50: number;
  readonly p99: number;
}
const summary = (values: readonly number[]): Times => ({
  p10: percentile(values, 0.1),
  p50: percentile(values, 0.5),
  p99: percentile(values, 0.99),
});
const megabytes = (bytes: number) => Math.round(bytes / 1e6);
const ratio = (one: number, other: number) => Number((one / other).toFixed(2));

/** Every work in turn, again and again. */
async function timeInTurns<Name extends string>(
  works: Readonly<Record<Name, () => Promise<unknown>>>,
  runs = measuredRuns,
): Promise<Record<Name, Times>> {
  const names = Object.keys(works) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let run = -warmUpRuns; run < runs; run += 1) {
    for (const name of names) {
      const from = performance.now();
      await works[name]();
      if (run >= 0) times[name].push(performance.now() - from);
    }
  }
  return Object.fromEntries(names.map((name) => [name, summary(times[name])])) as Record<
    Name,
    ReturnType<typeof summary>
  >;
}

/** Selfie: the portrait at 1280 × 1280 px; card: 1,200 × 756 px with a face of 110 px; video: the bench's own. */
export async function benchEngine(): Promise<Record<string, unknown>> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-bench-'));
  try {
    await prepareModels(directory);
    const before = process.memoryUsage.rss();
    const opening = performance.now();
    const engine = await openEngine({ modelsDirectory: directory });
    const openMilliseconds = Number((performance.now() - opening).toFixed(1));

    const selfie = await portrait();
    const card = await sharp(await idCard({ widthPx: 1280 })).toBuffer();
    const bare = await bareModels(directory, selfie);
    const decode = (file: Uint8Array) => sharp(file).raw().toBuffer();
    const stages: Record<string, number[]> = {};
    const noting = async (analysis: Promise<{ stages: Readonly<Record<string, number>> }>) => {
      for (const [stage, milliseconds] of Object.entries((await analysis).stages))
        stages[stage] = [...(stages[stage] ?? []), milliseconds];
    };
    const floors = {
      spoof_detect: async () => {
        await decode(selfie);
        for (const model of ['detect', 'landmarks', 'liveness']) await bare[model]?.();
      },
      photo_verify: async () => {
        await decode(selfie);
        await decode(card);
        for (const model of ['detect', 'landmarks', 'embed', 'detect', 'landmarks', 'embed', 'liveness'])
          await bare[model]?.();
      },
    };
    const times = await timeInTurns({
      spoof_detect: () => noting(engine.analyseSelfie(selfie, {})),
      spoof_detect_floor: floors.spoof_detect,
      photo_verify: () => noting(engine.analysePhotos(selfie, card, {})),
      photo_verify_floor: floors.photo_verify,
    });
    const models = await timeInTurns(bare);
    const photos = process.memoryUsage.rss();

    const film = await readFile(new URL('../test/fixtures/portrait-407193-720p.mp4', import.meta.url));
    const video = await timeInTurns({ video_verify: () => engine.analyseVideo(film, card, '407193', {}) }, videoRuns);
    const peak = process.resourceUsage().maxRSS * 1024;
    return {
      openMilliseconds,
      milliseconds: { ...times, ...video },
      timesFloor: {
        spoof_detect: ratio(times.spoof_detect.p50, times.spoof_detect_floor.p50),
        photo_verify: ratio(times.photo_verify.p50, times.photo_verify_floor.p50),
        spoof_detect_p10: ratio(times.spoof_detect.p10, times.spoof_detect_floor.p10),
        photo_verify_p10: ratio(times.photo_verify.p10, times.photo_verify_floor.p10),
      },
      stageMilliseconds: Object.fromEntries(Object.entries(stages).map(([stage, values]) => [stage, summary(values)])),
      modelMilliseconds: models,
      memoryMegabytes: { before: megabytes(before), afterPhotos: megabytes(photos), peakWithVideo: megabytes(peak) },
      peers: process.argv.includes('--alone') ? 'left out' : await benchPeers(selfie, card, times.photo_verify.p50),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * `session.run` alone, per model, on the selfie's own face: fr_feature takes 1.7 times as long for a face as for a tensor
 * of constants, whatever the reason, and a floor of constants would be nobody's.
 */
async function bareModels(directory: string, selfie: Uint8Array): Promise<Record<string, () => Promise<unknown>>> {
  const pack = await openModelPack(directory, 1);
  const { faceDetection, faceLandmarks, faceMatching, spoofing } = pack.manifest;
  const [liveness] = spoofing.models;
  const decoded = await decodeImage(selfie);
  if (decoded.kind !== 'decoded') throw new Error('the selfie must decode');
  const { image } = decoded.capture;
  const [face] = await detectFaces(image, await pack.open(faceDetection));
  if (!face) throw new Error('the selfie must show a face');
  const open = async (contract: Weights, box: Box) => {
    const model = await pack.open(contract);
    const input = toTensor(crop(image, box, contract.input.width, contract.input.height), contract.input);
    return () => model.run(input);
  };
  return {
    detect: await open(faceDetection, { x: 0, y: 0, width: image.width, height: image.height }),
    landmarks: await open(faceLandmarks, face),
    embed: await open(faceMatching.model, face),
    ...(liveness && { liveness: await open(liveness, face) }),
  };
}

if (import.meta.main) console.log(JSON.stringify(await benchEngine(), null, 2));
