import { css, html, nothing } from 'lit';
import { type Problem, problemOf } from './api.ts';
import type { Draft } from './desk.ts';
import { problemText } from './show.ts';
import { style } from './style.ts';
import { View } from './view.ts';
import type { Verification } from './wire.ts';

const mostCharacters = 500;

/**
 * A reviewer's outcome and why. What was begun is kept on the desk, with the sequence that was seen when it was begun, so
 * that a verification that moved since is refused by the API and not decided unseen.
 */
export class ConsoleReview extends View {
  static override styles = [
    style,
    css`
      .choices {
        display: grid;
        gap: 4px;
        margin-top: 4px;
      }
    `,
  ];
  static override properties = {
    verification: { attribute: false },
    moved: { attribute: false },
    sending: { state: true },
    missing: { state: true },
    problem: { state: true },
    draft: { state: true },
  };
  declare verification: Verification;
  /** Whether a newer verification than the one that is shown is known. */
  declare moved: boolean;
  declare sending: boolean;
  declare missing: { outcome?: boolean; reason?: boolean };
  declare problem: Problem | undefined;
  declare draft: Draft | undefined;

  constructor() {
    super();
    this.sending = false;
    this.missing = {};
  }

  /** A newer verification to look at takes the draft along, as the desk has it by then. */
  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('verification')) return;
    this.draft = this.desk.drafts.get(this.verification.source_id);
    const before = changed.get('verification') as Verification | undefined;
    if (before?.sequence !== this.verification.sequence) this.problem = undefined;
  }

  protected override render() {
    const { words } = this.desk;
    const text = words.review;
    const { draft } = this;
    if (!draft) {
      return html`<button type="button" class="primary" id="open" @click=${this.#open}>
        ${this.verification.review ? text.again : text.open}
      </button>`;
    }
    const left = mostCharacters - draft.reason.length;
    return html`<form class="stack" novalidate @submit=${this.#onSubmit} aria-label=${text.heading}>
      <p class="quiet small">${text.hint(draft.sequence)}</p>
      <fieldset aria-describedby=${this.missing.outcome ? 'outcome-missing' : nothing}>
        <legend>${text.outcome}</legend>
        <div class="choices">
          ${(['passed', 'failed'] as const).map(
            (one) => html`<label class="choice">
              <input
                type="radio"
                name="outcome"
                .value=${one}
                .checked=${draft.outcome === one}
                aria-invalid=${this.missing.outcome ? 'true' : nothing}
                @change=${() => this.#keep({ outcome: one })}
              />
              ${words.outcomeNames[one]}
            </label>`,
          )}
        </div>
        ${this.missing.outcome ? html`<p class="error" id="outcome-missing">${text.outcomeMissing}</p>` : nothing}
      </fieldset>
      <div class="field">
        <label for="reason">${text.reason}</label>
        <textarea
          id="reason"
          maxlength=${mostCharacters}
          .value=${draft.reason}
          aria-describedby="reason-hint"
          aria-invalid=${this.missing.reason ? 'true' : nothing}
          @input=${(event: Event) => this.#keep({ reason: (event.target as HTMLTextAreaElement).value })}
        ></textarea>
        <p class="quiet small" id="reason-hint">${text.reasonHint} ${text.left(left)}.</p>
        ${this.missing.reason ? html`<p class="error" role="alert">${text.reasonMissing}</p>` : nothing}
      </div>
      ${this.problem ? html`<p class="notice bad" role="alert">${this.#problemText(this.problem)}</p>` : nothing}
      <div class="row">
        <button type="submit" class="primary" aria-disabled=${this.sending}>${text.send}</button>
        <button type="button" @click=${this.#cancel}>${text.cancel}</button>
      </div>
    </form>`;
  }

  #problemText(problem: Problem): string {
    const { words } = this.desk;
    return problem.code === 'state_conflict' && this.moved ? words.review.conflict : problemText(problem, words);
  }

  #keep(change: Partial<Draft>): void {
    const { source_id, sequence } = this.verification;
    this.draft = { ...(this.draft ?? { outcome: '', reason: '', sequence }), ...change };
    this.desk.drafts.set(source_id, this.draft);
    this.missing = {};
  }

  readonly #open = async (): Promise<void> => {
    this.#keep({});
    await this.updateComplete;
    this.renderRoot.querySelector('input')?.focus();
  };

  readonly #cancel = async (): Promise<void> => {
    this.#forget();
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('#open')?.focus();
  };

  #forget(): void {
    this.desk.drafts.delete(this.verification.source_id);
    this.draft = undefined;
    this.problem = undefined;
    this.missing = {};
    this.dispatchEvent(new Event('drafted'));
  }

  readonly #onSubmit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const { draft } = this;
    if (!draft || this.sending) return;
    const reason = draft.reason.trim();
    const { outcome } = draft;
    this.missing = { outcome: outcome === '', reason: reason === '' };
    if (outcome === '' || reason === '') {
      this.renderRoot.querySelector<HTMLElement>(this.missing.outcome ? 'input' : 'textarea')?.focus();
      return;
    }
    this.sending = true;
    this.problem = undefined;
    try {
      const { sequence } = draft;
      await this.desk.api.review(this.verification.source_id, { outcome, reason, sequence });
      this.#forget();
      this.desk.say(this.desk.words.review.recorded);
      this.dispatchEvent(new Event('acted'));
    } catch (thrown) {
      this.problem = problemOf(thrown);
      if (this.problem.code === 'state_conflict') this.dispatchEvent(new Event('acted'));
    }
    this.sending = false;
  };
}
