import type { ConsoleApi } from './api.ts';
import type { OutcomeRow } from './wire.ts';

/** How many outcomes the charts count. */
export const most = 1000;

/** The last outcomes: fetched once, then only what is newer. Every view of one session shares it. */
export class OutcomesFeed {
  /** Newest first. */
  rows: readonly OutcomeRow[] = [];
  #cursor: string | undefined;

  async refresh(api: Pick<ConsoleApi, 'outcomes'>, signal?: AbortSignal): Promise<void> {
    const { outcomes, cursor } = await api.outcomes(this.#cursor, signal);
    this.#cursor = cursor;
    const byId = new Map([...outcomes, ...this.rows].map((row) => [row.id, row]));
    this.rows = [...byId.values()].toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, most);
  }
}
