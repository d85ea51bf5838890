import { html, nothing, type TemplateResult } from 'lit';
import { maximumBytesOf } from '../../shared/domain/capture-files.ts';
import type { CaptureName } from '../../shared/domain/captures.ts';
import { isInAppBrowser } from './camera.ts';
import type { Live } from './effects.ts';
import * as icons from './icons.ts';
import type { Event, State, Trouble } from './states.ts';
import { filled, isTextKey, type Language, type TextKey, type Texts, wordsFor } from './texts/texts.ts';

/** What the person may do, as the element carries it out. */
export interface Acts {
  readonly dispatch: (event: Event) => void;
  readonly take: () => void;
  readonly ready: () => void;
  readonly choose: (file: File | undefined) => void;
  readonly chooseCamera: (deviceId: string) => void;
  readonly takeBack: () => void;
  readonly copyLink: () => void;
}

/** All that a view is made of. */
export interface Shown {
  readonly state: State;
  readonly live: Live;
  readonly texts: Texts;
  readonly language: Language;
  readonly acts: Acts;
  /** False on a device that took over: it can hand nothing on. */
  readonly canHandOff: boolean;
  readonly isSecondDevice: boolean;
  readonly isUpright: boolean;
  /** A finger is what points: a phone or tablet, whose camera app a file input opens. */
  readonly isTouched: boolean;
  /** Object URL of the picture under review. */
  readonly picture: string | undefined;
  readonly qr: TemplateResult | undefined;
  readonly isCopied: boolean;
  readonly headingLevel: number;
}

/** A heading, text and actions, in the same places in every state. */
export function view(shown: Shown): TemplateResult {
  const { title, text } = words(shown);
  const { state, headingLevel, texts } = shown;
  if (state.at === 'loading') {
    return html`<section aria-busy="true">${icons.spinner('inline')}<p class="quiet">${texts.loading}</p></section>`;
  }
  return html`<section aria-labelledby="title">
    ${markOf(state)} ${stepOf(shown)}
    <h2 id="title" part="title" tabindex="-1" role="heading" aria-level=${headingLevel}>${title}</h2>
    ${text ? html`<p part="text" class="quiet">${text}</p>` : nothing} ${testHint(shown)} ${body(shown)}
  </section>`;
}

/** Where the person begins, and where they are told a result. */
function testHint({ state, texts }: Shown): TemplateResult | typeof nothing {
  const isTold = (state.at === 'intro' || state.at === 'done') && state.journey?.isTest;
  return isTold ? html`<p part="test" class="small"><strong>${texts.test_hint}</strong></p>` : nothing;
}

/** Heading and first paragraph of a state: the paragraph is also what the live region says. */
export function words({
  state,
  texts,
  language,
  isSecondDevice,
}: Pick<Shown, 'state' | 'texts' | 'language' | 'isSecondDevice'>): {
  title: string;
  text?: string;
} {
  switch (state.at) {
    case 'loading':
      return { title: texts.loading };
    case 'claiming':
      // Its own camera works in a browser alone, and the code is good once: said before it is used up.
      return { title: texts.claim_title, text: isInApp() ? texts.in_app_browser : texts.claim_text };
    case 'intro':
      return { title: texts.intro_title, text: texts[`intro_text_${state.journey.check}`] };
    case 'starting': {
      const allow = state.step === 'video' ? texts.starting_text_video : texts.starting_text;
      return { title: texts.starting_title, text: state.unanswered ? texts.unanswered_text : allow };
    }
    case 'capturing':
      return { title: texts[`${state.step}_title`], text: texts[`${state.step}_text`] };
    case 'recording':
      return { title: texts.recording_title };
    case 'reviewing':
      return { title: texts[`review_title_${state.step}`], text: texts[`review_text_${state.step}`] };
    case 'uploading':
      return {
        title: texts[`uploading_title_${state.step}`],
        text: state.offline ? texts.uploading_offline : texts.uploading_text,
      };
    case 'waiting':
      return { title: texts.waiting_title, text: state.long ? texts.waiting_long : texts.waiting_text };
    case 'recapture':
      return { title: texts.recapture_title };
    case 'interrupted':
      return { title: texts.interrupted_title, text: texts[`interrupted_${state.why}`] };
    case 'trouble':
      return {
        title: texts[titleOfTrouble(state.trouble)],
        text: troubleText(texts, state.trouble, state.step, language),
      };
    case 'by_file':
      return { title: texts.by_file_title, text: state.digits ? texts.by_file_text : texts.video_preparing };
    case 'handing_off':
      return { title: texts.hand_off_title, text: state.over ? texts.hand_off_over : texts.hand_off_text };
    case 'handed_off':
      return { title: texts.handed_off_title, text: texts.handed_off_text };
    case 'elsewhere':
      return { title: texts.elsewhere_title, text: texts.elsewhere_text };
    case 'unreachable':
      return { title: texts.unreachable_title, text: texts.unreachable_text };
    case 'done':
      if (state.ending === 'passed' && isSecondDevice)
        return { title: texts.passed_title, text: texts.passed_text_phone };
      return { title: texts[`${state.ending}_title`], text: texts[`${state.ending}_text`] };
    case 'closed':
      return {
        title: texts.closed_title,
        text: state.why === 'hand_off' ? texts.closed_text_hand_off : texts.closed_text,
      };
  }
}

/** What a screen reader says after the heading, which has the focus. */
export function spoken(shown: Pick<Shown, 'state' | 'texts' | 'language' | 'isSecondDevice'>): string[] {
  const { state, texts } = shown;
  if (state.at === 'recapture') return [...reasonsOf(state, texts), roundsText(state, texts)];
  const { title, text } = words(shown);
  return [text ?? title];
}

type Recapture = Extract<State, { at: 'recapture' }>;
/** Reasons come in the order in which they help: a person acts on two at the most. */
const reasonsOf = ({ reasons }: Recapture, texts: Texts): string[] => [
  ...new Set(reasons.slice(0, 2).map((reason) => wordsFor(texts, reason))),
];
const roundsText = ({ journey }: Recapture, texts: Texts): string =>
  journey.roundsLeft === 1 ? texts.recapture_rounds_1 : texts.recapture_rounds_2;

/** Troubles of what was captured, in another title's words than those of the camera itself. */
const again: readonly Trouble[] = ['black', 'silent', 'too_short', 'not_taken'];
const titleOfTrouble = (trouble: Trouble): TextKey => {
  if (again.includes(trouble)) return 'trouble_title_again';
  return trouble.startsWith('file_') ? 'trouble_title_file' : 'trouble_title';
};

function troubleText(texts: Texts, trouble: Trouble, step: CaptureName, language: Language): string {
  const megabytes = new Intl.NumberFormat(language).format(maximumBytesOf[step] / 1024 / 1024);
  return filled(texts[trouble], { megabytes });
}

/** How far the person is, where there is more than one capture. */
function stepOf({ state, texts, language }: Shown): TemplateResult | typeof nothing {
  if (!('step' in state) || state.journey.captures.length < 2) return nothing;
  const count = new Intl.NumberFormat(language);
  const number = count.format(state.journey.captures.indexOf(state.step) + 1);
  const text = filled(texts.step, { number, count: count.format(state.journey.captures.length) });
  return html`<p class="quiet small step" part="step">${text}</p>`;
}

function markOf(state: State): TemplateResult | typeof nothing {
  switch (state.at) {
    case 'waiting':
      return icons.spinner('inline');
    case 'done':
      if (state.ending === 'passed') return icons.markGood;
      return state.ending === 'errored' || state.ending === 'expired' ? icons.markWait : icons.markBad;
    case 'interrupted':
      return icons.markPause;
    case 'trouble':
    case 'unreachable':
      return icons.markBad;
    case 'claiming':
    case 'handed_off':
      return icons.markPhone;
    case 'elsewhere':
      return icons.markPause;
    default:
      return nothing;
  }
}

function body(shown: Shown): TemplateResult | typeof nothing {
  const { state, texts, acts } = shown;
  const press = (type: PlainType) => () => acts.dispatch({ type });
  switch (state.at) {
    case 'claiming':
      return html`<div class="actions">
        ${primary(texts.claim, press('claim_pressed'))}
        ${isInApp() ? secondary(texts.hand_off_copy, acts.copyLink) : nothing} ${copied(shown)}
      </div>`;
    case 'intro':
      return html`${tips(shown)}
        <div class="actions">${primary(texts.begin, press('began'))}${handOff(shown, 'on_phone')}</div>`;
    case 'starting':
    case 'capturing':
    case 'recording':
      return camera(shown, state);
    case 'reviewing':
      return html`<div class="stage ${shown.isUpright ? 'upright' : ''}" part="preview">
          <img src=${shown.picture ?? nothing} alt=${texts.review_picture} />
        </div>
        <div class="actions row">${primary(texts.keep, press('kept'))}${secondary(texts.again, press('resumed'))}</div>`;
    case 'uploading': {
      const percent = new Intl.NumberFormat(shown.language, { style: 'percent' }).format(state.share);
      return html`<progress part="progress" max="1" .value=${state.share} aria-label=${texts[`uploading_title_${state.step}`]}></progress>
        <p class="quiet small" aria-hidden="true">${filled(texts.uploading_percent, { percent })}</p>`;
    }
    case 'recapture':
      return html`<ul class="reasons" part="reasons">
          ${reasonsOf(state, texts).map((reason) => html`<li>${reason}</li>`)}
        </ul>
        <p class="quiet">${roundsText(state, texts)}</p>
        <div class="actions">${primary(texts.try_again, press('began'))}${handOff(shown, 'on_phone')}</div>`;
    case 'interrupted':
      return html`<div class="actions">${primary(texts.go_on, press('resumed'))}</div>`;
    case 'trouble':
      return trouble(shown, state);
    case 'by_file':
      return byFile(shown, state);
    case 'handing_off':
      return handingOff(shown, state);
    case 'handed_off':
      return html`<div class="actions">${secondary(texts.take_back, acts.takeBack)}</div>`;
    case 'elsewhere':
      return html`<div class="actions">${secondary(texts.take_over, press('taken_over'))}</div>`;
    case 'unreachable':
      return html`<div class="actions">${primary(texts.retry, press('retried'))}</div>`;
    default:
      return nothing;
  }
}

/** Events that say all by their type. */
type PlainType = {
  [Type in Event['type']]: Extract<Event, { type: Type }> extends { readonly type: Type } & infer Rest
    ? keyof Rest extends 'type'
      ? Type
      : never
    : never;
}[Event['type']];

const primary = (text: string, act: () => void, isDisabled = false) =>
  html`<button type="button" class="primary" part="button button-primary" ?disabled=${isDisabled} @click=${act}>${text}</button>`;
const secondary = (text: string, act: () => void) =>
  html`<button type="button" class="secondary" part="button button-secondary" @click=${act}>${text}</button>`;

function tips({ state, texts }: Shown): TemplateResult {
  const missing = state.at === 'intro' ? state.journey.missing : [];
  const isFace = missing.includes('selfie') || missing.includes('video');
  return html`<ul class="tips" part="tips">
    ${missing.includes('id_card') ? html`<li>${icons.cardIcon}<span>${texts.intro_id_card}</span></li>` : nothing}
    ${isFace ? html`<li>${icons.faceIcon}<span>${texts.intro_selfie}</span></li>` : nothing}
    ${missing.includes('video') ? html`<li>${icons.soundIcon}<span>${texts.intro_video}</span></li>` : nothing}
    <li>${icons.cameraIcon}<span>${texts.intro_camera}</span></li>
  </ul>`;
}

/** On a phone only where its camera cannot be used: its holder has it at hand already. */
function handOff({ canHandOff, texts, acts, isTouched, state }: Shown, text: 'on_phone' | 'open_elsewhere') {
  if (!canHandOff || (isTouched && state.at !== 'trouble')) return nothing;
  return secondary(texts[text], () => acts.dispatch({ type: 'hand_off_asked' }));
}

type WithCamera = Extract<State, { at: 'starting' | 'capturing' | 'recording' }>;

/** One template for the three states, so that the preview goes on while they change. */
function camera(shown: Shown, state: WithCamera): TemplateResult {
  const { texts, live, isUpright } = shown;
  const isMirrored = live.camera?.isMirrored === true;
  const hint = state.at === 'capturing' ? hintText(texts, live.hint) : undefined;
  return html`<div class="stage ${isUpright ? 'upright' : ''} ${live.hint === 'good' ? 'good' : ''}" part="preview">
      <video class=${isMirrored ? 'mirrored' : ''} playsinline autoplay .muted=${true} aria-label=${texts.preview}></video>
      ${state.at === 'starting' ? icons.spinner() : icons.overlay(state.step === 'id_card' ? 'card' : 'face', live.ratio ?? (isUpright ? 3 / 4 : 4 / 3))}
      ${hint ? html`<span class="hint" part="hint" aria-hidden="true">${hint}</span>` : nothing}
      ${state.at === 'recording' ? digit(shown, state) : nothing}
    </div>
    ${state.at === 'recording' ? nothing : readying(shown, state)}`;
}

export function hintText(texts: Texts, hint: string | undefined): string | undefined {
  const key = `guide_${hint}`;
  return hint !== undefined && isTextKey(key) ? texts[key] : undefined;
}

/** English words beside the digits, for those who read them on a page in another language. */
const englishDigits = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

function digit({ texts, live, language }: Shown, state: Extract<State, { at: 'recording' }>): TemplateResult {
  const asked = live.isTurnAsked && state.turn;
  const shown = live.digit === undefined ? undefined : state.digits[live.digit];
  const count = new Intl.NumberFormat(language);
  const number = live.digit === undefined ? undefined : count.format(live.digit + 1);
  return html`${asked ? html`<span class="hint" part="hint" aria-hidden="true">${texts[`recording_turn_${asked.side}`]}</span>` : nothing}
    ${
      shown === undefined || number === undefined
        ? html`<span class="hint" part="hint" aria-hidden="true">${texts.recording_soon}</span>`
        : html`<div class="digit" part="digit" aria-hidden="true">
            <b dir="ltr">${shown}</b>
            ${language === 'en' ? nothing : html`<small lang="en" dir="ltr">${englishDigits[Number(shown)]}</small>`}
            <small>${filled(texts.recording_digit, { number, count: count.format(state.digits.length) })}</small>
          </div>`
    }`;
}

function readying(shown: Shown, state: Extract<State, { at: 'starting' | 'capturing' }>): TemplateResult {
  const { texts, live, acts, language } = shown;
  if (state.at === 'starting') {
    return html`${state.unanswered ? html`<div class="actions">${handOff(shown, 'on_phone')}</div>` : nothing}`;
  }
  if (state.step !== 'video') {
    return html`<div class="actions">${primary(texts.take, acts.take)}</div>
      ${cameras(shown)}`;
  }
  return html`${language === 'en' ? nothing : html`<p><strong>${texts.video_in_english}</strong></p>`}
    ${
      live.level === undefined // a meter that cannot move would say that nothing is heard
        ? nothing
        : html`<label class="level"
            >${texts.video_level}<meter part="level" min="0" max="1" .value=${live.level}></meter
          ></label>`
    }
    <div class="actions">
      ${primary(state.preparing ? texts.video_preparing : texts.ready, acts.ready, state.preparing === true)}
    </div>
    <p class="quiet small">${texts.video_screen_reader}</p>
    ${cameras(shown)}`;
}

function cameras({ live, texts, acts, language }: Shown): TemplateResult | typeof nothing {
  const choices = live.camera?.choices ?? [];
  if (choices.length < 2) return nothing;
  const choose = ({ target }: { target: EventTarget | null }) => {
    if (target instanceof HTMLSelectElement) acts.chooseCamera(target.value);
  };
  const number = new Intl.NumberFormat(language);
  return html`<div class="choice">
    <label for="camera">${texts.camera}</label>
    <select id="camera" part="select" @change=${choose}>
      ${choices.map(
        ({ deviceId, label }, index) =>
          html`<option value=${deviceId} ?selected=${deviceId === live.camera?.deviceId}>${
            label || filled(texts.camera_number, { number: number.format(index + 1) })
          }</option>`,
      )}
    </select>
  </div>`;
}

/** Troubles in which asking for the camera once more changes nothing. */
const final: readonly Trouble[] = [
  'insecure',
  'not_allowed_in_frame',
  'in_app_browser',
  'unsupported',
  'cannot_record',
];

function trouble(shown: Shown, { trouble, step }: Extract<State, { at: 'trouble' }>): TemplateResult {
  const { texts, acts, isTouched } = shown;
  const isFinal = final.includes(trouble);
  const retry = isFinal ? nothing : primary(texts.retry, () => acts.dispatch({ type: 'resumed' }));
  const file =
    step === 'video'
      ? secondary(texts.by_file, () => acts.dispatch({ type: 'file_asked' }))
      : fileInput(shown, step, isTouched ? texts.by_file : texts.choose_file);
  const link = isTouched || isInApp() ? 'open_elsewhere' : 'on_phone';
  return html`<div class="actions">${retry}${file}${handOff(shown, link)}</div>`;
}

/** `capture` opens the camera on phones; elsewhere a file is chosen. */
function fileInput({ acts }: Shown, step: CaptureName, text: string, kind: 'primary' | 'secondary' = 'secondary') {
  const chosen = ({ target }: { target: EventTarget | null }) => {
    if (!(target instanceof HTMLInputElement)) return;
    acts.choose(target.files?.[0]);
    target.value = ''; // the same file once more is a choice too
  };
  return html`<label class="field"
    ><input
      class="hidden"
      type="file"
      accept=${step === 'video' ? 'video/*' : 'image/*'}
      capture=${step === 'id_card' ? 'environment' : 'user'}
      @change=${chosen}
    /><span class="file ${kind}" part="button button-${kind}">${text}</span></label
  >`;
}

function byFile(
  shown: Shown,
  { digits, turn, step }: Extract<State, { at: 'by_file' }>,
): TemplateResult | typeof nothing {
  const { texts, acts, language } = shown;
  if (!digits) return icons.spinner('inline');
  const seconds = new Intl.NumberFormat(language).format(turn?.second ?? 0);
  return html`<p class="digits" part="digit" dir="ltr">${digits}</p>
    ${turn ? html`<p>${filled(texts[`by_file_turn_${turn.side}`], { seconds })}</p>` : nothing}
    <div class="actions">
      ${fileInput(shown, step, texts.by_file_record, 'primary')}
      ${secondary(texts.try_again, () => acts.dispatch({ type: 'resumed' }))}
    </div>`;
}

const isInApp = (): boolean => isInAppBrowser(navigator.userAgent);

const copied = ({ isCopied, texts }: Shown) =>
  isCopied ? html`<p class="quiet small">${texts.hand_off_copied}</p>` : nothing;

function handingOff(shown: Shown, state: Extract<State, { at: 'handing_off' }>): TemplateResult {
  const { texts, acts, qr, live, language } = shown;
  const back = secondary(texts.hand_off_back, acts.takeBack);
  if (state.over) {
    const renew = primary(texts.hand_off_new, () => acts.dispatch({ type: 'hand_off_asked' }));
    return html`<div class="actions">${renew}${back}</div>`;
  }
  if (!qr || state.expiresAt === undefined) return icons.spinner('inline');
  const seconds = Math.max(0, Math.ceil((state.expiresAt - (live.now ?? Date.now())) / 1000));
  const two = new Intl.NumberFormat(language, { minimumIntegerDigits: 2 });
  const time = `${new Intl.NumberFormat(language).format(Math.floor(seconds / 60))}:${two.format(seconds % 60)}`;
  return html`${qr}
    <p class="quiet small" role="timer" aria-live="off">${filled(texts.hand_off_left, { time })}</p>
    <div class="actions">
      ${secondary(texts.hand_off_copy, acts.copyLink)}
      ${copied(shown)} ${back}
    </div>`;
}
