import { html, nothing } from 'lit';
import { Polling } from './polling.ts';
import { badge, problemBox, table, time, timeText } from './show.ts';
import { View } from './view.ts';
import type { Breaker } from './wire.ts';

const everySeconds = 15;

/** Breakers per provider: which is not being called for now, and why. */
export class ConsoleProviders extends View {
  static override properties = { breakers: { state: true } };
  declare breakers: readonly Breaker[] | undefined;

  readonly #polling = new Polling(this, {
    everySeconds: () => everySeconds,
    ask: async (signal) => {
      this.breakers = (await this.desk.api.breakers(signal)).breakers;
    },
  });

  protected override render() {
    const { words } = this.desk;
    const text = words.providers;
    const { problem, answeredAt } = this.#polling;
    return html`<div class="stack">
      <h1 tabindex="-1">${text.heading}</h1>
      <p class="quiet">${text.intro}</p>
      ${
        problem && answeredAt
          ? html`<p class="notice warn" role="status">${words.stale(timeText(answeredAt))}</p>`
          : problemBox(problem, words)
      }
      ${this.breakers ? this.#breakers(this.breakers) : problem ? nothing : html`<p class="quiet" role="status">${words.loading}</p>`}
    </div>`;
  }

  #breakers(breakers: readonly Breaker[]) {
    const { words } = this.desk;
    const text = words.providers;
    if (breakers.length === 0) return html`<p class="card empty quiet">${text.empty}</p>`;
    const open = breakers.filter(({ state }) => state === 'open').length;
    return html`<p class="notice ${open > 0 ? 'bad' : 'good'}" role="status">${open > 0 ? text.opened(open) : text.allWell}</p>
      <div class="card flush">
        ${table<Breaker>(
          text.caption,
          [
            { head: text.provider, cell: ({ provider }) => provider },
            { head: text.state, cell: ({ state }) => badge(state, text[state]) },
            { head: text.until, cell: ({ open_until }) => (open_until ? time(open_until) : '–') },
            { head: text.openings, cell: ({ openings }) => openings ?? '–' },
            {
              head: text.reason,
              cell: ({ reason }) =>
                reason ? html`${words.faultText(reason)} <code class="quiet">${reason}</code>` : '–',
            },
          ],
          breakers,
          { stacked: true },
        )}
      </div>`;
  }
}
