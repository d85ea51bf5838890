import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hostileInputs } from '../test/engine/hostile-inputs.ts';
import { idCard, selfieOfPair } from '../test/engine/people.ts';
import { videoBombs } from '../test/engine/video-bombs.ts';
import { commandLine } from '../tools/command-line.ts';
import { prepareModels } from '../tools/release/engine-assets.ts';
import { engineAsDeployed, restartAsDeployed } from './as-deployed.ts';
import { fuzzServed } from './fuzz-served.ts';

const usage = `npm run fuzz -- [--count 2000] [--seed 1] [--served]

Hostile inputs, images and videos, through all three checks (a picture in turns as selfie and as card) in one process:
every one must end in a verdict or a named reason, in bounded time and memory; before them, videos whose containers claim
much in few bytes. Prints what they ended in, the slowest, and the peak of the process with the input that raised it;
exits 1 if one threw, or if the process took more than 1.0 GB.
With --served instead: malformed requests, --count of them (300), to each route that speaks a vendor's words.`;
const mostMegabytes = 1000;

const { values } = commandLine(usage, {
  options: {
    count: { type: 'string' },
    seed: { type: 'string', default: '1' },
    served: { type: 'boolean', default: false },
  },
});
if (values.served) process.exit((await fuzzServed(Number(values.count ?? 300), Number(values.seed))) ? 0 : 1);

restartAsDeployed();
const peak = () => Math.round((process.resourceUsage().maxRSS * 1024) / 1e6);
const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-fuzz-'));
try {
  await prepareModels(directory);
  const { openEngine } = await engineAsDeployed();
  const engine = await openEngine({ modelsDirectory: directory });
  const [selfie, card] = [await selfieOfPair(), await idCard()];
  const endings: Record<string, number> = {};
  const faults: string[] = [];
  let slowest = { name: '', milliseconds: 0 };
  let largest = { name: '', megabytes: peak() };
  let tried = 0;
  async function* inputs() {
    yield* videoBombs();
    yield* hostileInputs(Number(values.count ?? 2000), Number(values.seed));
  }
  for await (const { name, bytes, kind } of inputs()) {
    const from = performance.now();
    try {
      if (kind === 'image') await engine.analyseSelfie(bytes, {});
      const { finding } = await (kind === 'video'
        ? engine.analyseVideo(bytes, card, '407193', {})
        : tried % 2 === 0
          ? engine.analysePhotos(bytes, card, {})
          : engine.analysePhotos(selfie, bytes, {}));
      const ending = [finding.outcome, ...finding.reasons].join(' ');
      endings[ending] = (endings[ending] ?? 0) + 1;
    } catch (error) {
      faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    tried += 1;
    const milliseconds = performance.now() - from;
    if (tried % 100 === 0)
      console.error(`${tried} tried, ${faults.length} faults, peak ${peak()} MB, slowest ${slowest.milliseconds} ms`);
    if (peak() > largest.megabytes) largest = { name, megabytes: peak() };
    if (milliseconds > slowest.milliseconds) slowest = { name, milliseconds: Math.round(milliseconds) };
  }
  const still = await engine.analysePhotos(selfie, card, {});
  console.log(
    JSON.stringify(
      { tried, endings, faults, slowest, largest, afterwards: still.finding.outcome, peakMegabytes: peak() },
      null,
      2,
    ),
  );
  const failed = faults.length > 0 || still.finding.outcome !== 'passed' || peak() > mostMegabytes;
  process.exitCode = failed ? 1 : 0;
} finally {
  await rm(directory, { recursive: true, force: true });
}
