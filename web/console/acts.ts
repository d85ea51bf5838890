import { css, html, nothing } from 'lit';
import { type Problem, problemOf } from './api.ts';
import { problemBox } from './show.ts';
import { style } from './style.ts';
import { View } from './view.ts';
import type { Verification } from './wire.ts';

/** What a reviewer may do to a verification besides reviewing it: retry, and erase after typing its source_id. */
export class ConsoleActs extends View {
  static override styles = [
    style,
    css`
      dialog {
        border: 1px solid var(--line);
        border-radius: 12px;
        background: var(--surface);
        color: var(--text);
        padding: 24px;
        width: min(480px, calc(100vw - 32px));
      }
      dialog::backdrop {
        background: rgb(10 14 22 / 0.55);
      }
    `,
  ];
  static override properties = {
    verification: { attribute: false },
    busy: { state: true },
    problem: { state: true },
    typed: { state: true },
    mismatch: { state: true },
  };
  declare verification: Verification;
  declare busy: boolean;
  declare problem: Problem | undefined;
  declare typed: string;
  declare mismatch: boolean;

  constructor() {
    super();
    this.busy = false;
    this.typed = '';
    this.mismatch = false;
  }

  protected override render() {
    const { words } = this.desk;
    const text = words.actions;
    const { state, source_id } = this.verification;
    return html`<div class="stack">
      ${problemBox(this.problem, words)}
      ${
        state === 'errored'
          ? html`<div class="stack tight">
              <div>
                <button type="button" class="primary" aria-disabled=${this.busy} aria-describedby="retry-hint" @click=${this.#retry}>
                  ${text.retry}
                </button>
              </div>
              <p class="quiet small" id="retry-hint">${text.retryHint}</p>
            </div>`
          : nothing
      }
      <div class="stack tight">
        <div>
          <button type="button" class="danger" aria-describedby="erase-hint" aria-haspopup="dialog" @click=${this.#ask}>
            ${text.erase}
          </button>
        </div>
        <p class="quiet small" id="erase-hint">${text.eraseHint}</p>
      </div>
      <dialog aria-labelledby="erase-heading" aria-describedby="erase-text" @close=${this.#onClose}>
        <form class="stack" novalidate @submit=${this.#onErase}>
          <h2 id="erase-heading">${text.eraseHeading}</h2>
          <p id="erase-text">${text.eraseText}</p>
          <div class="field">
            <label for="typed">${text.eraseType(source_id)}</label>
            <input
              id="typed"
              class="id"
              autocomplete="off"
              autocapitalize="off"
              spellcheck="false"
              .value=${this.typed}
              aria-invalid=${this.mismatch ? 'true' : nothing}
              aria-describedby=${this.mismatch ? 'mismatch' : nothing}
              @input=${(event: Event) => {
                this.typed = (event.target as HTMLInputElement).value;
                this.mismatch = false;
              }}
            />
            ${this.mismatch ? html`<p class="error" id="mismatch" role="alert">${text.eraseMismatch}</p>` : nothing}
          </div>
          <div class="row">
            <button type="submit" class="danger" aria-disabled=${this.busy}>${text.eraseNow}</button>
            <button type="button" @click=${() => this.#dialog()?.close()}>${text.cancel}</button>
          </div>
        </form>
      </dialog>
    </div>`;
  }

  #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }

  readonly #ask = (): void => this.#dialog()?.showModal();

  readonly #onClose = (): void => {
    this.typed = '';
    this.mismatch = false;
  };

  readonly #onErase = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (this.typed.trim() !== this.verification.source_id) {
      this.mismatch = true;
      this.renderRoot.querySelector<HTMLElement>('#typed')?.focus();
      return;
    }
    const { source_id } = this.verification;
    const erase = async () => {
      await this.desk.api.erase(source_id);
      this.desk.drafts.delete(source_id);
    };
    await this.#act(erase, this.desk.words.actions.erased);
    this.#dialog()?.close();
  };

  readonly #retry = (): Promise<void> =>
    this.#act(() => this.desk.api.retry(this.verification.source_id), this.desk.words.actions.retried);

  async #act(request: () => Promise<unknown>, told: string): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = undefined;
    try {
      await request();
      this.desk.say(told);
    } catch (thrown) {
      this.problem = problemOf(thrown);
    }
    this.busy = false;
    this.dispatchEvent(new Event('acted'));
  }
}
