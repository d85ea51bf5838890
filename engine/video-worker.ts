import { parentPort, workerData } from 'node:worker_threads';
import { type Av1Script, openAv1, type PlanarFrame } from './av1.ts';
import type { ContainerAnswer, ContainerLimits, Picture, Sound } from './container-worker.ts';
import { nutOf } from './nut.ts';
import type { RgbImage } from './pixels.ts';
import { lend, openRealm } from './realm.ts';
import { looksBeforeGaps, secondsUnseen } from './video-plan.ts';

/** What the worker is given; the wasm arrives compiled, so a second video does not pay for that again. */
export interface VideoRequest {
  /** Of the picture. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly picture: Omit<Picture, 'bytes'>;
  readonly sounds: readonly Sound[];
  readonly soundRefused: boolean;
  readonly limits: VideoLimits;
  readonly ffmpeg: WebAssembly.Module;
  readonly ffmpegScript: string;
  /** Only where the picture is AV1. */
  readonly av1?: Av1Script;
}

export interface VideoLimits extends ContainerLimits {
  /** The longer side of the frames that are handed out. */
  readonly frameSizePx: number;
  /** So many are handed out at `framesPerSecond`; a longer video is looked at less often, yet no `gapSeconds` go unseen. */
  readonly frames: number;
  readonly framesPerSecond: number;
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

/** Mono, −1..1. */
export interface VideoSound {
  readonly samples: Float32Array<ArrayBuffer>;
  readonly rateHz: number;
  /** When the first sample is heard, in the seconds of the frames. */
  readonly begins: number;
}

export interface DecodedVideo {
  readonly kind: 'decoded';
  /** Evenly spread over the video, upright. */
  readonly frames: readonly RgbImage[];
  /** When each of them is shown. */
  readonly times: readonly number[];
  /** The same video in grey, upright, as often as motion needs it. */
  readonly motion: readonly GreyFrame[];
  /** Absent where the video has no sound that we decode. */
  readonly audio?: VideoSound;
  /** Upright, as stored. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly seconds: number;
  readonly storedFrames: number;
  readonly framesPerSecond: number;
}

export type VideoAnswer = DecodedVideo | Exclude<ContainerAnswer, { readonly kind: 'read' }>;

/** The part of @ffmpeg/core that is used. */
interface Ffmpeg {
  readonly exec: (...options: readonly string[]) => number;
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
/** FFmpeg's own decoders, where they are called otherwise than the codec. */
const decoders: ReadonlyMap<string, string> = new Map([
  ['mp3', 'mp3float'],
  ['amr_nb', 'amrnb'],
  ['amr_wb', 'amrwb'],
]);

/** WebCodecs' words for colours that are not FFmpeg's. */
const colourNames: ReadonlyMap<string, string> = new Map([
  ['bt2020-ncl', 'bt2020nc'],
  ['pq', 'smpte2084'],
  ['hlg', 'arib-std-b67'],
]);

/** What is done with FFmpeg, which runs in a realm without files, network and processes. */
interface Opened {
  /** Its exit status, and the names of its parts that reported an error. */
  readonly exec: (...options: readonly string[]) => { status: number; reporters: ReadonlySet<string> };
  /** Gives away the file that is opened as `in`. */
  readonly open: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly files: Ffmpeg['FS'];
}

async function openFfmpeg({ ffmpeg, ffmpegScript, limits }: VideoRequest): Promise<Opened> {
  const realm = openRealm({ wasm: ffmpeg, memoryBytes: limits.memoryBytes });
  // It was built for browsers and asks where it is.
  realm.evaluate("Object.assign(globalThis, { self: globalThis, location: { href: 'file:///' } })");
  const program = await (realm.run(ffmpegScript) as OpenFfmpeg)(realm.emscripten);
  let reporters = new Set<string>();
  program.setLogger(
    lend(({ message }: { message: string }) => {
      // `[hevc @ 0xdf9930] Could not find ref with POC 1`
      if (message.startsWith('[')) reporters.add(message.slice(1, message.indexOf(' ')));
    }),
  );
  return {
    exec: (...options) => {
      reporters = new Set();
      const status = program.exec(...options);
      program.reset();
      return { status, reporters };
    },
    open: (bytes) => program.FS.writeFile('in', realm.adopt(bytes, [bytes.buffer]), realm.adopt({ canOwn: true })),
    files: program.FS,
  };
}

async function decode(request: VideoRequest): Promise<VideoAnswer> {
  const { bytes, limits, picture, sounds, soundRefused } = request;
  const { times, squareWidthPx: width, squareHeightPx: height } = picture;
  const lasts = Math.max(...times);
  const seconds = lasts - Math.min(...times);
  const ffmpeg = await openFfmpeg(request);
  const stored = { ...picture, bytes };
  const watched = request.av1
    ? await readAv1Frames(ffmpeg, stored, request.av1, limits).catch(() => 'not decoded' as const)
    : readFrames(ffmpeg, stored, limits);
  // This build of dav1d has little stack: files of thorough encoders end in a trap (engine/notes/videos.md).
  if (watched === 'not decoded') return { kind: 'format_unsupported', format: picture.codec };
  // Reached to the end, and left out nothing in between: else it is not judged at all.
  if (!watched || secondsUnseen(times, watched.times) > limits.gapSeconds) return { kind: 'unreadable' };
  const { frames, motion } = watched;
  const [frame] = frames;
  if (!frame) return { kind: 'unreadable' };

  let audio: VideoSound | undefined;
  for (const sound of sounds) {
    const samples = readSamples(ffmpeg, sound, lasts);
    if (!samples) return { kind: 'unreadable' };
    const heard = { samples, rateHz: audioRateHz, begins: sound.shown.from };
    audio ??= heard;
    if (!isAudible(samples)) continue;
    audio = heard;
    break;
  }
  if (!audio && soundRefused) return { kind: 'unreadable' };

  const sideways = frame.width > frame.height !== width > height && width !== height;
  return {
    kind: 'decoded',
    frames,
    times: watched.times,
    motion,
    ...(audio && audio.samples.length > 0 && { audio }),
    widthPx: sideways ? height : width,
    heightPx: sideways ? width : height,
    seconds,
    storedFrames: times.length,
    // Browsers' WebM says nothing, or the clock's 1000.
    framesPerSecond: seconds > 0 ? (times.length - 1) / seconds : 0,
  };
}

/**
 * Runs FFmpeg on one stream; what it wrote, its exit status, and whether the decoder found a fault. It opens nothing but
 * what `nut.ts` wrote, with one decoder: no byte of a stranger's file chooses a demuxer.
 */
function run(
  ffmpeg: Opened,
  { codec, bytes }: { codec: string; bytes: Uint8Array<ArrayBuffer> },
  outputs: readonly string[],
  [decoding, writing]: readonly [readonly string[], readonly string[]],
) {
  const decoder = decoders.get(codec) ?? codec;
  const input = ['-v', 'error', '-protocol_whitelist', 'file', '-f', 'nut', '-c', decoder, '-codec_whitelist', decoder];
  ffmpeg.open(bytes);
  const { status, reporters } = ffmpeg.exec(...input, '-copyts', ...decoding, '-i', 'in', ...writing);
  ffmpeg.files.unlink('in');
  const written = outputs.map((name) => {
    try {
      // The file's own memory: FS.readFile would copy it.
      const { contents, usedBytes } = ffmpeg.files.lookupPath(name).node;
      ffmpeg.files.unlink(name);
      return contents.subarray(0, usedBytes);
    } catch {
      return new Uint8Array();
    }
  });
  return { status, written, faulty: reporters.has(decoder) };
}

interface Watched {
  readonly frames: readonly RgbImage[];
  readonly times: readonly number[];
  readonly motion: readonly GreyFrame[];
}

/** What is looked at: frames at least so many seconds apart, so many at most, no larger than this. */
interface Look {
  readonly seconds: number;
  /** Sooner, too, when these are shown. */
  readonly also: readonly number[];
  readonly most: number;
  readonly sizePx: number;
}

interface Looks {
  readonly frames: Look;
  readonly motion: Look;
}

function looksAt({ times, decodedTimes, widthPx, heightPx }: Picture, limits: VideoLimits): Looks {
  const { frames, framesPerSecond, gapSeconds, frameSizePx, motion } = limits;
  const seconds = Math.max(...times) - Math.min(...times);
  // The next frame after the interval is taken: so much earlier that it is within the gap. Of what is left of a thinned
  // video, the last one before a gap is.
  const between = decodedTimes.length < times.length ? 0 : seconds / Math.max(times.length - 1, 1);
  const longest = gapSeconds - Math.min(gapSeconds / 2, between);
  const sparse = Math.min(Math.max(1 / framesPerSecond, seconds / frames), longest);
  const interval = Math.min(sparse, seconds / shortVideoFrames) * 0.99;
  const mostMotion = Math.ceil(seconds * motion.framesPerSecond) + 2;
  const squarePixels = (motion.bytes / mostMotion) * (Math.max(widthPx, heightPx) / Math.min(widthPx, heightPx));
  const also = looksBeforeGaps(times, decodedTimes, { everySeconds: interval, gapSeconds });
  const most = Math.ceil(seconds / Math.max(interval, 0.01)) + 2 + also.length;
  return {
    frames: { seconds: interval, also, most, sizePx: frameSizePx },
    motion: {
      seconds: 0.99 / motion.framesPerSecond,
      also: [],
      most: mostMotion,
      sizePx: Math.min(frameSizePx, Math.floor(Math.sqrt(squarePixels))),
    },
  };
}

/**
 * The frames that are looked at, upright, and when they are shown; undefined where FFmpeg did not come to its end. Chosen
 * by time and not by `fps=`, which drops the only frame of a short clip.
 */
function readFrames(ffmpeg: Opened, picture: Picture, limits: VideoLimits): Watched | undefined {
  const looks = looksAt(picture, limits);
  const at = (time: number) => `+lt(abs(t-${(time - picture.begins).toFixed(6)}),0.001)`;
  const each = ({ seconds, also }: Look) =>
    `${withinShown(picture)}*(isnan(prev_selected_t)+gte(t-prev_selected_t,${seconds.toFixed(4)})${also.map(at).join('')})`;
  return pictureFrames(ffmpeg, picture, looks, { frames: each(looks.frames), motion: each(looks.motion) });
}

/** `chosen`: expressions of FFmpeg's filter `select`, true for the frames that are wanted. */
function pictureFrames(
  ffmpeg: Opened,
  picture: Picture,
  { frames, motion }: Looks,
  chosen: { readonly frames: string; readonly motion: string },
): Watched | undefined {
  const standard = [fittedTo(frames.sizePx), ...inStandardRange(picture), ...upright(picture)];
  const grey = [fittedTo(motion.sizePx), ...upright(picture)];
  const { status, written, faulty } = run(
    ffmpeg,
    picture,
    ['frames', 'times', 'motion', 'motion-times'],
    [
      [...coloursOf(picture), '-max_pixels', String(mostPixels(picture))],
      [
        ...['-map', '0', '-vf', [`select='${chosen.frames}'`, ...standard, toldIn('times')].join(',')],
        ...['-fps_mode', 'passthrough', '-frames:v', String(frames.most)],
        ...['-fs', String(frames.most * (frames.sizePx * frames.sizePx * 3 + 32))],
        ...['-f', 'image2pipe', '-c:v', 'ppm', '-pix_fmt', 'rgb24', 'frames'],
        ...['-map', '0', '-vf', [`select='${chosen.motion}'`, ...grey, toldIn('motion-times')].join(',')],
        ...['-fps_mode', 'passthrough', '-frames:v', String(motion.most)],
        ...['-fs', String(motion.most * (motion.sizePx * motion.sizePx + 32))],
        ...['-f', 'image2pipe', '-c:v', 'pgm', '-pix_fmt', 'gray', 'motion'],
      ],
    ],
  );
  const [looked, moved] = [written[1], written[3]].map((file) => timesIn(file).map((time) => picture.begins + time));
  const [pictures, greys] = [splitPictures(written[0], 3), splitPictures(written[2], 1)];
  // Frames that were left out are missed: their headers lied, and other frames refer to them.
  if (faulty && picture.decodedTimes.length < picture.times.length) return undefined;
  if (status !== 0 || pictures.length !== looked?.length || greys.length !== moved?.length) return undefined;
  return {
    frames: pictures,
    times: looked,
    motion: greys.map((picture, index) => ({ ...picture, time: moved[index] ?? 0 })),
  };
}

/** No larger than this, in square pixels. */
function fittedTo(sizePx: number): string {
  const fitting = `min(1,${sizePx}/max(iw*max(sar,1),ih/min(sar,1)))`;
  const fitted = (side: string) => `'min(${sizePx},max(1,round(${side}*${fitting})))'`;
  return `scale=${fitted('iw*max(sar,1)')}:${fitted('ih/min(sar,1)')}:flags=area`;
}

/** A file that says when each frame is shown. */
const toldIn = (file: string) => `setsar=1,metadata=add:key=looked:value=at,metadata=print:file=${file}`;

const timesIn = (file?: Uint8Array): number[] =>
  [...new TextDecoder().decode(file).matchAll(/pts_time:(\S+)/g)].map(([, time]) => Number(time));

/** The same of AV1: dav1d decodes every frame, and FFmpeg gets the ones that are looked at, some at a time. */
async function readAv1Frames(
  ffmpeg: Opened,
  picture: Picture,
  script: Av1Script,
  limits: VideoLimits,
): Promise<Watched | undefined> {
  const stream = await openAv1(script, picture.bytes, limits.memoryBytes);
  const looks = looksAt(picture, limits);
  const watched: Watched[] = [];
  let waiting: WaitingFrame[] = [];
  const [frames, motion] = [spaced(looks.frames.seconds), spaced(looks.motion.seconds)];
  for (const { time, bytes } of picture.unframed) {
    const frame = stream.next(bytes);
    if (!frame || time < picture.shown.from - 0.001 || time >= picture.shown.until - 0.001) continue;
    if (frame.widthPx * frame.heightPx > mostPixels(picture)) return undefined;
    const wanted = { frames: frames(time), motion: motion(time) };
    if (!wanted.frames && !wanted.motion) continue;
    const first = waiting[0]?.frame;
    const alike = first?.widthPx === frame.widthPx && first.heightPx === frame.heightPx;
    if (first && (!alike || (waiting.length + 1) * frame.planes.length > waitingBytes)) {
      watched.push(...convertFrames(ffmpeg, picture, waiting, looks));
      waiting = [];
    }
    waiting.push({ time, frame, wanted });
  }
  watched.push(...convertFrames(ffmpeg, picture, waiting, looks));
  return {
    frames: watched.flatMap(({ frames }) => frames),
    times: watched.flatMap(({ times }) => times),
    motion: watched.flatMap(({ motion }) => motion),
  };
}

/** Whether a time lies so many seconds behind the last one that did. */
function spaced(seconds: number): (time: number) => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return (time) => {
    if (time - last < seconds) return false;
    last = time;
    return true;
  };
}

interface WaitingFrame {
  readonly time: number;
  readonly frame: PlanarFrame;
  readonly wanted: { readonly frames: boolean; readonly motion: boolean };
}

/** Decoded frames that wait to be converted: more of them at a time gain little. */
const waitingBytes = 48 * 1024 * 1024;

/** Nothing where there is none, or FFmpeg did not come to its end: then too little was looked at. */
function convertFrames(
  ffmpeg: Opened,
  picture: Picture,
  waiting: readonly WaitingFrame[],
  looks: Looks,
): readonly Watched[] {
  const [first] = waiting;
  if (!first) return [];
  const packets = waiting.map(({ time, frame }) => ({
    microseconds: Math.round((time - first.time) * 1e6),
    key: true,
    bytes: frame.planes,
  }));
  const { widthPx, heightPx } = first.frame;
  const { pixelShape } = picture;
  const bytes = nutOf({
    ...({ kind: 'picture', decoded: true, setUp: new Uint8Array() } as const),
    ...{ packets, widthPx, heightPx, pixelShape },
  });
  const chosen = (of: 'frames' | 'motion') =>
    waiting.map(({ wanted }, index) => (wanted[of] ? `eq(n,${index})` : '0')).join('+');
  const planar: Picture = { ...picture, codec: 'rawvideo', bytes, begins: first.time };
  const looked = pictureFrames(ffmpeg, planar, looks, {
    frames: chosen('frames'),
    motion: chosen('motion'),
  });
  return looked ? [looked] : [];
}

/** A frame may be somewhat larger than its container says: codecs store whole blocks. */
const mostPixels = ({ widthPx, heightPx }: Picture) => (widthPx + 64) * (heightPx + 64);

/** Of a filter of FFmpeg, true within what the container's edits show. */
function withinShown({ begins, shown }: Picture): string {
  const [from, until] = [shown.from - begins - 0.001, shown.until - begins - 0.001];
  return `gte(t,${Math.max(from, -1)})*lt(t,${Math.min(until, 1e6)})`;
}

/**
 * Of HLG and PQ (ITU-R BT.2100), which phones record: white paper, at 203 cd/m² (BT.2408), becomes white; what is
 * brighter is rolled off from 80 % on.
 */
function inStandardRange({ colours: { transfer } }: Picture): readonly string[] {
  if (transfer !== 'hlg' && transfer !== 'pq') return [];
  return [
    'format=yuv444p10le',
    `zscale=tin=${colourNames.get(transfer)}:min=bt2020nc:pin=bt2020:t=linear:npl=203`,
    'format=gbrpf32le,zscale=p=bt709,tonemap=mobius:param=0.8:desat=0,zscale=t=bt709,format=gbrp',
  ];
}

function upright({ degrees, mirrored }: Picture): readonly string[] {
  const turns: Readonly<Record<number, string>> = {
    90: 'transpose=clock',
    180: 'hflip,vflip',
    270: 'transpose=cclock',
  };
  const turn = turns[degrees];
  return [...(turn ? [turn] : []), ...(mirrored ? ['hflip'] : [])];
}

/** What the container says of colours; FFmpeg heeds it where the stream itself says nothing. */
function coloursOf({ colours: { primaries, transfer, matrix, full } }: Picture): readonly string[] {
  const named = (option: string, name: string | undefined) => (name ? [option, colourNames.get(name) ?? name] : []);
  return [
    ...named('-color_primaries', primaries),
    ...named('-color_trc', transfer),
    ...named('-colorspace', matrix),
    ...(full === undefined ? [] : ['-color_range', full ? 'pc' : 'tv']),
  ];
}

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

/** Loud enough to be anything but a muted microphone; `digits/presence.ts` has the same limit. */
const isAudible = (samples: Float32Array): boolean => samples.some((sample) => Math.abs(sample) > 0.001);

/** All samples of a track, mono; undefined where they do not last as long as its packets, or longer than the picture. */
function readSamples(ffmpeg: Opened, sound: Sound, pictureEnds: number): Float32Array<ArrayBuffer> | undefined {
  const { begins, shown, lastBegins, ends } = sound;
  if (ends > pictureEnds + soundOutlastsSeconds) return undefined;
  const most = ends - shown.from + soundToleranceSeconds;
  const cut = [
    ...(shown.from > begins ? [`start=${(shown.from - begins).toFixed(6)}`] : []),
    ...(Number.isFinite(shown.until) ? [`end=${(shown.until - begins).toFixed(6)}`] : []),
  ];
  const options = [
    ...['-ac', '1', '-ar', String(audioRateHz), '-c:a', 'pcm_f32le'],
    // Gaps that a recorder left between packets become silence: FFmpeg would close them.
    ...['-af', `${cut.length > 0 ? `atrim=${cut.join(':')},` : ''}aresample=async=1`],
    ...['-t', String(most + 1), '-fs', String(Math.ceil((most + 1) * audioRateHz * 4)), '-f', 'f32le', 'sound'],
  ];
  const { status, written } = run(ffmpeg, sound, ['sound'], [[], options]);
  const [bytes = new Uint8Array()] = written;
  const samples = new Float32Array(bytes.slice().buffer, 0, Math.floor(bytes.length / 4));
  const seconds = samples.length / audioRateHz;
  if (status !== 0 || seconds < lastBegins - shown.from - soundToleranceSeconds || seconds > most) return undefined;
  return samples.map((sample) => (Number.isFinite(sample) ? Math.max(-1, Math.min(1, sample)) : 0));
}

function answer(message: VideoAnswer | 'started'): void {
  const decoded = typeof message === 'object' && message.kind === 'decoded' ? message : undefined;
  // Frames lie in a few buffers, which are handed over and not copied.
  const pictures = decoded ? [...decoded.frames, ...decoded.motion] : [];
  const transfer = new Set(pictures.map(({ pixels }) => pixels.buffer as ArrayBuffer));
  if (decoded?.audio) transfer.add(decoded.audio.samples.buffer);
  parentPort?.postMessage(message, [...transfer]);
}

answer('started');
decode(workerData as VideoRequest).then(answer, () => answer({ kind: 'unreadable' }));
