/**
 * Whether live guidance says what the backend decides: frames go straight to the worker in a real browser, and the JPEG
 * that the page would upload of each goes to the engine. The figures in engine/notes/guidance.md are made here.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { detectFaces } from '../engine/faces.ts';
import { openModelPack } from '../engine/models.ts';
import { type RgbImage, workingSizePx } from '../engine/pixels.ts';
import { type FaceModels, lookAtPerson, openCapture } from '../engine/selfie.ts';
import { openSightModels } from '../engine/sight.ts';
import type { Measurements } from '../shared/domain/verdict.ts';
import { openBrowser } from '../test/pages/browser.ts';
import { serveGuidance } from '../test/pages/guidance-page.ts';
import { commandLine, misused } from '../tools/command-line.ts';
import { decoders } from '../tools/evaluate/decoders.ts';
import { percent, rateOf, rateText } from '../tools/evaluate/rates.ts';
import { prepareModels } from '../tools/release/engine-assets.ts';
import { type Base, bases, chosenFor, degradations, imageOf, pngOf, randomOf } from './guidance/frames.ts';

const usage = `node bench/guidance.ts --data DIR [--each 4] [--half test|tuning] [--large] [--json]

How often live guidance names what the backend decides, by reason, and the milliseconds of a look; fails where the first
reason is equal on fewer than 95 of 100 frames that box, landmarks and pixels decide, or more than 2 of 100 good ones are held back. DIR is a folder as
npm run evaluate takes it. --each: degraded copies of each picture. --half: of the people, those that nothing was tuned
with (the default), or the others. --large: frames of 1920 pixels, which browser and backend make smaller, each its own way.`;
const { values } = commandLine(usage, {
  options: {
    data: { type: 'string' },
    each: { type: 'string', default: '4' },
    half: { type: 'string', default: 'test' },
    large: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
if (!values.data) misused(usage, 'Say where the captures are: --data DIR.');

/** A third of the people, by their names: what was chosen was chosen on these. */
const isTuning = (subject: string) => [...subject].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 3 === 0;

/** What a person may be told wrongly at most; of fewer frames a share says little. */
const bounds = { frames: 500, leastEqual: 0.95, mostHeldBack: 0.02 } as const;

interface Compared {
  readonly name: string;
  readonly degradation: string;
  /** The first reason, or good. */
  readonly backend: string;
  readonly page: string;
  /** Whether the backend asked the model that compares faces: the page has none. */
  readonly embedded: boolean;
  readonly milliseconds: number;
  readonly differences: Measurements;
}

const temporary = mkdtempSync(path.join(tmpdir(), 'bonafide-guidance-'));
process.env.TMPDIR = temporary;
const page = await serveGuidance();
const browser = await openBrowser();
try {
  const tab = await browser.newPage();
  await tab.goto(`${page.origin}/page.html`);
  await tab.waitForFunction(() => 'guidance' in window);
  if (!(await tab.evaluate(() => window.guidance.open()))) throw new Error('guidance does not open');
  const look = async (frame: Uint8Array) => {
    page.lay('/frame.png', frame);
    return tab.evaluate(() => window.guidance.look('/frame.png', { jpeg: true }));
  };
  const backend = await openBackend(path.join(temporary, 'models'));

  const compared: Compared[] = [];
  let previous: RgbImage | undefined;
  let index = 0;
  for await (const base of bases(values.data)) {
    const other = previous ?? base.image;
    previous = base.image;
    if (isTuning(base.subject) !== (values.half === 'tuning')) continue;
    index += 1;
    for await (const { degradation, frame } of framesOf(base, other, index)) {
      const { judgement, milliseconds, jpeg } = await look(await pngOf(frame));
      if (!judgement || jpeg === undefined) throw new Error(`no look at ${base.name}, ${degradation}`);
      const decided = await backend.decide(Buffer.from(jpeg, 'base64'));
      compared.push({
        name: base.name,
        degradation,
        backend: decided.reasons[0] ?? 'good',
        page: judgement.reasons[0] ?? 'good',
        embedded: decided.embedded,
        milliseconds,
        differences: differencesOf(decided.measurements, judgement.measurements),
      });
    }
  }
  const violations = await tab.evaluate(() => window.guidance.violations);
  if (values.json) console.log(JSON.stringify(compared, undefined, 1));
  else console.log([...report(compared), `securitypolicyviolation: ${violations.length}`].join('\n'));
  for (const over of [...beyond(compared), ...(violations.length > 0 ? ['a securitypolicyviolation'] : [])]) {
    console.error(`Over its bound: ${over}`);
    process.exitCode = 1;
  }

  async function* framesOf(base: Base, other: RgbImage, nth: number) {
    const { image } = base;
    const [
      face = { x: image.width / 3, y: image.height / 3, width: image.width / 3, height: image.height / 3, score: 0 },
    ] = await detectFaces(image, backend.models.detector);
    for (const [turn, [degradation, degrade]] of [...chosenFor(nth, Number(values.each))].entries()) {
      if (!degrade) continue;
      const picture = await degrade({ image, face, other, random: randomOf(100 * nth + turn) });
      const frame = await imageOf(picture);
      const longer = Math.max(frame.width, frame.height);
      const large = {
        width: Math.round((1920 * frame.width) / longer),
        height: Math.round((1920 * frame.height) / longer),
      };
      const enlarged = async () => {
        const { default: sharp } = await import('sharp');
        return imageOf(sharp(await pngOf(frame)).resize(large));
      };
      yield { degradation, frame: values.large ? await enlarged() : frame };
    }
  }
} finally {
  await browser.close();
  await page.close();
  rmSync(temporary, { recursive: true, force: true });
}
process.exit(process.exitCode ?? 0);

/** What the engine decides of bytes, and whether it asked the model that compares faces. */
async function openBackend(directory: string) {
  await prepareModels(directory);
  const pack = await openModelPack(directory, 1);
  const sight = await openSightModels(pack);
  let embedded = false;
  const models: FaceModels = {
    ...sight,
    matcher: () => {
      embedded = true;
      return sight.matcher();
    },
    spoofModels: await Promise.all(pack.manifest.spoofing.models.map((model) => pack.open(model))),
  };
  return {
    models,
    decide: async (jpeg: Uint8Array) => {
      // On a busy machine a decoder runs out of time, which says nothing of the picture.
      for (let tries = 0; tries < 20; tries += 1) {
        const capture = await openCapture(jpeg, { decoders });
        if (!('image' in capture)) continue;
        embedded = false;
        const { reasons, measurements } = await lookAtPerson(capture, models, (_, work) => work(), {
          compared: false,
          photo: false,
        });
        return { reasons, measurements, embedded };
      }
      throw new Error('the engine does not open a JPEG of the browser');
    },
  };
}

function differencesOf(one: Measurements, other: Measurements): Measurements {
  const names = [
    'face_width_px',
    'sharpness_ratio',
    'face_noise',
    'face_highlight_luma',
    'face_margin_ratio',
    'face_turn_ratio',
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const [first, second] = [one[name], other[name]];
      return first === undefined || second === undefined ? [] : [[name, second - first] as const];
    }),
  );
}

function report(all: readonly Compared[]): string[] {
  const decided = all.filter(({ embedded }) => !embedded);
  const rest = all.filter(({ embedded }) => embedded);
  const good = all.filter(({ backend }) => backend === 'good');
  const equal = (some: readonly Compared[]) => rateText(rateOf(some.filter(isEqual).length, some.length));
  const heldBack = (some: readonly Compared[]) =>
    rateText(rateOf(some.filter(({ page: said }) => said !== 'good').length, some.length));
  const milliseconds = all.map((one) => one.milliseconds).toSorted((a, b) => a - b);
  const quantile = (share: number) => (milliseconds[Math.floor(share * (milliseconds.length - 1))] ?? 0).toFixed(0);
  return [
    `frames: ${all.length}${values.large ? ` of 1920 px, looked at within ${workingSizePx}` : ''}, people tuned with: ${values.half === 'tuning' ? 'only' : 'none'}`,
    `first reason equal where box, landmarks and pixels decide: ${equal(decided)}`,
    `good frames held back: ${heldBack(good)}; of those that box, landmarks and pixels decide: ${heldBack(good.filter(({ embedded }) => !embedded))}`,
    `called good, sent back by the backend: ${rateText(rateOf(all.filter((one) => one.page === 'good' && one.backend !== 'good').length, all.filter((one) => one.page === 'good').length))}`,
    `where the model that compares faces was asked: ${equal(rest)}`,
    ...pairs(rest),
    'by what the backend decides, all frames:',
    ...byName(all, (one) => one.backend),
    'by degradation:',
    ...byName(all, (one) => one.degradation, Object.keys(degradations)),
    'unlike, where box, landmarks and pixels decide:',
    ...pairs(decided),
    `differences, page less backend (5th, 50th, 95th of 100):`,
    ...Object.keys(all.find(isEqual)?.differences ?? {}).map((name) => {
      const sorted = all.flatMap(({ differences }) => differences[name] ?? []).toSorted((a, b) => a - b);
      const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(3);
      return `  ${name}: ${at(0.05)}, ${at(0.5)}, ${at(0.95)}`;
    }),
    `milliseconds of a look, page to worker and back: median ${quantile(0.5)}, 95 % ${quantile(0.95)}`,
  ];
}

function beyond(all: readonly Compared[]): string[] {
  const decided = all.filter(({ embedded }) => !embedded);
  const good = all.filter(({ backend }) => backend === 'good');
  const equal = decided.filter(isEqual).length / decided.length;
  const heldBack = good.filter(({ page: said }) => said !== 'good').length / good.length;
  return [
    ...(all.length < bounds.frames ? [`${all.length} frames, and not ${bounds.frames}`] : []),
    ...(equal < bounds.leastEqual ? [`equal on ${percent(equal)}, and not ${percent(bounds.leastEqual)}`] : []),
    ...(heldBack > bounds.mostHeldBack
      ? [`${percent(heldBack)} held back, and not ${percent(bounds.mostHeldBack)}`]
      : []),
  ];
}

function isEqual({ backend, page: said }: Compared): boolean {
  return backend === said;
}

function byName(all: readonly Compared[], nameOf: (one: Compared) => string, order: readonly string[] = []): string[] {
  const names = [...new Set([...order, ...all.map(nameOf)])].filter((name) => all.some((one) => nameOf(one) === name));
  return names.map((name) => {
    const some = all.filter((one) => nameOf(one) === name);
    const alike = some.filter(isEqual).length;
    return `  ${name}: ${alike} of ${some.length} (${percent(alike / some.length)})`;
  });
}

function pairs(all: readonly Compared[]): string[] {
  const counts = new Map<string, string[]>();
  for (const one of all) {
    if (isEqual(one)) continue;
    const pair = `  backend ${one.backend}, page ${one.page}`;
    counts.set(pair, [...(counts.get(pair) ?? []), `${one.name} ${one.degradation}`]);
  }
  return [...counts].map(([pair, names]) => `${pair}: ${names.length} (${names.slice(0, 3).join('; ')})`);
}
