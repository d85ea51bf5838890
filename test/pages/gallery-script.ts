/** Every state of the capture element in one page, which a test chooses from: bundled by `gallery.ts`. */
import { html, LitElement } from 'lit';
import type { Live } from '../../web/capture/effects.ts';
import { qrCode } from '../../web/capture/qr.ts';
import { endings, interruptions, type Journey, type State, troubles } from '../../web/capture/states.ts';
import { styles } from '../../web/capture/styles.ts';
import { isRightToLeft, type Language, languages, type Texts, textsIn } from '../../web/capture/texts/texts.ts';
import { type Acts, type Shown, view } from '../../web/capture/view.ts';

type Scene = Partial<Shown> & { readonly state: State };

const journeyOf = (check: Journey['check'], missing: Journey['missing']): Journey => ({
  check,
  missing,
  captures: missing,
  roundsLeft: 2,
  returnUrl: 'https://shop.example/done',
});
const selfie = journeyOf('spoof_detect', ['selfie']);
const photo = journeyOf('photo_verify', ['id_card', 'selfie']);
const video = journeyOf('video_verify', ['id_card', 'video']);
const atFace = { journey: selfie, step: 'selfie' } as const;
const atCard = { journey: photo, step: 'id_card' } as const;
const atVideo = { journey: video, step: 'video' } as const;

const camera = (cameras: number): NonNullable<Live['camera']> => ({
  stream: new MediaStream(),
  deviceId: '1',
  isMirrored: true,
  stop: () => {},
  choices: Array.from({ length: cameras }, (_, index) => ({
    deviceId: String(index + 1),
    label: index === 0 ? 'HD Pro Webcam C920 of a maker with a long name (046d:082d)' : '',
  })),
});

const shot = { name: 'selfie', blob: new Blob(), contentType: 'image/jpeg' } as const;
/** A light picture, or none is behind what is written upon it. */
const grey = 'data:image/gif;base64,R0lGODlhAQABAIAAAMLCwgAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==';

const hints = ['good', 'face_not_detected', 'multiple_faces', 'too_dark', 'too_noisy'] as const;

/** By a name that a failing test prints. */
export function scenes(texts: Texts): Readonly<Record<string, Scene>> {
  const link = `https://verify.example/capture/acme/order-1#h_${'a'.repeat(22)}`;
  const code = { journey: selfie, link, expiresAt: Date.now() + 600_000 };
  return {
    loading: { state: { at: 'loading' } },
    claiming: { state: { at: 'claiming' } },
    'intro of a selfie': { state: { at: 'intro', journey: selfie } },
    'intro of photos': { state: { at: 'intro', journey: photo } },
    'intro of a video': { state: { at: 'intro', journey: video } },
    starting: { state: { at: 'starting', ...atFace } },
    'starting with sound': { state: { at: 'starting', ...atVideo } },
    'starting, unanswered': { state: { at: 'starting', unanswered: true, ...atFace } },
    ...Object.fromEntries(
      hints.map((hint) => [`capturing: ${hint}`, { state: { at: 'capturing', ...atFace }, live: { hint } }]),
    ),
    'capturing a card': { state: { at: 'capturing', ...atCard } },
    'capturing with two cameras': { state: { at: 'capturing', ...atCard }, live: { camera: camera(2) } },
    'getting ready for a video': { state: { at: 'capturing', ...atVideo }, live: { camera: camera(2), level: 0.4 } },
    'preparing digits': { state: { at: 'capturing', preparing: true, ...atVideo }, live: { level: 0.1 } },
    'recording, soon': { state: { at: 'recording', digits: '407193', ...atVideo } },
    'recording a digit': { state: { at: 'recording', digits: '407193', ...atVideo }, live: { digit: 2 } },
    'recording a turn': {
      state: { at: 'recording', digits: '407193', turn: { side: 'left', second: 2 }, ...atVideo },
      live: { digit: 4, isTurnAsked: true },
    },
    'reviewing a face': { state: { at: 'reviewing', shot, ...atFace }, picture: grey },
    'reviewing a card': { state: { at: 'reviewing', shot: { ...shot, name: 'id_card' }, ...atCard }, picture: grey },
    uploading: { state: { at: 'uploading', shot, share: 0.4, offline: false, ...atFace } },
    'uploading, offline': { state: { at: 'uploading', shot, share: 0.4, offline: true, ...atVideo } },
    waiting: { state: { at: 'waiting', journey: selfie, long: false } },
    'waiting long': { state: { at: 'waiting', journey: selfie, long: true } },
    recapture: { state: { at: 'recapture', journey: selfie, reasons: ['too_dark', 'face_turned'] } },
    'recapture for the last time': {
      state: { at: 'recapture', journey: { ...photo, roundsLeft: 1 }, reasons: ['face_not_detected'] },
    },
    'recapture for a reason unknown': { state: { at: 'recapture', journey: video, reasons: ['newer_than_texts'] } },
    ...Object.fromEntries(
      interruptions.map((why) => [`interrupted: ${why}`, { state: { at: 'interrupted', why, ...atVideo } }]),
    ),
    ...Object.fromEntries(
      troubles.map((trouble) => [`trouble: ${trouble}`, { state: { at: 'trouble', trouble, ...atVideo } }]),
    ),
    'trouble of a photo': { state: { at: 'trouble', trouble: 'denied', ...atCard } },
    'by file, before': { state: { at: 'by_file', ...atVideo } },
    'by file': { state: { at: 'by_file', digits: '407193', turn: { side: 'right', second: 3 }, ...atVideo } },
    'handing off, before': { state: { at: 'handing_off', journey: selfie } },
    'handing off': { state: { at: 'handing_off', ...code }, qr: qrCode(link, texts.hand_off_code), isCopied: true },
    'handing off, over': { state: { at: 'handing_off', ...code, over: true } },
    'handed off': { state: { at: 'handed_off', journey: photo } },
    elsewhere: { state: { at: 'elsewhere' } },
    unreachable: { state: { at: 'unreachable' } },
    ...Object.fromEntries(
      endings.map((ending) => [`done: ${ending}`, { state: { at: 'done', ending, journey: selfie } }]),
    ),
    'done on a phone': { state: { at: 'done', ending: 'passed', journey: selfie }, isSecondDevice: true },
    'closed: verification': { state: { at: 'closed', why: 'verification' } },
    'closed: hand-off': { state: { at: 'closed', why: 'hand_off' } },
  };
}

const nothing = () => {};
const acts: Acts = {
  dispatch: nothing,
  take: nothing,
  ready: nothing,
  choose: nothing,
  chooseCamera: nothing,
  takeBack: nothing,
  copyLink: nothing,
};

class Gallery extends LitElement {
  static override readonly styles = styles;
  #shown: Shown | undefined;

  show(shown: Shown): Promise<boolean> {
    this.#shown = shown;
    this.requestUpdate();
    return this.updateComplete;
  }

  protected override render() {
    if (!this.#shown) return html``;
    const { language } = this.#shown;
    return html`<div class="frame" part="frame" lang=${language} dir=${isRightToLeft(language) ? 'rtl' : 'ltr'}>
      ${view(this.#shown)}
    </div>`;
  }
}
customElements.define('bonafide-gallery', Gallery);

const gallery = new Gallery();
const main = document.createElement('main');
main.append(gallery);
document.body.append(main);

let texts: Texts;
let language: Language = 'en';

declare global {
  interface Window {
    gallery: {
      readonly languages: readonly string[];
      /** Names of all scenes, now in this language; `pseudo`: each text in brackets, longer than it is. */
      speak(wanted: string): Promise<readonly string[]>;
      show(name: string): Promise<void>;
    };
  }
}

window.gallery = {
  languages,
  speak: async (wanted) => {
    const known = languages.find((each) => each === wanted);
    language = known ?? 'en';
    texts = await textsIn(language);
    if (!known) texts = pseudo(texts);
    document.documentElement.lang = language;
    document.documentElement.dir = isRightToLeft(language) ? 'rtl' : 'ltr';
    return Object.keys(scenes(texts));
  },
  show: async (name) => {
    const scene = scenes(texts)[name];
    if (!scene) throw new Error(`there is no scene ${name}`);
    await gallery.show({
      live: {},
      texts,
      language,
      acts,
      canHandOff: true,
      isSecondDevice: false,
      isUpright: matchMedia('(orientation: portrait)').matches,
      isTouched: false,
      picture: undefined,
      qr: undefined,
      isCopied: false,
      headingLevel: 1,
      ...scene,
    });
    await document.fonts.ready;
  },
};

/** Every letter has an accent, so that a text that is not of the catalogue has none; what stands in braces stays. */
function pseudo(catalogue: Texts): Texts {
  const accented = (text: string) =>
    `⟦${text.replace(/\{\w+\}|[aeiou]/g, (part) => (part.length > 1 ? part : `${part}\u0301${part}\u0301`))}⟧`;
  return Object.fromEntries(Object.entries(catalogue).map(([key, text]) => [key, accented(text)])) as unknown as Texts;
}
