import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type * as z from 'zod';
import { decodeImage } from '../../engine/decode.ts';
import type { Engine, Thresholds } from '../../engine/engine.ts';
import { readRows } from './csv.ts';
import { decoders } from './decoders.ts';
import { percent, type Rate, rateOf, rateText, type Section } from './rates.ts';
import { padRow } from './spoofing.ts';
import { cheapTransforms, honestDegradations, type Transform } from './transforms.ts';

/** What becomes of captures when they are sent after a cheap transform. */
export interface RobustnessReport {
  /** Attacks, as they are and under each transform; by its name. */
  readonly attacks: Readonly<Record<string, Outcomes>>;
  /** Attacks that pass as they are or under any transform: what an attacker gets who tries them all. */
  readonly worst: Rate;
  /** Those of them that do not pass as they are, each with the transforms that help it. */
  readonly helped: readonly { readonly file: string; readonly by: readonly string[] }[];
  /** Bona fide captures, as they are and as honest cameras and messengers degrade them. */
  readonly bonaFide: Readonly<Record<string, Outcomes>>;
}

/** Of all captures: those sent back have not passed, and are told beside. */
interface Outcomes {
  readonly passed: Rate;
  readonly sentBack: Rate;
}

export interface Transforms {
  readonly cheap: Readonly<Record<string, Transform>>;
  readonly honest: Readonly<Record<string, Transform>>;
}

const asItIs = 'as is';

type Outcome = 'passed' | 'failed' | 'recapture';

/** A capture's outcome under each transform, and as it is. */
export interface Tried {
  readonly file: string;
  readonly label: 'bona_fide' | 'attack';
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

type Row = z.output<typeof padRow>;

/** What becomes of each capture, in the rows' order; of one that cannot be read, nothing. */
export type TryRows = (rows: readonly Row[]) => Promise<readonly (Tried | undefined)[]>;

/** Every capture of `pad.csv`. */
export async function evaluateRobustness(directory: string, tryRows: TryRows): Promise<Section<RobustnessReport>> {
  const listed = await readRows(path.join(directory, 'pad.csv'), padRow);
  if ('why' in listed) return { missing: listed.why };
  const tried = (await tryRows(listed.rows)).filter((one) => one !== undefined);
  if (tried.length === 0) return { missing: 'no picture of pad.csv can be read' };
  return { report: report(tried) };
}

export interface Trials {
  readonly directory: string;
  readonly engine: Engine;
  readonly thresholds: Thresholds;
  readonly transforms?: Transforms;
}

/** Through the whole engine, one after another: a transform moves the detector's box, too. */
export async function tryTransforms(rows: readonly Row[], trials: Trials): Promise<(Tried | undefined)[]> {
  const tried: (Tried | undefined)[] = [];
  for (const row of rows) tried.push(await tryCapture(row, trials));
  return tried;
}

async function tryCapture(
  { file, label }: Row,
  { directory, engine, thresholds, transforms = { cheap: cheapTransforms, honest: honestDegradations } }: Trials,
): Promise<Tried | undefined> {
  const bytes = await readFile(path.join(directory, file)).catch(() => undefined);
  const decoded = bytes && (await decodeImage(bytes, { decoders }));
  if (!bytes || decoded?.kind !== 'decoded') return undefined;
  const { finding } = await engine.analyseSelfie(bytes, thresholds);
  const outcomes = new Map<string, Outcome>([[asItIs, finding.outcome]]);
  for (const [name, transform] of Object.entries(label === 'attack' ? transforms.cheap : transforms.honest)) {
    const sent = await transform(decoded.capture.image).toBuffer();
    outcomes.set(name, (await engine.analyseSelfie(sent, thresholds)).finding.outcome);
  }
  return { file, label, outcomes };
}

function report(tried: readonly Tried[]): RobustnessReport {
  const attacks = tried.filter(({ label }) => label === 'attack');
  const bonaFide = tried.filter(({ label }) => label === 'bona_fide');
  const ways = attacks.map(({ file, outcomes }) => ({
    file,
    by: [...outcomes].flatMap(([name, outcome]) => (outcome === 'passed' ? [name] : [])),
  }));
  return {
    attacks: outcomesOf(attacks),
    worst: rateOf(ways.filter(({ by }) => by.length > 0).length, attacks.length),
    helped: ways.filter(({ by }) => by.length > 0 && !by.includes(asItIs)),
    bonaFide: outcomesOf(bonaFide),
  };
}

function outcomesOf(tried: readonly Tried[]): Record<string, Outcomes> {
  const names = [...(tried[0]?.outcomes.keys() ?? [])];
  const count = (name: string, wanted: Outcome) =>
    rateOf(tried.filter(({ outcomes }) => outcomes.get(name) === wanted).length, tried.length);
  return Object.fromEntries(
    names.map((name) => [name, { passed: count(name, 'passed'), sentBack: count(name, 'recapture') }]),
  );
}

/** Worst of all transforms beside as is: no more than twice as many and five points. */
export const allowedWorst = (asIs: number): number => 2 * asIs + 0.05;

export function robustnessText(section: Section<RobustnessReport>): string[] {
  if ('missing' in section) return [`Not measured: ${section.missing}`];
  const { attacks, worst, helped, bonaFide } = section.report;
  const transforms = Object.keys(attacks).length - 1;
  return [
    ...(transforms > 0 ? ['Attacks, passed and sent back, of all of them:', ...linesOf(attacks)] : []),
    ...(worst.of > 0 ? [`  ${`worst of ${transforms}, per attack`.padEnd(nameWidth)}${rateText(worst)}`] : []),
    ...(helped.length > 0 ? [`    ${helped.length} of them pass only when they are changed:`] : []),
    ...helped.slice(0, 10).map(({ file, by }) => `    ${file}: ${by.length} ways, ${by.slice(0, 3).join('; ')}`),
    ...(helped.length > 10 ? [`    … and ${helped.length - 10} more (--json)`] : []),
    ...(Object.keys(bonaFide).length > 0
      ? ['Bona fide captures, passed and sent back, of all of them:', ...linesOf(bonaFide)]
      : []),
    '  A capture that is sent back has not passed. The transforms are fixed; an attacker may find others.',
  ];
}

const nameWidth = 32;

const linesOf = (outcomes: Readonly<Record<string, Outcomes>>) =>
  Object.entries(outcomes).map(
    ([name, { passed, sentBack }]) =>
      `  ${name.padEnd(nameWidth)}${rateText(passed)}; sent back ${sentBack.errors}, ${percent(sentBack.rate ?? 0)}`,
  );
