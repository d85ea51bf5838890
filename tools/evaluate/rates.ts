/** A proportion with its counts and 95 % Wilson interval, all 0..1; null where nothing was counted. */
export interface Rate {
  readonly errors: number;
  readonly of: number;
  readonly rate: number | null;
  readonly interval: readonly [low: number, high: number] | null;
}

/** What set the thresholds: the model pack, or a tenant's policy. */
export type ChosenBy = 'shipped' | 'policy';

/** A section that could not be measured says why. */
export type Section<Report> = { readonly report: Report } | { readonly missing: string };

const z95 = 1.959964;

/** Wilson score interval: sensible where there are few captures or no errors at all. */
export function rateOf(errors: number, of: number): Rate {
  if (of === 0) return { errors, of, rate: null, interval: null };
  const rate = errors / of;
  const spread = z95 ** 2 / of;
  const centre = (rate + spread / 2) / (1 + spread);
  const half = (z95 * Math.sqrt((rate * (1 - rate)) / of + spread / (4 * of))) / (1 + spread);
  return { errors, of, rate, interval: [Math.max(0, centre - half), Math.min(1, centre + half)] };
}

/** A species or group with fewer decided captures than this has counts, and no rate. */
export const leastDecided = 30;

export const percent = (value: number, digits = 1) => `${(value * 100).toFixed(digits)} %`;

/** `  1.3 %  (1 of 77, 95 % 0.2 % to 7.0 %)` */
export function rateText({ errors, of, rate, interval }: Rate): string {
  if (rate === null || !interval) return 'none decided';
  const counts = `(${errors} of ${of}, 95 % ${percent(interval[0], 2)} to ${percent(interval[1], 2)})`;
  return `${percent(rate).padStart(7)}  ${counts}`;
}

/** The same, of a species: of too few decided captures only the counts. */
export const speciesText = (rate: Rate): string =>
  rate.of === 0 || rate.of >= leastDecided
    ? rateText(rate)
    : `${`${rate.errors} of ${rate.of}`.padStart(7)}  (no rate: fewer than ${leastDecided} decided)`;

/** The first ten; `--json` has them all. */
export const listText = (lines: readonly string[]) =>
  lines.length > 10 ? [...lines.slice(0, 10), `  … and ${lines.length - 10} more`] : lines;
