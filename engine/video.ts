import { createRequire } from 'node:module';
import { sniffContentType } from '../shared/domain/captures.ts';
import { compiledOnce, copyOf, decodeConfined } from './confined.ts';
import type { VideoAnswer, VideoLimits, VideoRequest } from './video-worker.ts';

/** What a video may be; whatever is more is `capture_too_large`, or ends with its worker. */
export const videoLimits: VideoLimits & { readonly decodeMilliseconds: number } = {
  seconds: 30,
  pixels: 3840 * 2160,
  streams: 64,
  soundTracks: 4,
  packets: 20_000,
  work: 9_000_000_000,
  frameSizePx: 960,
  frames: 40,
  framesPerSecond: 4,
  gapSeconds: 0.5,
  motion: { framesPerSecond: 15, bytes: 32 * 1024 * 1024 },
  memoryBytes: 512 * 1024 * 1024,
  decodeMilliseconds: 45_000,
};

const { resolve } = createRequire(import.meta.url);
/** 32 MB. The package's exports name two builds; only the one for `require` is deployed. */
const compiledFfmpeg = compiledOnce(() => resolve('@ffmpeg/core/wasm'));

/** Frames and sound of an MP4, MOV or WebM, decoded by FFmpeg as wasm, in a worker that ends with it (`confined.ts` says what holds it). */
export async function decodeVideo(bytes: Uint8Array, limits = videoLimits): Promise<VideoAnswer> {
  const type = sniffContentType(bytes);
  if (!type?.startsWith('video/')) return { kind: 'unreadable' };
  const request: VideoRequest = {
    bytes: copyOf(bytes),
    format: type === 'video/webm' ? 'matroska' : 'mov',
    limits,
    ffmpeg: await compiledFfmpeg(),
    ffmpegScript: resolve('@ffmpeg/core'),
  };
  return decodeConfined<VideoAnswer>(request, {
    worker: 'video-worker',
    milliseconds: limits.decodeMilliseconds,
    heapMegabytes: 256,
  });
}
