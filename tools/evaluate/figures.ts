import type { Manifest } from '../../engine/manifest.ts';
import type { DigitsReport } from './digits.ts';
import type { FaceSizesReport } from './face-sizes.ts';
import type { MatchReport } from './matching.ts';
import type { MotionReport } from './motion.ts';
import { leastDecided, percent, type Rate, rateOf, type Section } from './rates.ts';
import type { RepeatsReport } from './repeats.ts';
import type { RobustnessReport } from './robustness.ts';
import type { SpoofReport } from './spoofing.ts';

/** Where `npm run evaluate -- --record` writes, and what MODELS.md is filled in from. */
export const figuresFile = 'engine/notes/figures.json';

/** What `npm run evaluate` measures. */
export interface Sections {
  readonly spoof: Section<SpoofReport>;
  readonly faceSizes: Section<FaceSizesReport>;
  readonly robustness: Section<RobustnessReport>;
  readonly match: Section<MatchReport>;
  readonly repeats: Section<RepeatsReport>;
  readonly digits: Section<DigitsReport>;
  readonly motion: Section<MotionReport>;
}

/** What was measured, and with which weights: figures of other weights are not those of the shipped ones. */
export interface Figures extends Sections {
  readonly measuredWith: Measured;
}

export interface Measured {
  readonly pack: string;
  readonly version: number;
  /** By file. */
  readonly sha256: Readonly<Record<string, string>>;
  readonly thresholds: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The pack as far as figures depend on it. */
export function measuredWith(manifest: Manifest): Measured {
  const { faceDetection, faceLandmarks, faceMatching, spoofing, digits } = manifest;
  const models = [faceDetection, faceLandmarks, faceMatching.model, ...spoofing.models, ...(digits ? [digits] : [])];
  return {
    pack: manifest.name,
    version: manifest.version,
    sha256: Object.fromEntries(models.map(({ file, sha256 }) => [file, sha256])),
    thresholds: {
      faceDetection: faceDetection.thresholds,
      faceMatching: { ...faceMatching.thresholds, faceNorm: faceMatching.faceNorm },
      spoofing: spoofing.thresholds,
      ...(digits && { digits: digits.thresholds }),
    },
  };
}

/** Single captures and thousands of points of curves: printed and drawn, and not recorded. */
const notRecorded = [
  ...['curve', 'curves', 'judged', 'misjudged', 'mistakenPairs', 'helped', 'refused'],
  ...['withoutFace', 'unreadableFiles'],
];

/** The file's text: rates and counts alone, no capture's name. */
export function figuresText(sections: Sections, manifest: Manifest): string {
  const figures: Figures = { measuredWith: measuredWith(manifest), ...sections };
  const replacer = (key: string, value: unknown) => (notRecorded.includes(key) ? undefined : value);
  return `${JSON.stringify(figures, replacer, 2)}\n`;
}

/** `| what | 2 of 108, 1.9 % | 0.50 % to 6.5 % |`; of a few, counts alone. */
const row = (what: string, { errors, of, rate, interval }: Rate): string => {
  if (rate === null || !interval) return `| ${what} | none decided | |`;
  if (of < leastDecided) return `| ${what} | ${errors} of ${of} | too few for a rate |`;
  const [low, high] = interval.map((bound) => percent(bound, bound < 0.01 || (bound > 0.99 && bound < 1) ? 2 : 1));
  return `| ${what} | ${counted(errors)} of ${counted(of)}, ${percent(rate, rate > 0 && rate < 0.01 ? 2 : 1)} | ${low} to ${high} |`;
};

const counted = (count: number) => count.toLocaleString('en-GB');
const table = (heading: string, rows: readonly string[]) => [
  `| ${heading} | | 95 % interval |`,
  '|---|---|---|',
  ...rows,
];
const together = (one: Rate, other: Rate): Rate => rateOf(one.errors + other.errors, one.of + other.of);
const accepted = ({ errors, of, rate, interval }: Rate): Rate => ({
  errors: of - errors,
  of,
  rate: rate === null ? null : 1 - rate,
  interval: interval && [1 - interval[1], 1 - interval[0]],
});

/** Every block of the page, by its name. A section that was not measured says why. */
const blocks: Readonly<Record<string, (figures: Figures) => string[]>> = {
  'presentation attacks': ({ spoof }) => {
    if ('missing' in spoof) return [`Not measured: ${spoof.missing}`];
    const { bpcer, apcer, failureToAcquire } = spoof.report;
    const told = Object.entries(apcer).filter(([, { of }]) => of >= leastDecided);
    const few = Object.entries(apcer).filter(([, { of }]) => of < leastDecided);
    return [
      ...table('decided on the wrong side, of those decided', [
        row('bona fide captures failed (BPCER)', bpcer),
        ...told.map(([species, rate]) => row(`attacks passed (APCER): ${species}`, rate)),
        row('bona fide captures sent back by the gate', failureToAcquire.bonaFide.rate),
        row('attacks sent back by the gate', failureToAcquire.attack.rate),
      ]),
      '',
      `Too few to have a rate (fewer than ${leastDecided} decided): ${few
        .map(([species, { errors, of }]) => `${species}, ${errors} of ${of} passed`)
        .join('; ')}.`,
    ];
  },
  robustness: ({ robustness }) => {
    if ('missing' in robustness) return [`Not measured: ${robustness.missing}`];
    const { attacks, worst, bonaFide } = robustness.report;
    const { 'as is': asIs, ...changed } = attacks;
    const most = Object.values(changed).reduce((high, { passed }) => Math.max(high, passed.errors), 0);
    const worstNames = Object.entries(changed).flatMap(([name, { passed }]) => (passed.errors === most ? [name] : []));
    return table('of all captures, those sent back too', [
      ...(asIs ? [row('attacks passed as they are', asIs.passed)] : []),
      row(
        `attacks passed under the worst of ${Object.keys(changed).length} transforms, for each attack its own`,
        worst,
      ),
      ...worstNames.slice(0, 1).flatMap((name) => {
        const helps = changed[name];
        return helps ? [row(`attacks passed under the one that helps most (${name})`, helps.passed)] : [];
      }),
      ...Object.entries(bonaFide).map(([name, { passed }]) => row(`bona fide captures passed: ${name}`, passed)),
    ]);
  },
  'face comparison': ({ match }) => {
    if ('missing' in match) return [`Not measured: ${match.missing}`];
    const { pooled, idFaces } = match.report;
    return table(`at the shipped threshold, cosine ${match.report.threshold}`, [
      row('pairs of strangers that match (FMR)', pooled.falseMatch),
      row('pairs of one person that do not (FNMR)', pooled.falseNonMatch),
      ...Object.entries(idFaces).map(([width, { falseNonMatch }]) =>
        row(`the same, one photo shrunk to a face of ${width}`, falseNonMatch),
      ),
    ]);
  },
  'sizes of faces': ({ faceSizes }) => {
    if ('missing' in faceSizes) return [`Not measured: ${faceSizes.missing}`];
    const { minimumFacePx, bands } = faceSizes.report;
    return table(
      `by the smaller side of the face, as they are and shrunk; the limit is ${minimumFacePx} px`,
      bands.flatMap(({ fromPx, toPx, asTheyAre, shrunk }) => {
        const size = toPx === null ? `${fromPx} px and more` : `${fromPx} to ${toPx - 1} px`;
        return [
          row(`bona fide failed, ${size}`, together(asTheyAre.bpcer, shrunk.bpcer)),
          row(`attacks passed, ${size}`, together(asTheyAre.apcer, shrunk.apcer)),
        ];
      }),
    );
  },
  'captures that come again': ({ repeats }) => {
    if ('missing' in repeats) return [`Not measured: ${repeats.missing}`];
    const { found, mistaken } = repeats.report;
    return table('pictures recognised, and pairs of different ones that are taken for one', [
      ...Object.entries(found).map(([how, rate]) => row(`recognised: ${how}`, rate)),
      ...Object.entries(mistaken).map(([what, rate]) => row(`taken for one: ${what}`, rate)),
    ]);
  },
  'spoken digits': ({ digits }) => {
    if ('missing' in digits) return [`Not measured: ${digits.missing}`];
    const { circumstances, speakers } = digits.report;
    return table(
      `${Object.keys(speakers).join(' and ')}, ${digits.report.strings.perSpeaker} strings each`,
      Object.entries(circumstances).flatMap(([how, heard]) => [
        row(`${how}: right digits accepted`, accepted(heard.genuineRefused)),
        row(`${how}: one digit wrong, accepted`, heard.oneWrongAccepted),
        row(`${how}: one digit too many, accepted`, heard.oneTooManyAccepted),
        row(`${how}: random digits accepted`, heard.randomAccepted),
      ]),
    );
  },
  'heads that move': ({ motion }) => {
    if ('missing' in motion) return [`Not measured: ${motion.missing}`];
    const { living, stills } = motion.report;
    const sum = (rates: readonly Rate[]) =>
      rateOf(
        rates.reduce((total, { errors }) => total + errors, 0),
        rates.reduce((total, { of }) => total + of, 0),
      );
    return table('videos of living people by the width of the face, and stills of them moved about', [
      ...Object.entries(living).flatMap(([band, { head, unclear, flat }]) => [
        row(`living, a head: ${band}`, head),
        row(`living, sent back: ${band}`, unclear),
        row(`living, failed: ${band}`, flat),
      ]),
      row('stills that pass', sum(Object.values(stills).map(({ head }) => head))),
      row('stills that fail', sum(Object.values(stills).map(({ flat }) => flat))),
    ]);
  },
};

/**
 * The page with every block between `<!-- figures: NAME -->` and `<!-- end of figures -->` filled in. Every block that
 * there is must stand in the page, once, and no other.
 */
export function withFigures(page: string, figures: Figures): string {
  const filled = new Set<string>();
  const text = page.replace(
    /(<!-- figures: (.+) -->\n)[\s\S]*?(<!-- end of figures -->)/g,
    (_, begin: string, name: string, end: string) => {
      const lines = Object.hasOwn(blocks, name) && !filled.has(name) ? blocks[name]?.(figures) : undefined;
      if (!lines) throw new Error(`MODELS.md has a block of figures "${name}" that is unknown, or has it twice.`);
      filled.add(name);
      return `${begin}${lines.join('\n')}\n${end}`;
    },
  );
  const absent = Object.keys(blocks).filter((name) => !filled.has(name));
  if (absent.length > 0) throw new Error(`MODELS.md lacks the blocks of figures: ${absent.join(', ')}.`);
  return text;
}
