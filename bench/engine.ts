/*
 * What the engine costs, in a process of its own and one run: its checks beside the fixed floor (bare decoding by sharp
 * and bare `session.run` of the models they cannot do without, as their authors published them) and beside the same
 * with the models as they are shipped, a video, and memory. Runs take turns, so that what else the machine does meets
 * all of them alike. Times in milliseconds, memory in megabytes; `timesFloor` is how often a check takes the floor's time,
 * with captures decoded in realms and, beside it, by sharp native as the floor does.
 *
 * Before each run the decoders of photos have started, as they have between verifications that come one by one: those
 * are latencies. What starting them costs is told apart (`confinement`), beside the same engine with sharp native.
 *
 * node bench/engine.ts [--alone]: without the peers
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Tensor } from 'onnxruntime-node';
import sharp, { type Sharp } from 'sharp';
import { decodeImage } from '../engine/decode.ts';
import { cropFace, detectFaces, findLandmarks } from '../engine/faces.ts';
import { type Weights, weightsOf } from '../engine/manifest.ts';
import { embedFace } from '../engine/matching.ts';
import { openModelPack } from '../engine/models.ts';
import type { PhotoDecoders } from '../engine/photo.ts';
import { type Box, crop, newPatch, type RgbImage, toTensor } from '../engine/pixels.ts';
import { idCard, selfieOfPair } from '../test/engine/people.ts';
import { prepareModels } from '../tools/release/engine-assets.ts';
import { readPublishedModel } from '../tools/release/published-models.ts';
import { engineAsDeployed, restartAsDeployed } from './as-deployed.ts';
import { benchPeers } from './peers.ts';
import { percentile } from './requests.ts';

const warmUpRuns = 5;
const measuredRuns = 40;
const videoRuns = 3;
/** How many times the floor of the models as published a check may take. */
const mostTimesFloor = { spoof_detect: 1.8, photo_verify: 1.5 } as const;

interface Times {
  /** What a busy machine leaves of a quiet one. */
  readonly p10: number;
  readonly p50: number;
  readonly p99: number;
}
const summary = (values: readonly number[]): Times => ({
  p10: percentile(values, 0.1, 2),
  p50: percentile(values, 0.5, 2),
  p99: percentile(values, 0.99, 2),
});
const megabytes = (bytes: number) => Math.round(bytes / 1e6);
const ratio = (one: number, other: number) => Number((one / other).toFixed(2));

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** Every work in turn, again and again. */
async function timeInTurns<Name extends string>(
  works: Readonly<Record<Name, () => Promise<unknown>>>,
  { runs = measuredRuns, before = async () => {} } = {},
): Promise<Record<Name, Times>> {
  const names = Object.keys(works) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let run = -warmUpRuns; run < runs; run += 1) {
    for (const name of names) {
      await before();
      const milliseconds = await timeOf(works[name]);
      if (run >= 0) times[name].push(milliseconds);
    }
  }
  return Object.fromEntries(names.map((name) => [name, summary(times[name])])) as Record<Name, Times>;
}

/** Selfie and card of the genuine pair: 960 × 1280 px, and 1,280 × 806 px with a face of 110 px; video: the portrait's. */
async function benchEngine(): Promise<Record<string, unknown>> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-bench-'));
  try {
    await prepareModels(directory);
    const memoryBefore = process.memoryUsage.rss();
    const opening = performance.now();
    const { openEngine } = await engineAsDeployed();
    const engine = await openEngine({ modelsDirectory: directory });
    const unconfined = await openEngine({ modelsDirectory: directory, decoders: nativeDecoders });
    const before = engine.prepared;
    const openMilliseconds = Number((performance.now() - opening).toFixed(1));

    const selfie = await selfieOfPair();
    const card = await sharp(await idCard({ widthPx: 1280 })).toBuffer();
    const published = await publishedModels(path.join(directory, 'published'));
    const bare = await bareModels(directory, selfie);
    const bareAsPublished = await bareModels(published, selfie);
    const decode = (file: Uint8Array) => sharp(file).raw().toBuffer();
    const stages: Record<string, number[]> = {};
    const noting = async (analysis: Promise<{ stages: Readonly<Record<string, number>> }>) => {
      for (const [stage, milliseconds] of Object.entries((await analysis).stages))
        stages[stage] = [...(stages[stage] ?? []), milliseconds];
    };
    const floorsOf = (run: Readonly<Record<string, () => Promise<unknown>>>) => ({
      spoof_detect: async () => {
        await decode(selfie);
        for (const model of ['detect', 'landmarks', 'liveness']) await run[model]?.();
      },
      photo_verify: async () => {
        await decode(selfie);
        await decode(card);
        for (const model of ['detect', 'landmarks', 'embed', 'detect', 'landmarks', 'embed', 'liveness'])
          await run[model]?.();
      },
    });
    const floor = floorsOf(bareAsPublished);
    const shippedFloor = floorsOf(bare);
    const works = {
      spoof_detect: () => noting(engine.analyseSelfie(selfie, {})),
      spoof_detect_floor: floor.spoof_detect,
      spoof_detect_floor_as_shipped: shippedFloor.spoof_detect,
      photo_verify: () => noting(engine.analysePhotos(selfie, card, {})),
      photo_verify_floor: floor.photo_verify,
      photo_verify_floor_as_shipped: shippedFloor.photo_verify,
      spoof_detect_unconfined: () => unconfined.analyseSelfie(selfie, {}),
      photo_verify_unconfined: () => unconfined.analysePhotos(selfie, card, {}),
    };
    const times = await timeInTurns(works, { before });
    const confinement = await costOfConfinement({
      confined: () => engine.analysePhotos(selfie, card, {}),
      unconfined: () => unconfined.analysePhotos(selfie, card, {}),
      prepared: engine.prepared,
    });
    const photoVerify = async () => {
      await before();
      return timeOf(() => engine.analysePhotos(selfie, card, {}));
    };
    const describe = await describer(directory);
    const perPhoto = () => timeOf(() => describe(selfie));
    const models = await timeInTurns(bare);
    const modelsAsPublished = await timeInTurns(bareAsPublished);
    const photos = process.memoryUsage.rss();

    const film = await readFile(new URL('../test/fixtures/portrait-407193-720p.mp4', import.meta.url));
    const video = await timeInTurns(
      { video_verify: () => engine.analyseVideo(film, card, '407193', {}) },
      { runs: videoRuns },
    );
    const peak = process.resourceUsage().maxRSS * 1024;
    const timesFloor = (which: 'floor' | 'floor_as_shipped') =>
      Object.fromEntries(
        (['spoof_detect', 'photo_verify'] as const).map((check) => {
          const over = (ours: Times) => {
            const { p10, p50 } = times[`${check}_${which}`];
            return { p10: ratio(ours.p10, p10), p50: ratio(ours.p50, p50) };
          };
          const [confined, unconfined] = [over(times[check]), over(times[`${check}_unconfined`])];
          return [check, { mayBe: mostTimesFloor[check], confined, unconfined }];
        }),
      );
    return {
      openMilliseconds,
      milliseconds: { ...times, ...video },
      timesFloor: timesFloor('floor'),
      confinement,
      timesFloorAsShipped: timesFloor('floor_as_shipped'),
      stageMilliseconds: Object.fromEntries(Object.entries(stages).map(([stage, values]) => [stage, summary(values)])),
      modelMilliseconds: models,
      modelMillisecondsAsPublished: modelsAsPublished,
      memoryMegabytes: {
        before: megabytes(memoryBefore),
        afterPhotos: megabytes(photos),
        peakWithVideo: megabytes(peak),
      },
      peers: process.argv.includes('--alone') ? 'left out' : await benchPeers(selfie, card, { photoVerify, perPhoto }),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const verifications = 20;
const cpuMilliseconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** photo_verify again and again, each as soon as the one before is answered: time and processor time of each. */
async function costOfConfinement(works: {
  confined: () => Promise<unknown>;
  unconfined: () => Promise<unknown>;
  prepared: () => Promise<void>;
}) {
  const each = async (work: () => Promise<unknown>) => {
    await works.prepared();
    const [from, cpu] = [performance.now(), cpuMilliseconds()];
    for (let run = 0; run < verifications; run += 1) await work();
    await works.prepared();
    const share = (total: number) => Number((total / verifications).toFixed(1));
    return { milliseconds: share(performance.now() - from), processor: share(cpuMilliseconds() - cpu) };
  };
  return { backToBack: await each(works.confined), backToBackUnconfined: await each(works.unconfined) };
}

/** Decoding as it would be without confinement: the same recipes by native sharp, in this process. */
const nativeDecoders: PhotoDecoders = {
  prepare: async () => {},
  dismiss: () => {},
  use: (work) =>
    work({
      metadata: (bytes) => sharp(bytes).metadata(),
      pixels: async (bytes, recipe) => {
        const { options } = recipe as Sharp & { options: { input: { buffer: Uint8Array } } };
        options.input.buffer = bytes;
        const { data, info } = await recipe.toBuffer({ resolveWithObject: true });
        return { width: info.width, height: info.height, pixels: data };
      },
      alone: async () => {},
    }),
};

/** What the peers do with one photo: from its bytes to the embedding of its largest face. */
async function describer(directory: string): Promise<(photo: Uint8Array) => Promise<unknown>> {
  const pack = await openModelPack(directory, 1);
  const { faceDetection, faceLandmarks, faceMatching } = pack.manifest;
  const [detector, landmarker] = [await pack.open(faceDetection), await pack.open(faceLandmarks)];
  const matcher = await pack.open(faceMatching.model);
  return async (photo) => {
    const image = await decoded(photo);
    const [face] = await detectFaces(image, detector);
    if (!face) throw new Error('the photo must show a face');
    return embedFace(image, await findLandmarks(cropFace(image, face, landmarker), face, landmarker), matcher);
  };
}

async function decoded(photo: Uint8Array): Promise<RgbImage> {
  const result = await decodeImage(photo, { decoders: nativeDecoders });
  if (result.kind !== 'decoded') throw new Error('the photo must decode');
  return result.capture.image;
}

/** The pack with the weights as they came: the same contracts, other hashes. */
async function publishedModels(directory: string): Promise<string> {
  const pack = await prepareModels(directory);
  for (const weights of weightsOf(pack)) {
    const file = path.join(directory, weights.file);
    const published = weights.published ? await readPublishedModel(weights) : await readFile(file);
    await writeFile(file, published);
    Object.assign(weights, { sha256: createHash('sha256').update(published).digest('hex') });
  }
  await writeFile(path.join(directory, 'manifest.json'), JSON.stringify(pack));
  return directory;
}

/**
 * `session.run` alone, per model, on the selfie's own face: as published, fr_feature takes 1.7 times as long for a face
 * as for a tensor of constants (`tools/release/faster-weights.ts` says why), and a floor of constants would be no engine's.
 */
async function bareModels(directory: string, selfie: Uint8Array): Promise<Record<string, () => Promise<unknown>>> {
  const pack = await openModelPack(directory, 1);
  const { faceDetection, faceLandmarks, faceMatching, spoofing } = pack.manifest;
  const [liveness] = spoofing.models;
  const image = await decoded(selfie);
  const [face] = await detectFaces(image, await pack.open(faceDetection));
  if (!face) throw new Error('the selfie must show a face');
  const open = async (contract: Weights, box: Box) => {
    const session = await pack.openSession(contract);
    const { name, width, height, channels } = contract.input;
    const values = toTensor(crop(image, box, newPatch(width, height)), contract.input);
    const feeds = { [name]: new Tensor('float32', values, [1, channels === 'grey' ? 1 : 3, height, width]) };
    return () => session.run(feeds);
  };
  return {
    detect: await open(faceDetection, { x: 0, y: 0, width: image.width, height: image.height }),
    landmarks: await open(faceLandmarks, face),
    embed: await open(faceMatching.model, face),
    ...(liveness && { liveness: await open(liveness, face) }),
  };
}

restartAsDeployed();
console.log(JSON.stringify(await benchEngine(), null, 2));
process.exit(0);
