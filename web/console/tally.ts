import { type OutcomeKind, type OutcomeRow, outcomeKinds } from './wire.ts';

/** Outcomes as they are counted for the charts and their tables. */

export interface Count<Name extends string = string> {
  readonly name: Name;
  readonly count: number;
}

export function byOutcome(rows: readonly OutcomeRow[]): Count<OutcomeKind>[] {
  return outcomeKinds.map((name) => ({ name, count: rows.filter(({ outcome }) => outcome === name).length }));
}

/** Every reason of every outcome, and the fault of an errored one: the most frequent first. */
export function byReason(rows: readonly OutcomeRow[]): Count[] {
  const named = rows.flatMap(({ reasons, fault }) => [...reasons, ...(fault ? [fault] : [])]);
  return counted(named);
}

export interface ProviderCount extends Count {
  readonly outcomes: readonly Count<OutcomeKind>[];
}

/** Per provider, with what it decided. `''` stands for none. */
export function byProvider(rows: readonly OutcomeRow[]): ProviderCount[] {
  return counted(rows.map(({ provider }) => provider)).map(({ name, count }) => ({
    name,
    count,
    outcomes: byOutcome(rows.filter(({ provider }) => provider === name)),
  }));
}

/** Upper ends of the ranges of time in seconds; the last range has none. */
export const timeEnds = [1, 2, 3, 5, 10, 20, 60] as const;

export interface Times {
  /** One count for each range, the open one last. */
  readonly counts: readonly number[];
  readonly measured: number;
  readonly medianSeconds: number;
  readonly lateSeconds: number;
}

/** Time from the last landing to the verdict, where it was measured. */
export function byTime(rows: readonly OutcomeRow[]): Times | undefined {
  const seconds = rows.flatMap((row) => (row.seconds === null ? [] : [row.seconds])).toSorted((a, b) => a - b);
  if (seconds.length === 0) return undefined;
  const rangeOf = (one: number) => {
    const index = timeEnds.findIndex((end) => one < end);
    return index === -1 ? timeEnds.length : index;
  };
  const counts = Array.from({ length: timeEnds.length + 1 }, (_, index) => {
    return seconds.filter((one) => rangeOf(one) === index).length;
  });
  return { counts, measured: seconds.length, medianSeconds: rank(seconds, 0.5), lateSeconds: rank(seconds, 0.95) };
}

/** The smallest value that this share of all does not exceed (nearest rank). */
function rank(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function counted(names: readonly string[]): Count[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}
