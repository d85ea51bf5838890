import { css, html, nothing } from 'lit';
import { Polling } from './polling.ts';
import { hashOf } from './routes.ts';
import { badge, problemBox, timeText } from './show.ts';
import { style } from './style.ts';
import { attempts, standing, timeline, verdictFacts } from './verdict.ts';
import { View } from './view.ts';
import type { Verification, Whole } from './wire.ts';
import { nameIn } from './words.ts';

const restingStates: readonly string[] = ['decided', 'errored', 'expired', 'erased'];

/** One verification whole, read again while it moves. What a reviewer is writing about is not changed under their eyes. */
export class ConsoleVerification extends View {
  static override styles = [
    style,
    css`
      .columns {
        display: grid;
        grid-template-columns: minmax(0, 1fr) 340px;
        gap: 16px;
        align-items: start;
      }
      @media (max-width: 980px) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      .back {
        font-size: 0.875rem;
        text-decoration: none;
      }
      .title {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
      }
      .title h1 {
        font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace;
        font-size: 1.25rem;
        letter-spacing: 0;
      }
      .timeline {
        list-style: none;
      }
      .timeline + p {
        margin-top: 12px;
      }
      .timeline li {
        position: relative;
        display: flex;
        gap: 12px;
        padding-bottom: 16px;
      }
      .timeline li:last-child {
        padding-bottom: 0;
      }
      .timeline li:not(:last-child)::before {
        content: '';
        position: absolute;
        inset: 18px auto 0 5px;
        border-inline-start: 2px solid var(--line);
      }
      .dot {
        flex: none;
        width: 12px;
        height: 12px;
        margin-top: 5px;
        border-radius: 50%;
        border: 3px solid var(--accent);
        background: var(--surface);
      }
      .noted .dot {
        border-color: var(--line);
      }
      .passed .dot {
        border-color: var(--good);
        background: var(--good);
      }
      .failed .dot,
      .errored .dot {
        border-color: var(--bad);
        background: var(--bad);
      }
      .recapture .dot,
      .expired .dot {
        border-color: var(--warn);
        background: var(--warn);
      }
      .event {
        display: grid;
        min-width: 0;
      }
      .event strong {
        font-weight: 550;
      }
      .noted .event strong {
        font-weight: 400;
      }
      .attempt + .attempt {
        border-top: 1px solid var(--line);
        padding-top: 16px;
      }
      summary {
        cursor: pointer;
        font-size: 0.875rem;
        font-weight: 550;
        color: var(--accent);
        min-height: 28px;
        width: fit-content;
      }
      .meter .track {
        fill: var(--calm-soft);
      }
      .meter .bar {
        fill: var(--bar);
      }
      .part {
        border-top: 1px solid var(--line);
        margin-top: 16px;
        padding-top: 16px;
      }
      .words {
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
    `,
  ];
  static override properties = {
    sourceId: { attribute: false },
    whole: { state: true },
    newer: { state: true },
  };
  declare sourceId: string;
  declare whole: Whole | undefined;
  /** What was read after the verification moved under a review that was begun. */
  declare newer: Whole | undefined;

  readonly #polling = new Polling(this, {
    everySeconds: () => (this.whole && restingStates.includes(this.whole.verification.state) ? 15 : 5),
    ask: async (signal) => {
      const read = await this.desk.api.read(this.sourceId, signal);
      const draft = this.desk.drafts.get(this.sourceId);
      if (draft && this.whole && read.verification.sequence > draft.sequence) this.newer = read;
      else this.#take(read);
    },
  });

  #take(read: Whole): void {
    this.whole = read;
    this.newer = undefined;
  }

  protected override render() {
    const { words } = this.desk;
    const { problem, answeredAt } = this.#polling;
    return html`<div class="stack">
      <a class="back" href=${hashOf({ view: 'verifications', filters: {} })}>← ${words.verification.back}</a>
      <div class="title">
        <h1 tabindex="-1">${this.sourceId}</h1>
        ${this.whole ? this.#badge(this.whole.verification) : nothing}
        ${this.whole && !this.whole.verification.livemode ? badge('test', words.test) : nothing}
      </div>
      ${
        problem && answeredAt
          ? html`<p class="notice warn" role="status">${words.stale(timeText(answeredAt))}</p>`
          : problemBox(problem, words)
      }
      ${this.whole ? this.#whole(this.whole) : problem ? nothing : html`<p class="quiet" role="status">${words.loading}</p>`}
    </div>`;
  }

  #badge({ state, verdict }: Verification) {
    const { words } = this.desk;
    return verdict
      ? badge(verdict.outcome, nameIn(words.outcomeNames, verdict.outcome))
      : badge(state, nameIn(words.states, state));
  }

  #whole({ verification, history, notes_dropped, captures }: Whole) {
    const { words } = this.desk;
    const text = words.verification;
    const { verdict, metadata, attempts: asked } = verification;
    return html`<div class="columns">
        <div class="stack">
          <section class="card">
            <header><h2>${text.verdict}</h2></header>
            ${verdict ? verdictFacts(verdict, words) : html`<p class="quiet">${words.whyNoVerdict(verification.state)}</p>`}
            ${this.#review(verification)}
          </section>
          <section class="card">
            <header><h2>${words.captures.heading}</h2></header>
            <console-captures .desk=${this.desk} .sourceId=${this.sourceId} .captures=${captures}></console-captures>
          </section>
          <section class="card">
            <header><h2>${text.attempts}</h2></header>
            ${attempts(asked, words)}
          </section>
          ${
            metadata === undefined
              ? nothing
              : html`<section class="card">
                  <header>
                    <h2>${text.metadata}</h2>
                    <p class="quiet small">${text.metadataHint}</p>
                  </header>
                  <pre>${JSON.stringify(metadata, null, 2)}</pre>
                </section>`
          }
        </div>
        <div class="stack">
          ${this.#acts(verification)}
          <section class="card">
            <header><h2>${text.facts}</h2></header>
            ${standing(verification, words)}
          </section>
          <section class="card">
            <header><h2>${text.timeline}</h2></header>
            ${timeline(history, notes_dropped, words)}
          </section>
        </div>
      </div>`;
  }

  #moved(newer: Whole) {
    const text = this.desk.words.verification;
    return html`<div class="notice warn stack tight" role="status">
      <span>${text.moved}</span>
      <button type="button" @click=${() => this.#showNewest(newer)}>${text.showNewest}</button>
    </div>`;
  }

  /** What was typed stays; from here on it is about what is seen now. */
  #showNewest(newer: Whole): void {
    const draft = this.desk.drafts.get(this.sourceId);
    if (draft) this.desk.drafts.set(this.sourceId, { ...draft, sequence: newer.verification.sequence });
    this.#take(newer);
  }

  #review({ review, first_verdict }: Verification) {
    const { words } = this.desk;
    const text = words.review;
    if (!review) return nothing;
    return html`<div class="part stack tight">
        <h3>${text.of}</h3>
        <dl class="facts">
          <dt>${text.reviewer}</dt>
          <dd>${review.reviewer}</dd>
          <dt>${text.outcome}</dt>
          <dd>${badge(review.outcome, nameIn(words.outcomeNames, review.outcome))}</dd>
          <dt>${text.reason}</dt>
          <dd class="words">${review.reason}</dd>
          <dt>${text.sequence}</dt>
          <dd>${review.sequence}</dd>
        </dl>
      </div>
      ${
        first_verdict
          ? html`<div class="part stack tight">
              <h3>${text.first}</h3>
              ${verdictFacts(first_verdict, words)}
            </div>`
          : nothing
      }`;
  }

  #acts(verification: Verification) {
    if (!this.mayReview || verification.state === 'erased') return nothing;
    const { words } = this.desk;
    const again = () => void this.#polling.now();
    return html`<section class="card stack">
      <h2>${words.actions.heading}</h2>
      ${this.newer ? this.#moved(this.newer) : nothing}
      ${
        verification.state === 'decided'
          ? html`<console-review
              .desk=${this.desk}
              .verification=${verification}
              .moved=${this.newer !== undefined}
              @acted=${again}
              @drafted=${() => this.newer && this.#take(this.newer)}
            ></console-review>`
          : nothing
      }
      <console-acts .desk=${this.desk} .verification=${verification} @acted=${again}></console-acts>
    </section>`;
  }
}
