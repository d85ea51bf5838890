import { createRequire } from 'node:module';
import { sniffContentType } from '../shared/domain/captures.ts';
import { compiledOnce, decodeConfined } from './confined.ts';
import { readContainer } from './container.ts';
import type { VideoAnswer, VideoLimits, VideoRequest } from './video-worker.ts';

/** What a video may be; whatever is more is `capture_too_large`, or ends with its worker. */
export const videoLimits: VideoLimits & { readonly decodeMilliseconds: number } = {
  seconds: 30,
  pixels: 3840 * 2160,
  streams: 64,
  soundTracks: 4,
  packets: 20_000,
  work: 9_000_000_000,
  thinningWork: 4_500_000_000,
  frameSizePx: 960,
  frames: 40,
  framesPerSecond: 4,
  gapSeconds: 0.5,
  leastFramesPerSecond: 6,
  motion: { framesPerSecond: 15, bytes: 32 * 1024 * 1024 },
  memoryBytes: 384 * 1024 * 1024,
  decodeMilliseconds: 75_000,
};

const { resolve } = createRequire(import.meta.url);
/** 32 MB. The package's exports name two builds; only the one for `require` is deployed. */
const compiledFfmpeg = compiledOnce(() => resolve('@ffmpeg/core/wasm'));
/** dav1d, of a player's decoders the one that is used. */
const dav1dFile = (kind: 'js' | 'wasm') => resolve(`ogv/dist/ogv-decoder-video-av1-simd-wasm.${kind}`);
const compiledDav1d = compiledOnce(() => dav1dFile('wasm'));

/**
 * Frames and sound of an MP4, MOV or WebM. Its container is read first, then its streams are decoded by FFmpeg as wasm,
 * each in a worker that ends with it (`confined.ts` says what holds it).
 */
export async function decodeVideo(bytes: Uint8Array, limits = videoLimits): Promise<VideoAnswer> {
  const type = sniffContentType(bytes);
  if (!type?.startsWith('video/')) return { kind: 'unreadable' };
  const container = await readContainer(bytes, limits);
  if (container.kind !== 'read') return container;
  const { bytes: stream, ...picture } = container.picture;
  const request: VideoRequest = {
    bytes: stream,
    picture,
    sounds: container.sounds,
    soundRefused: container.soundRefused,
    limits,
    ffmpeg: await compiledFfmpeg(),
    ffmpegScript: resolve('@ffmpeg/core'),
    ...(picture.codec === 'av1' && { av1: { dav1d: await compiledDav1d(), dav1dScript: dav1dFile('js') } }),
  };
  return decodeConfined<VideoAnswer>(request, {
    worker: 'video-worker',
    milliseconds: limits.decodeMilliseconds,
    heapMegabytes: 256,
  });
}
