import type { GuidanceAssets } from './assets.ts';
import type { Answer, Judgement, Request } from './messages.ts';

export interface GuideOptions {
  readonly assets: GuidanceAssets;
  /** The API's origin, which serves the assets. @default the page's own */
  readonly base?: string | undefined;
  /** From the `limits` of the uploads' answer; the engine's own where absent. */
  readonly minimumFacePx?: number | undefined;
  /** Ends everything: what is fetched, the worker, and looks that are under way. */
  readonly signal: AbortSignal;
  /** Until then it is open, or the person captures by hand. @default 30 */
  readonly timeoutSeconds?: number;
}

/** Tells what the backend would say of a frame. One look at a time: a second one waits for the first. */
export interface Guide {
  /** Takes the frame over and closes it. `undefined`: guidance has ended, or this frame could not be looked at. */
  readonly look: (frame: ImageBitmap | VideoFrame) => Promise<Judgement | undefined>;
  /** The frame of the last look as a JPEG of its full size: upload this one, it is what was judged. */
  readonly picture: () => Promise<Blob | undefined>;
  /** Ends the worker; closing twice does nothing. */
  readonly close: () => void;
  /** Resolves when guidance has ended, by `close`, the signal or a crash: from here on one captures by hand. */
  readonly closed: Promise<void>;
}

/** A look takes some 25 ms, on a slow phone ten times that; a worker that is silent for so long does not come back. */
const answerMilliseconds = 10_000;

/**
 * Fetches and starts guidance. It is never needed, so it never throws: `undefined` where data is to be saved, the browser
 * is old, an asset does not come, a policy of the page forbids it, or it takes too long. Capture by hand then.
 */
export async function openGuide(options: GuideOptions): Promise<Guide | undefined> {
  if (!isSupported() || wantsToSaveData()) return undefined;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(1000 * (options.timeoutSeconds ?? 30))]);
  try {
    return await start(options, signal);
  } catch {
    return undefined;
  }
}

function isSupported(): boolean {
  return (
    ['Worker', 'OffscreenCanvas', 'createImageBitmap', 'WebAssembly', 'AbortSignal'].every(
      (name) => name in globalThis,
    ) &&
    'any' in AbortSignal &&
    'withResolvers' in Promise &&
    'convertToBlob' in OffscreenCanvas.prototype &&
    WebAssembly.validate(simdModule)
  );
}

/** The smallest module with a vector in it: `(func (result v128) (i8x16.splat (i32.const 0)))`. */
const simdModule = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11],
);

function wantsToSaveData(): boolean {
  const { connection } = navigator as Navigator & { readonly connection?: { readonly saveData?: boolean } };
  return connection?.saveData === true;
}

async function start({ assets, minimumFacePx, base, signal: ended }: GuideOptions, until: AbortSignal): Promise<Guide> {
  const { faceDetection, faceLandmarks } = assets;
  const addressOf = (path: string) => new URL(path, base ?? document.baseURI);
  const failed = new AbortController();
  const signal = AbortSignal.any([until, failed.signal]);
  const [wasm, detection, landmarks] = await Promise.all([
    fetchBytes(addressOf(assets.wasm), signal),
    fetchBytes(addressOf(faceDetection.path), signal),
    fetchBytes(addressOf(faceLandmarks.path), signal),
  ]).catch((error: unknown) => {
    failed.abort(); // the others are of no use any more
    throw error;
  });
  const guide = guideOf(startWorker(addressOf(assets.worker)), ended);
  until.addEventListener('abort', guide.close);
  try {
    const opened = await guide.open({
      kind: 'open',
      wasm,
      detector: { contract: faceDetection, weights: detection },
      landmarker: { contract: faceLandmarks, weights: landmarks },
      minimumFacePx,
    });
    if (!opened || until.aborted) throw new Error('refused');
    return guide;
  } catch (error) {
    guide.close();
    throw error;
  } finally {
    until.removeEventListener('abort', guide.close);
  }
}

async function fetchBytes(url: URL, signal: AbortSignal): Promise<ArrayBuffer> {
  const response = await fetch(url, { signal, credentials: 'omit', priority: 'low' });
  if (!response.ok) throw new Error(`${response.status}`);
  return response.arrayBuffer();
}

interface TrustedTypes {
  /** Answers a TrustedScriptURL, which Worker takes in place of a text. */
  readonly createPolicy: (
    name: string,
    rules: { readonly createScriptURL: (url: string) => string },
  ) => { readonly createScriptURL: (url: string) => string };
}

let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** A page may allow a policy's name once only. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as typeof globalThis & { readonly trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy('bonafide', { createScriptURL: (text) => text }) ?? {
    createScriptURL: (text) => text,
  };
  return policy.createScriptURL(url);
}

/** A page of another origin may not start our worker itself, only import it in one of its own, if its policy lets it. */
function startWorker(url: URL): Worker {
  if (url.origin === location.origin) return new Worker(trusted(url.href), { type: 'module' });
  const importing = new Blob([`import ${JSON.stringify(url.href)};`], { type: 'text/javascript' });
  const blobUrl = URL.createObjectURL(importing);
  try {
    return new Worker(trusted(blobUrl), { type: 'module' });
  } finally {
    setTimeout(() => URL.revokeObjectURL(blobUrl), answerMilliseconds);
  }
}

type Opening = Extract<Request, { kind: 'open' }>;

function guideOf(worker: Worker, ended: AbortSignal): Guide & { open: (request: Opening) => Promise<boolean> } {
  const over = Promise.withResolvers<void>();
  const waiting = new Map<number, (answer: Answer | undefined) => void>();
  let isOpen = true;
  let count = 0;

  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    worker.terminate();
    ended.removeEventListener('abort', close);
    for (const resolve of waiting.values()) resolve(undefined);
    waiting.clear();
    over.resolve();
  };
  ended.addEventListener('abort', close);
  worker.addEventListener('error', (event) => {
    event.preventDefault(); // guidance is never needed: its end is no error of the page
    close();
  });
  worker.addEventListener('messageerror', close);
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    const id = 'id' in data ? data.id : opening;
    waiting.get(id)?.(data);
    waiting.delete(id);
  });

  const ask = async (id: number, request: Request, transfer: Transferable[]): Promise<Answer | undefined> => {
    if (!isOpen) return undefined;
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    waiting.set(id, resolve);
    worker.postMessage(request, transfer);
    return promise;
  };
  const askInTime = async (request: Request & { readonly id: number }, transfer: Transferable[] = []) => {
    const late = setTimeout(close, answerMilliseconds);
    try {
      return await ask(request.id, request, transfer);
    } finally {
      clearTimeout(late);
    }
  };
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };
  const nextId = () => {
    count += 1;
    return count;
  };

  return {
    open: async (request) =>
      (await ask(opening, request, [request.wasm, request.detector.weights, request.landmarker.weights]))?.kind ===
      'opened',
    look: (frame) =>
      inTurn(async () => {
        if (!isOpen) frame.close();
        const answer = await askInTime({ kind: 'look', id: nextId(), frame }, [frame]);
        return answer?.kind === 'judged' ? answer.judgement : undefined;
      }),
    picture: () =>
      inTurn(async () => {
        const answer = await askInTime({ kind: 'picture', id: nextId() });
        return answer?.kind === 'pictured' ? answer.picture : undefined;
      }),
    close,
    closed: over.promise,
  };
}

/** In place of an id: opening is answered once, before all else. */
const opening = 0;
