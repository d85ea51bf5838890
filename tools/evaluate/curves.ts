/** Trade-offs between two errors over every threshold: fitted to the data they are read off, so in-sample by nature. */

/** Scores of what should be accepted and of what should not; higher means accepted. */
export interface Scores {
  readonly genuine: readonly number[];
  readonly impostor: readonly number[];
}

/** One threshold and its two error rates, 0..1. */
export interface Point {
  readonly threshold: number;
  /** Impostors at or above it: FMR, APCER. */
  readonly falseAccept: number;
  /** Genuine ones below it: FNMR, BPCER. */
  readonly falseReject: number;
}

/** From the laxest threshold to the strictest. */
export function curveOf({ genuine, impostor }: Scores): Point[] {
  if (genuine.length === 0 || impostor.length === 0) return [];
  const accepted = Float64Array.from(genuine).sort();
  const attacks = Float64Array.from(impostor).sort();
  const thresholds = [...new Set([...accepted, ...attacks])].sort((a, b) => a - b);
  thresholds.push(Number.POSITIVE_INFINITY);
  let below = 0;
  let attacksBelow = 0;
  return thresholds.map((threshold) => {
    while (below < accepted.length && (accepted[below] as number) < threshold) below += 1;
    while (attacksBelow < attacks.length && (attacks[attacksBelow] as number) < threshold) attacksBelow += 1;
    return {
      threshold,
      falseAccept: 1 - attacksBelow / attacks.length,
      falseReject: below / accepted.length,
    };
  });
}

/** Where both errors are the same, or the mean of the two where they come closest; null without data. */
export function equalErrorRate(curve: readonly Point[]): number | null {
  const [first, ...rest] = curve;
  if (!first) return null;
  const gap = ({ falseAccept, falseReject }: Point) => Math.abs(falseAccept - falseReject);
  const closest = rest.reduce((best, point) => (gap(point) < gap(best) ? point : best), first);
  return (closest.falseAccept + closest.falseReject) / 2;
}

/** The fewest false rejects at no more than so many false accepts; null without data. */
export function falseRejectAt(curve: readonly Point[], falseAccept: number): number | null {
  const allowed = curve.filter((point) => point.falseAccept <= falseAccept);
  return allowed.length > 0 ? Math.min(...allowed.map((point) => point.falseReject)) : null;
}

const size = 480;
const margin = 56;
const ticks = [0.001, 0.01, 0.05, 0.1, 0.2, 0.4];

/** Both errors on normal deviate scales, as ISO/IEC 19795-1 draws them. */
export function drawCurves(
  curves: Readonly<Record<string, readonly Point[]>>,
  title: string,
  axes: { readonly falseAccept: string; readonly falseReject: string },
): string {
  const [low, high] = [deviate(0.0005), deviate(0.5)];
  const place = (rate: number) => (deviate(Math.min(Math.max(rate, 0.0005), 0.5)) - low) / (high - low);
  const x = (rate: number) => (margin + place(rate) * (size - 2 * margin)).toFixed(1);
  const y = (rate: number) => (size - margin - place(rate) * (size - 2 * margin)).toFixed(1);
  const colours = ['#1463a5', '#b23a2e', '#3a7d34', '#7a4c9e', '#8a6d1d'];
  const grid = ticks.flatMap((rate) => [
    `<path d="M${x(rate)} ${margin}V${size - margin}M${margin} ${y(rate)}H${size - margin}" stroke="#ddd"/>`,
    `<text x="${x(rate)}" y="${size - margin + 16}" text-anchor="middle">${rate * 100} %</text>`,
    `<text x="${margin - 6}" y="${y(rate)}" text-anchor="end" dominant-baseline="middle">${rate * 100} %</text>`,
  ]);
  const lines = Object.entries(curves).flatMap(([name, points], index) => {
    const colour = colours[index % colours.length];
    const path = points.map((point) => `${x(point.falseAccept)} ${y(point.falseReject)}`).join('L');
    const label = `<text x="${size - margin - 6}" y="${margin + 16 * (index + 1)}" text-anchor="end" fill="${colour}">${name}</text>`;
    return points.length > 0 ? [`<path d="M${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`, label] : [];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" font-family="sans-serif" font-size="11">`,
    `<rect width="${size}" height="${size}" fill="#fff"/>`,
    ...grid,
    `<rect x="${margin}" y="${margin}" width="${size - 2 * margin}" height="${size - 2 * margin}" fill="none" stroke="#888"/>`,
    ...lines,
    `<text x="${size / 2}" y="24" text-anchor="middle" font-size="14">${title}</text>`,
    `<text x="${size / 2}" y="${size - 16}" text-anchor="middle">${axes.falseAccept}</text>`,
    `<text transform="translate(16 ${size / 2}) rotate(-90)" text-anchor="middle">${axes.falseReject}</text>`,
    '</svg>\n',
  ].join('\n');
}

/** Inverse of the normal distribution function, for 0 < p < 1, by bisection. */
function deviate(p: number): number {
  let [low, high] = [-8, 8];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (normal(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The normal distribution function to 1.5e-7 (Abramowitz and Stegun 7.1.26). */
function normal(value: number): number {
  const t = 1 / (1 + (0.3275911 * Math.abs(value)) / Math.SQRT2);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const inside = 1 - tail * Math.exp((-value * value) / 2);
  return value < 0 ? (1 - inside) / 2 : (1 + inside) / 2;
}
