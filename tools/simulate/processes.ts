import { AsyncLocalStorage } from 'node:async_hooks';

declare global {
  var simulatedAwait: <T>(place: number, work: () => Promise<T>) => Promise<T>;
}

/** Before the awaited work begins, or after it is done and before the verb goes on. */
export type Side = 'before' | 'after';

/** What becomes of a process where it is: on, or it stands until somebody lets it go on, or it is dead. */
export type Fate = 'on' | 'stand' | 'die';

/** One running verb: a Lambda invocation, or whoever calls one. */
export interface Process {
  readonly name: string;
  readonly number: number;
  ended: boolean;
  killed: boolean;
  /** It stands until it is resumed; the scheduler passes it over. */
  stalled: boolean;
  failure: unknown;
  /** Where it stands. */
  wake: (() => void) | undefined;
}

/** Asked at every await of every process, on either side; `place` is undefined inside the work of a vendor. */
export type Decide = (process: Process, place: number | undefined, side: Side) => Fate;

interface Running {
  readonly process: Process;
  readonly stop: (place: number | undefined, side: Side) => Promise<void> | undefined;
}

const running = new AsyncLocalStorage<Running>();

/** The process that is running now. */
export function currentProcess(): Process | undefined {
  return running.getStore()?.process;
}

/** A stop that is not an await of a verb: a vendor at work, a client asleep. */
export async function standHere(): Promise<void> {
  await running.getStore()?.stop(undefined, 'before');
}

globalThis.simulatedAwait = async (place, work) => {
  const current = running.getStore();
  if (!current) return work();
  const before = current.stop(place, 'before');
  if (before) await before;
  try {
    return await work();
  } finally {
    const after = current.stop(place, 'after');
    if (after) await after;
  }
};

/**
 * The processes of one run. Exactly one runs at a time, until it stands, ends or dies; everything in the world answers
 * in microtasks, so the order of things is the scheduler's alone and the same for the same random numbers.
 */
export function processes(decide: Decide) {
  let count = 0;
  let arrived: (() => void) | undefined;

  const until = (act: () => void) =>
    new Promise<void>((resolve) => {
      arrived = resolve;
      act();
    });

  const arrive = () => {
    const tell = arrived;
    arrived = undefined;
    tell?.();
  };

  const never = () => new Promise<never>(() => undefined);

  return {
    /** Begins a verb and returns when it first stands, or has ended. */
    async start(name: string, verb: () => Promise<unknown>): Promise<Process> {
      count += 1;
      const process: Process = {
        name,
        number: count,
        ended: false,
        killed: false,
        stalled: false,
        failure: undefined,
        wake: undefined,
      };
      const stop: Running['stop'] = (place, side) => {
        if (process.killed) return never();
        // Of two things a verb does at once, one stands and the other goes on: somebody always moves.
        if (process.wake) return undefined;
        const fate = decide(process, place, side);
        if (fate === 'die') {
          process.killed = true;
          arrive();
          return never();
        }
        if (fate === 'on') return undefined;
        return new Promise((wake) => {
          process.wake = wake;
          arrive();
        });
      };
      const end = (failure?: unknown) => {
        process.failure = failure;
        process.ended = true;
        arrive();
      };
      await until(() => {
        running.run({ process, stop }, () => void verb().then(() => end(), end));
      });
      return process;
    },

    /** Lets a standing process go on to where it next stands, ends or dies. */
    async step(process: Process): Promise<void> {
      const { wake } = process;
      if (!wake) return;
      process.wake = undefined;
      await until(wake);
    },
  };
}
