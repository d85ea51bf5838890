import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';

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

export interface Confinement {
  /** Beside this module as .ts when it runs from source, beside the bundle as .mjs when it is deployed. */
  readonly worker: 'heic-worker' | 'video-worker';
  readonly milliseconds: number;
  /** Of JavaScript; wasm has a limit of its own. */
  readonly heapMegabytes: number;
}

/**
 * Gives a stranger's file to a wasm decoder in a worker of its own. Two things hold a hostile file:
 *
 * - The wasm confines it. A memory error in the decoder reaches the wasm's memory and the functions its script hands in:
 *   files in memory, the clock, and for FFmpeg sockets that are WebSockets, which the worker does not have.
 * - The worker ends it. A loop, an abort or a grown memory ends with the worker, and so does the memory, which wasm never
 *   gives back otherwise. A terminated wasm worker is harmless, unlike one inside onnxruntime.
 *
 * The worker itself is no boundary. `env: {}` empties process.env, but script that ran in it could read
 * /proc/self/environ, open connections and start processes, as any code of this process could.
 *
 * The worker says `started`, then its answer, once. One that ends or errs without is `unreadable`: the capture's fault;
 * before it started, it is ours (its file is missing, say), and thrown.
 */
export async function decodeConfined<Answer extends { readonly kind: string }>(
  request: { readonly bytes: Uint8Array<ArrayBuffer> },
  { worker: name, milliseconds, heapMegabytes }: Confinement,
): Promise<Answer | { readonly kind: 'unreadable' }> {
  const file = import.meta.url.endsWith('.ts') ? `./${name}.ts` : `./${name}.mjs`;
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: request,
    transferList: [request.bytes.buffer],
    env: {},
    argv: [],
    execArgv: [],
    // Decoders report to the console, with parts of the file in it.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb: 32 },
  });
  return new Promise((answer, fail) => {
    let started = false;
    const timer = setTimeout(() => end({ kind: 'unreadable' }), milliseconds);
    const end = (result: Answer | { kind: 'unreadable' }) => {
      clearTimeout(timer);
      // What it held is free before the next one begins. Its end is an event, too, and no second answer.
      worker.removeAllListeners();
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
