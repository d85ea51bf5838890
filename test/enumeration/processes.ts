import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';

declare global {
  var atAwait: <T>(where: string, work: () => Promise<T>) => Promise<T>;
  var awaitsExisting: Set<string> | undefined;
}

/** Before the awaited work begins, or after it is done and before the verb goes on. */
export type Side = 'before' | 'after';

/** One running verb. Killed, it stops where it stands for ever; stalled, until it is resumed. */
export interface Process {
  readonly done: Promise<'finished' | 'killed' | 'stalled'>;
  readonly resume: () => void;
  /** Lets a stepped process go on to its next stop. */
  readonly step: () => Promise<void>;
  readonly ended: () => boolean;
  readonly failure: () => unknown;
}

export interface Stop {
  /** The n-th stop of the process (each await has two), or the side after the await whose name has this. */
  readonly at: number | { readonly after: string };
  readonly how: 'kill' | 'stall';
}

interface State {
  stops: number;
  readonly stop: Stop | undefined;
  readonly stepped: boolean;
  wake: (() => void) | undefined;
  settle: (how: 'killed' | 'stalled') => void;
}

const running = new AsyncLocalStorage<State>();

/** Every await a process has stood at, on either side, in this run of the tests. */
export const awaitsReached = new Map<string, Set<Side>>();

/** Awaits that reach outside the process; the others only wait for one of these, and add no order of their own. */
const effects =
  /^delivery|: (verifications|captures|breakers|uploads|opened|dependencies)\.|: (put|sendToProvider|send)\(/;

const never = () => new Promise<never>(() => undefined);

async function stopHere(state: State, where: string, side: Side): Promise<void> {
  const sides = awaitsReached.get(where) ?? new Set();
  awaitsReached.set(where, sides.add(side));
  const number = state.stops;
  state.stops += 1;
  const at = state.stop?.at;
  if (state.stop && (typeof at === 'object' ? side === 'after' && where.includes(at.after) : at === number)) {
    state.settle(state.stop.how === 'kill' ? 'killed' : 'stalled');
    if (state.stop.how === 'kill') await never();
    await new Promise<void>((wake) => {
      state.wake = wake;
    });
  } else if (state.stepped && side === 'before' && effects.test(where)) {
    await new Promise<void>((wake) => {
      state.wake = wake;
    });
  }
}

globalThis.atAwait = async (where, work) => {
  const state = running.getStore();
  if (!state) return work();
  await stopHere(state, where, 'before');
  const result = await work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  await stopHere(state, where, 'after');
  if ('error' in result) throw result.error;
  return result.value;
};

/** Runs a verb as a process of its own. The verb's own call is an await as well: that of whoever delivers to it. */
export function run(
  name: string,
  verb: () => Promise<unknown>,
  { stop, stepped = false }: { stop?: Stop | undefined; stepped?: boolean } = {},
): Process & { stops: () => number } {
  let settle: (how: 'finished' | 'killed' | 'stalled') => void = () => undefined;
  const done = new Promise<'finished' | 'killed' | 'stalled'>((resolve) => {
    settle = resolve;
  });
  let ended = false;
  let failure: unknown;
  const state: State = { stops: 0, stop, stepped, wake: undefined, settle: (how) => settle(how) };
  running
    .run(state, () => globalThis.atAwait(`delivery: ${name}`, verb))
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      ended = true;
      settle('finished');
    });
  return {
    done,
    resume: () => state.wake?.(),
    async step() {
      const { wake } = state;
      state.wake = undefined;
      wake?.();
      await setImmediate(); // every fake answers in microtasks: by now it stands at its next stop
    },
    ended: () => ended,
    failure: () => failure,
    stops: () => state.stops,
  };
}
