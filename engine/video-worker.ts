import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import type { RgbImage } from './pixels.ts';

/** What the worker is given; the wasm arrives compiled, so a second video does not pay for that again. */
export interface VideoRequest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** FFmpeg's demuxer, by magic bytes: no other one is tried. */
  readonly format: 'mov' | 'matroska';
  readonly limits: VideoLimits;
  readonly ffmpeg: WebAssembly.Module;
  readonly ffmpegScript: string;
}

export interface VideoLimits {
  readonly seconds: number;
  readonly pixels: number;
  readonly streams: number;
  /** Packets of all streams together; more of them in that time are no video of a phone. */
  readonly packets: number;
  /** The longer side of the frames that are handed out. */
  readonly frameSizePx: number;
  readonly frames: number;
  readonly framesPerSecond: number;
  readonly memoryBytes: number;
}

export interface DecodedVideo {
  readonly kind: 'decoded';
  /** Evenly spread over the video, upright. */
  readonly frames: readonly RgbImage[];
  /** Mono, −1..1, or absent where the video has no sound that we decode. */
  readonly audio?: { readonly samples: Float32Array<ArrayBuffer>; readonly rateHz: number };
  /** Upright, as stored. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly seconds: number;
  readonly storedFrames: number;
  readonly framesPerSecond: number;
}

export type VideoAnswer =
  | DecodedVideo
  | { readonly kind: 'too_large'; readonly measurements: Readonly<Record<string, number>> }
  | { readonly kind: 'unreadable' };

/** The part of @ffmpeg/core that is used. */
interface Ffmpeg {
  readonly exec: (...options: readonly string[]) => number;
  readonly ffprobe: (...options: readonly string[]) => number;
  readonly reset: () => void;
  readonly setTimeout: (milliseconds: number) => void;
  readonly setLogger: (log: (line: unknown) => void) => void;
  readonly FS: {
    readonly writeFile: (name: string, bytes: Uint8Array) => void;
    readonly readFile: (name: string) => Uint8Array<ArrayBuffer>;
    readonly unlink: (name: string) => void;
  };
}

type OpenFfmpeg = (options: {
  instantiateWasm: (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => object;
}) => Promise<Ffmpeg>;

const audioRateHz = 16_000;
const wasmPageBytes = 65_536;
/** Below the caller's own limit, so that FFmpeg ends itself where it still can. */
const execMilliseconds = 15_000;

/** What phones and browsers record; nothing else of FFmpeg's decoders may be reached. */
const videoCodecs: ReadonlyMap<string, string> = new Map([
  ['h264', 'h264'],
  ['hevc', 'hevc'],
  ['vp8', 'vp8,libvpx'],
  ['vp9', 'vp9,libvpx-vp9'],
]);
const audioCodecs: ReadonlyMap<string, string> = new Map([
  ['aac', 'aac'],
  ['opus', 'opus,libopus'],
  ['vorbis', 'vorbis,libvorbis'],
  ['pcm_s16le', 'pcm_s16le'],
  ['pcm_s16be', 'pcm_s16be'],
]);

/** What ffprobe says of a file: a hostile one may have made it say anything. */
const probed = z.object({
  streams: z.array(
    z.object({
      index: z.int().nonnegative(),
      codec_type: z.string().optional(),
      codec_name: z.string().optional(),
      width: z.int().nonnegative().optional(),
      height: z.int().nonnegative().optional(),
      avg_frame_rate: z.string().optional(),
    }),
  ),
});
type Stream = z.infer<typeof probed>['streams'][number];

/**
 * Before FFmpeg is there: its sockets are WebSockets and it loads by fetch or XMLHttpRequest, so without these it has no
 * network; and wasm memory ends where we say. Script could still get to the network through Node's own modules.
 */
function confine({ memoryBytes }: VideoLimits): void {
  for (const name of ['fetch', 'WebSocket', 'XMLHttpRequest', 'EventSource']) Reflect.deleteProperty(globalThis, name);
  const grow = WebAssembly.Memory.prototype.grow;
  WebAssembly.Memory.prototype.grow = function limitedGrow(pages: number) {
    if (this.buffer.byteLength + pages * wasmPageBytes > memoryBytes) throw new RangeError('memory limit');
    return grow.call(this, pages);
  };
  // It was built for browsers and asks where it is.
  Object.assign(globalThis, { self: globalThis, location: { href: 'file:///' } });
}

function openFfmpeg({ ffmpeg, ffmpegScript }: VideoRequest): Promise<Ffmpeg> {
  const open: OpenFfmpeg = createRequire(import.meta.url)(ffmpegScript);
  return open({
    instantiateWasm: (imports, done) => {
      done(new WebAssembly.Instance(ffmpeg, imports));
      return {};
    },
  });
}

async function decode(request: VideoRequest): Promise<VideoAnswer> {
  const { bytes, format, limits } = request;
  const ffmpeg = await openFfmpeg(request);
  ffmpeg.setLogger(() => undefined);
  ffmpeg.FS.writeFile('in', bytes);
  const input = ['-v', 'quiet', '-protocol_whitelist', 'file', '-f', format];

  const streams = readStreams(ffmpeg, input);
  const video = streams.find(
    ({ codec_type, codec_name = '' }) => codec_type === 'video' && videoCodecs.has(codec_name),
  );
  if (!video?.width || !video.height || streams.length > limits.streams) return { kind: 'unreadable' };
  const pixels = video.width * video.height;
  if (pixels > limits.pixels) return { kind: 'too_large', measurements: { video_pixels: pixels } };

  // Times are read off the packets: what the header claims is not believed.
  const { times, packets } = readTimes(ffmpeg, input, video, limits);
  const first = Math.min(...times);
  const seconds = Math.max(...times) - first;
  if (times.length === 0 || !Number.isFinite(seconds)) return { kind: 'unreadable' };
  if (seconds > limits.seconds || packets > limits.packets) {
    return { kind: 'too_large', measurements: { video_seconds: seconds } };
  }

  const sound = streams.find(
    ({ codec_type, codec_name = '' }) => codec_type === 'audio' && audioCodecs.has(codec_name),
  );
  const codecs = [videoCodecs.get(video.codec_name ?? ''), audioCodecs.get(sound?.codec_name ?? '')];
  const open = [
    ...input,
    ...['-codec_whitelist', codecs.filter(Boolean).join(','), '-max_pixels', String(limits.pixels)],
    ...['-t', String(limits.seconds + 1), '-i', 'in'],
  ];
  const frames = readFrames(ffmpeg, open, video, seconds, limits);
  const [frame] = frames;
  if (!frame) return { kind: 'unreadable' };
  const sideways = frame.width > frame.height !== video.width > video.height && video.width !== video.height;
  const samples = sound && readSamples(ffmpeg, open, sound);
  const [over = 0, under = 1] = (video.avg_frame_rate ?? '').split('/').map(Number);
  return {
    kind: 'decoded',
    frames,
    ...(samples && samples.length > 0 && { audio: { samples, rateHz: audioRateHz } }),
    widthPx: sideways ? video.height : video.width,
    heightPx: sideways ? video.width : video.height,
    seconds,
    storedFrames: times.length,
    framesPerSecond: under > 0 && over / under < 1000 ? over / under : 0,
  };
}

/** Runs one of FFmpeg's programs and takes the file it wrote, whole or as far as it came. */
function run(
  ffmpeg: Ffmpeg,
  program: 'exec' | 'ffprobe',
  output: string,
  options: readonly string[],
): Uint8Array<ArrayBuffer> {
  ffmpeg.setTimeout(execMilliseconds);
  ffmpeg[program](...options);
  ffmpeg.reset();
  try {
    const bytes = ffmpeg.FS.readFile(output);
    ffmpeg.FS.unlink(output);
    return bytes;
  } catch {
    return new Uint8Array();
  }
}

function readStreams(ffmpeg: Ffmpeg, input: readonly string[]): readonly Stream[] {
  const entries = 'stream=index,codec_type,codec_name,width,height,avg_frame_rate';
  const json = run(ffmpeg, 'ffprobe', 'streams', [
    ...input,
    '-show_entries',
    entries,
    '-of',
    'json',
    'in',
    '-o',
    'streams',
  ]);
  try {
    return probed.parse(JSON.parse(new TextDecoder().decode(json))).streams;
  } catch {
    return [];
  }
}

/** When each stored frame is shown, in seconds, and how many packets there were; a few more than allowed at most. */
function readTimes(
  ffmpeg: Ffmpeg,
  input: readonly string[],
  video: Stream,
  { packets }: VideoLimits,
): { times: number[]; packets: number } {
  const options = [
    '-read_intervals',
    `%+#${packets + 1}`,
    '-show_entries',
    'packet=stream_index,pts_time',
    '-of',
    'csv=p=0',
  ];
  const text = new TextDecoder().decode(
    run(ffmpeg, 'ffprobe', 'packets', [...input, ...options, 'in', '-o', 'packets']),
  );
  const lines = text.split('\n').filter((line) => line !== '');
  const times = lines
    .map((line) => line.split(',').map(Number))
    .filter(([stream, time]) => stream === video.index && Number.isFinite(time))
    .map(([, time = 0]) => time);
  return { times, packets: lines.length };
}

/** By time and not by `fps=`, which drops the only frame of a short clip; FFmpeg puts the frames upright itself. */
function readFrames(
  ffmpeg: Ffmpeg,
  open: readonly string[],
  video: Stream,
  seconds: number,
  { frames, framesPerSecond, frameSizePx }: VideoLimits,
): RgbImage[] {
  const sparse = Math.max(1 / framesPerSecond, seconds / frames);
  const interval = Math.min(sparse, seconds / shortVideoFrames) * 0.99;
  const filters = [
    `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${interval.toFixed(4)})'`,
    `scale='min(${frameSizePx},iw)':'min(${frameSizePx},ih)':force_original_aspect_ratio=decrease:flags=area`,
  ];
  const ppm = run(ffmpeg, 'exec', 'frames', [
    ...open,
    ...['-map', `0:${video.index}`, '-vf', filters.join(','), '-fps_mode', 'vfr', '-frames:v', String(frames + 2)],
    ...['-f', 'image2pipe', '-c:v', 'ppm', '-pix_fmt', 'rgb24', 'frames'],
  ]);
  return splitPpm(ppm);
}

/** A video of a second or two is looked at more often, for as many frames as a median needs. */
const shortVideoFrames = 10;

/** `P6\n<width> <height>\n255\n` and the pixels, again and again. */
function splitPpm(bytes: Uint8Array<ArrayBuffer>): RgbImage[] {
  const frames: RgbImage[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = /^P6\s(\d+) (\d+)\s255\s/.exec(String.fromCharCode(...bytes.subarray(at, at + 32)));
    if (!header) break;
    const [text, width, height] = [header[0], Number(header[1]), Number(header[2])];
    const from = at + text.length;
    at = from + width * height * 3;
    if (at > bytes.length) break;
    frames.push({ width, height, pixels: bytes.subarray(from, at) });
  }
  return frames;
}

function readSamples(ffmpeg: Ffmpeg, open: readonly string[], { index }: Stream): Float32Array<ArrayBuffer> {
  const options = [
    '-map',
    `0:${index}`,
    '-ac',
    '1',
    '-ar',
    String(audioRateHz),
    '-c:a',
    'pcm_f32le',
    '-f',
    'f32le',
    'audio',
  ];
  const bytes = run(ffmpeg, 'exec', 'audio', [...open, ...options]);
  const samples = new Float32Array(bytes.slice().buffer, 0, Math.floor(bytes.length / 4));
  return samples.map((sample) => (Number.isFinite(sample) ? Math.max(-1, Math.min(1, sample)) : 0));
}

function answer(message: VideoAnswer | 'started'): void {
  const decoded = typeof message === 'object' && message.kind === 'decoded' ? message : undefined;
  // All frames lie in one buffer, which is handed over and not copied.
  const transfer = new Set(decoded?.frames.map(({ pixels }) => pixels.buffer as ArrayBuffer));
  if (decoded?.audio) transfer.add(decoded.audio.samples.buffer);
  parentPort?.postMessage(message, [...transfer]);
}

answer('started');
const request = workerData as VideoRequest;
confine(request.limits);
decode(request).then(answer, () => answer({ kind: 'unreadable' }));
