import { type Connection, type Credential, connect } from './calls.ts';
import { isProblem, retryAfterOf, UploadProblem } from './problems.ts';
import type { components } from './schema.ts';
import { pause, tryUntilDone } from './trying.ts';
import { type Progress, type UploadOptions, upload } from './upload.ts';

export type { Call, Connection, Credential } from './calls.ts';
export {
  BonafideProblem,
  type FieldError,
  GatewayProblem,
  isProblem,
  NetworkFailure,
  type Problem,
  type ProblemCode,
  UploadProblem,
} from './problems.ts';
export type { components, paths, webhooks } from './schema.ts';
export { type Progress, type Stored, type UploadOptions, type UploadTarget, upload } from './upload.ts';

type Schemas = components['schemas'];
/** A verification as a key sees it. */
export type Verification = Schemas['Verification'];
/** The same with a client_token: no scores, no attempts, no provider, and of a failure the outcome alone. */
export type ClientVerification = Schemas['ClientVerification'];
/** Answer of `POST /verifications` and `POST …/captures`: where to put which capture. */
export type Uploads = Schemas['Uploads'];
export type State = Schemas['State']['state'];
export type Reason = Schemas['Reason'];
export type RecaptureReason = Schemas['RecaptureReason'];
export type CaptureName = keyof Uploads['uploads'];

/** The states that end the waiting. `errored` may be tried again, and a `decided` recapture goes into another round. */
export type RestingState = Extract<State, 'decided' | 'errored' | 'expired' | 'erased'>;
const resting: readonly State[] = ['decided', 'errored', 'expired', 'erased'] satisfies RestingState[];

/** An answer that comes sooner was not waited for by the server, whatever was asked of it. */
const soonMilliseconds = 250;

/** Of each capture its file. */
export type Files = Readonly<Partial<Record<CaptureName, Blob>>>;

/** How far the files of one `uploadCaptures` are, all together. */
export interface FilesProgress extends Progress {
  readonly capture: CaptureName;
}

export interface UploadCapturesOptions extends Pick<UploadOptions, 'signal' | 'stalledSeconds'> {
  readonly onProgress?: ((progress: FilesProgress) => void) | undefined;
  /** The digits that the video says: where they were replaced, it ends with `challenge_replaced`. */
  readonly challenge?: string | undefined;
  /** How often in a row it may fail. @default 8 */
  readonly attempts?: number | undefined;
}

export interface WaitOptions<View> {
  readonly signal?: AbortSignal | undefined;
  /** Called with the first answer, and with each that shows another state, round or sequence. */
  readonly onState?: ((view: View) => void) | undefined;
  /** Seconds that one request waits at the server: 0 to 20. @default 20 */
  readonly waitSeconds?: number | undefined;
  /** How often in a row asking may fail. @default 20, which is about two minutes */
  readonly attempts?: number | undefined;
}

/** The API of one deployment, for one caller. */
export type Bonafide<View extends Verification | ClientVerification> = ReturnType<typeof connected<View>>;

type ViewOf<C extends Connection> = C extends { readonly key: Credential } ? Verification : ClientVerification;

/**
 * With a `key`, for servers; with the `token` of one verification, for pages and apps; with neither for the routes that need
 * none, and for pages of the API's own origin that hold its cookie.
 */
export function bonafide<const C extends Connection>(connection: C): Bonafide<ViewOf<C>> {
  return connected<ViewOf<C>>(connection);
}

function connected<View extends Verification | ClientVerification>(connection: Connection) {
  const { ask, GET, POST, PATCH, DELETE } = connect(connection);

  /** State and verdict now, or as soon as there is one within `wait` seconds. */
  async function read(sourceId: string, wait: number, signal?: AbortSignal, attempts?: number) {
    const params = { path: { source_id: sourceId }, query: { wait } };
    const { body, response } = await ask('get', '/verifications/{source_id}', { params, signal }, attempts);
    return { view: body as View, response };
  }

  /**
   * Waits until the verification is decided, errored, expired or erased, as long as that takes: `AbortSignal.timeout()`
   * ends it sooner. Connections may drop meanwhile.
   */
  async function waitForVerdict(
    sourceId: string,
    { signal, onState, waitSeconds = 20, attempts = 20 }: WaitOptions<View> = {},
  ): Promise<View & { state: RestingState }> {
    let last: View | undefined;
    for (;;) {
      const askedAt = performance.now();
      const { view, response } = await tryUntilDone(() => read(sourceId, waitSeconds, signal, 1), { attempts, signal });
      if (last?.sequence !== view.sequence || last.state !== view.state || last.round !== view.round) onState?.(view);
      last = view;
      if (isResting(view)) return view;
      // While captures or a vendor's webhook are awaited the server does not wait with us, and says when to ask again.
      const atOnce = performance.now() - askedAt < soonMilliseconds || view.state === 'awaiting_captures';
      await pause(retryAfterOf(response) ?? (atOnce ? 1 : 0), signal);
    }
  }

  const isResting = (view: View): view is View & { state: RestingState } => resting.includes(view.state);

  /**
   * Uploads the files of this round: asks where to put what is still missing, and goes on after a dropped connection, an
   * expired URL and time offline. What has landed is not sent again. Resolves when every file is stored.
   */
  async function uploadCaptures(sourceId: string, files: Files, options: UploadCapturesOptions = {}): Promise<void> {
    const { signal, stalledSeconds, challenge, onProgress, attempts = 8 } = options;
    const named = Object.entries(files).filter((entry): entry is [CaptureName, Blob] => entry[1] !== undefined);
    const captures = Object.fromEntries(named.map(([name, file]) => [name, declared(name, file)]));
    const total = named.reduce((sum, [, file]) => sum + file.size, 0);
    let round: number | undefined;

    await tryUntilDone(
      async (attempt) => {
        // Where an answer was lost the captures may be judged by now, and asking for more would open the next round.
        if (round !== undefined) {
          const { view } = await read(sourceId, 0, signal, 1);
          if (view.state !== 'awaiting_captures' || view.round !== round) return;
        }
        const asked = await askForCaptures(sourceId, captures, signal);
        if (!asked || (round !== undefined && asked.round !== round)) return;
        round = asked.round;
        if (challenge !== undefined && files.video && asked.uploads.video && asked.challenge !== challenge) {
          throw new UploadProblem('challenge_replaced', 'The digits were replaced: record the video again.');
        }
        let before = named.reduce((sum, [name, file]) => sum + (asked.uploads[name] ? 0 : file.size), 0);
        for (const [name, file] of named) {
          const target = asked.uploads[name];
          if (!target) continue;
          const tell = ({ loaded }: Progress) =>
            onProgress?.({ capture: name, loaded: before + loaded, total, attempt });
          await upload(target, file, { signal, stalledSeconds, onProgress: tell, attempts: 1 }).catch(renewed);
          before += file.size;
        }
      },
      { attempts, signal },
    );
  }

  /** Undefined where this round awaits none any more. */
  async function askForCaptures(sourceId: string, captures: Captures, signal?: AbortSignal) {
    try {
      const init = { params: { path: { source_id: sourceId } }, body: { captures }, signal };
      const { body } = await ask('post', '/verifications/{source_id}/captures', init, 1);
      return body as Uploads;
    } catch (error) {
      if (isProblem(error) && error.code === 'state_conflict') return undefined;
      throw error;
    }
  }

  return {
    /** Any route by its path; a problem is thrown. */
    GET,
    POST,
    PATCH,
    DELETE,
    read: async (sourceId: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<View> =>
      (await read(sourceId, 0, signal)).view,
    waitForVerdict,
    uploadCaptures,
    upload,
  };
}

type Captures = Schemas['VerificationRequest']['captures'];

/** An expired URL is asked for anew, so it may be tried again. */
function renewed(error: unknown): never {
  if (isProblem(error) && error.code === 'upload_expired') throw new UploadProblem('upload_busy', error.message);
  throw error;
}

/** Some browsers do not know the type of HEIC or MOV files. Bonafide reads it from the bytes. */
function declared(name: CaptureName, file: Blob) {
  const unknown = name === 'video' ? 'video/mp4' : 'image/jpeg';
  return { content_type: file.type || unknown, content_length: file.size };
}
