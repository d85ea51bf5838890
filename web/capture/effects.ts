import type { Turn } from '../../shared/domain/challenge.ts';
import { isProblem } from '../client/index.ts';
import { pause } from '../client/trying.ts';
import { type Camera, CameraTrouble, isUpright, openCamera } from './camera.ts';
import { type CaptureClient, eventOf, seenOf } from './connection.ts';
import { guidanceAssets } from './guidance/assets.ts';
import type { Guide } from './guidance/guide.ts';
import { isBlack, pictureOf, sampleOf } from './picture.ts';
import { listen, record, recordingType } from './recorder.ts';
import type { Event, State, StateName } from './states.ts';

/** What the element shows while the camera runs, beside its state. */
export interface Live {
  readonly camera?: Camera | undefined;
  /** Width over height of the camera's picture. */
  readonly ratio?: number | undefined;
  /** Key of guidance's hint, such as `too_dark`. */
  readonly hint?: string | undefined;
  readonly level?: number | undefined;
  readonly digit?: number | undefined;
  readonly isTurnAsked?: boolean | undefined;
  /** Epoch milliseconds, for a countdown. */
  readonly now?: number | undefined;
}

/** Pixels, from the uploads' answer; asked for once, and again where that failed. */
export interface FaceLimit {
  asked?: Promise<number | undefined> | undefined;
}

/** What effects need of the element. */
export interface World {
  readonly client: () => CaptureClient;
  readonly base: () => string;
  readonly sourceId: () => string;
  readonly isSecondDevice: () => boolean;
  readonly dispatch: (event: Event) => void;
  readonly live: () => Live;
  readonly show: (live: Live) => void;
  /** The preview, once it is drawn. */
  readonly video: () => Promise<HTMLVideoElement>;
  /** The camera that the person chose, by what it is for. */
  readonly chosenCamera: (facing: 'user' | 'environment') => string | undefined;
  /** Sound of the open camera, kept from getting ready to the end of the recording. */
  readonly hearing: { listening?: ReturnType<typeof listen> | undefined };
  /** The smallest face that the policy takes, once it was asked for. */
  readonly faceLimit: () => FaceLimit;
  readonly speak: (digits: string) => void;
  /** True: this tab captures; false: another one does. */
  readonly holdTab: (steal: boolean) => Promise<boolean>;
  /** Exchanges a hand-off code for a token, where there is one. */
  readonly claim: () => Promise<void>;
}

/** What is done in a state, until the signal is aborted: another state has begun. */
type Effect<Name extends StateName> = (
  state: Extract<State, { at: Name }>,
  world: World,
  signal: AbortSignal,
) => Promise<void>;

/** Between two looks at what the other device does, while the page is seen. */
const pollSeconds = 3;

const effects: { readonly [Name in StateName]?: Effect<Name> } = {
  loading: async ({ takesOver }, world, signal) => {
    await world.claim();
    if (!(await world.holdTab(takesOver === true))) return world.dispatch({ type: 'opened_elsewhere' });
    await look(world, signal);
  },

  starting: async ({ step, smaller }, world, signal) => {
    if (step === 'video' && !canRecord()) return world.dispatch({ type: 'trouble_met', trouble: 'cannot_record' });
    const facing = step === 'id_card' ? 'environment' : 'user';
    const wish = {
      facing,
      withSound: step === 'video',
      deviceId: world.chosenCamera(facing),
      upright: isUpright(),
    } as const;
    const camera = await openCamera(
      { ...wish, smaller },
      {
        signal,
        onUnanswered: () => world.dispatch({ type: 'prompt_unanswered' }),
        onEnded: () => world.dispatch({ type: 'interrupted', why: 'ended' }),
      },
    );
    world.show({ camera });
    const video = await world.video();
    await play(video, camera.stream);
    signal.throwIfAborted();
    if (video.videoHeight > 0) world.show({ camera, ratio: video.videoWidth / video.videoHeight });
    world.dispatch({ type: 'camera_opened' });
  },

  capturing: async (state, world, signal) => {
    if (state.step === 'selfie') await guide(world, signal);
    if (state.step === 'video') await meter(world, signal);
  },

  recording: async ({ digits, turn, smaller }, world, signal) => {
    const { camera } = world.live();
    const { listening } = world.hearing;
    if (!camera || !listening) return world.dispatch({ type: 'trouble_met', trouble: 'not_taken' });
    const recording = await record({
      stream: camera.stream,
      video: await world.video(),
      digits,
      turn,
      smaller,
      listening,
      signal,
      onSpeak: () => world.speak(digits),
      onShown: ({ digit, isTurnAsked }) => world.show({ ...world.live(), digit, isTurnAsked }),
    });
    if (!recording) return world.dispatch({ type: 'trouble_met', trouble: 'cannot_record' });
    const { blob, contentType, trouble } = recording;
    if (trouble) return world.dispatch({ type: 'trouble_met', trouble });
    world.dispatch({ type: 'captured', shot: { name: 'video', blob, contentType, digits }, sure: true });
  },

  trouble: async ({ trouble }, world, signal) => {
    if (trouble !== 'denied' && trouble !== 'dismissed') return;
    // Allowed in the browser's settings meanwhile: it goes on by itself. Not every browser can be asked.
    const asked = { name: 'camera' } as unknown as PermissionDescriptor;
    const permission = await navigator.permissions?.query(asked).catch(() => undefined);
    const goOn = () => permission?.state === 'granted' && world.dispatch({ type: 'resumed' });
    permission?.addEventListener('change', goOn, { signal });
  },

  by_file: async ({ step }, world, signal) => {
    if (step === 'video') await issueDigits(world, signal);
  },

  uploading: async ({ shot }, world, signal) => {
    const tellConnection = () => world.dispatch({ type: 'connection_changed', offline: !navigator.onLine });
    for (const name of ['online', 'offline']) addEventListener(name, tellConnection, { signal });
    tellConnection();
    await world.client().uploadCaptures(
      world.sourceId(),
      { [shot.name]: shot.blob },
      {
        signal,
        challenge: shot.digits,
        onProgress: ({ loaded, total }) => world.dispatch({ type: 'progressed', share: loaded / total }),
      },
    );
    world.dispatch({ type: 'landed' });
  },

  waiting: async (_, world, signal) => {
    const long = setTimeout(() => world.dispatch({ type: 'waited_long' }), 60_000);
    signal.addEventListener('abort', () => clearTimeout(long));
    // S3's event may be late. Where it is this late, what was taken for landed is not there: capture what is missing.
    const late = setTimeout(() => look(world, signal).catch(() => {}), 90_000);
    signal.addEventListener('abort', () => clearTimeout(late));
    const view = await world.client().waitForVerdict(world.sourceId(), { signal });
    world.dispatch({ type: 'seen', seen: seenOf(view, world.isSecondDevice()) });
  },

  handing_off: async ({ link, expiresAt, over }, world, signal) => {
    if (over) return;
    if (link === undefined || expiresAt === undefined) {
      const params = { path: { source_id: world.sourceId() } };
      const made = await world.client().POST('/verifications/{source_id}/hand-off', { params, signal });
      // By this device's clock, which may be wrong: never longer than ten minutes.
      const left = Date.parse(made.expires_at) - Date.now();
      const expires = Date.now() + (left > 0 ? Math.min(left, longestCodeMilliseconds) : longestCodeMilliseconds);
      world.dispatch({ type: 'hand_off_opened', link: made.hand_off_url, expiresAt: expires });
      return;
    }
    follow(world, signal).catch((error: unknown) => tell(error, world, signal));
    while (Date.now() < expiresAt) {
      world.show({ now: Date.now() });
      await pause(1, signal);
    }
    world.dispatch({ type: 'hand_off_expired' });
  },

  handed_off: (_, world, signal) => follow(world, signal),
};

const longestCodeMilliseconds = 10 * 60 * 1000;

/** Runs what belongs to a state. What goes wrong becomes an event; what the signal ended is not looked at. */
export async function run(state: State, world: World, signal: AbortSignal): Promise<void> {
  const effect = effects[state.at] as Effect<typeof state.at> | undefined;
  try {
    await effect?.(state as never, world, signal);
  } catch (error) {
    tell(error, world, signal);
  }
}

function tell(error: unknown, world: World, signal: AbortSignal): void {
  if (signal.aborted) return;
  if (error instanceof CameraTrouble) world.dispatch({ type: 'trouble_met', trouble: error.trouble });
  else if (isProblem(error)) world.dispatch(eventOf(error));
  else {
    reportError(error); // a defect: the page's own error handling hears of it, and the person can try again
    world.dispatch({ type: 'trouble_met', trouble: 'not_taken' });
    world.dispatch({ type: 'lost_connection' });
  }
}

async function look(world: World, signal: AbortSignal): Promise<void> {
  const view = await world.client().read(world.sourceId(), { signal });
  world.dispatch({ type: 'seen', seen: seenOf(view, world.isSecondDevice()) });
}

/** What the other device does, asked for while this page is seen. */
async function follow(world: World, signal: AbortSignal): Promise<void> {
  for (;;) {
    await pause(pollSeconds, signal);
    if (!document.hidden) await look(world, signal);
  }
}

const canRecord = (): boolean =>
  typeof MediaRecorder === 'function' && recordingType((type) => MediaRecorder.isTypeSupported(type)) !== undefined;

/** A preview that a browser does not start by itself has no frames; being put away meanwhile is no error. */
async function play(video: HTMLVideoElement, stream: MediaStream): Promise<void> {
  video.srcObject = stream;
  await video.play().catch(() => {});
}

/** Without guidance nothing is said and nothing taken: the person presses. Its worker lives as long as the preview. */
async function guide(world: World, signal: AbortSignal): Promise<void> {
  const video = await world.video();
  const guide = await openGuidance(world, signal);
  if (!guide) return;
  const [{ steady }, { watch }] = await Promise.all([import('./guidance/steady.ts'), import('./guidance/watch.ts')]);
  const advise = steady();
  for await (const { reasons } of watch(guide, video, signal)) {
    const { hint, take } = advise(reasons, performance.now());
    if (hint !== world.live().hint) world.show({ ...world.live(), hint });
    const blob = take ? await guide.picture() : undefined;
    if (signal.aborted) return;
    if (!blob) continue;
    const shot = { name: 'selfie', blob, contentType: 'image/jpeg' } as const;
    return world.dispatch({ type: 'captured', shot, sure: true });
  }
  // Guidance ended by itself: from here on the person goes by what the button says.
  if (!signal.aborted) world.show({ ...world.live(), hint: undefined });
}

/** Its megabytes are fetched only now that the preview runs. A picture taken meanwhile ends it: the line is the upload's. */
async function openGuidance(world: World, signal: AbortSignal): Promise<Guide | undefined> {
  const limit = world.faceLimit();
  limit.asked ??= askForCaptures(world, signal).then(({ limits }) => limits?.minimum_face_px);
  try {
    const [{ openGuide }, minimumFacePx] = await Promise.all([import('./guidance/guide.ts'), limit.asked]);
    return await openGuide({ assets: guidanceAssets(), base: world.base(), minimumFacePx, signal });
  } catch {
    limit.asked = undefined;
    return undefined;
  }
}

async function meter(world: World, signal: AbortSignal): Promise<void> {
  const { camera } = world.live();
  if (!camera) return;
  world.hearing.listening?.stop();
  const listening = listen(camera.stream);
  world.hearing.listening = listening;
  for (;;) {
    const level = listening.level();
    world.show({ ...world.live(), level: level && Math.min(1, level * 5) });
    await pause(0.1, signal);
  }
}

/** A picture by the button, and a look at it. */
export async function takePicture(name: 'selfie' | 'id_card', world: World): Promise<void> {
  const video = await world.video();
  try {
    const blob = await pictureOf(video);
    const sample = await sampleOf(blob);
    if (sample && isBlack(sample)) return world.dispatch({ type: 'trouble_met', trouble: 'black' });
    world.dispatch({ type: 'captured', shot: { name, blob, contentType: 'image/jpeg' }, sure: false });
  } catch {
    world.dispatch({ type: 'trouble_met', trouble: 'not_taken' });
  }
}

/** So much of the digits' life has to be left: to say them and to send the video. */
const leastLifeSeconds = 30;
const wholeLifeSeconds = 180;

/** Asks for the digits now that the person is ready: they live for three minutes. */
export async function issueDigits(world: World, signal: AbortSignal): Promise<void> {
  try {
    let issued = await askForCaptures(world, signal);
    const left = (Date.parse(issued.challenge_expires_at ?? '') - Date.now()) / 1000;
    if (left > 0 && left < leastLifeSeconds && left < wholeLifeSeconds) {
      await pause(left + 0.5, signal); // dying ones are replaced only once they are dead
      issued = await askForCaptures(world, signal);
    }
    world.dispatch({ type: 'digits_issued', digits: issued.challenge ?? '', turn: turnOf(issued) });
  } catch (error) {
    tell(error, world, signal);
  }
}

/** The turn that is asked for. One of a later version has no words here: the video is then judged without it. */
function turnOf({ turn }: { readonly turn?: { readonly side: string; readonly second: number } }): Turn | undefined {
  if (turn?.side !== 'left' && turn?.side !== 'right') return undefined;
  return { side: turn.side, second: turn.second };
}

/** Of a round that is under way its uploads, digits and limits; after a recapture it opens the next one. */
async function askForCaptures(world: World, signal: AbortSignal) {
  const params = { path: { source_id: world.sourceId() } };
  return world.client().POST('/verifications/{source_id}/captures', { params, body: {}, signal });
}
