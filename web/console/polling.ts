import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { NetworkFailure } from '../client/problems.ts';
import { type Problem, problemOf } from './api.ts';

const longestPauseSeconds = 60;

/**
 * Asks again and again while the page is visible, and never while it is hidden. After a request in vain the pause
 * doubles, to a minute at the most. At most 12 requests a minute: `everySeconds` is 5 or more.
 */
export class Polling implements ReactiveController {
  /** What the last request ended with, if not well. */
  problem: Problem | undefined;
  /** When the last answer came. */
  answeredAt: Date | undefined;

  readonly #host: ReactiveControllerHost;
  readonly #ask: (signal: AbortSignal) => Promise<void>;
  readonly #everySeconds: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #under: AbortController | undefined;
  #failures = 0;

  constructor(
    host: ReactiveControllerHost,
    { ask, everySeconds }: { ask: (signal: AbortSignal) => Promise<void>; everySeconds: () => number },
  ) {
    this.#host = host;
    this.#ask = ask;
    this.#everySeconds = everySeconds;
    host.addController(this);
  }

  hostConnected(): void {
    document.addEventListener('visibilitychange', this.#onVisibility);
    window.addEventListener('offline', this.#onOffline);
    window.addEventListener('online', this.#onVisibility);
    void this.now();
  }

  hostDisconnected(): void {
    document.removeEventListener('visibilitychange', this.#onVisibility);
    window.removeEventListener('offline', this.#onOffline);
    window.removeEventListener('online', this.#onVisibility);
    clearTimeout(this.#timer);
    this.#under?.abort();
  }

  /** Asks at once, in place of a request under way; of a hidden page, as soon as it is seen. */
  async now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#under?.abort();
    if (document.visibilityState === 'hidden') {
      this.answeredAt = undefined;
      return;
    }
    if (!navigator.onLine) {
      this.#onOffline();
      return;
    }
    const under = new AbortController();
    this.#under = under;
    try {
      await this.#ask(under.signal);
      if (under.signal.aborted) return;
      this.#failures = 0;
      this.problem = undefined;
      this.answeredAt = new Date();
    } catch (thrown) {
      if (under.signal.aborted) return;
      this.#failures += 1;
      this.problem = problemOf(thrown);
    }
    this.#host.requestUpdate();
    this.#wait();
  }

  #wait(): void {
    const seconds = Math.min(this.#everySeconds() * 2 ** this.#failures, longestPauseSeconds);
    this.#timer = setTimeout(() => void this.now(), seconds * 1000);
  }

  readonly #onVisibility = (): void => {
    clearTimeout(this.#timer);
    if (document.visibilityState !== 'visible') {
      this.#under?.abort();
      return;
    }
    const since = this.answeredAt ? Date.now() - this.answeredAt.getTime() : Number.POSITIVE_INFINITY;
    const due = this.#everySeconds() * 1000 - since;
    if (due > 0 && !this.problem) this.#timer = setTimeout(() => void this.now(), due);
    else void this.now();
  };

  /** What is seen is told to be old at once, not when the next request fails. */
  readonly #onOffline = (): void => {
    clearTimeout(this.#timer);
    this.#under?.abort();
    this.problem = new NetworkFailure('Offline');
    this.#host.requestUpdate();
  };
}
