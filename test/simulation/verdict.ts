import type { Plant } from './plants.ts';
import { awaits } from './processes.ts';
import { wrongs } from './referee.ts';
import { coverageKey, type Ended, type Kills, simulate } from './run.ts';

export interface Wanted {
  readonly seed: number;
  /** The first run. */
  readonly from: number;
  readonly runs: number;
  readonly plant?: Plant | undefined;
  /** Orders alone. */
  readonly served?: boolean | undefined;
  /** Print every run's trace, whatever becomes of it. */
  readonly traced: boolean;
}

const manyRuns = 10_000;

/** Runs them all, or until one goes wrong, and says what was seen. True where nothing went wrong. */
export async function runAll(
  { seed, from, runs, plant, served, traced }: Wanted,
  say: (line: string) => void,
): Promise<boolean> {
  const kills: Kills = new Map();
  Error.stackTraceLimit = traced ? 10 : 0; // faults are thrown by the hundred thousand, and their stacks are not read
  const totals = {
    ...{ moves: 0, reviews: 0, calls: 0, stalls: 0, events: 0, kills: 0 },
    ...{ accepted: 0, refunded: 0, posted: 0, givenUp: 0, left: 0 },
  };
  const hooks = { owed: 0, taken: 0, ended: 0, spent: 0, replayed: 0 };
  const began = performance.now();
  for (let run = from; run < from + runs; run += 1) {
    const trace: string[] | undefined = traced ? [] : undefined;
    const ended = await simulate({ seed, run, plant, served, kills, trace });
    for (const line of trace ?? []) say(line);
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += ended.tally[name];
    for (const name of Object.keys(hooks) as (keyof typeof hooks)[]) hooks[name] += ended.hooks[name];
    if (ended.violations.length > 0) {
      await tell(ended, { seed, run, plant, served }, say);
      return false;
    }
    if ((run - from + 1) % manyRuns === 0 && run - from + 1 < runs) say(`${run - from + 1} runs …`);
  }
  const elapsed = (performance.now() - began) / 1000;
  say(`${runs} runs of seed ${seed} in ${elapsed.toFixed(1)} s: ${totals.moves} moves, ${totals.events} events sent`);
  say(
    `${totals.calls} calls of vendors, ${totals.kills} kills, ${totals.stalls} claims interrupted, ${totals.reviews} reviews`,
  );
  const { accepted, refunded, left } = totals;
  say(`${left + accepted - refunded} credits given = ${left} left + ${accepted} accepted − ${refunded} refunded`);
  say(`${totals.posted} results posted, ${totals.givenUp} given up after six tries; the others were erased`);
  const { owed, taken, ended, spent, replayed } = hooks;
  say(`${owed} events owed to endpoints = ${taken} taken + ${ended} ended + ${spent} spent after ten tries`);
  say(`replays owe them ${replayed} events`);
  say('');
  for (const wrong of wrongs) say(`0 ${wrong}`);
  say('');
  sayCoverage(kills, say);
  return true;
}

/** The same run once more, with its trace. */
async function tell(
  { violations }: Ended,
  { seed, run, plant, served }: Pick<Wanted, 'seed' | 'plant' | 'served'> & { run: number },
  say: (line: string) => void,
): Promise<void> {
  const trace: string[] = [];
  await simulate({ seed, run, plant, served, kills: new Map(), trace });
  const options = `${served ? ' --served' : ''}${plant ? ` --plant ${plant}` : ''}`;
  say(`seed ${seed}, run ${run}${plant ? ` with ${plant}` : ''}:`);
  for (const line of trace) say(`  ${line}`);
  say('');
  for (const { wrong, what } of violations) say(`WRONG, ${wrong}: ${what}`);
  say(`seed ${seed}, run ${run}; again: npm run simulate -- --seed ${seed} --from ${run} --runs 1${options}`);
}

function sayCoverage(kills: Kills, say: (line: string) => void): void {
  const unreached = awaits.flatMap((place) => {
    const sides = (['before', 'after'] as const).filter((side) => !kills.has(coverageKey(place, side)));
    return sides.length > 0 ? [`  not killed ${sides.join(' or ')} ${place}`] : [];
  });
  say(`kill coverage: ${awaits.length - unreached.length} / ${awaits.length} awaits reached, each on both sides`);
  for (const line of unreached) say(line);
}
