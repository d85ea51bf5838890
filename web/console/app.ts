import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { type ConsoleApi, consoleApi, problemOf } from './api.ts';
import type { Desk, Draft } from './desk.ts';
import { OutcomesFeed } from './feed.ts';
import { hashOf, invitationIn, type Route, readRoute } from './routes.ts';
import { problemText } from './show.ts';
import { mark, type Why } from './sign-in.ts';
import { style } from './style.ts';
import type { Session } from './wire.ts';
import { english, nameIn, type Words } from './words.ts';

const sayMilliseconds = 6000;

type Phase =
  | { readonly is: 'starting' }
  | { readonly is: 'unreachable'; readonly text: string }
  | { readonly is: 'signing_in'; readonly why: Why }
  | { readonly is: 'signed_in'; readonly desk: Desk };

/** `<bonafide-console>`: who is signed in, where they are, and the view of it. Nothing is stored in the browser. */
export class BonafideConsole extends LitElement {
  static override styles = [
    style,
    css`
      .top {
        background: var(--surface);
        border-bottom: 1px solid var(--line);
      }
      .bar,
      main {
        max-width: 1280px;
        margin: 0 auto;
        padding-inline: 24px;
      }
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 24px;
        min-height: 60px;
        padding-block: 8px;
      }
      main {
        padding-block: 24px 64px;
      }
      @media (max-width: 760px) {
        .bar,
        main {
          padding-inline: 16px;
        }
        .bar nav {
          order: 3;
          flex: 1 0 100%;
          margin-inline: -8px;
        }
        .bar .who {
          order: 2;
        }
        .bar nav a {
          padding-inline: 8px;
        }
        .bar {
          gap: 4px 12px;
        }
        main {
          padding-top: 16px;
        }
      }
      .brand {
        display: flex;
        align-items: center;
        gap: 8px;
        font-weight: 650;
      }
      .brand svg {
        width: 24px;
        height: 24px;
        color: var(--accent);
      }
      .bar nav {
        display: flex;
        flex-wrap: wrap;
        gap: 2px;
      }
      .bar nav a {
        padding: 6px 10px;
        border-radius: 8px;
        font-size: 0.875rem;
        font-weight: 550;
        color: var(--quiet);
        text-decoration: none;
      }
      .bar nav a:hover {
        background: var(--raised);
      }
      .bar nav a[aria-current] {
        color: var(--accent);
        background: var(--accent-soft);
      }
      .who {
        margin-inline-start: auto;
        display: flex;
        align-items: center;
        gap: 12px;
        min-width: 0;
      }
      .person {
        display: grid;
        text-align: end;
        line-height: 1.3;
        font-size: 0.8125rem;
        min-width: 0;
      }
      .person span {
        max-width: 40ch;
        overflow-wrap: anywhere;
      }
      @media (max-width: 480px) {
        .who {
          flex: 1 1 0;
          justify-content: end;
          gap: 8px;
        }
        .bar nav a {
          padding-inline: 7px;
          font-size: 0.8125rem;
        }
        .brand span {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
      }
      .who button {
        flex: none;
      }
      .said {
        position: fixed;
        inset: auto 16px 16px;
        margin-inline: auto;
        width: fit-content;
        max-width: calc(100vw - 32px);
        background: var(--text);
        color: var(--surface);
        padding: 10px 16px;
        border-radius: 8px;
        font-size: 0.875rem;
        box-shadow: 0 8px 24px rgb(0 0 0 / 0.25);
      }
      .skip {
        position: absolute;
        inset: 8px auto auto 8px;
        z-index: 1;
      }
      .start {
        min-height: 100vh;
        display: grid;
        place-items: center;
        padding: 16px;
        text-align: center;
      }
    `,
  ];
  static override properties = {
    words: { attribute: false },
    phase: { state: true },
    route: { state: true },
    code: { state: true },
    said: { state: true },
  };
  /** Every text of the console. */
  declare words: Words;
  declare phase: Phase;
  declare route: Route;
  /** Of an invitation that waits to be accepted: here alone, never in the address bar, a title or a log. */
  declare code: string | undefined;
  declare said: string;

  readonly #api: ConsoleApi = consoleApi(() => this.#onSessionEnd());
  #drafts = new Map<string, Draft>();
  #feed = new OutcomesFeed();
  /** Whose drafts and outcomes these are. */
  #owner = '';
  #wentOn = false;
  #saying: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.words = english;
    this.phase = { is: 'starting' };
    this.route = readRoute('');
    this.said = '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('hashchange', this.#onHash);
    this.#readAddress();
    if (this.code) this.phase = { is: 'signing_in', why: 'first' };
    else void this.#start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('hashchange', this.#onHash);
    clearTimeout(this.#saying);
  }

  async #start(): Promise<void> {
    this.phase = { is: 'starting' };
    try {
      this.#signedIn(await this.#api.session());
    } catch (thrown) {
      const problem = problemOf(thrown);
      if (problem.code === 'session_invalid') this.phase = { is: 'signing_in', why: 'first' };
      else this.phase = { is: 'unreachable', text: problemText(problem, this.words) };
    }
  }

  /** An invitation leaves the address bar and the history of the tab before anything else happens. */
  #readAddress(): void {
    const code = invitationIn(location.hash);
    if (code === undefined) {
      this.route = readRoute(location.hash);
      return;
    }
    history.replaceState(null, '', location.pathname + (this.#owner ? hashOf(this.route) : ''));
    this.code = code;
  }

  readonly #onHash = (): void => {
    this.#wentOn = true;
    this.#readAddress();
    if (!this.code || this.phase.is === 'signing_in') return;
    // What was typed is kept, should the same operator come back.
    this.phase = { is: 'signing_in', why: 'first' };
  };

  #onSessionEnd(): void {
    if (this.phase.is === 'signed_in') this.phase = { is: 'signing_in', why: 'expired' };
  }

  #signedIn(session: Session): void {
    const owner = `${session.tenant}/${session.operator.id}`;
    if (owner !== this.#owner) this.#forget();
    this.#owner = owner;
    this.code = undefined;
    const { words } = this;
    const desk: Omit<Desk, 'wentOn'> = {
      api: this.#api,
      words,
      session,
      drafts: this.#drafts,
      feed: this.#feed,
      say: (text) => this.#say(text),
    };
    const wentOn = () => this.#wentOn;
    this.phase = {
      is: 'signed_in',
      desk: {
        ...desk,
        get wentOn() {
          return wentOn();
        },
      },
    };
  }

  #forget(): void {
    this.#drafts = new Map();
    this.#feed = new OutcomesFeed();
    this.#owner = '';
  }

  readonly #signOut = async (): Promise<void> => {
    try {
      await this.#api.signOut();
    } catch (thrown) {
      if (problemOf(thrown).code !== 'session_invalid') {
        this.#say(this.words.signOutFailed);
        return;
      }
    }
    this.#forget();
    this.phase = { is: 'signing_in', why: 'signed_out' };
  };

  #say(text: string): void {
    clearTimeout(this.#saying);
    this.said = text;
    this.#saying = setTimeout(() => {
      this.said = '';
    }, sayMilliseconds);
  }

  protected override updated(): void {
    const { words, phase, route } = this;
    const view = phase.is === 'signed_in' ? words.titles[route.view] : words.titles.signIn;
    document.title = `${view} – ${words.product}`;
    document.documentElement.lang = words.language;
  }

  protected override render() {
    const { phase, words } = this;
    switch (phase.is) {
      case 'starting':
        return html`<main class="start"><p class="quiet" role="status">${words.loading}</p></main>`;
      case 'unreachable':
        return html`<main class="start">
          <div class="stack">
            <h1>${words.product}</h1>
            <p class="notice bad" role="alert">${phase.text}</p>
            <div><button type="button" @click=${() => void this.#start()}>${words.tryAgain}</button></div>
          </div>
        </main>`;
      case 'signing_in':
        return html`<console-sign-in
          .api=${this.#api}
          .words=${words}
          .why=${phase.why}
          .code=${this.code}
          @spent=${() => {
            this.code = undefined;
          }}
          @signed-in=${({ detail }: CustomEvent<Session>) => this.#signedIn(detail)}
        ></console-sign-in>`;
      case 'signed_in':
        return this.#signedInPage(phase.desk);
    }
  }

  #signedInPage(desk: Desk) {
    const { words } = this;
    return html`<button type="button" class="skip unseen" @click=${this.#skip}>${words.skip}</button>
      <header class="top">
        <div class="bar">
          <span class="brand">${mark}<span>${words.product}</span></span>
          <nav aria-label=${words.sections}>
            ${this.#link({ view: 'verifications', filters: {} }, words.titles.verifications)}
            ${this.#link({ view: 'outcomes' }, words.titles.outcomes)}
            ${this.#link({ view: 'providers' }, words.titles.providers)}
          </nav>
          ${this.#who(desk.session)}
        </div>
      </header>
      <main id="content" tabindex="-1">${keyed(keyOf(this.route), this.#view(desk))}</main>
      <div role="status" aria-live="polite">${this.said ? html`<p class="said">${this.said}</p>` : nothing}</div>`;
  }

  #link(route: Route, text: string) {
    const current = route.view === this.route.view;
    const within = route.view === 'verifications' && this.route.view === 'verification';
    return html`<a href=${hashOf(route)} aria-current=${current ? 'page' : within ? 'true' : nothing}>${text}</a>`;
  }

  #who({ operator, tenant }: Session) {
    const { words } = this;
    return html`<div class="who">
      <div class="person">
        <span><span class="unseen">${words.signedInAs} </span><strong>${operator.name}</strong></span>
        <span class="quiet">${tenant} · ${nameIn(words.roles, operator.role)}</span>
      </div>
      <button type="button" @click=${this.#signOut}>${words.signOut}</button>
    </div>`;
  }

  readonly #skip = (): void => this.renderRoot.querySelector<HTMLElement>('#content')?.focus();

  #view(desk: Desk): TemplateResult {
    const { route } = this;
    switch (route.view) {
      case 'verifications':
        return html`<console-list .desk=${desk} .filters=${route.filters}></console-list>`;
      case 'verification':
        return html`<console-verification .desk=${desk} .sourceId=${route.sourceId}></console-verification>`;
      case 'outcomes':
        return html`<console-outcomes .desk=${desk}></console-outcomes>`;
      case 'providers':
        return html`<console-providers .desk=${desk}></console-providers>`;
    }
  }
}

/** Another verification is another element: nothing of the one before is shown, or typed on. */
const keyOf = (route: Route): string => (route.view === 'verification' ? `verification/${route.sourceId}` : route.view);
