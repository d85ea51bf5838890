import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { sniffContentType } from '../domain/captures.ts';
import type { VideoAnswer, VideoLimits, VideoRequest } from './video-worker.ts';

/** What a video may be; whatever is more is `capture_too_large`, or ends with its worker. */
export const videoLimits: VideoLimits & { readonly decodeMilliseconds: number } = {
  seconds: 30,
  pixels: 3840 * 2160,
  streams: 8,
  packets: 6_000,
  frameSizePx: 960,
  frames: 40,
  framesPerSecond: 4,
  memoryBytes: 512 * 1024 * 1024,
  decodeMilliseconds: 30_000,
};

const { resolve } = createRequire(import.meta.url);
let compiling: Promise<WebAssembly.Module> | undefined;

/** 32 MB of FFmpeg, compiled when the first video comes. */
function compileFfmpeg(): Promise<WebAssembly.Module> {
  compiling ??= readFile(wasmFile())
    .then((bytes) => WebAssembly.compile(bytes))
    .catch((error: unknown) => {
      compiling = undefined; // the next video tries again
      throw error;
    });
  return compiling;
}

// The package's exports name the same file for `import` and `require` differently; only the latter's build is deployed.
const wasmFile = () => resolve('@ffmpeg/core/wasm');

// Beside this module when it runs from source, beside the bundle when `npm run engine-assets` has prepared one.
const workerFile = new URL(
  import.meta.url.endsWith('.ts') ? './video-worker.ts' : './video-worker.mjs',
  import.meta.url,
);

/**
 * Frames and sound of an MP4, MOV or WebM, decoded by FFmpeg as wasm in a worker of its own without environment, files
 * or network: what a hostile video does to it (memory, an endless loop, an abort) ends with the worker.
 */
export async function decodeVideo(bytes: Uint8Array, limits = videoLimits): Promise<VideoAnswer> {
  const type = sniffContentType(bytes);
  if (!type?.startsWith('video/')) return { kind: 'unreadable' };
  const request: VideoRequest = {
    bytes: new Uint8Array(bytes), // a copy to give away; slice() of a Buffer would be the caller's own memory
    format: type === 'video/webm' ? 'matroska' : 'mov',
    limits,
    ffmpeg: await compileFfmpeg(),
    ffmpegScript: resolve('@ffmpeg/core'),
  };
  const worker = new Worker(workerFile, {
    workerData: request,
    transferList: [request.bytes.buffer],
    env: {},
    argv: [],
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 },
  });
  return new Promise<VideoAnswer>((answer, fail) => {
    let started = false;
    const timer = setTimeout(() => end({ kind: 'unreadable' }), limits.decodeMilliseconds);
    const end = (result: VideoAnswer) => {
      clearTimeout(timer);
      // What it held is free before the next one begins. Its end is an event, too, and no second answer.
      worker.removeAllListeners();
      const ended = () => answer(result);
      worker.terminate().then(ended, ended);
    };
    worker.on('message', (message: VideoAnswer | 'started') => {
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
