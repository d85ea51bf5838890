/**
 * `npm run evaluate -- --data DIR [--models DIR] [--curves DIR] [--json]`: the shipped pipeline, gate and all, over captures whose truth is known.
 *
 * `DIR` holds `pad.csv`, `match.csv`, `match-pairs.csv` and `digits/`, or some of them (`docs/calibrating.md`). Terms are those of ISO/IEC 30107-3: a capture the quality gate sends back
 * is a failure to acquire, and error rates are over the captures that were decided.
 * Exits 0 when something was measured, whatever the figures, and 1 when nothing could be, saying why.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openEngine } from '../engine/engine.ts';
import { drawCurves } from './evaluate/curves.ts';
import { type DigitsReport, digitsText, evaluateDigits } from './evaluate/digits.ts';
import { evaluateMatching, type MatchReport, matchText } from './evaluate/matching.ts';
import type { Section } from './evaluate/rates.ts';
import { evaluateSpoofDetection, type SpoofReport, spoofText } from './evaluate/spoofing.ts';
import { summaryText } from './evaluate/summary.ts';
import { prepareModels } from './release/engine-assets.ts';

export interface Evaluation {
  readonly spoof: Section<SpoofReport>;
  readonly match: Section<MatchReport>;
  readonly digits: Section<DigitsReport>;
}

const sectionsOf = (evaluation: Evaluation) => [
  { title: 'Presentation attacks', lines: spoofText(evaluation.spoof) },
  { title: 'Face comparison', lines: matchText(evaluation.match) },
  { title: 'Spoken digits', lines: digitsText(evaluation.digits) },
  { title: 'Summary', lines: summaryText(evaluation) },
];

/** Thousands of points, which are drawn and not told. */
const withoutCurves = (key: string, value: unknown) => (key === 'curve' || key === 'curves' ? undefined : value);

/** DET curves as SVG, one file per section that was measured. */
async function writeCurves({ spoof, match }: Evaluation, directory: string): Promise<string[]> {
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

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      models: { type: 'string' },
      curves: { type: 'string', default: 'build/evaluation' },
      json: { type: 'boolean', default: false },
    },
  });
  if (!values.data) {
    console.error('Say where the captures are: npm run evaluate -- --data DIR [--models DIR] [--curves DIR] [--json]');
    return 1;
  }
  const shipped = values.models ? undefined : await mkdtemp(path.join(tmpdir(), 'bonafide-models-'));
  try {
    if (shipped) await prepareModels(shipped);
    const modelsDirectory = values.models ?? shipped ?? '';
    const engine = await openEngine({ modelsDirectory });
    const evaluation: Evaluation = {
      spoof: await evaluateSpoofDetection(values.data, engine),
      match: await evaluateMatching(values.data, modelsDirectory),
      digits: await evaluateDigits(values.data, modelsDirectory),
    };
    const drawn = await writeCurves(evaluation, values.curves);
    if (values.json) console.log(JSON.stringify({ models: engine.manifest.name, ...evaluation }, withoutCurves, 2));
    else for (const { title, lines } of sectionsOf(evaluation)) console.log([title, ...lines].join('\n'));
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
