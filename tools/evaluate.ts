/**
 * `npm run evaluate -- --data DIR [--json]`: the shipped pipeline, gate and all, over captures whose truth is known.
 *
 * `DIR/pad.csv` has the columns file, label (bona_fide | attack), species, subject, source; the last three may be empty
 * or absent, and files are relative to DIR. Terms are those of ISO/IEC 30107-3: a capture the quality gate sends back
 * is a failure to acquire, and error rates are over the captures that were decided.
 * Exits 0 when something was measured, whatever the figures, and 1 when nothing could be, saying why.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { type Engine, openEngine } from '../shared/engine/engine.ts';
import { prepareModels } from './engine-assets.ts';
import { type DigitsReport, digitsText, evaluateDigits } from './evaluate/digits.ts';
import { percent, type Rate, rateOf, rateText, type Section } from './evaluate/rates.ts';

export interface SpoofReport {
  readonly captures: { readonly bonaFide: number; readonly attack: number };
  /** The shipped threshold on the live score. */
  readonly threshold: number;
  /** Bona fide captures that were decided and failed. */
  readonly bpcer: Rate;
  /** Attacks that were decided and passed, per species. */
  readonly apcer: Readonly<Record<string, Rate>>;
  /** The highest APCER of any species, as ISO/IEC 30107-3 wants it reported. */
  readonly apcerWorst: { readonly species: string; readonly rate: number } | null;
  readonly failureToAcquire: { readonly bonaFide: Acquisition; readonly attack: Acquisition };
  /** What to look at: decided captures on the wrong side. */
  readonly misjudged: readonly { readonly file: string; readonly label: string; readonly live: number }[];
  readonly unreadableFiles: readonly string[];
}

interface Acquisition {
  readonly rate: Rate;
  /** A capture counts under each of its reasons. */
  readonly reasons: Readonly<Record<string, number>>;
}

export interface Evaluation {
  readonly spoof: Section<SpoofReport>;
  readonly digits: Section<DigitsReport>;
}

/** Rows of a CSV as records; no quoting, as the data sets need none. CRLF and a byte order mark are taken in stride. */
export function parseCsv(text: string): Record<string, string>[] {
  const [header, ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const columns = (header ?? '').split(',').map((column) => column.trim());
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const cells = line.split(',');
      return Object.fromEntries(columns.map((column, index) => [column, cells[index]?.trim() ?? '']));
    });
}

const padRow = z.object({
  file: z.string().min(1),
  label: z.enum(['bona_fide', 'attack']),
  species: z.string().default(''),
});

interface Judged {
  readonly file: string;
  readonly label: 'bona_fide' | 'attack';
  readonly species: string;
  readonly outcome: 'passed' | 'failed' | 'recapture';
  readonly reasons: readonly string[];
  readonly live: number;
}

export async function evaluateSpoofDetection(directory: string, engine: Engine): Promise<Section<SpoofReport>> {
  const file = path.join(directory, 'pad.csv');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return { missing: `there is no ${file}` };
  const rows = z.array(padRow).safeParse(parseCsv(text));
  if (!rows.success) return { missing: `${file}: ${z.prettifyError(rows.error).split('\n').join(' ')}` };
  if (rows.data.length === 0) return { missing: `${file} names no captures` };

  const judged: Judged[] = [];
  const unreadableFiles: string[] = [];
  for (const row of rows.data) {
    const bytes = await readFile(path.join(directory, row.file)).catch(() => undefined);
    if (!bytes) {
      unreadableFiles.push(row.file);
      continue;
    }
    const { finding } = await engine.analyseSelfie(bytes, {});
    judged.push({ ...row, ...finding, live: finding.scores.live ?? 0 });
  }
  if (judged.length === 0) return { missing: `none of the ${rows.data.length} files of ${file} can be read` };
  return { report: report(judged, unreadableFiles, engine.manifest.spoofing.thresholds.live) };
}

function report(judged: readonly Judged[], unreadableFiles: readonly string[], threshold: number): SpoofReport {
  const bonaFide = judged.filter(({ label }) => label === 'bona_fide');
  const attacks = judged.filter(({ label }) => label === 'attack');
  const decided = (captures: readonly Judged[]) => captures.filter(({ outcome }) => outcome !== 'recapture');

  const apcer: Record<string, Rate> = {};
  for (const [species = '', captures = []] of Object.entries(Object.groupBy(attacks, speciesOf))) {
    const presented = decided(captures);
    apcer[species] = rateOf(presented.filter(({ outcome }) => outcome === 'passed').length, presented.length);
  }
  const measured = Object.entries(apcer).flatMap(([species, { rate }]) => (rate === null ? [] : [{ species, rate }]));
  return {
    captures: { bonaFide: bonaFide.length, attack: attacks.length },
    threshold,
    bpcer: rateOf(decided(bonaFide).filter(({ outcome }) => outcome === 'failed').length, decided(bonaFide).length),
    apcer,
    apcerWorst: measured.toSorted((a, b) => b.rate - a.rate)[0] ?? null,
    failureToAcquire: { bonaFide: acquisition(bonaFide), attack: acquisition(attacks) },
    misjudged: decided(judged)
      .filter(({ label, outcome }) => (label === 'attack') === (outcome === 'passed'))
      .map(({ file, label, live }) => ({ file, label, live })),
    unreadableFiles,
  };
}

const speciesOf = ({ species }: Judged) => species || 'unnamed';

function acquisition(captures: readonly Judged[]): Acquisition {
  const sentBack = captures.filter(({ outcome }) => outcome === 'recapture');
  const reasons: Record<string, number> = {};
  for (const reason of sentBack.flatMap((capture) => capture.reasons)) reasons[reason] = (reasons[reason] ?? 0) + 1;
  return { rate: rateOf(sentBack.length, captures.length), reasons };
}

const reasonsText = (reasons: Readonly<Record<string, number>>) =>
  Object.entries(reasons)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');

/** The first ten; `--json` has them all. */
const listText = (lines: readonly string[]) =>
  lines.length > 10 ? [...lines.slice(0, 10), `  … and ${lines.length - 10} more`] : lines;

function spoofText(section: Section<SpoofReport>): string[] {
  if ('missing' in section) return [`Not measured: ${section.missing}`];
  const { captures, threshold, bpcer, apcer, apcerWorst, failureToAcquire, misjudged, unreadableFiles } =
    section.report;
  const species = Object.entries(apcer).map(([name, rate]) => `  APCER ${name.padEnd(20)} ${rateText(rate)}`);
  const acquired = [
    { label: 'bona fide', ...failureToAcquire.bonaFide },
    { label: 'attack', ...failureToAcquire.attack },
  ];
  return [
    `${captures.bonaFide} bona fide captures, ${captures.attack} attacks; live threshold ${threshold} (shipped)`,
    `  BPCER ${''.padEnd(20)} ${rateText(bpcer)}`,
    ...species,
    ...(apcerWorst ? [`  worst species: ${apcerWorst.species}, APCER ${percent(apcerWorst.rate)}`] : []),
    ...acquired.flatMap(({ label, rate, reasons }) => [
      `  failure to acquire, ${label.padEnd(10)}${rateText(rate)}`,
      ...(rate.errors > 0 ? [`    ${reasonsText(reasons)}`] : []),
    ]),
    ...listText(misjudged.map(({ file, label, live }) => `  misjudged: ${file} (${label}, live ${live.toFixed(3)})`)),
    ...listText(unreadableFiles.map((file) => `  not found: ${file}`)),
    '  Print and replay level, indicative. The threshold was chosen with sets like this in view: in-sample.',
  ];
}

const sectionsOf = (evaluation: Evaluation) => [
  { title: 'Presentation attacks', lines: spoofText(evaluation.spoof) },
  { title: 'Spoken digits', lines: digitsText(evaluation.digits) },
];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { data: { type: 'string' }, models: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  if (!values.data) {
    console.error('Say where the captures are: npm run evaluate -- --data DIR [--models DIR] [--json]');
    return 1;
  }
  const shipped = values.models ? undefined : await mkdtemp(path.join(tmpdir(), 'bonafide-models-'));
  try {
    if (shipped) await prepareModels(shipped);
    const modelsDirectory = values.models ?? shipped ?? '';
    const engine = await openEngine({ modelsDirectory });
    const evaluation: Evaluation = {
      spoof: await evaluateSpoofDetection(values.data, engine),
      digits: await evaluateDigits(values.data, modelsDirectory),
    };
    if (values.json) console.log(JSON.stringify({ models: engine.manifest.name, ...evaluation }, null, 2));
    else for (const { title, lines } of sectionsOf(evaluation)) console.log([title, ...lines].join('\n'));
    return Object.values(evaluation).some((section) => 'report' in section) ? 0 : 1;
  } catch (error) {
    console.error(`Nothing was measured: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    if (shipped) await rm(shipped, { recursive: true, force: true });
  }
}

if (import.meta.main) process.exitCode = await main();
