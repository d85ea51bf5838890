import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { cardSizePx, decodeImage } from '../../engine/decode.ts';
import type { Analysis, Engine, Thresholds } from '../../engine/engine.ts';
import { qualityLimits } from '../../engine/quality.ts';
import { builtin } from '../../shared/providers/builtin/capabilities.ts';
import { readRows } from './csv.ts';
import { decoders } from './decoders.ts';
import { percent, type Rate, rateOf, rateText, type Section } from './rates.ts';
import { padRow } from './spoofing.ts';

/** What the spoof model makes of faces of each size, whatever limit is set: what a limit costs, and what it buys. */
export interface FaceSizesReport {
  /** The limit in force, in pixels. */
  readonly minimumFacePx: number;
  readonly bands: readonly SizeBand[];
}

/** Faces whose smaller side has from `fromPx` to below `toPx` pixels. */
export interface SizeBand {
  readonly fromPx: number;
  /** Null: of any size beyond. */
  readonly toPx: number | null;
  readonly asTheyAre: Errors;
  /** Larger ones, shrunk into the band. */
  readonly shrunk: Errors;
}

/** Of captures that the rest of the gate takes; those it sends back are told beside, with size not asked. */
export interface Errors {
  readonly bpcer: Rate;
  /** Whether the 95 % interval overlaps that of all other bands together. */
  readonly bpcerIsAlike: boolean;
  /** Of all species together. */
  readonly apcer: Rate;
  readonly apcerIsAlike: boolean;
  readonly sentBack: { readonly bonaFide: Rate; readonly attack: Rate };
}

/** Lower ends of the bands: from the smallest limit that a policy may set on. */
const smallestPx = builtin.thresholds.minimumFacePx?.from ?? 0;
const bandsFromPx = [smallestPx, 80, 96, 112, 128, 160] as const;
/** No capture is shrunk into the last band, which has no middle. */
const shrunkToPx = bandsFromPx.slice(0, -1).map((from, index) => (from + (bandsFromPx[index + 1] ?? from)) / 2);

type Label = 'bona_fide' | 'attack';

interface Sized {
  readonly label: Label;
  readonly shrunk: boolean;
  readonly facePx: number;
  readonly outcome: 'passed' | 'failed' | 'recapture';
}

/** Every capture of `pad.csv` as it is and shrunk, with the rest of the gate as it is. */
export async function evaluateFaceSizes(
  directory: string,
  engine: Engine,
  thresholds: Thresholds,
): Promise<Section<FaceSizesReport>> {
  const listed = await readRows(path.join(directory, 'pad.csv'), padRow);
  if ('why' in listed) return { missing: listed.why };
  const sized: Sized[] = [];
  const look = (bytes: Uint8Array) => engine.analyseSelfie(bytes, { ...thresholds, minimumFacePx: 1 });
  for (const { file, label } of listed.rows) {
    const bytes = await readFile(path.join(directory, file)).catch(() => undefined);
    if (!bytes) continue;
    const asItIs = sizedOf(await look(bytes), label, false);
    if (!asItIs) continue;
    sized.push(asItIs);
    for (const facePx of shrunkToPx.filter((px) => px < asItIs.facePx)) {
      const smaller = await shrink(bytes, facePx / asItIs.facePx);
      const shrunk = smaller && sizedOf(await look(smaller), label, true);
      if (shrunk) sized.push(shrunk);
    }
  }
  if (sized.length === 0) return { missing: 'no capture of pad.csv has a face' };
  const minimumFacePx = thresholds.minimumFacePx ?? qualityLimits.minimumFacePx;
  return { report: { minimumFacePx, bands: bandsOf(sized) } };
}

function sizedOf({ finding, measurements }: Analysis, label: Label, shrunk: boolean): Sized | undefined {
  const { face_width_px: width, face_height_px: height } = measurements;
  if (width === undefined || height === undefined) return undefined;
  return { label, shrunk, facePx: Math.min(width, height), outcome: finding.outcome };
}

/** `factor` of the capture's own size, as a camera of fewer pixels would store it. */
async function shrink(bytes: Uint8Array, factor: number): Promise<Buffer | undefined> {
  const decoded = await decodeImage(bytes, { sizePx: cardSizePx, decoders });
  if (decoded.kind !== 'decoded') return undefined;
  const { image, widthPx } = decoded.capture;
  const { width, height, pixels } = image;
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize({ width: Math.max(1, Math.round(widthPx * factor)) })
    .jpeg({ quality: 90 })
    .toBuffer();
}

function bandsOf(sized: readonly Sized[]): SizeBand[] {
  const of = (shrunk: boolean) => {
    const captures = sized.filter((one) => one.shrunk === shrunk);
    return (inBand: (one: Sized) => boolean) =>
      errorsOf(
        captures.filter(inBand),
        captures.filter((one) => one.facePx >= smallestPx && !inBand(one)),
      );
  };
  return bandsFromPx.map((fromPx, index) => {
    const toPx = bandsFromPx[index + 1] ?? null;
    const inBand = ({ facePx }: Sized) => facePx >= fromPx && facePx < (toPx ?? Number.POSITIVE_INFINITY);
    return { fromPx, toPx, asTheyAre: of(false)(inBand), shrunk: of(true)(inBand) };
  });
}

function errorsOf(inside: readonly Sized[], outside: readonly Sized[]): Errors {
  const wrong = { bona_fide: 'failed', attack: 'passed' } as const;
  const errors = (captures: readonly Sized[], label: Label) => {
    const decided = captures.filter((one) => one.label === label && one.outcome !== 'recapture');
    return rateOf(decided.filter(({ outcome }) => outcome === wrong[label]).length, decided.length);
  };
  const sentBack = (label: Label) => {
    const captures = inside.filter((one) => one.label === label);
    return rateOf(captures.filter(({ outcome }) => outcome === 'recapture').length, captures.length);
  };
  const [bpcer, apcer] = [errors(inside, 'bona_fide'), errors(inside, 'attack')];
  return {
    bpcer,
    bpcerIsAlike: overlap(bpcer, errors(outside, 'bona_fide')),
    apcer,
    apcerIsAlike: overlap(apcer, errors(outside, 'attack')),
    sentBack: { bonaFide: sentBack('bona_fide'), attack: sentBack('attack') },
  };
}

/** Nothing can be said against a rate of nothing. */
const overlap = ({ interval: one }: Rate, { interval: other }: Rate): boolean =>
  !one || !other || (one[0] <= other[1] && other[0] <= one[1]);

export function faceSizesText(section: Section<FaceSizesReport>): string[] {
  if ('missing' in section) return [`Not measured: ${section.missing}`];
  const { minimumFacePx, bands } = section.report;
  return [
    `By the smaller side of the face, with no limit on it; the limit is ${minimumFacePx} px.`,
    ...linesOf('As they are', bands, ({ asTheyAre }) => asTheyAre),
    ...linesOf('Larger ones, shrunk', bands, ({ shrunk }) => shrunk),
    '  "differs": the 95 % interval lies outside that of all other bands together. Shrunk captures are sharper than small ones.',
  ];
}

function linesOf(title: string, bands: readonly SizeBand[], errorsIn: (band: SizeBand) => Errors): string[] {
  return [
    `${title}:`,
    ...bands.flatMap((band) => {
      const { bpcer, bpcerIsAlike, apcer, apcerIsAlike, sentBack } = errorsIn(band);
      const name = band.toPx === null ? `${band.fromPx} px and more` : `${band.fromPx} to ${band.toPx - 1} px`;
      const { bonaFide, attack } = sentBack;
      return [
        `  ${name.padEnd(16)} BPCER ${rateText(bpcer)}${bpcerIsAlike ? '' : ' differs'}; ${sentBackText(bonaFide)}`,
        `  ${''.padEnd(16)} APCER ${rateText(apcer)}${apcerIsAlike ? '' : ' differs'}; ${sentBackText(attack)}`,
      ];
    }),
  ];
}

const sentBackText = ({ errors, of, rate }: Rate) =>
  `sent back ${errors} of ${of}${rate === null ? '' : `, ${percent(rate)}`}`;
