import { AsyncLocalStorage } from 'node:async_hooks';

/** Every await of the verbs loaded so far: where it stands and what it waits for. Instrumented files add theirs. */
export const awaits: string[] = [];

/** The delivery itself: before its verb begins, and after it has ended and before it is acknowledged. */
export const delivery = 'delivery';

/** A stop outside the verbs: a vendor at work, a client asleep. */
export const outside = 'outside';

/** An await of a verb, by its text in `awaits`; or `delivery` or `outside`. */
export type Place = string;

/** Before the awaited work begins, or after it is done and before the verb goes on. */
export type Side = 'before' | 'after';

/** What becomes of a process at a stop: it goes on, it stands until it is stepped, or it is dead. */
export type Fate = 'on' | 'stand' | 'die';

/** Asked at every stop of a process. */
export type Decide = (process: Process, place: Place, side: Side) => Fate;

/** One running verb: a Lambda invocation, or a client's call. */
export interface Process {
  readonly name: string;
  readonly ended: boolean;
  /** Dead where it stood: nothing of it goes on, whatever else it had begun. */
  readonly killed: boolean;
  /** What the verb threw. */
  readonly failure: unknown;
  /** Lets it go on from where it stands; returns when it stands again, has ended or is dead. */
  readonly step: () => Promise<void>;
}

interface Running {
  readonly process: Process;
  readonly stop: (place: Place, side: Side) => Promise<void> | undefined;
}

const running = new AsyncLocalStorage<Running>();

/** The process that is running now. */
export function currentProcess(): Process | undefined {
  return running.getStore()?.process;
}

/** A stop that is not an await of a verb. */
export async function standHere(): Promise<void> {
  await running.getStore()?.stop(outside, 'before');
}

/** What instrumented files call at each of their awaits. */
export async function atAwait<T>(place: Place, work: () => Promise<T>): Promise<T> {
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
}

const never = () => new Promise<never>(() => undefined);

/**
 * Begins a verb as a process and returns when it first stands, has ended or is dead. Everything in the world answers in
 * microtasks, so between two stops nothing else runs, and the order of things is the caller's alone.
 */
export async function start(name: string, verb: () => Promise<unknown>, decide: Decide): Promise<Process> {
  let wake: (() => void) | undefined;
  let arrived: (() => void) | undefined;
  const arrive = () => {
    const tell = arrived;
    arrived = undefined;
    tell?.();
  };
  const until = (act: () => void) =>
    new Promise<void>((resolve) => {
      arrived = resolve;
      act();
    });
  const process = {
    name,
    ended: false,
    killed: false,
    failure: undefined as unknown,
    async step() {
      const go = wake;
      wake = undefined;
      if (go) await until(go);
    },
  };
  const stop: Running['stop'] = (place, side) => {
    if (process.killed) return never();
    if (wake) return undefined; // of two things a verb does at once, one stands and the other goes on
    const fate = decide(process, place, side);
    if (fate === 'on') return undefined;
    if (fate === 'die') {
      process.killed = true;
      arrive();
      return never();
    }
    return new Promise((resolve) => {
      wake = resolve;
      arrive();
    });
  };
  const end = (failure?: unknown) => {
    process.failure = failure;
    process.ended = true;
    arrive();
  };
  await until(() => {
    running.run({ process, stop }, () => void atAwait(delivery, verb).then(() => end(), end));
  });
  return process;
}
