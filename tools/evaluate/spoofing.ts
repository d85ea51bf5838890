import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import type { Engine, Thresholds } from '../../engine/engine.ts';
import { readRows } from './csv.ts';
import { curveOf, equalErrorRate, falseRejectAt, type Point } from './curves.ts';
import {
  type ChosenBy,
  leastDecided,
  listText,
  percent,
  type Rate,
  rateOf,
  rateText,
  type Section,
  speciesText,
} from './rates.ts';

export interface SpoofReport {
  readonly captures: { readonly bonaFide: number; readonly attack: number };
  /** The threshold on the live score. */
  readonly threshold: number;
  /** Bona fide captures that were decided and failed. */
  readonly bpcer: Rate;
  /** Attacks that were decided and passed, per species. */
  readonly apcer: Readonly<Record<string, Rate>>;
  /** The highest APCER of any species of which enough were decided, as ISO/IEC 30107-3 wants it reported. */
  readonly apcerWorst: { readonly species: string; readonly rate: number } | null;
  readonly failureToAcquire: { readonly bonaFide: Acquisition; readonly attack: Acquisition };
  /** What to look at: decided captures on the wrong side. */
  readonly misjudged: readonly { readonly file: string; readonly label: string; readonly live: number }[];
  readonly unreadableFiles: readonly string[];
  /** Over the decided captures, fitted to them. */
  readonly inSample: {
    readonly equalErrorRate: number | null;
    /** BPCER where APCER, over all species, is at most 1, 5 and 10 %. */
    readonly bpcerAtApcer: Readonly<Record<'1 %' | '5 %' | '10 %', number | null>>;
  };
  readonly curve: readonly Point[];
}

interface Acquisition {
  readonly rate: Rate;
  /** A capture counts under each of its reasons. */
  readonly reasons: Readonly<Record<string, number>>;
}

export const padRow = z.object({
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

export async function evaluateSpoofDetection(
  directory: string,
  engine: Engine,
  thresholds: Thresholds,
): Promise<Section<SpoofReport>> {
  const file = path.join(directory, 'pad.csv');
  const listed = await readRows(file, padRow);
  if ('why' in listed) return { missing: listed.why };
  const { rows } = listed;
  if (rows.length === 0) return { missing: `${file} names no captures` };

  const judged: Judged[] = [];
  const unreadableFiles: string[] = [];
  for (const row of rows) {
    const bytes = await readFile(path.join(directory, row.file)).catch(() => undefined);
    if (!bytes) {
      unreadableFiles.push(row.file);
      continue;
    }
    const { finding } = await engine.analyseSelfie(bytes, thresholds);
    judged.push({ ...row, ...finding, live: finding.scores.live ?? 0 });
  }
  if (judged.length === 0) return { missing: `none of the ${rows.length} files of ${file} can be read` };
  const threshold = thresholds.live ?? engine.manifest.spoofing.thresholds.live;
  return { report: report(judged, unreadableFiles, threshold) };
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
  const liveOf = (captures: readonly Judged[]) => decided(captures).map(({ live }) => live);
  const curve = curveOf({ genuine: liveOf(bonaFide), impostor: liveOf(attacks) });
  const measured = Object.entries(apcer).flatMap(([species, { rate, of }]) =>
    rate === null || of < leastDecided ? [] : [{ species, rate }],
  );
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
    inSample: {
      equalErrorRate: equalErrorRate(curve),
      bpcerAtApcer: {
        '1 %': falseRejectAt(curve, 0.01),
        '5 %': falseRejectAt(curve, 0.05),
        '10 %': falseRejectAt(curve, 0.1),
      },
    },
    curve,
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

export function spoofText(section: Section<SpoofReport>, chosenBy: ChosenBy): string[] {
  if ('missing' in section) return [`Not measured: ${section.missing}`];
  const { captures, threshold, bpcer, apcer, apcerWorst, failureToAcquire, misjudged, unreadableFiles, inSample } =
    section.report;
  const species = Object.entries(apcer).map(([name, rate]) => `  APCER ${name.padEnd(20)} ${speciesText(rate)}`);
  const acquired = [
    { label: 'bona fide', ...failureToAcquire.bonaFide },
    { label: 'attack', ...failureToAcquire.attack },
  ];
  return [
    `${captures.bonaFide} bona fide captures, ${captures.attack} attacks; live threshold ${threshold} (${chosenBy})`,
    `  BPCER ${''.padEnd(20)} ${rateText(bpcer)}`,
    ...species,
    ...(apcerWorst ? [`  worst species: ${apcerWorst.species}, APCER ${percent(apcerWorst.rate)}`] : []),
    ...acquired.flatMap(({ label, rate, reasons }) => [
      `  failure to acquire, ${label.padEnd(10)}${rateText(rate)}`,
      ...(rate.errors > 0 ? [`    ${reasonsText(reasons)}`] : []),
    ]),
    ...fittedText(inSample),
    ...listText(misjudged.map(({ file, label, live }) => `  misjudged: ${file} (${label}, live ${live.toFixed(3)})`)),
    ...listText(unreadableFiles.map((file) => `  not found: ${file}`)),
    '  Print and replay level, indicative. The threshold was chosen with sets like this in view: in-sample.',
  ];
}

function fittedText({ equalErrorRate: equal, bpcerAtApcer }: SpoofReport['inSample']): string[] {
  if (equal === null) return [];
  const rates = Object.entries(bpcerAtApcer).map(
    ([apcer, rate]) => `${rate === null ? 'none' : percent(rate)} at APCER ${apcer}`,
  );
  return [
    '  Fitted to these very captures (in-sample), all species together:',
    `    EER ${percent(equal)}; BPCER ${rates.join(', ')}`,
  ];
}
