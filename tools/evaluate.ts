import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openEngine, type Thresholds } from '../engine/engine.ts';
import type { Manifest } from '../engine/manifest.ts';
import type { PolicyInput } from '../shared/domain/policy.ts';
import { readPolicy } from './admin/policy.ts';
import { commandLine, misused } from './command-line.ts';
import { drawCurves } from './evaluate/curves.ts';
import { decoders } from './evaluate/decoders.ts';
import { digitsText, evaluateDigits } from './evaluate/digits.ts';
import { evaluateFaceSizes, faceSizesText } from './evaluate/face-sizes.ts';
import { type Figures, figuresFile, figuresText, type Sections, withFigures } from './evaluate/figures.ts';
import { tryInProcesses } from './evaluate/in-processes.ts';
import { evaluateMatching, matchText } from './evaluate/matching.ts';
import { evaluateMotion, motionText } from './evaluate/motion.ts';
import type { ChosenBy, Section } from './evaluate/rates.ts';
import { evaluateRepeats, repeatsText } from './evaluate/repeats.ts';
import { evaluateRobustness, robustnessText } from './evaluate/robustness.ts';
import { evaluateSight, sightText } from './evaluate/sight.ts';
import { evaluateSpoofDetection, spoofText } from './evaluate/spoofing.ts';
import { summaryText } from './evaluate/summary.ts';
import { prepareModels } from './release/engine-assets.ts';

const usage = `npm run evaluate -- --data DIR [options]

The shipped pipeline, gate and all, over captures whose truth is known. DIR holds pad.csv, match.csv, match-pairs.csv,
digits/ and videos/, or some of them (docs/calibrating.md). Terms are those of ISO/IEC 30107-3: a capture the quality gate sends
back is a failure to acquire, and error rates are over the captures that were decided.
Exits 0 when something was measured, whatever the figures, and 1 when nothing could be, saying why.

  --policy FILE   decide by the thresholds of this policy, as the built-in engine would for its tenant
  --models DIR    another model pack (MODELS.md); the shipped one by default
  --curves DIR    where the DET curves go; build/evaluation by default
  --quick         leave out what takes longest: cheap transforms, captures that come again, moved stills of videos
  --sight         measure this instead: is it a face, and which way up? Some minutes
  --scenes DIR    for --sight, pictures without a person: 500 parts of them are looked at
  --drawings DIR  for --sight, pictures of one drawn face each
  --record        write the figures of the shipped pack to engine/notes/figures.json and into MODELS.md, for a commit
  --json          the whole report, for programs`;

/** @param chosenBy what set the thresholds */
const sectionsOf = (evaluation: Sections, chosenBy: ChosenBy) => [
  { title: 'Presentation attacks', lines: spoofText(evaluation.spoof, chosenBy) },
  { title: 'Sizes of faces', lines: faceSizesText(evaluation.faceSizes) },
  { title: 'Robustness under cheap transforms', lines: robustnessText(evaluation.robustness) },
  { title: 'Face comparison', lines: matchText(evaluation.match, chosenBy) },
  { title: 'Captures that come again', lines: repeatsText(evaluation.repeats) },
  { title: 'Spoken digits', lines: digitsText(evaluation.digits, chosenBy) },
  { title: 'Heads that move', lines: motionText(evaluation.motion) },
  { title: 'Summary', lines: summaryText(evaluation, chosenBy) },
];

/** Thousands of points, which are drawn and not told. */
const withoutCurves = (key: string, value: unknown) => (key === 'curve' || key === 'curves' ? undefined : value);

/** DET curves as SVG, one file per section that was measured. */
async function writeCurves({ spoof, match }: Sections, directory: string): Promise<string[]> {
  const drawings: Record<string, string> = {};
  if ('report' in spoof) {
    const axes = { falseAccept: 'APCER, all species', falseReject: 'BPCER' };
    drawings['det-presentation-attacks.svg'] = drawCurves(
      { captures: spoof.report.curve },
      'Presentation attacks',
      axes,
    );
  }
  if ('report' in match) {
    const axes = { falseAccept: 'FMR', falseReject: 'FNMR' };
    drawings['det-face-comparison.svg'] = drawCurves(match.report.curves, 'Face comparison', axes);
  }
  await mkdir(directory, { recursive: true });
  const files = Object.entries(drawings).map(([name, svg]) => ({ file: path.join(directory, name), svg }));
  for (const { file, svg } of files) await writeFile(file, svg);
  return files.map(({ file }) => file);
}

function thresholdsIn({ thresholds }: PolicyInput): Thresholds {
  const { live, match, digits, minimumFacePx } = thresholds.builtin ?? {};
  return { live, match, digits, minimumFacePx };
}

/** From the project's directory, as npm runs it. */
async function record(sections: Sections, manifest: Manifest): Promise<void> {
  const text = figuresText(sections, manifest);
  const page = withFigures(await readFile('MODELS.md', 'utf8'), JSON.parse(text) as Figures);
  await writeFile(figuresFile, text);
  await writeFile('MODELS.md', page);
}

/** What a change of the program itself costs, on whatever machine. */
const processorText = (seconds: Readonly<Record<string, number>>) =>
  `Seconds of a processor: ${Object.entries(seconds)
    .map(([section, spent]) => `${section} ${spent}`)
    .join(', ')}`;

/** The goals of `--sight` are of so many. */
const sightCounts = { backs: 400, scenes: 500, fronts: 200 } as const;

const leftOut = { missing: 'left out by --quick' } as const;

async function main(): Promise<number> {
  const { values } = commandLine(usage, {
    options: {
      data: { type: 'string' },
      policy: { type: 'string' },
      models: { type: 'string' },
      curves: { type: 'string', default: 'build/evaluation' },
      quick: { type: 'boolean', default: false },
      sight: { type: 'boolean', default: false },
      scenes: { type: 'string' },
      drawings: { type: 'string' },
      record: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (!values.data) misused(usage, 'Say where the captures are: --data DIR.');
  if (values.record && (values.policy || values.models || values.quick || values.sight))
    misused(
      usage,
      '--record is of the shipped pack at its own thresholds, whole: leave out --policy, --models, --quick, --sight.',
    );
  if (!values.sight && (values.scenes || values.drawings)) misused(usage, '--scenes and --drawings go with --sight.');
  const shipped = values.models ? undefined : await mkdtemp(path.join(tmpdir(), 'bonafide-models-'));
  try {
    const thresholds = values.policy ? thresholdsIn(await readPolicy(values.policy, {})) : {};
    if (shipped) await prepareModels(shipped);
    const modelsDirectory = values.models ?? shipped ?? '';
    const engine = await openEngine({ modelsDirectory, decoders });
    if (values.sight) {
      const sight = await evaluateSight(values.data, modelsDirectory, engine, thresholds, {
        ...sightCounts,
        scenesDirectory: values.scenes,
        drawingsDirectory: values.drawings,
      });
      console.log(values.json ? JSON.stringify(sight, undefined, 2) : sightText(sight).join('\n'));
      return 0;
    }
    const data = values.data;
    const processorSeconds: Partial<Record<keyof Sections, number>> = {};
    const measure = async <Report>(name: keyof Sections, work: () => Promise<Section<Report>>) => {
      const before = process.cpuUsage();
      const section = await work();
      const { user, system } = process.cpuUsage(before);
      processorSeconds[name] = Math.round((processorSeconds[name] ?? 0) + (user + system) / 1e6);
      return section;
    };
    const tryRows = tryInProcesses({ directory: data, modelsDirectory, thresholds }, (seconds) => {
      processorSeconds.robustness = (processorSeconds.robustness ?? 0) + seconds;
    });
    const long = <Report>(work: () => Promise<Section<Report>>) => (values.quick ? async () => leftOut : work);
    const evaluation: Sections = {
      spoof: await measure('spoof', () => evaluateSpoofDetection(data, engine, thresholds)),
      faceSizes: await measure('faceSizes', () => evaluateFaceSizes(data, engine, thresholds)),
      robustness: await measure(
        'robustness',
        long(() => evaluateRobustness(data, tryRows)),
      ),
      match: await measure('match', () => evaluateMatching(data, modelsDirectory, thresholds)),
      repeats: await measure(
        'repeats',
        long(() => evaluateRepeats(data, modelsDirectory)),
      ),
      digits: await measure('digits', () => evaluateDigits(data, modelsDirectory, thresholds)),
      motion: await measure('motion', () => evaluateMotion(data, modelsDirectory, { stills: !values.quick })),
    };
    const drawn = await writeCurves(evaluation, values.curves);
    if (values.record) await record(evaluation, engine.manifest);
    if (values.json)
      console.log(JSON.stringify({ models: engine.manifest.name, ...evaluation, processorSeconds }, withoutCurves, 2));
    else
      for (const { title, lines } of sectionsOf(evaluation, values.policy ? 'policy' : 'shipped'))
        console.log([title, ...lines].join('\n'));
    if (!values.json) console.log(processorText(processorSeconds));
    if (!values.json && drawn.length > 0) console.log(`DET curves: ${drawn.join(', ')}`);
    return Object.values(evaluation).some((section) => 'report' in section) ? 0 : 1;
  } catch (error) {
    console.error(`Nothing was measured: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    if (shipped) await rm(shipped, { recursive: true, force: true });
  }
}

if (import.meta.main) process.exitCode = await main();
