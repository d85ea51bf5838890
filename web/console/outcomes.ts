import { css, html, nothing, type TemplateResult } from 'lit';
import { bars, chartStyle, columns } from './charts.ts';
import { Polling } from './polling.ts';
import { badge, type Column, problemBox, table, timeText } from './show.ts';
import { style } from './style.ts';
import { byOutcome, byProvider, byReason, byTime } from './tally.ts';
import { View } from './view.ts';
import { type Check, checks, type OutcomeRow, outcomeKinds } from './wire.ts';

const everySeconds = 15;

/** The last 1,000 outcomes as charts, each beside the table of its numbers. */
export class ConsoleOutcomes extends View {
  static override styles = [
    style,
    chartStyle,
    css`
      .chart-card {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: 20px 32px;
      }
      .chart-card > header {
        grid-column: 1 / -1;
        margin: 0;
      }
      .chart-card .plot {
        align-content: start;
      }
      @media (max-width: 860px) {
        .chart-card {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      .chart-card th,
      .chart-card td {
        padding: 7px 8px;
      }
      .chart-card th:first-child {
        padding-inline-start: 0;
      }
      .chart-card td:last-child,
      .chart-card thead th:last-child {
        padding-inline-end: 0;
      }
      .check {
        width: 170px;
      }
    `,
  ];
  static override properties = { rows: { state: true }, check: { state: true } };
  declare rows: readonly OutcomeRow[] | undefined;
  declare check: Check | '';

  constructor() {
    super();
    this.check = '';
  }

  readonly #polling = new Polling(this, {
    everySeconds: () => everySeconds,
    ask: async (signal) => {
      await this.desk.feed.refresh(this.desk.api, signal);
      this.rows = this.desk.feed.rows;
    },
  });

  protected override render() {
    const { words } = this.desk;
    const text = words.outcomes;
    const { problem, answeredAt } = this.#polling;
    const all = this.rows ?? (this.desk.feed.rows.length > 0 ? this.desk.feed.rows : undefined);
    return html`<div class="stack">
      <div class="row between">
        <h1 tabindex="-1">${text.heading}</h1>
        ${this.#checkSelect()}
      </div>
      ${
        problem && answeredAt
          ? html`<p class="notice warn" role="status">${words.stale(timeText(answeredAt))}</p>`
          : problemBox(problem, words)
      }
      ${all ? this.#charts(all) : problem ? nothing : html`<p class="quiet" role="status">${words.loading}</p>`}
    </div>`;
  }

  #checkSelect() {
    const { words } = this.desk;
    return html`<div class="field check">
      <label for="check">${words.outcomes.check}</label>
      <select
        id="check"
        @change=${(event: Event) => {
          this.check = checks.find((one) => one === (event.target as HTMLSelectElement).value) ?? '';
        }}
      >
        <option value="">${words.outcomes.any}</option>
        ${checks.map((one) => html`<option value=${one}>${words.checks[one]}</option>`)}
      </select>
    </div>`;
  }

  #charts(all: readonly OutcomeRow[]) {
    const text = this.desk.words.outcomes;
    const rows = this.check ? all.filter(({ check }) => check === this.check) : all;
    const [newest, oldest] = [rows[0], rows.at(-1)];
    if (!newest || !oldest) {
      return html`<div class="card empty">
        <p><strong>${text.empty}</strong></p>
        <p class="quiet">${text.emptyHint}</p>
      </div>`;
    }
    return html`<p class="quiet" id="counted">${text.intro(rows.length, timeText(oldest.at), timeText(newest.at))}</p>
      ${this.#byOutcome(rows)} ${this.#byTime(rows)} ${this.#byProvider(rows)} ${this.#byReason(rows)}`;
  }

  #byOutcome(rows: readonly OutcomeRow[]) {
    const { words } = this.desk;
    const text = words.outcomes;
    const counts = byOutcome(rows);
    return card(
      'by-outcome',
      text.byOutcome,
      bars(
        text.chart(text.byOutcome),
        counts.map(({ name, count }) => ({ label: words.outcomeNames[name], parts: [{ kind: name, count }] })),
      ),
      table(
        text.byOutcome,
        [
          { head: text.outcome, cell: ({ name }) => badge(name, words.outcomeNames[name]) },
          ...numbersOf<{ count: number }>(text, rows.length),
        ],
        counts,
      ),
    );
  }

  #byReason(rows: readonly OutcomeRow[]) {
    const { words } = this.desk;
    const text = words.outcomes;
    const counts = byReason(rows);
    if (counts.length === 0)
      return card('by-reason', text.byReason, html`<p class="quiet">${text.noReasons}</p>`, nothing);
    return card(
      'by-reason',
      text.byReason,
      bars(
        text.chart(text.byReason),
        counts.map(({ name, count }) => ({ label: name, parts: [{ kind: '', count }] })),
      ),
      table(
        text.byReason,
        [
          { head: text.reason, cell: ({ name }) => reasonCell(name, words.reasonText(name), words.faultText(name)) },
          ...numbersOf<{ count: number }>(text, rows.length),
        ],
        counts,
      ),
    );
  }

  #byProvider(rows: readonly OutcomeRow[]) {
    const { words } = this.desk;
    const text = words.outcomes;
    const counts = byProvider(rows);
    return card(
      'by-provider',
      text.byProvider,
      html`${bars(
        text.chart(text.byProvider),
        counts.map(({ name, outcomes }) => ({
          label: name || text.noProvider,
          parts: outcomes.map(({ name: kind, count }) => ({ kind, count })),
        })),
      )}
        <ul class="legend">
          ${outcomeKinds.map(
            (kind) => html`<li>
              <svg viewBox="0 0 10 10" aria-hidden="true"><rect class="bar ${kind}" width="10" height="10" rx="2"></rect></svg>
              ${words.outcomeNames[kind]}
            </li>`,
          )}
        </ul>`,
      table(
        text.byProvider,
        [
          { head: text.provider, cell: ({ name }) => name || text.noProvider },
          ...outcomeKinds.map((kind, index) => ({
            head: words.outcomeNames[kind],
            cell: ({ outcomes }: (typeof counts)[number]) => outcomes[index]?.count ?? 0,
            numeric: true,
          })),
          { head: text.count, cell: ({ count }) => count, numeric: true },
        ],
        counts,
        { stacked: true },
      ),
    );
  }

  #byTime(rows: readonly OutcomeRow[]) {
    const { words } = this.desk;
    const text = words.outcomes;
    const times = byTime(rows);
    if (!times) return card('by-time', text.byTime, html`<p class="quiet">${text.noTimes}</p>`, nothing);
    const counts = times.counts.map((count, index) => ({ label: words.timeRanges[index] ?? '', count }));
    return card(
      'by-time',
      text.byTime,
      html`<p class="quiet small">
          ${text.timeIntro(words.seconds(times.medianSeconds), words.seconds(times.lateSeconds), times.measured)}
        </p>
        ${columns(
          text.chart(text.byTime),
          times.counts.map((count, index) => ({ label: words.timeLabels[index] ?? '', count })),
        )}`,
      table(
        text.byTime,
        [{ head: text.time, cell: ({ label }) => label }, ...numbersOf<{ count: number }>(text, times.measured)],
        counts,
      ),
    );
  }
}

/** One chart beside its table. */
function card(id: string, heading: string, plot: TemplateResult, numbers: TemplateResult | typeof nothing) {
  return html`<section class="card chart-card" id=${id}>
    <header><h2>${heading}</h2></header>
    <div class="plot stack">${plot}</div>
    <div class="numbers">${numbers}</div>
  </section>`;
}

/** The columns that every chart's table ends with. */
function numbersOf<Row extends { count: number }>(text: { count: string; share: string }, of: number): Column<Row>[] {
  return [
    { head: text.count, cell: ({ count }) => count, numeric: true },
    { head: text.share, cell: ({ count }) => `${((count / of) * 100).toFixed(1)} %`, numeric: true },
  ];
}

/** A reason, or else a fault, in words with its code below. */
function reasonCell(code: string, asReason: string, asFault: string) {
  const words = asReason === code ? asFault : asReason;
  return words === code ? html`<code>${code}</code>` : html`${words}<br /><code class="quiet">${code}</code>`;
}
