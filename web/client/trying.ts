import { isProblem } from './problems.ts';

/** How often something that may work later is tried, and until when. */
export interface Trying {
  readonly attempts: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether a second attempt does no harm where the first one may have worked unheard. @default true */
  readonly repeatable?: boolean;
}

const firstPauseSeconds = 0.5;
const longestPauseSeconds = 15;
/** Who is asked to wait for longer is told instead. */
const longestRetryAfterSeconds = 60;

/**
 * Tries until it works: after a random part of 0.5, 1, 2 … 15 s, or of what `Retry-After` asks for and not sooner. What is
 * not `retryable` ends it at once. A browser that knows it is offline waits for the network, and that counts as no attempt.
 */
export async function tryUntilDone<T>(
  once: (attempt: number) => Promise<T>,
  { attempts, signal, repeatable = true }: Trying,
): Promise<T> {
  for (let attempt = 1, counted = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await once(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (!repeatable || !isProblem(error) || !error.retryable) throw error;
      if (isOffline()) {
        await untilOnline(signal);
        continue;
      }
      if (counted === attempts || (error.retryAfterSeconds ?? 0) > longestRetryAfterSeconds) throw error;
      await pause(Math.max(error.retryAfterSeconds ?? 0, jittered(counted)), signal);
      counted += 1;
    }
  }
}

/** Full jitter: many clients that failed together do not come back together. */
function jittered(attempt: number): number {
  return Math.random() * Math.min(longestPauseSeconds, firstPauseSeconds * 2 ** (attempt - 1));
}

/** Rejects with the signal's reason when it is aborted meanwhile. */
export function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
  });
}

const isOffline = () => (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine === false;

/** Looks again every second too: not every browser tells when it is online again. */
async function untilOnline(signal?: AbortSignal): Promise<void> {
  while (isOffline()) await pause(1, signal);
}

/** A signal that is aborted with `reason` after a while, and with the caller's own at once. */
export function deadline(seconds: number, reason: Error, signal?: AbortSignal) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  let timer: ReturnType<typeof setTimeout>;
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(reason), seconds * 1000);
  };
  restart();
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    /** Begins the time anew. */
    restart,
    end: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}
