import type { Capture } from '../../engine/training/spoof/provenance.ts';
import { leastDecided, percent, type Rate, rateOf, rateText } from '../evaluate/rates.ts';

/** What a model that has never seen a capture's source says of it. */
export interface Judged {
  readonly capture: Pick<Capture, 'file' | 'label' | 'species' | 'source'>;
  readonly outcome: 'passed' | 'failed' | 'recapture';
}

/** Error rates over the captures that the quality gate let be decided, in terms of ISO/IEC 30107-3. */
export interface ErrorRates {
  readonly bpcer: Rate;
  /** Bona fide captures that were failed, by the source that was left out. */
  readonly bySource: Readonly<Record<string, Rate>>;
  readonly apcer: Readonly<Record<string, Rate>>;
}

export interface TrainingReport {
  readonly captures: { readonly bonaFide: number; readonly attack: number; readonly sources: number };
  readonly sentBack: Rate;
  /** Each source judged by a model that was trained without it. */
  readonly own: ErrorRates;
  /** The shipped model on the same captures. */
  readonly shipped: ErrorRates;
  /** Why the model may not take the shipped one's place; empty where it may. */
  readonly missing: readonly string[];
}

/** What must be seen on unseen sources before weights replace the shipped ones (docs/capture-protocol.md). */
const goal = {
  species: ['replay', 'photographed_portrait'],
  attacksPerSpecies: 60,
  bonaFide: 150,
  sources: 5,
  /** Of the shipped model's APCER. */
  apcerShare: 0.5,
  bpcer: 0.05,
} as const;

/** @param shipped on the same captures, in any order */
export function reportOf(own: readonly Judged[], shipped: readonly Judged[]): TrainingReport {
  const bonaFide = own.filter(({ capture }) => capture.label === 'bona_fide').length;
  const sentBack = own.filter(({ outcome }) => outcome === 'recapture').length;
  const rates = { own: errorRatesOf(own), shipped: errorRatesOf(shipped) };
  return {
    captures: {
      bonaFide,
      attack: own.length - bonaFide,
      sources: new Set(own.map(({ capture }) => capture.source)).size,
    },
    sentBack: rateOf(sentBack, own.length),
    ...rates,
    missing: missingOf(rates.own, rates.shipped),
  };
}

function errorRatesOf(judged: readonly Judged[]): ErrorRates {
  const decided = judged.filter(({ outcome }) => outcome !== 'recapture');
  const bonaFide = decided.filter(({ capture }) => capture.label === 'bona_fide');
  const attacks = decided.filter(({ capture }) => capture.label === 'attack');
  const rate = (of: readonly Judged[], wrong: Judged['outcome']) =>
    rateOf(of.filter(({ outcome }) => outcome === wrong).length, of.length);
  const rates = (of: readonly Judged[], by: 'source' | 'species', wrong: Judged['outcome']) =>
    Object.fromEntries(
      [...Map.groupBy(of, ({ capture }) => capture[by])].toSorted().map(([name, ones]) => [name, rate(ones, wrong)]),
    );
  return {
    bpcer: rate(bonaFide, 'failed'),
    bySource: rates(bonaFide, 'source', 'failed'),
    apcer: rates(attacks, 'species', 'passed'),
  };
}

function missingOf(own: ErrorRates, shipped: ErrorRates): string[] {
  const missing: string[] = [];
  const sources = Object.keys(own.bySource).length;
  if (own.bpcer.of < goal.bonaFide || sources < goal.sources) {
    missing.push(
      `${own.bpcer.of} bona fide captures of ${sources} sources were decided: ${goal.bonaFide} of ${goal.sources} are the least`,
    );
  }
  if ((own.bpcer.rate ?? 1) > goal.bpcer) missing.push(`BPCER is over ${percent(goal.bpcer, 0)}`);
  for (const species of goal.species) {
    const [ours, theirs] = [own.apcer[species], shipped.apcer[species]];
    const of = ours?.of ?? 0;
    if (of < goal.attacksPerSpecies)
      missing.push(`${of} attacks by ${species} were decided: ${goal.attacksPerSpecies} are the least`);
    else if ((ours?.rate ?? 1) > goal.apcerShare * (theirs?.rate ?? 0)) {
      missing.push(`APCER of ${species} is over half of the shipped model's`);
    }
  }
  return missing;
}

export function reportText({ captures, sentBack, own, shipped, missing }: TrainingReport): string[] {
  const species = [...new Set([...Object.keys(own.apcer), ...goal.species])].toSorted();
  const both = (name: string, ofOwn?: Rate, ofShipped?: Rate) => [
    `  ${name.padEnd(30)} own      ${toldText(ofOwn)}`,
    `  ${''.padEnd(30)} shipped  ${toldText(ofShipped)}`,
  ];
  return [
    `${captures.bonaFide} bona fide captures, ${captures.attack} attacks, ${captures.sources} sources, each judged by a model that has never seen it`,
    `  ${'sent back by the quality gate'.padEnd(30)}          ${toldText(sentBack)}`,
    ...both('BPCER', own.bpcer, shipped.bpcer),
    ...species.flatMap((name) => both(`APCER ${name}`, own.apcer[name], shipped.apcer[name])),
    ...Object.entries(own.bySource).map(
      ([name, { errors, of }]) => `  ${name}: ${errors} of ${of} bona fide captures failed`,
    ),
    ...(missing.length === 0
      ? ['By these figures it may take the shipped model’s place.']
      : ['It may not take the shipped model’s place:', ...missing.map((why) => `  ${why}`)]),
  ];
}

const toldText = (rate?: Rate) =>
  rate && rate.of >= leastDecided
    ? rateText(rate)
    : `   not told: ${rate?.of ?? 0} decided, ${leastDecided} are the least`;
