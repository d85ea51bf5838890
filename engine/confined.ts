import { readFile } from 'node:fs/promises';
import { type Transferable, Worker } from 'node:worker_threads';

/** The wasm of a file, compiled once, when it is first needed; a failure is tried again. */
export function compiledOnce(file: () => string): () => Promise<WebAssembly.Module> {
  let compiling: Promise<WebAssembly.Module> | undefined;
  return () => {
    compiling ??= readFile(file())
      .then((bytes) => WebAssembly.compile(bytes))
      .catch((error: unknown) => {
        compiling = undefined;
        throw error;
      });
    return compiling;
  };
}

type WorkerName = 'container-worker' | 'heic-worker' | 'photo-worker' | 'video-worker';

/**
 * Starts a worker for a decoder: without environment, and with what it prints kept out of the logs, for decoders report
 * to the console, with parts of the file in it. Limits its JavaScript; wasm has a limit of its own.
 */
export function startConfined(
  name: WorkerName,
  workerData: object,
  { transferList, heapMegabytes }: { transferList: readonly Transferable[]; heapMegabytes: number },
): Worker {
  // Beside this module as .ts when it runs from source, beside the bundle as .mjs when it is deployed.
  const file = import.meta.url.endsWith('.ts') ? `./${name}.ts` : `./${name}.mjs`;
  return new Worker(new URL(file, import.meta.url), {
    workerData,
    transferList: [...transferList],
    env: {},
    argv: [],
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb: 4 },
  });
}

export interface Confinement {
  readonly worker: WorkerName;
  readonly milliseconds: number;
  readonly heapMegabytes: number;
}

/**
 * Gives a stranger's file to a wasm decoder in a worker of its own. Three things hold a hostile file:
 *
 * - The wasm confines it. A memory error in the decoder reaches the wasm's memory and the functions its script hands in.
 * - The realm that the script runs in (`realm.ts`) has no file, socket or process for those functions to use.
 * - The worker ends it. A loop, an abort or a grown memory ends with the worker, and so does the memory, which wasm never
 *   gives back otherwise. A terminated wasm worker is harmless, unlike one inside onnxruntime.
 *
 * The worker itself is no boundary: what runs in it outside the realm could do what any code of this process could.
 *
 * The worker says `started`, then its answer, once. One that ends or errs without is `unreadable`: the capture's fault;
 * before it started, it is ours (its file is missing, say), and thrown.
 */
export async function decodeConfined<Answer extends { readonly kind: string }>(
  request: { readonly bytes: Uint8Array<ArrayBuffer> },
  { worker: name, milliseconds, heapMegabytes }: Confinement,
): Promise<Answer | { readonly kind: 'unreadable' }> {
  const worker = startConfined(name, request, { transferList: [request.bytes.buffer], heapMegabytes });
  return new Promise((answer, fail) => {
    let started = false;
    const timer = setTimeout(() => end({ kind: 'unreadable' }), milliseconds);
    const end = (result: Answer | { kind: 'unreadable' }) => {
      clearTimeout(timer);
      // What it held is free before the next one begins. Its end is an event, too, and no second answer; nor is
      // an error on the way there, which without a listener would end this process.
      worker.removeAllListeners();
      worker.on('error', () => undefined);
      const ended = () => answer(result);
      worker.terminate().then(ended, ended);
    };
    worker.on('message', (message: Answer | 'started') => {
      if (message === 'started') started = true;
      else end(message);
    });
    worker.on('error', (error) => {
      if (started) return end({ kind: 'unreadable' });
      clearTimeout(timer);
      fail(error);
    });
    worker.on('exit', () => end({ kind: 'unreadable' }));
  });
}

/** To give away: `slice()` of a Buffer would be its owner's memory. */
export const copyOf = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
