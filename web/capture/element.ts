import { html, LitElement, type TemplateResult } from 'lit';
import type { Turn } from '../../shared/domain/challenge.ts';
import { isUpright } from './camera.ts';
import { type CaptureClient, connectionTo, isOfSecondDevice } from './connection.ts';
import { type FaceLimit, issueDigits, type Live, run, takePicture, type World } from './effects.ts';
import { shotOfFile } from './files.ts';
import { type Hold, hold } from './one-tab.ts';
import type { listen } from './recorder.ts';
import { type Event as CaptureEvent, type Ending, firstState, next, type State, type StateName } from './states.ts';
import { styles } from './styles.ts';
import { english, filled, isRightToLeft, type Language, languageOf, type Texts, textsIn } from './texts/texts.ts';
import { type Acts, hintText, type Shown, spoken, view } from './view.ts';

/** A code that another device was shown, and where it is from. */
export interface HandOffCode {
  readonly tenant: string;
  readonly code: string;
}

/** Events that the element dispatches: `detail` by name. All of them bubble out of shadow roots. */
export interface CaptureEvents {
  /** The person sees another state. */
  'bonafide-state': { readonly state: StateName };
  /**
   * It is over for the person. This is what the person was told, and a claim of the device that tells it: the verdict that
   * counts is read by your server, with its key.
   */
  'bonafide-done': {
    readonly ending: Ending;
    readonly returnUrl?: string | undefined;
    readonly isSecondDevice: boolean;
  };
  /** The first digit is shown. */
  'bonafide-speak': { readonly digits: string; readonly turn?: Turn | undefined };
  /** This device has taken over: keep its token for a reload. */
  'bonafide-claimed': { readonly clientToken: string };
  /** The person was told that there is nothing to do here: the token is no good, or the verification gone. */
  'bonafide-closed': Record<never, never>;
}

const withCamera: readonly StateName[] = ['starting', 'capturing', 'recording'];

/**
 * `<bonafide-capture base source-id client-token>`: takes the captures of one verification. Its outcome is for the person
 * alone: your server reads the verdict.
 */
export class BonafideCapture extends LitElement {
  static override readonly styles = styles;
  static override readonly properties = {
    base: { type: String },
    sourceId: { type: String, attribute: 'source-id' },
    clientToken: { type: String, attribute: 'client-token' },
    headingLevel: { type: Number, attribute: 'heading-level' },
    texts: { attribute: false },
    handOffCode: { attribute: false },
  };
  static override get observedAttributes(): string[] {
    // biome-ignore lint/complexity/noThisInStatic: Lit's getter reads the properties of the class that it is called on
    return [...super.observedAttributes, 'lang'];
  }

  /** Origin of the API; where the script came from by default. */
  declare base: string;
  declare sourceId: string;
  declare clientToken: string;
  /** Of the element's headings in the page around it. */
  declare headingLevel: number;
  /** Words in place of the element's own, by key. */
  declare texts: Partial<Texts>;
  /** On a second device, in place of a token. */
  declare handOffCode: HandOffCode | undefined;

  #state: State = { at: 'loading' };
  #live: Live = {};
  /** Of the language, and with the page's own in their place. */
  #words: Texts | undefined;
  #catalogue: Texts | undefined;
  #language: Language = 'en';
  #spoken = '';
  #picture: string | undefined;
  /** Of the picture under review, where it was taken by the camera. */
  #pictureRatio: number | undefined;
  #qr: TemplateResult | undefined;
  #isCopied = false;
  /** Before the person has begun, the page is read as any page, and focus stays where it is. */
  #isPressed = false;
  #subject: string | undefined;
  #inState = new AbortController();
  #connected = new AbortController();
  #awake: Promise<WakeLockSentinel | undefined> | undefined;
  #client: CaptureClient | undefined;
  #hold: Hold | undefined;
  readonly #chosenCameras = new Map<string, string>();
  readonly #hearing: { listening?: ReturnType<typeof listen> | undefined } = {};
  #faceLimit: FaceLimit = {};

  constructor() {
    super();
    this.base = new URL(import.meta.url).origin;
    this.sourceId = '';
    this.clientToken = '';
    this.headingLevel = 2;
    this.texts = {};
    this.handOffCode = undefined;
  }

  /** Where the person is. */
  get state(): StateName {
    return this.#state.at;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#connected = new AbortController();
    this.#faceLimit = {};
    const { signal } = this.#connected;
    document.addEventListener('visibilitychange', () => document.hidden && this.#interrupt('hidden'), { signal });
    addEventListener('pagehide', () => this.#interrupt('hidden'), { signal });
    screen.orientation?.addEventListener('change', () => this.#interrupt('rotated'), { signal });
    this.#chooseLanguage();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#connected.abort();
    this.#inState.abort();
    this.#switchOff();
    this.#letSleep();
    this.#forgetPicture();
    this.#hold?.release();
    this.#hold = undefined;
    this.#subject = undefined;
  }

  override attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    super.attributeChangedCallback(name, before, after);
    if (name === 'lang' && this.isConnected) this.#chooseLanguage();
  }

  protected override willUpdate(): void {
    this.#catalogue = this.#words && { ...this.#words, ...this.texts };
    const subject = this.#subjectNow();
    if (subject === undefined || !this.#catalogue || subject === this.#subject) return;
    this.#subject = subject;
    this.#client = undefined;
    this.#enter(firstState(this.handOffCode !== undefined && this.clientToken === ''));
  }

  /** Which verification is captured, and for whom; undefined before a page has said all of it. */
  #subjectNow(): string | undefined {
    const credential = this.clientToken || this.handOffCode?.code;
    return this.sourceId === '' || !credential ? undefined : `${this.base} ${this.sourceId} ${credential}`;
  }

  protected override render(): TemplateResult {
    return html`<div class="frame" part="frame" lang=${this.#language} dir=${isRightToLeft(this.#language) ? 'rtl' : 'ltr'}>
      ${this.#catalogue ? view(this.#shown(this.#catalogue)) : ''}
      <slot name="after"></slot>
      <p class="hidden" role="status" aria-live="polite">${this.#spoken}</p>
    </div>`;
  }

  /** By script, since a policy of ours allows no style attribute: all of the camera's picture is seen. */
  protected override updated(): void {
    const ratio = this.#live.ratio ?? this.#pictureRatio;
    const stage = this.renderRoot.querySelector<HTMLElement>('.stage');
    if (ratio === undefined) stage?.style.removeProperty('--ratio');
    else stage?.style.setProperty('--ratio', String(ratio));
  }

  #shown(texts: Texts): Shown {
    return {
      state: this.#state,
      live: this.#live,
      texts,
      language: this.#language,
      acts: this.#acts,
      canHandOff: !isOfSecondDevice(this.clientToken),
      isSecondDevice: isOfSecondDevice(this.clientToken),
      isUpright: isUpright(),
      isTouched: matchMedia('(pointer: coarse)').matches,
      picture: this.#picture,
      qr: this.#qr,
      isCopied: this.#isCopied,
      headingLevel: this.headingLevel,
    };
  }

  readonly #acts: Acts = {
    dispatch: (event) => this.#press(event),
    take: () => {
      if (this.#state.at !== 'capturing' || this.#state.step === 'video') return;
      this.#isPressed = true;
      takePicture(this.#state.step, this.#world).catch(() => {});
    },
    ready: () => {
      this.#press({ type: 'digits_asked' });
      issueDigits(this.#world, this.#inState.signal).catch(() => {});
    },
    choose: (file) => {
      if (!file || !('step' in this.#state)) return;
      this.#isPressed = true;
      const digits = this.#state.at === 'by_file' ? this.#state.digits : undefined;
      shotOfFile(this.#state.step, file, digits)
        .then((shot) =>
          this.#dispatch(
            typeof shot === 'string' ? { type: 'trouble_met', trouble: shot } : { type: 'captured', shot, sure: false },
          ),
        )
        .catch(() => this.#dispatch({ type: 'trouble_met', trouble: 'file_unreadable' }));
    },
    chooseCamera: (deviceId) => {
      if (this.#state.at !== 'capturing') return;
      this.#chosenCameras.set(this.#state.step === 'id_card' ? 'environment' : 'user', deviceId);
      this.#dispatch({ type: 'camera_changed' });
    },
    takeBack: () => {
      this.#isPressed = true;
      const params = { path: { source_id: this.sourceId } };
      this.#world
        .client()
        .DELETE('/verifications/{source_id}/hand-off', { params })
        .then(
          () => this.#dispatch({ type: 'hand_off_ended' }),
          () => this.#dispatch({ type: 'lost_connection' }),
        );
    },
    copyLink: () => {
      const link = this.#linkToCopy();
      if (link === undefined) return;
      navigator.clipboard?.writeText(link).then(
        () => {
          this.#isCopied = true;
          this.#say(this.#catalogue?.hand_off_copied ?? '');
        },
        () => {},
      );
    },
  };

  readonly #world: World = {
    client: () => {
      this.#client ??= connectionTo(this.base, this.clientToken === '' ? undefined : this.clientToken);
      return this.#client;
    },
    base: () => this.base,
    sourceId: () => this.sourceId,
    isSecondDevice: () => isOfSecondDevice(this.clientToken),
    dispatch: (event) => this.#dispatch(event),
    live: () => this.#live,
    show: (live) => this.#show(live),
    video: async () => {
      await this.updateComplete;
      const video = this.renderRoot.querySelector('video');
      if (!video) throw new Error('There is no preview in this state');
      return video;
    },
    chosenCamera: (facing) => this.#chosenCameras.get(facing),
    hearing: this.#hearing,
    faceLimit: () => this.#faceLimit,
    speak: (digits) => {
      const turn = this.#state.at === 'recording' ? this.#state.turn : undefined;
      this.#tell('bonafide-speak', { digits, turn });
    },
    holdTab: async (steal) => {
      if (this.#hold) return true;
      const onLost = () => {
        this.#hold = undefined;
        this.#dispatch({ type: 'opened_elsewhere' });
      };
      const held = await hold({ name: `bonafide:${this.base}:${this.sourceId}`, steal, onLost });
      if (this.isConnected) this.#hold = held;
      else held?.release(); // taken out of the page meanwhile
      return held !== undefined;
    },
    claim: async () => {
      if (this.clientToken !== '' || !this.handOffCode) return;
      const params = { path: { source_id: this.sourceId } };
      const body = this.handOffCode;
      const { client_token } = await this.#world
        .client()
        .POST('/verifications/{source_id}/hand-off/claim', { params, body });
      this.#client = undefined;
      this.clientToken = client_token;
      this.handOffCode = undefined;
      this.#subject = this.#subjectNow(); // it goes on, and does not begin anew
      this.#tell('bonafide-claimed', { clientToken: client_token });
    },
  };

  /** Shown here, or opened here and not used up yet. */
  #linkToCopy(): string | undefined {
    if (this.#state.at === 'handing_off') return this.#state.link;
    if (!this.handOffCode) return undefined;
    const { tenant, code } = this.handOffCode;
    const [place, of] = [tenant, this.sourceId].map(encodeURIComponent);
    return `${this.base}/capture/${place}/${of}#h_${code}`;
  }

  #press(event: CaptureEvent): void {
    this.#isPressed = true;
    this.#dispatch(event);
  }

  #dispatch(event: CaptureEvent): void {
    const state = next(this.#state, event);
    if (state === this.#state) return;
    if (phaseOf(state) === phaseOf(this.#state)) {
      this.#sayProgress(this.#state, state);
      this.#state = state;
      this.requestUpdate();
    } else this.#enter(state);
  }

  /** Begins a state: what the one before did is ended, and the camera is off where this one does not need it. */
  #enter(state: State): void {
    const before = this.#state;
    this.#inState.abort();
    this.#inState = new AbortController();
    const keepsCamera = withCamera.includes(state.at) && withCamera.includes(before.at) && state.at !== 'starting';
    if (!keepsCamera) this.#switchOff();
    const { camera, ratio } = this.#live;
    this.#pictureRatio = state.at === 'reviewing' ? ratio : undefined;
    this.#live = keepsCamera ? { camera, ratio } : {};
    this.#state = state;
    this.#isCopied = false;
    this.#stayAwake(state);
    this.#showPicture(state);
    this.#drawCode(state);
    this.requestUpdate();
    if (state.at !== before.at) this.#tell('bonafide-state', { state: state.at });
    if (state.at === 'done') {
      this.#tell('bonafide-done', {
        ending: state.ending,
        returnUrl: state.journey?.returnUrl,
        isSecondDevice: isOfSecondDevice(this.clientToken),
      });
    }
    if (state.at === 'closed') this.#tell('bonafide-closed', {});
    this.#introduce(before, state);
    run(state, this.#world, this.#inState.signal).catch(reportError);
  }

  /** Words for those who do not see, and the place to go on from for those who use no mouse: once the person has begun. */
  #introduce(before: State, state: State): void {
    if (!this.#catalogue || !this.#isPressed || state.at === 'loading') return;
    const taken = before.at === 'capturing' && state.at === 'uploading' ? [this.#catalogue.taken] : [];
    this.#say([...taken, ...spoken(this.#shown(this.#catalogue))].join(' '));
    this.updateComplete.then(
      () => this.renderRoot.querySelector<HTMLElement>('#title')?.focus(),
      () => {},
    );
  }

  #sayProgress(before: State, state: State): void {
    const texts = this.#catalogue;
    if (!texts) return;
    if (state.at === 'uploading' && before.at === 'uploading' && state.offline === before.offline) {
      const [told, now] = [before.share, state.share].map((share) => Math.floor(share * 4) / 4);
      const percent = new Intl.NumberFormat(this.#language, { style: 'percent' }).format(now ?? 0);
      if (now !== told && now !== 1) this.#say(filled(texts.uploading_percent, { percent }));
      return;
    }
    this.#say(spoken({ ...this.#shown(texts), state }).join(' '));
  }

  #show(live: Live): void {
    const before = this.#live;
    this.#live = live;
    this.requestUpdate();
    const texts = this.#catalogue;
    if (!texts) return;
    const hint = hintText(texts, live.hint);
    if (live.hint !== before.hint && hint) this.#say(hint);
    if (this.#state.at !== 'recording') return;
    const { digits, turn } = this.#state;
    const digit = live.digit === undefined ? undefined : digits[live.digit];
    if (live.digit !== before.digit) this.#say(digit ?? texts.recording_over);
    if (live.isTurnAsked && !before.isTurnAsked && turn) this.#say(texts[`recording_turn_${turn.side}`]);
  }

  #say(text: string): void {
    this.#spoken = text;
    this.requestUpdate();
  }

  #interrupt(why: 'hidden' | 'rotated'): void {
    this.#dispatch({ type: 'interrupted', why });
  }

  #switchOff(): void {
    this.#live.camera?.stop();
    this.#hearing.listening?.stop();
    this.#hearing.listening = undefined;
  }

  /** The screen of a phone stays on while something goes on that the person only watches. */
  #stayAwake({ at }: State): void {
    const isWatched = [...withCamera, 'uploading', 'waiting'].includes(at);
    if (isWatched) this.#awake ??= navigator.wakeLock?.request('screen').catch(() => undefined);
    else this.#letSleep();
  }

  #letSleep(): void {
    this.#awake?.then((lock) => lock?.release()).catch(() => {});
    this.#awake = undefined;
  }

  #showPicture(state: State): void {
    this.#forgetPicture();
    if (state.at === 'reviewing') this.#picture = URL.createObjectURL(state.shot.blob);
  }

  #forgetPicture(): void {
    if (this.#picture !== undefined) URL.revokeObjectURL(this.#picture);
    this.#picture = undefined;
  }

  /** The library for it is loaded only where a code is shown. */
  #drawCode(state: State): void {
    this.#qr = undefined;
    if (state.at !== 'handing_off' || state.link === undefined) return;
    const { link } = state;
    import('./qr.ts').then(
      ({ qrCode }) => {
        if (this.#state !== state) return;
        this.#qr = qrCode(link, this.#catalogue?.hand_off_code ?? '');
        this.requestUpdate();
      },
      () => {}, // the link can be copied
    );
  }

  #tell<Name extends keyof CaptureEvents>(name: Name, detail: CaptureEvents[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /** English stands in where the words of a language do not come. */
  #chooseLanguage(): void {
    const language = languageOf([
      this.lang,
      this.closest('[lang]')?.getAttribute('lang'),
      document.documentElement.lang,
      ...navigator.languages,
    ]);
    this.#language = language;
    const use = (texts: Texts, spoken: Language) => {
      if (this.#language !== language) return; // another one was chosen meanwhile
      this.#language = spoken;
      this.#words = texts;
      this.requestUpdate();
    };
    textsIn(language).then(
      (texts) => use(texts, language),
      () => use(english, 'en'),
    );
  }
}

/** What an effect is run for once: within a phase only what is shown changes. */
function phaseOf(state: State): string {
  const step = 'step' in state ? state.step : '';
  if (state.at === 'handing_off') return `${state.at} ${state.link} ${state.over}`;
  return state.at === 'trouble' ? `${state.at} ${step} ${state.trouble}` : `${state.at} ${step}`;
}

/** Events by the name and type of their `detail`. */
declare global {
  interface HTMLElementTagNameMap {
    'bonafide-capture': BonafideCapture;
  }
  interface HTMLElementEventMap extends CaptureEventMap {}
}
type CaptureEventMap = { [Name in keyof CaptureEvents]: CustomEvent<CaptureEvents[Name]> };

if (!customElements.get('bonafide-capture')) customElements.define('bonafide-capture', BonafideCapture);
