import type { Trouble } from './states.ts';

/** What a camera is opened for. */
export interface CameraWish {
  readonly facing: 'user' | 'environment';
  /** With the microphone, in one call: iOS gives live but silent sound where a second call asks for it. */
  readonly withSound: boolean;
  /** Chosen by the person. */
  readonly deviceId?: string | undefined;
  /** Whether the device is held upright. */
  readonly upright: boolean;
  /** For a device that was too slow before. */
  readonly smaller?: boolean | undefined;
}

/** Longer and shorter side of the picture that is wished for. A card's portrait needs more pixels than a face does. */
const sides = {
  user: [1280, 720],
  environment: [1920, 1080],
  smaller: [640, 480],
} as const;

/**
 * `ideal` alone, so that nothing here can be refused, but for a camera that the person chose by name: Chromium opens any other
 * one for an ideal. Where that one is gone, `openCamera` asks without it. Width and height are those of the device as it is held, since Chromium cuts an
 * upright camera's 720 × 1280 to 720 × 720 to come near 1280 × 720; `resizeMode` asks it not to cut at all.
 */
export function constraintsFor(wish: CameraWish): MediaStreamConstraints {
  const { facing, withSound, deviceId } = wish;
  const [long, short] = sides[wish.smaller ? 'smaller' : facing];
  const video = {
    width: { ideal: wish.upright ? short : long },
    height: { ideal: wish.upright ? long : short },
    frameRate: { ideal: wish.smaller ? 24 : 30 },
    resizeMode: { ideal: 'none' }, // not in every browser's types
    ...(deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: facing } }),
  };
  const audio = {
    echoCancellation: { ideal: true },
    noiseSuppression: { ideal: true },
    autoGainControl: { ideal: true },
  };
  return { video, audio: withSound && audio };
}

/** What there is to know of the page before the camera is asked for. */
export interface Surroundings {
  readonly isSecure: boolean;
  readonly hasCameraApi: boolean;
  readonly userAgent: string;
  readonly isFramed: boolean;
  /** Of the Permissions-Policy; undefined where the browser does not tell. */
  readonly isAllowedByPolicy: boolean | undefined;
}

/** Browsers inside apps, most of which deny the camera without asking. */
const inAppBrowsers =
  /\b(FBAN|FBAV|FB_IAB|Instagram|Line\/|MicroMessenger|Snapchat|Twitter|LinkedInApp|Pinterest|GSA\/|TikTok|musical_ly|BytedanceWebview)|; ?wv\)/i;

export const isInAppBrowser = (userAgent: string): boolean => inAppBrowsers.test(userAgent);

/** What forbids the camera before anyone is asked. */
export function troubleBefore(surroundings: Surroundings): Trouble | undefined {
  if (!surroundings.isSecure) return 'insecure';
  if (!surroundings.hasCameraApi) return isInAppBrowser(surroundings.userAgent) ? 'in_app_browser' : 'unsupported';
  return surroundings.isAllowedByPolicy === false ? 'not_allowed_in_frame' : undefined;
}

/** What happened when the camera was asked for. */
export interface Refusal {
  readonly name: string;
  readonly message: string;
  readonly afterMilliseconds: number;
  readonly surroundings: Surroundings;
  /** What the device has, where it could be asked. */
  readonly hasCamera?: boolean | undefined;
}

/** A question that a person answers takes longer than this; what is denied sooner was denied by a policy or a setting. */
const unaskedMilliseconds = 150;

/** Which trouble an error of getUserMedia is. Old names are of browsers before 2018, which some apps still carry. */
export function troubleOf({ name, message, afterMilliseconds, surroundings, hasCamera }: Refusal): Trouble {
  switch (name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
    case 'SecurityError':
      if (isInAppBrowser(surroundings.userAgent)) return 'in_app_browser';
      if (/dismissed/i.test(message)) return 'dismissed';
      if (/system/i.test(message)) return 'denied_by_system';
      if (surroundings.isFramed && surroundings.isAllowedByPolicy === undefined) {
        return afterMilliseconds < unaskedMilliseconds ? 'not_allowed_in_frame' : 'denied';
      }
      return 'denied';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
      return hasCamera ? 'no_microphone' : 'not_found';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'busy';
    case 'OverconstrainedError':
    case 'ConstraintNotSatisfiedError':
      return 'overconstrained';
    default:
      return 'unsupported';
  }
}

/** One camera to choose from. */
export interface CameraChoice {
  readonly deviceId: string;
  readonly label: string;
}

/** Windows Hello and depth cameras give a picture that no verdict can be made of. */
const notForPeople = /\b(ir|infra-?red|depth|tof)\b/i;

/** Cameras by name, infrared ones last. */
export function choicesOf(devices: readonly Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>[]): CameraChoice[] {
  return devices
    .filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId !== '')
    .map(({ deviceId, label }) => ({ deviceId, label }))
    .sort((one, other) => Number(notForPeople.test(one.label)) - Number(notForPeople.test(other.label)));
}

/** The camera to take in place of an infrared one that the browser chose by itself. */
export function insteadOf(label: string, choices: readonly CameraChoice[]): CameraChoice | undefined {
  if (!notForPeople.test(label)) return undefined;
  return choices.find((choice) => !notForPeople.test(choice.label));
}

/** An open camera. `stop` switches it off; `ended` tells when something else did. */
export interface Camera {
  readonly stream: MediaStream;
  readonly deviceId: string | undefined;
  readonly choices: readonly CameraChoice[];
  /** Its preview is shown as a mirror shows it. What is captured never is. */
  readonly isMirrored: boolean;
  readonly stop: () => void;
}

export class CameraTrouble extends Error {
  readonly trouble: Trouble;
  constructor(trouble: Trouble) {
    super(trouble);
    this.trouble = trouble;
  }
}

/** A question that is open for so long is said to be open: some browsers never show it, or show it small. */
const unansweredMilliseconds = 10_000;

export interface OpeningCamera {
  /** Until it is open. From then on `stop` ends it. */
  readonly signal: AbortSignal;
  readonly onUnanswered: () => void;
  /** The camera stopped by itself: unplugged, taken by a call, muted by the system. */
  readonly onEnded: () => void;
}

/** As the device is held, whatever shape the window has: a laptop's narrow window makes no upright camera of its own. */
export function isUpright(): boolean {
  const { orientation } = screen as { orientation?: ScreenOrientation };
  return orientation ? orientation.type.startsWith('portrait') : matchMedia('(orientation: portrait)').matches;
}

export function surroundings(): Surroundings {
  const { featurePolicy } = document as { featurePolicy?: { allowsFeature: (name: string) => boolean } };
  return {
    isSecure: isSecureContext,
    hasCameraApi: typeof navigator.mediaDevices?.getUserMedia === 'function',
    userAgent: navigator.userAgent,
    isFramed: self !== top,
    isAllowedByPolicy: featurePolicy?.allowsFeature('camera'),
  };
}

/** Opens the camera, or throws a `CameraTrouble`. Where the signal was aborted meanwhile it is switched off at once. */
export async function openCamera(wish: CameraWish, opening: OpeningCamera): Promise<Camera> {
  const stream = await asked(wish, opening).catch((error: unknown) => {
    const isGone = error instanceof CameraTrouble && ['overconstrained', 'not_found'].includes(error.trouble);
    if (!isGone || wish.deviceId === undefined) throw error;
    return asked({ ...wish, deviceId: undefined }, opening);
  });
  const choices = choicesOf(await devices());
  const [track] = stream.getVideoTracks();
  const better = wish.deviceId === undefined && wish.facing === 'user' && insteadOf(track?.label ?? '', choices);
  if (better) {
    stop(stream);
    return openCamera({ ...wish, deviceId: better.deviceId }, opening);
  }
  const settings = track?.getSettings();
  const open = new AbortController();
  watch(stream, opening.onEnded, open.signal);
  return {
    stream,
    deviceId: settings?.deviceId,
    choices,
    isMirrored: wish.facing === 'user' && settings?.facingMode !== 'environment',
    stop: () => {
      open.abort();
      stop(stream);
    },
  };
}

const devices = async (): Promise<MediaDeviceInfo[]> =>
  (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];

async function asked(wish: CameraWish, { signal, onUnanswered }: OpeningCamera): Promise<MediaStream> {
  const around = surroundings();
  const before = troubleBefore(around);
  if (before) throw new CameraTrouble(before);
  const since = performance.now();
  const unanswered = setTimeout(onUnanswered, unansweredMilliseconds);
  const stopUnanswered = () => clearTimeout(unanswered);
  signal.addEventListener('abort', stopUnanswered);
  try {
    const stream = await navigator.mediaDevices.getUserMedia(constraintsFor(wish));
    if (!signal.aborted) return stream;
    stop(stream);
    throw signal.reason;
  } catch (error) {
    signal.throwIfAborted();
    const { name = '', message = '' } = error instanceof Error ? error : {};
    const cameras = (await devices()).filter(({ kind }) => kind === 'videoinput');
    const hasCamera = wish.withSound && cameras.length > 0;
    const afterMilliseconds = performance.now() - since;
    throw new CameraTrouble(troubleOf({ name, message, afterMilliseconds, surroundings: around, hasCamera }));
  } finally {
    stopUnanswered();
    signal.removeEventListener('abort', stopUnanswered);
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** A muted camera gives black pictures: a call came in, or the system took it. It may be back within a moment. */
const mutedMilliseconds = 2_000;

function watch(stream: MediaStream, onEnded: () => void, signal: AbortSignal): void {
  for (const track of stream.getTracks()) {
    track.addEventListener('ended', onEnded, { signal });
    let muted: ReturnType<typeof setTimeout> | undefined;
    track.addEventListener(
      'mute',
      () => {
        muted = setTimeout(onEnded, mutedMilliseconds);
      },
      { signal },
    );
    track.addEventListener('unmute', () => clearTimeout(muted), { signal });
    signal.addEventListener('abort', () => clearTimeout(muted));
  }
}
