import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { HostMessage, Invocation } from './function-host.ts';

/** What the template says about a function. */
export interface FunctionDefinition {
  name: string;
  /** What its log file and its lines in the terminal are called. */
  shortName: string;
  /** The bundle's file and what it exports. */
  file: string;
  exportName: string;
  timeoutSeconds: number;
  memoryMb: number;
  /** Everything the function finds in its environment: nothing of this process's own is passed on. */
  environment: Record<string, string>;
  /** How many run at the same time at most. */
  concurrency: number;
}

export interface LocalFunction {
  name: string;
  /** The bundle's. */
  file: string;
  concurrency: number;
  /** Runs an invocation, as soon as one of the places is free. */
  invoke: (event: unknown) => Promise<unknown>;
  /**
   * Runs an invocation for a caller who holds the line: when all places are taken it throws `Throttled` at once.
   * `hungUp` ends it and frees its place: a caller's wait must not outlive the caller.
   */
  request: (event: unknown, hungUp: AbortSignal) => Promise<unknown>;
  /** Starts a process ahead of the first invocation. */
  warm: () => void;
  /** How many processes it has: none where it was not invoked for a while. */
  processes: () => number;
  /** Runs further invocations in processes that load the bundle anew; those that run go on to their end. */
  replace: () => void;
  /** Waits for what is running, then ends every process; kills what is still running after the grace. */
  stop: (graceMs: number) => Promise<void>;
}

/** A handler threw, timed out or took its process down. */
export class FunctionError extends Error {
  readonly errorType: string;
  constructor(errorType: string, message: string) {
    super(message);
    this.errorType = errorType;
  }
}

/** All places of a function are taken. */
export class Throttled extends Error {}

/** An invocation that has no place yet. */
interface Waiting {
  take: (host: Host) => void;
  refuse: (error: Error) => void;
}

interface Host {
  process: ChildProcess;
  ready: Promise<void>;
  settle: ((message: HostMessage | FunctionError) => void) | undefined;
  idleTimer: NodeJS.Timeout | undefined;
  /** Which bundle it loaded, counted by replacements. */
  version: number;
}

const idleLifeMs = 60_000;
/** How long a request waits for a place: callers who have just hung up are noticed meanwhile. */
const requestPatienceMs = 50;

/**
 * Runs a bundle as Lambda does: in processes of its own, one invocation at a time in each, killed at the timeout.
 * Not in worker threads: terminating one during an onnxruntime inference aborts the whole process.
 */
export function startFunction(
  definition: FunctionDefinition,
  { logDirectory, verbose = false }: { logDirectory: string; verbose?: boolean },
): LocalFunction {
  const { name, shortName, file, exportName, timeoutSeconds, memoryMb, environment, concurrency } = definition;
  mkdirSync(logDirectory, { recursive: true });
  const log = createWriteStream(path.join(logDirectory, `${shortName}.log`), { flags: 'a' });
  const hosts = new Set<Host>();
  const idle: Host[] = [];
  const waiting: Waiting[] = [];
  const running = new Set<Promise<unknown>>();
  let version = 0;
  let stopping = false;

  const start = (): Host => {
    const child = fork(path.join(import.meta.dirname, 'function-host.ts'), [file, exportName], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: ['--enable-source-maps'], // a stack trace names the lines of sources, where the bundle has a map
      // Like Lambda, so that a bundle finds the files beside it by relative path.
      cwd: path.dirname(file),
      env: {
        ...environment,
        PATH: process.env.PATH,
        ...(process.env.NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
        TZ: ':UTC',
        LAMBDA_TASK_ROOT: path.dirname(file),
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_SDK_UA_APP_ID: shortName.slice(0, 50), // who asks: requests are counted by it
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        log.write(text);
        if (verbose) process.stderr.write(text.toString().replace(/^(?=.)/gm, `[${shortName}] `));
      });
    }
    const host: Host = { process: child, ready: Promise.resolve(), settle: undefined, idleTimer: undefined, version };
    host.ready = new Promise((resolve, reject) => {
      child.on('message', (message: HostMessage) => (message.kind === 'ready' ? resolve() : host.settle?.(message)));
      child.once('error', reject);
      child.once('close', (code, signal) => {
        forget(host);
        const error = new FunctionError('Runtime.ExitError', `${name} exited with ${signal ?? code}`);
        reject(error);
        host.settle?.(error);
      });
    });
    host.ready.catch(() => undefined);
    hosts.add(host);
    return host;
  };

  const forget = (host: Host) => {
    clearTimeout(host.idleTimer);
    hosts.delete(host);
    const index = idle.indexOf(host);
    if (index >= 0) idle.splice(index, 1);
    // Its place may be wanted.
    const next = stopping || hosts.size >= concurrency ? undefined : waiting.shift();
    next?.take(start());
  };

  const take = (patienceMs?: number): Promise<Host> => {
    const host = idle.pop();
    if (host) {
      clearTimeout(host.idleTimer);
      return Promise.resolve(host);
    }
    if (hosts.size < concurrency) return Promise.resolve(start());
    return new Promise((take, refuse) => {
      const one: Waiting = { take, refuse };
      waiting.push(one);
      if (patienceMs === undefined) return;
      setTimeout(() => {
        const index = waiting.indexOf(one);
        if (index >= 0) waiting.splice(index, 1);
        refuse(new Throttled(`All ${concurrency} places of ${name} are taken`));
      }, patienceMs);
    });
  };

  const giveBack = (host: Host) => {
    if (!hosts.has(host)) return;
    if (host.version !== version) return end(host);
    const next = waiting.shift();
    if (next) return next.take(host);
    // Last in, first out: under little load the others fall idle and end, the first one stays warm.
    idle.push(host);
    if (hosts.size > 1)
      host.idleTimer = setTimeout(() => hosts.size > 1 && host.process.kill('SIGKILL'), idleLifeMs).unref();
  };

  const beingStopped = () => new FunctionError('Stopping', `${name} is being stopped`);

  const run = async (event: unknown, patienceMs?: number, hungUp?: AbortSignal): Promise<unknown> => {
    if (stopping) throw beingStopped();
    const host = await take(patienceMs);
    const left = new Promise<never>((_, reject) => {
      hungUp?.addEventListener('abort', () => reject(new Error('The caller hung up')), { once: true });
    });
    left.catch(() => undefined);
    try {
      await Promise.race([host.ready, left]);
      hungUp?.throwIfAborted();
      return await Promise.race([invokeOn(host, event), left]);
    } finally {
      // Ended where an abandoned invocation runs or starts, except one: the next caller need not wait for a start.
      if (hungUp?.aborted && (host.settle || idle.length > 0)) end(host);
      giveBack(host);
      if (hungUp?.aborted && hosts.size === 0 && !stopping) giveBack(start());
    }
  };

  const end = (host: Host) => {
    forget(host);
    host.process.kill('SIGKILL');
  };

  const counted = (invocation: Promise<unknown>): Promise<unknown> => {
    running.add(invocation);
    const done = () => void running.delete(invocation);
    invocation.then(done, done);
    return invocation;
  };

  const invokeOn = async (host: Host, event: unknown): Promise<unknown> => {
    const invocation: Invocation = { requestId: randomUUID(), event, deadline: Date.now() + timeoutSeconds * 1000 };
    let timer: NodeJS.Timeout | undefined;
    const outcome = await new Promise<HostMessage | FunctionError>((resolve) => {
      host.settle = resolve;
      timer = setTimeout(() => {
        end(host);
        const message = `${invocation.requestId} Task timed out after ${timeoutSeconds} seconds`;
        log.write(`${message}\n`);
        resolve(new FunctionError('Sandbox.Timedout', message));
      }, timeoutSeconds * 1000);
      host.process.send(invocation, (error) => error && resolve(new FunctionError('Runtime.ExitError', error.message)));
    });
    clearTimeout(timer);
    host.settle = undefined;
    if (outcome instanceof FunctionError) throw outcome;
    if (outcome.kind === 'error') throw new FunctionError(outcome.errorType, outcome.errorMessage);
    return outcome.kind === 'result' ? outcome.result : undefined;
  };

  return {
    name,
    file,
    concurrency,
    invoke: (event) => counted(run(event)),
    request: (event, hungUp) => counted(run(event, requestPatienceMs, hungUp)),
    warm() {
      if (hosts.size === 0) giveBack(start());
    },
    processes: () => hosts.size,
    replace() {
      version++;
      const used = idle.length > 0;
      for (const host of [...idle]) end(host);
      if (used) giveBack(start()); // ahead of the next invocation, as the one it replaces was
    },
    async stop(graceMs) {
      stopping = true;
      for (const { refuse } of waiting.splice(0)) refuse(beingStopped());
      const finished = Promise.allSettled([...running]);
      await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
      await Promise.all(
        [...hosts].map((host) => {
          const closed = new Promise((resolve) => host.process.once('close', resolve));
          host.process.kill('SIGKILL');
          return closed;
        }),
      );
      await new Promise<void>((resolve) => log.end(resolve));
    },
  };
}
