import { css, html, LitElement, nothing } from 'lit';
import { type ConsoleApi, type Problem, problemOf } from './api.ts';
import { problemText } from './show.ts';
import { style } from './style.ts';
import type { Words } from './words.ts';

/** Why the sign-in is shown. */
export type Why = 'first' | 'expired' | 'signed_out';

/** Ways to sign in: an invitation, which a button spends and never a page that opens; or the organisation's own sign-in. */
export class ConsoleSignIn extends LitElement {
  static override styles = [
    style,
    css`
      :host {
        min-height: 100vh;
        display: grid;
        place-items: center;
        padding: 24px 16px;
      }
      main {
        width: min(440px, 100%);
      }
      .card {
        padding: 32px;
        box-shadow: 0 8px 30px rgb(20 28 48 / 0.08);
      }
      @media (max-width: 480px) {
        .card {
          padding: 24px 20px;
        }
      }
      .primary {
        width: 100%;
        min-height: 44px;
      }
      .brand {
        display: flex;
        align-items: center;
        gap: 10px;
        font-weight: 650;
      }
      .brand svg {
        width: 28px;
        height: 28px;
        color: var(--accent);
      }
    `,
  ];
  static override properties = {
    api: { attribute: false },
    words: { attribute: false },
    why: { attribute: false },
    code: { attribute: false },
    oidc: { state: true },
    busy: { state: true },
    problem: { state: true },
    notYet: { state: true },
  };
  declare api: ConsoleApi;
  declare words: Words;
  declare why: Why;
  /** Of an invitation, where the address brought one. */
  declare code: string | undefined;
  declare oidc: boolean;
  declare busy: boolean;
  declare problem: Problem | undefined;
  declare notYet: boolean;

  constructor() {
    super();
    this.oidc = false;
    this.busy = false;
    this.notYet = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.#onVisible);
    void this.api.settings().then(
      ({ oidc }) => {
        this.oidc = oidc;
      },
      () => undefined, // without an answer there is only the invitation
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.#onVisible);
  }

  protected override firstUpdated(): void {
    if (this.why !== 'first') this.renderRoot.querySelector('h1')?.focus();
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('code') && this.code) this.problem = undefined;
  }

  protected override render() {
    const text = this.words.signIn;
    return html`<main>
      <div class="card stack">
        <div class="brand">${mark}<span>${this.words.product}</span></div>
        <h1 tabindex="-1">${text.heading}</h1>
        ${this.why === 'expired' ? html`<p class="notice">${text.expired}</p>` : nothing}
        ${this.why === 'signed_out' ? html`<p class="notice good">${text.signedOut}</p>` : nothing}
        ${this.problem ? html`<p class="notice bad" role="alert">${this.#problemText(this.problem)}</p>` : nothing}
        ${this.code ? this.#invited() : html`<p>${text.how}</p>`}
        ${this.oidc ? this.#organisation() : nothing}
        ${this.why === 'expired' ? this.#elsewhere() : nothing}
      </div>
    </main>`;
  }

  #invited() {
    const text = this.words.signIn;
    return html`<p>${text.invited}</p>
      <button type="button" class="primary" aria-disabled=${this.busy} @click=${this.#accept}>
        ${this.busy ? text.accepting : text.accept}
      </button>`;
  }

  /** In a tab of its own where something was typed here: leaving this page would lose it. */
  #organisation() {
    return html`<a
      class="button ${this.code ? '' : 'primary'}"
      href="/console/sign-in"
      target=${this.why === 'expired' ? '_blank' : nothing}
      rel="noopener"
      >${this.words.signIn.oidc}</a
    >`;
  }

  #elsewhere() {
    const text = this.words.signIn;
    return html`<div class="stack tight">
      <button type="button" @click=${() => void this.#look(true)}>${text.elsewhere}</button>
      ${this.notYet ? html`<p class="quiet small" role="status">${text.notYet}</p>` : nothing}
    </div>`;
  }

  #problemText(problem: Problem): string {
    return problem.code === 'invitation_invalid' ? this.words.signIn.refused : problemText(problem, this.words);
  }

  readonly #accept = async (): Promise<void> => {
    if (this.busy || !this.code) return;
    this.busy = true;
    this.problem = undefined;
    try {
      this.#signedIn(await this.api.signIn(this.code));
    } catch (thrown) {
      this.problem = problemOf(thrown);
      // An invitation that was refused never works again; one that never arrived does.
      if (this.problem.code === 'invitation_invalid') this.dispatchEvent(new Event('spent'));
    }
    this.busy = false;
  };

  /** Whether another tab has signed in meanwhile: the cookie is the browser's, so this tab has it too. */
  async #look(asked: boolean): Promise<void> {
    try {
      this.#signedIn(await this.api.session());
    } catch {
      this.notYet = asked;
    }
  }

  readonly #onVisible = (): void => {
    if (this.why === 'expired' && document.visibilityState === 'visible') void this.#look(false);
  };

  #signedIn(session: unknown): void {
    this.dispatchEvent(new CustomEvent('signed-in', { detail: session }));
  }
}

/** A shield with a tick: the product's mark. */
export const mark = html`<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
  <path d="M12 2.8 4.5 5.6v5.6c0 4.8 3.1 8.3 7.5 10 4.4-1.7 7.5-5.2 7.5-10V5.6z" stroke-linejoin="round"></path>
  <path d="m8.6 12 2.4 2.4 4.4-4.8" stroke-linecap="round" stroke-linejoin="round"></path>
</svg>`;
