import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import * as z from 'zod';
import { cardSizePx, decodeImage } from '../../engine/decode.ts';
import type { Thresholds } from '../../engine/engine.ts';
import { readIdCard } from '../../engine/id-card.ts';
import type { Manifest } from '../../engine/manifest.ts';
import { cosineOf, type Embedding } from '../../engine/matching.ts';
import { openModelPack } from '../../engine/models.ts';
import type { FaceModels } from '../../engine/selfie.ts';
import { openSightModels } from '../../engine/sight.ts';
import { readRows } from './csv.ts';
import { curveOf, equalErrorRate, falseRejectAt, type Point, type Scores } from './curves.ts';
import { decoders } from './decoders.ts';
import { type ChosenBy, percent, type Rate, rateOf, rateText, type Section } from './rates.ts';

export interface ComparisonReport {
  /** At the threshold. */
  readonly falseMatch: Rate;
  readonly falseNonMatch: Rate;
  /** Fitted to these very comparisons. */
  readonly inSample: { readonly equalErrorRate: number | null; readonly trueMatchAtFalseMatch001: number | null };
}

export interface MatchReport {
  /** The threshold on the cosine. */
  readonly threshold: number;
  readonly pooled: ComparisonReport;
  /** Every photo of `match.csv` with every other one. */
  readonly people: ComparisonReport | null;
  /** The pairs of `match-pairs.csv`. */
  readonly pairs: ComparisonReport | null;
  /** One photo of each comparison shrunk until its face is so wide, and compressed: what is printed on a card. */
  readonly idFaces: Readonly<Record<string, ComparisonReport>>;
  readonly withoutFace: readonly string[];
  readonly unreadableFiles: readonly string[];
  /** Genuine ones that do not match, impostors that do. */
  readonly misjudged: readonly { readonly files: readonly [string, string]; readonly cosine: number }[];
  readonly curves: Readonly<Record<string, readonly Point[]>>;
}

export const personRow = z.object({ file: z.string().min(1), person: z.string().min(1) });
export const pairRow = z.object({
  file_a: z.string().min(1),
  file_b: z.string().min(1),
  label: z.enum(['same', 'different']),
});

/** Widths of simulated card faces, in pixels. */
const idFacePx = [64, 48, 32];
const simulatedQuality = 80;

interface Comparison {
  readonly files: readonly [string, string];
  readonly same: boolean;
  readonly cosine: number;
}

interface SeenFace {
  readonly embedding: Embedding;
  readonly widthPx: number;
}

/** `match.csv`: file, person. `match-pairs.csv`: file_a, file_b, label (same | different). Either may be missing. */
export async function evaluateMatching(
  directory: string,
  modelsDirectory: string,
  { match }: Thresholds,
): Promise<Section<MatchReport>> {
  const people = await readRows(path.join(directory, 'match.csv'), personRow);
  const pairs = await readRows(path.join(directory, 'match-pairs.csv'), pairRow);
  if ('why' in people && 'why' in pairs) return { missing: `${people.why}; ${pairs.why}` };
  const persons = 'rows' in people ? people.rows : [];
  const listed = 'rows' in pairs ? pairs.rows : [];

  const pack = await openModelPack(modelsDirectory, 1);
  const { faceMatching } = pack.manifest;
  const models: FaceModels = { ...(await openSightModels(pack)), spoofModels: [] };
  const files = new Set([
    ...persons.map(({ file }) => file),
    ...listed.flatMap(({ file_a, file_b }) => [file_a, file_b]),
  ]);
  const faces = new Map<string, SeenFace>();
  const shrunk = new Map<number, Map<string, SeenFace>>(idFacePx.map((px) => [px, new Map()]));
  const shown = new Set(persons.map(({ file }) => file));
  const withoutFace: string[] = [];
  const unreadableFiles: string[] = [];
  for (const file of files) {
    const bytes = await readFile(path.join(directory, file)).catch(() => undefined);
    const face = bytes && (await see(bytes, models));
    if (!face) {
      (bytes ? withoutFace : unreadableFiles).push(file);
      continue;
    }
    faces.set(file, face);
    if (!shown.has(file)) continue;
    for (const [px, seen] of shrunk) {
      const small = await see(await shrink(bytes, px / face.widthPx), models);
      if (small) seen.set(file, small);
    }
  }

  const byPerson = persons.flatMap((one, index) =>
    persons
      .slice(index + 1)
      .flatMap((other) => compare(one.file, other.file, one.person === other.person, faces, faces)),
  );
  const byPair = listed.flatMap(({ file_a, file_b, label }) => compare(file_a, file_b, label === 'same', faces, faces));
  const pooled = [...byPerson, ...byPair];
  if (pooled.length === 0) return { missing: 'none of the photos to compare could be read and held a face' };

  const threshold = match === undefined ? faceMatching.thresholds.cosine : cosineOfScore(match, faceMatching);
  const small = [...shrunk].map(([px, seen]) => {
    const compared = persons.flatMap((one) =>
      persons.flatMap((other) =>
        one.file === other.file ? [] : compare(one.file, other.file, one.person === other.person, faces, seen),
      ),
    );
    return [`${px} px`, compared] as const;
  });
  const reportOf = (compared: readonly Comparison[]) => (compared.length > 0 ? summarise(compared, threshold) : null);
  return {
    report: {
      threshold,
      pooled: summarise(pooled, threshold),
      people: reportOf(byPerson),
      pairs: reportOf(byPair),
      idFaces: Object.fromEntries(
        small.flatMap(([name, all]) => (all.length > 0 ? [[name, summarise(all, threshold)]] : [])),
      ),
      withoutFace,
      unreadableFiles,
      misjudged: pooled
        .filter(({ same, cosine }) => same !== cosine >= threshold)
        .map(({ files, cosine }) => ({ files, cosine })),
      curves: Object.fromEntries([
        ['photos', curveOf(scoresOf(pooled))],
        ...small.map(([name, all]) => [`ID face of ${name}`, curveOf(scoresOf(all))]),
      ]),
    },
  };
}

async function see(bytes: Uint8Array, models: FaceModels): Promise<SeenFace | undefined> {
  const decoded = await decodeImage(bytes, { sizePx: cardSizePx, decoders });
  if (decoded.kind !== 'decoded') return undefined;
  const { embedding, measurements } = await readIdCard(decoded.capture, models);
  return embedding && { embedding, widthPx: measurements.id_face_width_px ?? 0 };
}

/** The photo as a card's: so many times its size, and compressed. */
export async function shrink(bytes: Uint8Array, factor: number): Promise<Uint8Array> {
  const photo = sharp(bytes).autoOrient();
  const { width = 1 } = await photo.metadata();
  return photo
    .resize({ width: Math.max(1, Math.round(width * factor)) })
    .jpeg({ quality: simulatedQuality })
    .toBuffer();
}

function compare(
  one: string,
  other: string,
  same: boolean,
  ones: ReadonlyMap<string, SeenFace>,
  others: ReadonlyMap<string, SeenFace>,
): Comparison[] {
  const [face, counterpart] = [ones.get(one), others.get(other)];
  if (!face || !counterpart) return [];
  return [{ files: [one, other], same, cosine: cosineOf(face.embedding, counterpart.embedding) }];
}

const scoresOf = (compared: readonly Comparison[]): Scores => ({
  genuine: compared.filter(({ same }) => same).map(({ cosine }) => cosine),
  impostor: compared.filter(({ same }) => !same).map(({ cosine }) => cosine),
});

/** The cosine of a match score: `matchScoreOf` turned round. */
function cosineOfScore(score: number, { thresholds, scoreSlope }: Manifest['faceMatching']): number {
  return thresholds.cosine + Math.log(score / (1 - score)) / scoreSlope;
}

function summarise(compared: readonly Comparison[], threshold: number): ComparisonReport {
  const { genuine, impostor } = scoresOf(compared);
  const curve = curveOf({ genuine, impostor });
  const missed = falseRejectAt(curve, 0.001);
  return {
    falseMatch: rateOf(impostor.filter((cosine) => cosine >= threshold).length, impostor.length),
    falseNonMatch: rateOf(genuine.filter((cosine) => cosine < threshold).length, genuine.length),
    inSample: { equalErrorRate: equalErrorRate(curve), trueMatchAtFalseMatch001: missed === null ? null : 1 - missed },
  };
}

const fitted = ({ inSample: { equalErrorRate: equal, trueMatchAtFalseMatch001: matched } }: ComparisonReport) =>
  equal === null || matched === null
    ? 'too few comparisons'
    : `EER ${percent(equal, 2)}, TMR at FMR 0.1 % ${percent(matched, 2)}`;

export function matchText(section: Section<MatchReport>, chosenBy: ChosenBy): string[] {
  if ('missing' in section) return [`Not measured: ${section.missing}`];
  const { threshold, pooled, people, pairs, idFaces, withoutFace, unreadableFiles, misjudged } = section.report;
  const sets: [string, ComparisonReport | null][] = [
    ['all photos', pooled],
    ['match.csv', people],
    ['match-pairs.csv', pairs],
    ...Object.entries(idFaces).map(([name, report]): [string, ComparisonReport] => [`ID face ${name}`, report]),
  ];
  const present = sets.flatMap(([name, report]) => (report ? [{ name: name.padEnd(16), report }] : []));
  return [
    `Cosine threshold ${Number(threshold.toFixed(4))} (${chosenBy})`,
    ...present.flatMap(({ name, report }) => [
      `  ${name} FMR  ${rateText(report.falseMatch)}`,
      `  ${name} FNMR ${rateText(report.falseNonMatch)}`,
    ]),
    '  Fitted to these very comparisons (in-sample):',
    ...present.map(({ name, report }) => `    ${name} ${fitted(report)}`),
    ...misjudged
      .slice(0, 10)
      .map(({ files, cosine }) => `  misjudged: ${files.join(' and ')} (cosine ${cosine.toFixed(3)})`),
    ...withoutFace.slice(0, 10).map((file) => `  no face found: ${file}`),
    ...unreadableFiles.slice(0, 10).map((file) => `  not found: ${file}`),
    '  Simulated cards are shrunk photos: no print, no lamination, no years between. Photos of the famous flatter the model.',
  ];
}
