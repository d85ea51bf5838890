import { css, html, nothing } from 'lit';
import { Polling } from './polling.ts';
import { type Filters, hashOf } from './routes.ts';
import { badge, problemBox, table, time, timeText, zone } from './show.ts';
import { style } from './style.ts';
import { View } from './view.ts';
import { checks, type ListedVerification, outcomes, type State, states, type VerificationPage } from './wire.ts';
import { nameIn } from './words.ts';

const everySeconds = 10;
const pageSize = 25;

/** Verifications by state, newest first, a page at a time. */
export class ConsoleList extends View {
  static override styles = [
    style,
    css`
      nav.states {
        display: flex;
        flex-wrap: wrap;
        gap: 4px;
      }
      nav.states a {
        font-size: 0.875rem;
        font-weight: 550;
        padding: 6px 12px;
        border-radius: 999px;
        color: var(--quiet);
        text-decoration: none;
      }
      nav.states a:hover {
        background: var(--calm-soft);
      }
      nav.states a[aria-current] {
        background: var(--accent-soft);
        color: var(--accent);
      }
      form.filters {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(170px, 1fr));
        gap: 12px;
        align-items: end;
      }
      .reasons {
        color: var(--quiet);
        font-size: 0.8125rem;
      }
      .check {
        white-space: nowrap;
      }
      @media (min-width: 1100px) {
        .id {
          display: inline-block;
          min-width: 20ch;
        }
      }
    `,
  ];
  static override properties = { filters: { attribute: false }, page: { state: true }, shown: { state: true } };
  declare filters: Filters;
  declare page: VerificationPage | undefined;
  /** Of which filters the page is. */
  declare shown: Filters | undefined;

  readonly #polling = new Polling(this, {
    everySeconds: () => everySeconds,
    ask: async (signal) => {
      const { filters } = this;
      const page = await this.desk.api.list({ ...filters, state: filters.state ?? 'all', limit: pageSize }, signal);
      if (filters !== this.filters) return;
      this.page = page;
      this.shown = filters;
    },
  });
  /** Cursors of the pages before this one, of the same filters. */
  #before: (string | undefined)[] = [];

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('filters') && !this.filters.cursor) this.#before = [];
  }

  protected override updated(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('filters') && changed.get('filters') !== undefined) void this.#polling.now();
  }

  protected override render() {
    const { words } = this.desk;
    const loading = this.shown !== this.filters;
    const { problem } = this.#polling;
    return html`<div class="stack">
      <div class="row between">
        <h1 tabindex="-1">${words.list.heading}</h1>
        <p class="quiet small">${words.list.times(zone())}</p>
      </div>
      ${this.#stateLinks()} ${this.#filterForm()}
      ${problem && !this.page ? problemBox(problem, words) : this.#stale()}
      <div class="card flush" aria-busy=${loading}>${this.page ? this.#rows(this.page) : this.#loading(loading)}</div>
      ${this.page ? this.#pager(this.page) : nothing}
    </div>`;
  }

  #loading(loading: boolean) {
    return loading && !this.#polling.problem
      ? html`<p class="empty quiet" role="status">${this.desk.words.loading}</p>`
      : nothing;
  }

  #stale() {
    const { problem, answeredAt } = this.#polling;
    return problem && answeredAt
      ? html`<p class="notice warn" role="status">${this.desk.words.stale(timeText(answeredAt))}</p>`
      : nothing;
  }

  #stateLinks() {
    const { words } = this.desk;
    const { state, cursor: _, ...rest } = this.filters;
    const link = (one: State | undefined, text: string) => html`<a
      href=${hashOf({ view: 'verifications', filters: { ...rest, ...(one && { state: one }) } })}
      aria-current=${(state ?? 'all') === (one ?? 'all') ? 'page' : nothing}
      >${text}</a
    >`;
    return html`<nav class="states" aria-label=${words.list.byState}>
      ${link(undefined, words.list.allStates)} ${states.map((one) => link(one, words.states[one]))}
    </nav>`;
  }

  #filterForm() {
    const { words } = this.desk;
    const { check, outcome, from, to, state } = this.filters;
    const filtered = check || outcome || from || to;
    return html`<form class="filters" aria-label=${words.list.filters} @submit=${(event: Event) => event.preventDefault()}>
      ${this.#select(
        'check',
        words.list.check,
        checks.map((one) => [one, words.checks[one]]),
        check,
      )}
      ${this.#select(
        'outcome',
        words.list.outcome,
        outcomes.map((one) => [one, words.outcomeNames[one]]),
        outcome,
      )}
      ${this.#moment('from', words.list.from, from)} ${this.#moment('to', words.list.to, to)}
      ${
        filtered
          ? html`<a class="button" href=${hashOf({ view: 'verifications', filters: { ...(state && { state }) } })}
              >${words.list.clear}</a
            >`
          : nothing
      }
    </form>`;
  }

  #select(name: 'check' | 'outcome', label: string, options: readonly (readonly [string, string])[], chosen?: string) {
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <select id=${name} .value=${chosen ?? ''} @change=${this.#onFilter}>
        <option value="" ?selected=${!chosen}>${this.desk.words.list.any}</option>
        ${options.map(([value, text]) => html`<option value=${value} ?selected=${value === chosen}>${text}</option>`)}
      </select>
    </div>`;
  }

  #moment(name: 'from' | 'to', label: string, chosen?: string) {
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <input id=${name} type="datetime-local" .value=${localOf(chosen)} @change=${this.#onFilter} />
    </div>`;
  }

  readonly #onFilter = (event: Event): void => {
    const { id, value } = event.target as HTMLInputElement | HTMLSelectElement;
    const isTime = id === 'from' || id === 'to';
    const { cursor: _, [id as keyof Filters]: __, ...rest } = this.filters;
    const given = isTime && value ? new Date(value).toISOString() : value;
    location.replace(hashOf({ view: 'verifications', filters: { ...rest, ...(given && { [id]: given }) } }));
  };

  #rows({ verifications }: VerificationPage) {
    const { words } = this.desk;
    if (verifications.length === 0) {
      return html`<div class="empty">
        <p><strong>${words.list.empty}</strong></p>
        <p class="quiet">${words.list.emptyHint}</p>
      </div>`;
    }
    return table<ListedVerification>(
      words.list.caption,
      [
        { head: words.list.sourceId, cell: (row) => this.#link(row) },
        {
          head: words.list.state,
          cell: ({ state, livemode }) =>
            html`${badge(state, nameIn(words.states, state))} ${livemode ? nothing : badge('test', words.test)}`,
        },
        {
          head: words.list.outcome,
          cell: ({ verdict }) => (verdict ? this.#verdict(verdict) : html`<span class="quiet">–</span>`),
        },
        {
          head: words.list.check,
          cell: ({ check }) => html`<span class="check">${nameIn(words.checks, check)}</span>`,
        },
        { head: words.list.round, cell: ({ round }) => round, numeric: true },
        { head: words.list.created, cell: (row) => time(row.created_at) },
        { head: words.list.updated, cell: (row) => time(row.updated_at) },
      ],
      verifications,
      { stacked: true },
    );
  }

  #link({ source_id }: ListedVerification) {
    return source_id === null
      ? html`<span class="quiet">${this.desk.words.list.erased}</span>`
      : html`<a class="id" href=${hashOf({ view: 'verification', sourceId: source_id })}>${source_id}</a>`;
  }

  #verdict({ outcome, reasons }: NonNullable<ListedVerification['verdict']>) {
    const { words } = this.desk;
    const [first] = reasons;
    return html`${badge(outcome, nameIn(words.outcomeNames, outcome))}
    ${first ? html`<div class="reasons">${words.reasonText(first)}</div>` : nothing}`;
  }

  #pager({ verifications, next_cursor }: VerificationPage) {
    const { words } = this.desk;
    const { cursor, ...rest } = this.filters;
    const to = (filters: Filters) => hashOf({ view: 'verifications', filters });
    const before = this.#before.at(-1);
    return html`<nav class="row between" aria-label=${words.list.pages}>
      <span class="quiet small" role="status">${words.list.shown(verifications.length)}</span>
      <span class="row">
        ${cursor ? html`<a class="button" href=${to(rest)} >${words.list.newest}</a>` : nothing}
        ${
          cursor && this.#before.length > 1
            ? html`<a
                class="button"
                href=${to({ ...rest, ...(before && { cursor: before }) })}
                @click=${() => this.#before.pop()}
                >${words.list.newer}</a
              >`
            : nothing
        }
        ${
          next_cursor
            ? html`<a
                class="button"
                href=${to({ ...rest, cursor: next_cursor })}
                @click=${() => this.#before.push(cursor)}
                >${words.list.older}</a
              >`
            : nothing
        }
      </span>
    </nav>`;
  }
}

/** A time as an input of local date and time has it. */
function localOf(iso: string | undefined): string {
  const time = iso ? new Date(iso) : undefined;
  if (!time || Number.isNaN(time.getTime())) return '';
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
