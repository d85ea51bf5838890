import type { Sections } from './figures.ts';
import { type ChosenBy, leastDecided, percent, rateOf } from './rates.ts';
import { allowedWorst } from './robustness.ts';
import { circumstances } from './sounds.ts';

/** A figure beside what we want it to be; without a goal it is only reported. */
interface Line {
  readonly what: string;
  readonly figure: number | null;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** All goals of the engine on one page, whatever could be measured. */
export function summaryText({ spoof, robustness, match, digits, motion }: Sections, chosenBy: ChosenBy): string[] {
  const lines: Line[] = [];
  if ('report' in spoof) {
    const { bpcer, apcer, apcerWorst, failureToAcquire } = spoof.report;
    lines.push({ what: 'bona fide captures failed (BPCER)', figure: bpcer.rate });
    for (const [species, { rate, of }] of Object.entries(apcer))
      if (of >= leastDecided) lines.push({ what: `attacks passed: ${species}`, figure: rate });
    if (apcerWorst) lines.push({ what: `worst species: ${apcerWorst.species}`, figure: apcerWorst.rate });
    lines.push({
      what: 'bona fide captures sent back by the gate',
      figure: failureToAcquire.bonaFide.rate.rate,
      atMost: 0.15,
    });
  }
  if ('report' in robustness) {
    const { attacks, worst } = robustness.report;
    const asIs = attacks['as is']?.passed.rate ?? null;
    const goal = asIs === null ? {} : { atMost: allowedWorst(asIs) };
    lines.push({ what: 'attacks passed as is, of all', figure: asIs });
    lines.push({ what: 'attacks passed under the worst transform', figure: worst.rate, ...goal });
  }
  if ('report' in match) {
    const { pooled, idFaces } = match.report;
    lines.push({ what: `false matches (FMR), ${chosenBy} threshold`, figure: pooled.falseMatch.rate });
    lines.push({ what: `false non-matches (FNMR), ${chosenBy} threshold`, figure: pooled.falseNonMatch.rate });
    lines.push({ what: 'TMR at FMR 0.1 %', figure: pooled.inSample.trueMatchAtFalseMatch001, atLeast: 0.99 });
    for (const [width, report] of Object.entries(idFaces)) {
      const goal = width === '64 px' ? { atLeast: 0.99 } : {};
      lines.push({ what: `the same, ID face ${width}`, figure: report.inSample.trueMatchAtFalseMatch001, ...goal });
    }
  }
  if ('report' in digits) {
    const { all } = digits.report;
    for (const { name, leastAccepted } of circumstances) {
      const refused = digits.report.circumstances[name]?.genuineRefused.rate ?? null;
      const accepted = refused === null ? null : 1 - refused;
      lines.push({ what: `right digits accepted, unheard, ${name}`, figure: accepted, atLeast: leastAccepted });
    }
    lines.push({ what: 'random wrong digits accepted', figure: all.randomAccepted.rate, atMost: 0.001 });
    lines.push({ what: 'one digit wrong accepted', figure: all.oneWrongAccepted.rate, atMost: 0.05 });
    lines.push({ what: 'one digit too many accepted', figure: all.oneTooManyAccepted.rate, atMost: 0.05 });
  }
  if ('report' in motion) {
    const { judged } = motion.report;
    const living = judged.filter(({ what }) => what === 'living');
    const stills = judged.filter(({ what }) => what !== 'living');
    const shareOf = (some: typeof judged, wanted: string) =>
      rateOf(some.filter(({ kind }) => kind === wanted).length, some.length).rate;
    lines.push({ what: 'stills that move, passed as heads', figure: shareOf(stills, 'head'), atMost: 0 });
    lines.push({ what: 'living heads failed as flat', figure: shareOf(living, 'flat'), atMost: 0 });
    lines.push({ what: 'living heads asked to move', figure: shareOf(living, 'unclear') });
  }
  const unmeasured = Object.entries({ spoof, robustness, match, digits, motion }).flatMap(([name, section]) =>
    'missing' in section ? [`  ${name}: not measured, ${section.missing}`] : [],
  );
  return [...lines.slice(0, longest - unmeasured.length).map(lineText), ...unmeasured];
}

/** With the title, the summary stays within 40 lines, however many species there are. */
const longest = 38;

function lineText({ what, figure, atLeast, atMost }: Line): string {
  const goal = atLeast === undefined ? atMost : atLeast;
  const label = `  ${what.padEnd(46)}${figure === null ? 'none' : percent(figure, 2)}`;
  if (goal === undefined || figure === null) return label;
  const met = atLeast === undefined ? figure <= goal : figure >= goal;
  return `${label.padEnd(60)}goal ${atLeast === undefined ? '≤' : '≥'} ${percent(goal)}: ${met ? 'met' : 'MISSED'}`;
}
