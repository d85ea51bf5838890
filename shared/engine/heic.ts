import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { HeicAnswer, HeicRequest } from './heic-worker.ts';

const timeoutMilliseconds = 20_000;

const { resolve } = createRequire(import.meta.url);
let compiling: Promise<WebAssembly.Module> | undefined;

/** libheif is loaded when the first HEIC comes, not before: most captures are JPEG. */
function compileLibheif(): Promise<WebAssembly.Module> {
  compiling ??= readFile(resolve('libheif-js/libheif-wasm/libheif.wasm'))
    .then((bytes) => WebAssembly.compile(bytes))
    .catch((error: unknown) => {
      compiling = undefined; // the next HEIC tries again
      throw error;
    });
  return compiling;
}

// Beside this module when it runs from source, beside the bundle when `npm run engine-assets` has prepared one.
const workerFile = new URL(import.meta.url.endsWith('.ts') ? './heic-worker.ts' : './heic-worker.mjs', import.meta.url);

/**
 * Decodes a HEIC's primary image in a worker of its own: what a hostile file does to libheif (memory, an endless loop,
 * an abort) ends with the worker, and so does the memory, which wasm never gives back otherwise.
 * A terminated wasm worker is harmless, unlike one inside onnxruntime.
 */
export async function decodeHeic(bytes: Uint8Array, maximumPixels: number): Promise<HeicAnswer> {
  const request: HeicRequest = {
    bytes: new Uint8Array(bytes), // a copy to give away; slice() of a Buffer would be the caller's own memory
    maximumPixels,
    libheif: await compileLibheif(),
    libheifScript: resolve('libheif-js/libheif-wasm/libheif.js'),
  };
  const worker = new Worker(workerFile, {
    workerData: request,
    transferList: [request.bytes.buffer],
    env: {},
    argv: [],
    execArgv: [],
    // libheif reports to the console, with parts of the file in it.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 32 },
  });
  return new Promise<HeicAnswer>((answer, fail) => {
    let started = false;
    const timer = setTimeout(() => end({ kind: 'unreadable' }), timeoutMilliseconds);
    const end = (result: HeicAnswer) => {
      clearTimeout(timer);
      // What it held is free before the next one begins. Its end is an event, too, and no second answer.
      worker.removeAllListeners();
      const ended = () => answer(result);
      worker.terminate().then(ended, ended);
    };
    worker.on('message', (message: HeicAnswer | 'started') => {
      if (message === 'started') started = true;
      else end(message);
    });
    // Before it started, the fault is ours (its file is missing, say); afterwards it is the capture's.
    worker.on('error', (error) => {
      if (started) return end({ kind: 'unreadable' });
      clearTimeout(timer);
      fail(error);
    });
    worker.on('exit', () => end({ kind: 'unreadable' }));
  });
}
