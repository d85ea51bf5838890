import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { format } from '../shared/domain/verdict.ts';
import type { RgbImage } from './pixels.ts';
import { lend, openRealm, type Realm } from './realm.ts';
import { type DecodingPlan, disposableIn, planDecoding, secondsUnseen, type VideoPacket } from './video-plan.ts';

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
  /** Streams of any kind that a file may carry. */
  readonly streams: number;
  /** Sound tracks that are decoded until one has sound. */
  readonly soundTracks: number;
  /** Packets of all streams together; more of them in that time are no video of a phone. */
  readonly packets: number;
  /** Decoding's cost in pixels (`video-plan.ts`): counted beforehand, so the same bytes give the same frames everywhere. */
  readonly work: number;
  /** The longer side of the frames that are handed out. */
  readonly frameSizePx: number;
  /** So many are handed out at `framesPerSecond`; a longer video is looked at less often, yet no `gapSeconds` go unseen. */
  readonly frames: number;
  readonly framesPerSecond: number;
  readonly gapSeconds: number;
  /** Grey frames for the check of motion, smaller the more of them there are. */
  readonly motion: { readonly framesPerSecond: number; readonly bytes: number };
  readonly memoryBytes: number;
}

/** Luma, 0..255, one byte a pixel, row by row. */
export interface GreyFrame {
  /** When it is shown, in seconds. */
  readonly time: number;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array | Float32Array;
}

export interface DecodedVideo {
  readonly kind: 'decoded';
  /** Evenly spread over the video, upright. */
  readonly frames: readonly RgbImage[];
  /** When each of them is shown. */
  readonly times: readonly number[];
  /** The same video in grey, upright, as often as motion needs it. */
  readonly motion: readonly GreyFrame[];
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
  /** Whole, yet nothing here decodes its pictures, or any of its sound tracks. */
  | { readonly kind: 'format_unsupported'; readonly format: string }
  | { readonly kind: 'unreadable' };

/** The part of @ffmpeg/core that is used. */
interface Ffmpeg {
  readonly exec: (...options: readonly string[]) => number;
  readonly ffprobe: (...options: readonly string[]) => number;
  readonly reset: () => void;
  readonly setLogger: (log: (line: { message: string }) => void) => void;
  /** In JavaScript's memory, outside the wasm's. */
  readonly FS: {
    readonly writeFile: (name: string, bytes: Uint8Array, how: { canOwn: boolean }) => void;
    readonly lookupPath: (name: string) => { node: { contents: Uint8Array<ArrayBuffer>; usedBytes: number } };
    readonly unlink: (name: string) => void;
  };
}

type OpenFfmpeg = (options: object) => Promise<Ffmpeg>;

const audioRateHz = 16_000;
/** Sound that FFmpeg hands out may be shorter than its packets say: encoders' priming is cut off both ends. */
const soundToleranceSeconds = 0.3;
/** Sound may outlast the picture by this: a recorder stops its tracks one after the other. */
const soundOutlastsSeconds = 1;
/** Beyond these no number of a container is multiplied with anything. */
const soundLimits = { leastRateHz: 8_000, mostRateHz: 192_000, channels: 8, pixelAspect: 4 } as const;

/** What phones and browsers record; nothing else of FFmpeg's decoders may be reached. */
const videoCodecs: ReadonlyMap<string, string> = new Map([
  ['h264', 'h264'],
  ['hevc', 'hevc'],
  ['vp8', 'vp8,libvpx'],
  ['vp9', 'vp9,libvpx-vp9'],
]);
const soundCodecs: ReadonlyMap<string, string> = new Map([
  ['aac', 'aac'],
  ['opus', 'opus,libopus'],
  ['vorbis', 'vorbis,libvorbis'],
  ['mp3', 'mp3float,mp3'],
  ['ac3', 'ac3'],
  ['eac3', 'eac3'],
  ['alac', 'alac'],
  ['flac', 'flac'],
  ['amr_nb', 'amrnb'],
  ['amr_wb', 'amrwb'],
  ...['u8', 's16le', 's16be', 's24le', 's24be', 'f32le', 'f32be', 'mulaw', 'alaw'].map((sample): [string, string] => [
    `pcm_${sample}`,
    `pcm_${sample}`,
  ]),
]);

/** What ffprobe says of a file: a hostile one may have made it say anything. */
const probed = z.object({
  streams: z.array(
    z.object({
      index: z.int().nonnegative(),
      codec_type: z.string().optional(),
      codec_name: z.string().optional(),
      codec_tag_string: z.string().optional(),
      width: z.int().nonnegative().optional(),
      height: z.int().nonnegative().optional(),
      sample_aspect_ratio: z.string().optional(),
      avg_frame_rate: z.string().optional(),
      sample_rate: z.string().optional(),
      channels: z.int().optional(),
    }),
  ),
});
type Stream = z.infer<typeof probed>['streams'][number];

/** FFmpeg in a realm without files, network and processes. It was built for browsers and asks where it is. */
async function openFfmpeg(realm: Realm, ffmpegScript: string): Promise<Ffmpeg> {
  realm.evaluate("Object.assign(globalThis, { self: globalThis, location: { href: 'file:///' } })");
  return (realm.run(ffmpegScript) as OpenFfmpeg)(realm.emscripten);
}

async function decode(request: VideoRequest): Promise<VideoAnswer> {
  const { limits } = request;
  const realm = openRealm({ wasm: request.ffmpeg, memoryBytes: limits.memoryBytes });
  const bytes = realm.adopt(request.bytes, [request.bytes.buffer]);
  const ffmpeg = await openFfmpeg(realm, request.ffmpegScript);
  ffmpeg.FS.writeFile('in', bytes, realm.adopt({ canOwn: true }));
  const input = ['-v', 'error', '-protocol_whitelist', 'file', '-f', request.format];

  const streams = readStreams(ffmpeg, input);
  if (streams.length > limits.streams) return { kind: 'unreadable' };
  const [pictures, tracks] = [streams.filter(isOfType('video')), streams.filter(isOfType('audio'))];
  const video = pictures.find(({ codec_name = '' }) => videoCodecs.has(codec_name));
  const sounds = tracks.filter(({ codec_name = '' }) => soundCodecs.has(codec_name));
  const unsupported = nameOf(video ? (sounds.length === 0 ? tracks : []) : pictures);
  if (unsupported) return { kind: 'format_unsupported', format: unsupported };
  if (!video?.width || !video.height) return { kind: 'unreadable' };
  const framePixels = video.width * video.height;
  if (framePixels > limits.pixels) return { kind: 'too_large', measurements: { video_pixels: framePixels } };
  const aspect = ratioOf(video.sample_aspect_ratio, ':') || 1;
  if (Math.max(aspect, 1 / aspect) > soundLimits.pixelAspect) return { kind: 'unreadable' };

  // Times are read off the packets: what the header claims is not believed.
  const { packets, cut } = readPackets(ffmpeg, input, limits);
  const stored = packets.filter(({ stream }) => stream === video.index);
  const times = stored.map(({ time }) => time);
  const first = Math.min(...times);
  const seconds = Math.max(...times) - first;
  if (cut || stored.length === 0 || !Number.isFinite(seconds)) return { kind: 'unreadable' };
  if (seconds > limits.seconds || packets.length > limits.packets) {
    return { kind: 'too_large', measurements: { video_seconds: seconds } };
  }
  const codec = video.codec_name;
  const skippable = request.format === 'mov' && (codec === 'h264' || codec === 'hevc');
  const plan = planDecoding(stored, { ...limits, framePixels }, skippable ? disposableIn(bytes, codec) : undefined);
  if (!plan) {
    return { kind: 'too_large', measurements: { video_seconds: seconds, video_pixels: framePixels * stored.length } };
  }

  const open = (name: ReadonlyMap<string, string>, stream: Stream) => [
    ...input,
    ...['-codec_whitelist', name.get(stream.codec_name ?? '') ?? '', '-copyts', '-t', String(limits.seconds + 1)],
  ];
  const watched = readFrames(ffmpeg, [...open(videoCodecs, video), '-skip_frame', plan.skip], video, plan, limits);
  // Reached to the end, and left out nothing in between: else it is not judged at all.
  if (!watched || secondsUnseen(times, watched.times) > limits.gapSeconds) return { kind: 'unreadable' };
  const { frames, motion } = watched;
  const [frame] = frames;
  if (!frame) return { kind: 'unreadable' };

  let samples: Float32Array<ArrayBuffer> | undefined;
  for (const sound of sounds.filter(isWithinLimits).slice(0, limits.soundTracks)) {
    const track = packets.filter(({ stream }) => stream === sound.index);
    if (track.length === 0) continue;
    const heard = readSamples(ffmpeg, open(soundCodecs, sound), sound, track, first + seconds);
    if (!heard) return { kind: 'unreadable' };
    samples ??= heard;
    if (!isAudible(heard)) continue;
    samples = heard;
    break;
  }
  if (!samples && sounds.some((sound) => !isWithinLimits(sound))) return { kind: 'unreadable' };

  const [width, height] = [
    Math.round(video.width * Math.max(aspect, 1)),
    Math.round(video.height / Math.min(aspect, 1)),
  ];
  const sideways = frame.width > frame.height !== width > height && width !== height;
  const claimed = ratioOf(video.avg_frame_rate, '/');
  return {
    kind: 'decoded',
    frames,
    times: watched.times,
    motion,
    ...(samples && samples.length > 0 && { audio: { samples, rateHz: audioRateHz } }),
    widthPx: sideways ? height : width,
    heightPx: sideways ? width : height,
    seconds,
    storedFrames: stored.length,
    // Browsers' WebM says nothing, or the clock's 1000.
    framesPerSecond: claimed > 0 && claimed < 1000 ? claimed : seconds > 0 ? (stored.length - 1) / seconds : 0,
  };
}

const isOfType = (type: string) => (stream: Stream) => stream.codec_type === type;

/** The format of the first stream, where FFmpeg knows one; by the container's four letters where it knows those alone. */
function nameOf([stream]: readonly Stream[]): string | undefined {
  const known = stream?.codec_name === 'unknown' ? undefined : stream?.codec_name;
  return format.safeParse((known ?? stream?.codec_tag_string)?.toLowerCase()).data;
}

/** `30000/1001` or `4:3`; 0 where it is none. */
function ratioOf(text: string | undefined, divider: string): number {
  const [over = 0, under = 0] = (text ?? '').split(divider).map(Number);
  return over > 0 && under > 0 ? over / under : 0;
}

/** Runs one of FFmpeg's programs; what it wrote, its exit status (of ffprobe always −1) and its complaints. */
function run(ffmpeg: Ffmpeg, program: 'exec' | 'ffprobe', outputs: readonly string[], options: readonly string[]) {
  const complaints: string[] = [];
  ffmpeg.setLogger(lend(({ message }: { message: string }) => complaints.length < 100 && complaints.push(message)));
  const status = ffmpeg[program](...options);
  ffmpeg.reset();
  const written = outputs.map((name) => {
    try {
      // The file's own memory: FS.readFile would copy it.
      const { contents, usedBytes } = ffmpeg.FS.lookupPath(name).node;
      ffmpeg.FS.unlink(name);
      return contents.subarray(0, usedBytes);
    } catch {
      return new Uint8Array();
    }
  });
  return { status, written, complaints };
}

function readStreams(ffmpeg: Ffmpeg, input: readonly string[]): readonly Stream[] {
  const entries =
    'stream=index,codec_type,codec_name,codec_tag_string,width,height,sample_aspect_ratio,avg_frame_rate,sample_rate,channels';
  const options = ['-show_entries', entries, '-of', 'json', 'in', '-o', 'streams'];
  const [json] = run(ffmpeg, 'ffprobe', ['streams'], [...input, ...options]).written;
  try {
    return probed.parse(JSON.parse(new TextDecoder().decode(json))).streams;
  } catch {
    return [];
  }
}

interface Packet extends VideoPacket {
  readonly stream: number;
  /** 0 where the container does not say. */
  readonly seconds: number;
}

/** All packets that are shown or heard, a few more than allowed at most; and whether the file ends in the middle of one. */
function readPackets(
  ffmpeg: Ffmpeg,
  input: readonly string[],
  { packets }: VideoLimits,
): { packets: Packet[]; cut: boolean } {
  const entries = 'packet=stream_index,pts_time,duration_time,size,pos,flags';
  const options = ['-read_intervals', `%+#${packets + 1}`, '-show_entries', entries, '-of', 'csv=p=0'];
  const { written, complaints } = run(ffmpeg, 'ffprobe', ['packets'], [...input, ...options, 'in', '-o', 'packets']);
  const lines = new TextDecoder().decode(written[0]).split('\n');
  const listed = lines.flatMap((line): Packet[] => {
    const [stream, time, seconds, bytes, position, flags = ''] = line.split(',');
    // An edit list or an encoder's priming is decoded and thrown away.
    if (!Number.isFinite(Number.parseFloat(time ?? '')) || flags.includes('D')) return [];
    return [
      {
        stream: Number(stream),
        time: Number(time),
        seconds: Number(seconds) || 0,
        bytes: Number(bytes),
        position: Number(position),
        key: flags.includes('K'),
      },
    ];
  });
  return { packets: listed, cut: complaints.some((line) => /ended prematurely|partial file/.test(line)) };
}

/**
 * The frames that are looked at, and when they are shown; undefined where FFmpeg did not come to its end. Chosen by time
 * and not by `fps=`, which drops the only frame of a short clip; FFmpeg puts the frames upright itself.
 */
function readFrames(
  ffmpeg: Ffmpeg,
  open: readonly string[],
  video: Stream,
  { packets }: DecodingPlan,
  { frames, framesPerSecond, gapSeconds, frameSizePx, motion }: VideoLimits,
): { frames: RgbImage[]; times: number[]; motion: GreyFrame[] } | undefined {
  const times = packets.map(({ time }) => time);
  const seconds = Math.max(...times) - Math.min(...times);
  // The next frame after the interval is taken: so much earlier that it is within the gap.
  const longest = gapSeconds - Math.min(gapSeconds / 2, seconds / Math.max(packets.length - 1, 1));
  const sparse = Math.min(Math.max(1 / framesPerSecond, seconds / frames), longest);
  const interval = Math.min(sparse, seconds / shortVideoFrames) * 0.99;
  const most = Math.ceil(seconds / Math.max(interval, 0.01)) + 2;
  const mostMotion = Math.ceil(seconds * motion.framesPerSecond) + 2;
  const { width = 1, height = 1 } = video;
  const squarePixels = (motion.bytes / mostMotion) * (Math.max(width, height) / Math.min(width, height));
  const motionSizePx = Math.min(frameSizePx, Math.floor(Math.sqrt(squarePixels)));
  const { status, written } = run(
    ffmpeg,
    'exec',
    ['frames', 'times', 'motion', 'motion-times'],
    [
      ...open,
      ...['-max_pixels', String((width + 64) * (height + 64)), '-i', 'in'],
      ...['-map', `0:${video.index}`, '-vf', framesEach(interval, frameSizePx, 'times'), '-fps_mode', 'passthrough'],
      ...['-frames:v', String(most), '-fs', String(most * (frameSizePx * frameSizePx * 3 + 32))],
      ...['-f', 'image2pipe', '-c:v', 'ppm', '-pix_fmt', 'rgb24', 'frames'],
      ...['-map', `0:${video.index}`, '-vf', framesEach(0.99 / motion.framesPerSecond, motionSizePx, 'motion-times')],
      ...['-fps_mode', 'passthrough', '-frames:v', String(mostMotion), '-fs', String(motion.bytes + 32 * mostMotion)],
      ...['-f', 'image2pipe', '-c:v', 'pgm', '-pix_fmt', 'gray', 'motion'],
    ],
  );
  const [looked, motionTimes] = [timesIn(written[1]), timesIn(written[3])];
  const [pictures, grey] = [splitPictures(written[0], 3), splitPictures(written[2], 1)];
  if (status !== 0 || pictures.length !== looked.length || grey.length !== motionTimes.length) return undefined;
  return {
    frames: pictures,
    times: looked,
    motion: grey.map((picture, index) => ({ ...picture, time: motionTimes[index] ?? 0 })),
  };
}

/** The frames that lie so many seconds apart, no larger than this, in square pixels; a file says when each is shown. */
function framesEach(seconds: number, sizePx: number, timesFile: string): string {
  const fitting = `min(1,${sizePx}/max(iw*max(sar,1),ih/min(sar,1)))`;
  const fitted = (side: string) => `'min(${sizePx},max(1,round(${side}*${fitting})))'`;
  return [
    `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${seconds.toFixed(4)})'`,
    `scale=${fitted('iw*max(sar,1)')}:${fitted('ih/min(sar,1)')}:flags=area`,
    `setsar=1,metadata=add:key=looked:value=at,metadata=print:file=${timesFile}`,
  ].join(',');
}

const timesIn = (file?: Uint8Array): number[] =>
  [...new TextDecoder().decode(file).matchAll(/pts_time:(\S+)/g)].map(([, time]) => Number(time));

/** A video of a second or two is looked at more often, for as many frames as a median needs. */
const shortVideoFrames = 10;

/** `P6\n<width> <height>\n255\n` (P5 where a pixel is one byte) and the pixels, again and again. */
function splitPictures(bytes: Uint8Array = new Uint8Array(), bytesPerPixel: 1 | 3 = 3): RgbImage[] {
  const pictures: RgbImage[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = /^P[56]\s(\d+) (\d+)\s255\s/.exec(String.fromCharCode(...bytes.subarray(at, at + 32)));
    if (!header) break;
    const [text, width, height] = [header[0], Number(header[1]), Number(header[2])];
    const from = at + text.length;
    at = from + width * height * bytesPerPixel;
    if (at > bytes.length) break;
    pictures.push({ width, height, pixels: bytes.subarray(from, at) });
  }
  return pictures;
}

function isWithinLimits({ sample_rate, channels = 0 }: Stream): boolean {
  const rate = Number(sample_rate);
  const { leastRateHz, mostRateHz } = soundLimits;
  return rate >= leastRateHz && rate <= mostRateHz && channels >= 1 && channels <= soundLimits.channels;
}

/** Loud enough to be anything but a muted microphone; `digits/presence.ts` has the same limit. */
const isAudible = (samples: Float32Array): boolean => samples.some((sample) => Math.abs(sample) > 0.001);

/** All samples of a track, mono; undefined where they do not last as long as its packets, or longer than the picture. */
function readSamples(
  ffmpeg: Ffmpeg,
  open: readonly string[],
  { index }: Stream,
  track: readonly Packet[],
  pictureEnds: number,
): Float32Array<ArrayBuffer> | undefined {
  const begins = Math.min(...track.map(({ time }) => time));
  const ends = Math.max(...track.map(({ time, seconds }) => time + seconds));
  if (ends > pictureEnds + soundOutlastsSeconds) return undefined;
  const lastBegins = Math.max(...track.map(({ time }) => time));
  const most = ends - begins + soundToleranceSeconds;
  const options = [
    ...['-map', `0:${index}`, '-ac', '1', '-ar', String(audioRateHz), '-c:a', 'pcm_f32le'],
    // Gaps that a recorder left between packets become silence: FFmpeg would close them.
    ...['-af', 'aresample=async=1'],
    ...['-t', String(most + 1), '-fs', String(Math.ceil((most + 1) * audioRateHz * 4)), '-f', 'f32le', 'sound'],
  ];
  const { status, written } = run(ffmpeg, 'exec', ['sound'], [...open, '-i', 'in', ...options]);
  const [bytes = new Uint8Array()] = written;
  const samples = new Float32Array(bytes.slice().buffer, 0, Math.floor(bytes.length / 4));
  const seconds = samples.length / audioRateHz;
  if (status !== 0 || seconds < lastBegins - begins - soundToleranceSeconds || seconds > most) return undefined;
  return samples.map((sample) => (Number.isFinite(sample) ? Math.max(-1, Math.min(1, sample)) : 0));
}

function answer(message: VideoAnswer | 'started'): void {
  const decoded = typeof message === 'object' && message.kind === 'decoded' ? message : undefined;
  // All frames lie in two buffers, which are handed over and not copied.
  const pictures = decoded ? [...decoded.frames, ...decoded.motion] : [];
  const transfer = new Set(pictures.map(({ pixels }) => pixels.buffer as ArrayBuffer));
  if (decoded?.audio) transfer.add(decoded.audio.samples.buffer);
  parentPort?.postMessage(message, [...transfer]);
}

answer('started');
decode(workerData as VideoRequest).then(answer, () => answer({ kind: 'unreadable' }));
