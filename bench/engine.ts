/** Engine milliseconds per stage beside the bare `session.run` of the same models: what the engine adds to its models. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { openEngine } from '../shared/engine/engine.ts';
import { openModelPack } from '../shared/engine/models.ts';
import { prepareModels } from '../tools/engine-assets.ts';
import { portrait } from '../tools/samples.ts';

const warmUpRuns = 5;
const measuredRuns = 40;

const percentile = (values: readonly number[], share: number) => {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2));
};
const summary = (values: readonly number[]) => ({ p50: percentile(values, 0.5), p99: percentile(values, 0.99) });
const megabytes = (bytes: number) => Math.round(bytes / 1e6);

async function timeRuns(work: () => Promise<unknown>): Promise<{ p50: number; p99: number }> {
  const times: number[] = [];
  for (let run = 0; run < warmUpRuns + measuredRuns; run += 1) {
    const from = performance.now();
    await work();
    if (run >= warmUpRuns) times.push(performance.now() - from);
  }
  return summary(times);
}

/** spoof_detect of the enlarged portrait, 1280 × 1280 JPEG. Times in milliseconds, memory in megabytes. */
export async function benchEngine(): Promise<Record<string, unknown>> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-bench-'));
  try {
    await prepareModels(directory);
    const before = process.memoryUsage.rss();
    const opening = performance.now();
    const engine = await openEngine({ modelsDirectory: directory });
    const openMilliseconds = Number((performance.now() - opening).toFixed(1));

    const selfie = await portrait();
    const stages: Record<string, number[]> = {};
    let run = 0;
    const whole = await timeRuns(async () => {
      const analysis = await engine.analyseSelfie(selfie, {});
      run += 1;
      if (run <= warmUpRuns) return;
      for (const [stage, milliseconds] of Object.entries(analysis.stages)) {
        stages[stage] = [...(stages[stage] ?? []), milliseconds];
      }
    });
    const resident = process.memoryUsage.rss();

    const bare = await bareRuns(directory);
    const decode = await timeRuns(() => sharp(selfie).raw().toBuffer());
    const floor = decode.p50 + Object.values(bare).reduce((sum, { p50 }) => sum + p50, 0);
    return {
      openMilliseconds,
      spoofDetectMilliseconds: whole,
      stageMilliseconds: Object.fromEntries(Object.entries(stages).map(([stage, times]) => [stage, summary(times)])),
      bareMilliseconds: { decode, ...bare },
      floorMilliseconds: Number(floor.toFixed(2)),
      timesFloor: Number((whole.p50 / floor).toFixed(2)),
      memoryMegabytes: {
        before: megabytes(before),
        after: megabytes(resident),
        peak: megabytes(process.resourceUsage().maxRSS * 1024),
      },
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** `session.run` alone, per model, on an input of its shape. */
async function bareRuns(directory: string): Promise<Record<string, { p50: number; p99: number }>> {
  const pack = await openModelPack(directory, 1);
  const { faceDetection, faceLandmarks, spoofing } = pack.manifest;
  const times: Record<string, { p50: number; p99: number }> = {};
  for (const contract of [faceDetection, faceLandmarks, ...spoofing.models]) {
    const model = await pack.open(contract);
    const { width, height, channels } = contract.input;
    const input = new Float32Array(width * height * (channels === 'grey' ? 1 : 3)).fill(0.5);
    times[contract.file] = await timeRuns(() => model.run(input));
  }
  return times;
}

if (import.meta.main) console.log(JSON.stringify(await benchEngine(), null, 2));
