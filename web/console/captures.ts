import { css, html, nothing, svg } from 'lit';
import { type Problem, problemOf } from './api.ts';
import { problemBox, size, table, time } from './show.ts';
import { style } from './style.ts';
import { View } from './view.ts';
import type { KeptCapture, Looks } from './wire.ts';
import { nameIn } from './words.ts';

/** A capture that is being shown, by its address of a minute: forgotten as soon as it is hidden. */
interface Shown {
  readonly url: string;
  /** As it was declared; not known of an earlier round. */
  readonly type: string | null;
  readonly cannotShow: boolean;
}

const keyOf = ({ name, round }: KeptCapture) => `${round}/${name}`;

/**
 * Captures that are still stored. A reviewer looks at one by pressing: the API writes the look down, then gives an address
 * for a minute. A viewer sees that there are captures, and none of them.
 */
export class ConsoleCaptures extends View {
  static override styles = [
    style,
    css`
      ul.captures {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 260px), 1fr));
        gap: 12px;
        list-style: none;
      }
      ul.captures li {
        border: 1px solid var(--line);
        border-radius: 8px;
        overflow: hidden;
        display: flex;
        flex-direction: column;
      }
      ul.captures .about {
        padding: 12px;
        display: grid;
        gap: 2px;
      }
      ul.captures .about .row {
        margin-top: 8px;
      }
      figure {
        background: var(--raised);
        border-bottom: 1px solid var(--line);
      }
      img,
      video {
        display: block;
        width: 100%;
        max-height: 70vh;
        object-fit: contain;
      }
      .away {
        display: grid;
        place-items: center;
        aspect-ratio: 4 / 3;
        max-height: 150px;
        width: 100%;
        color: var(--strong-line);
      }
    `,
  ];
  static override properties = {
    sourceId: { attribute: false },
    captures: { attribute: false },
    shown: { state: true },
    fetching: { state: true },
    problem: { state: true },
    looks: { state: true },
  };
  declare sourceId: string;
  declare captures: readonly KeptCapture[];
  declare shown: ReadonlyMap<string, Shown>;
  declare fetching: string | undefined;
  declare problem: Problem | undefined;
  declare looks: Looks | undefined;

  constructor() {
    super();
    this.shown = new Map();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#readLooks();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.shown = new Map();
  }

  protected override render() {
    const { words } = this.desk;
    const text = words.captures;
    return html`<div class="stack">
      ${this.#intro()}
      ${problemBox(this.problem, words)}
      ${this.captures.length > 0 ? html`<ul class="captures">${this.captures.map((one) => this.#capture(one))}</ul>` : nothing}
      ${
        this.looks
          ? html`<div class="stack tight">
              <h3>${text.looks}</h3>
              ${
                this.looks.length === 0
                  ? html`<p class="quiet small">${text.noLooks}</p>`
                  : table(
                      text.looksCaption,
                      [
                        { head: text.at, cell: ({ at }) => time(at) },
                        { head: text.operator, cell: ({ operator }) => operator },
                        {
                          head: text.capture,
                          cell: ({ capture, round }) => `${nameIn(words.captureNames, capture)}, ${text.round(round)}`,
                        },
                      ],
                      this.looks,
                      { stacked: true },
                    )
              }
            </div>`
          : nothing
      }
    </div>`;
  }

  #intro() {
    const text = this.desk.words.captures;
    if (this.captures.length === 0) return html`<p class="quiet">${text.none}</p>`;
    return html`<p class="quiet small">${this.mayReview ? text.written : text.viewer}</p>`;
  }

  #capture(one: KeptCapture) {
    const { words } = this.desk;
    const text = words.captures;
    const name = words.captureNames[one.name];
    const shown = this.shown.get(keyOf(one));
    const about = [one.content_type, size(one.bytes)].filter(Boolean).join(' · ');
    return html`<li>
      <figure>${shown ? this.#picture(one, shown) : placeholder(one.name === 'video')}</figure>
      <div class="about">
        <strong>${name}, ${text.round(one.round)}</strong>
        <span class="quiet small">${about}</span>
        <span class="quiet small">${text.landed} ${time(one.landed_at)}</span>
        ${this.mayReview ? html`<div class="row">${this.#button(one, name, shown)}</div>` : nothing}
      </div>
    </li>`;
  }

  #button(one: KeptCapture, name: string, shown: Shown | undefined) {
    const text = this.desk.words.captures;
    const busy = this.fetching === keyOf(one);
    if (shown) {
      return html`<button
        type="button"
        @click=${() => this.#hide(keyOf(one))}
        aria-label=${`${text.hide}: ${text.alt(name, one.round)}`}
      >
        ${text.hide}
      </button>`;
    }
    return html`<button
      type="button"
      aria-disabled=${busy}
      aria-label=${text.look(name, one.round)}
      @click=${() => !busy && void this.#look(one)}
    >
      ${busy ? text.fetching : text.lookShort}
    </button>`;
  }

  #picture(one: KeptCapture, { url, type, cannotShow }: Shown) {
    const { words } = this.desk;
    const alt = words.captures.alt(words.captureNames[one.name], one.round);
    if (cannotShow)
      return html`<p class="notice warn" role="status">${words.captures.cannotShow(type ?? words.captureNames[one.name].toLowerCase())}</p>`;
    const failed = () => this.#show(keyOf(one), { url, type, cannotShow: true });
    return one.name === 'video'
      ? html`<video src=${url} aria-label=${alt} controls playsinline preload="auto" @error=${failed}></video>`
      : html`<img src=${url} alt=${alt} @error=${failed} />`;
  }

  async #look(one: KeptCapture): Promise<void> {
    const key = keyOf(one);
    this.fetching = key;
    this.problem = undefined;
    try {
      const { url, content_type } = await this.desk.api.look(this.sourceId, { capture: one.name, round: one.round });
      this.#show(key, { url, type: content_type, cannotShow: false });
    } catch (thrown) {
      this.problem = problemOf(thrown);
    }
    this.fetching = undefined;
    await this.#readLooks();
  }

  #show(key: string, shown: Shown): void {
    this.shown = new Map([...this.shown, [key, shown]]);
  }

  #hide(key: string): void {
    this.shown = new Map([...this.shown].filter(([one]) => one !== key));
  }

  async #readLooks(): Promise<void> {
    try {
      this.looks = (await this.desk.api.looks(this.sourceId)).looks;
    } catch {
      // The list stays as it was: what matters is told where the verification itself is read.
    }
  }
}

const film = svg`<rect x="36" y="28" width="48" height="34" rx="5" stroke-width="2"></rect><path d="M55 38v14l12-7z" stroke-width="2" stroke-linejoin="round"></path>`;
const card = svg`<rect x="36" y="28" width="48" height="34" rx="5" stroke-width="2"></rect><circle cx="52" cy="42" r="5" stroke-width="2"></circle><path d="M44 55c2-5 14-5 16 0M67 40h10M67 47h10" stroke-width="2" stroke-linecap="round"></path>`;

/** Where no picture is shown: a drawn camera or film, which says nothing to a screen reader. */
const placeholder = (
  video: boolean,
) => html`<svg class="away" viewBox="0 0 120 90" fill="none" stroke="currentColor" aria-hidden="true">
  ${video ? film : card}
</svg>`;
