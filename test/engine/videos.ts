/** Videos made when the tests run, as H.264: the VP9 and HEVC files of `test/fixtures` were made elsewhere. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { RgbImage } from '../../engine/pixels.ts';
import type { DecodedVideo, VideoAnswer } from '../../engine/video-worker.ts';
import { ffmpeg } from '../../tools/evaluate/encode.ts';
import { drawHead, type Gesture, gestureAt, headOf } from './head.ts';
import { selfieOfPairFurtherAway } from './people.ts';

/** Six digits said by a machine; by the other fixtures of `test/fixtures/digits`. */
export const said = '407193';
export const speech = (): Promise<Buffer> =>
  readFile(fileURLToPath(new URL('../fixtures/digits/407193-16khz.wav', import.meta.url)));

export interface VideoOptions {
  /** Who is seen, one after the other, each for as long; the selfie of the genuine pair by default. */
  readonly people?: readonly Uint8Array[];
  readonly seconds?: number;
  /** Of the speech, from its beginning; all of it by default. */
  readonly speechSeconds?: number;
  /** The digits, nothing audible, or no audio stream at all. */
  readonly sound?: 'digits' | 'silence' | 'none';
  /** A head that turns, blinks and speaks (`head.ts`), or the photo itself, swaying. */
  readonly shown?: 'head' | 'photo';
  /** What the heads do; by default they look about, blink, and speak as loud as the sound is (0..1). */
  readonly gesture?: (seconds: number, loudness: number) => Gesture;
  readonly kind?: 'mp4' | 'mov';
  /** Stored on its side with the note that turns it upright, as phones do. */
  readonly sideways?: boolean;
}

const framesPerSecond = 10;

/** 540 × 960 as a phone held upright records it, ten frames a second. */
export async function video(options: VideoOptions = {}): Promise<Uint8Array> {
  const { seconds = 4, sound = 'digits', kind = 'mp4', sideways = false, speechSeconds = seconds } = options;
  const people = options.people ?? [await selfieOfPairFurtherAway()];
  const frames = Math.round((framesPerSecond * seconds) / people.length);
  const shown =
    options.shown === 'photo' ? await photosShown(people, frames) : await headsShown(people, frames, options.gesture);
  const files: Record<string, Uint8Array> = { ...shown.files };
  const inputs = [...shown.inputs];
  if (sound === 'digits') {
    files['speech.wav'] = await speech();
    inputs.push('-t', String(speechSeconds), '-i', 'speech.wav');
  } else if (sound === 'silence') inputs.push('-f', 'lavfi', '-t', String(seconds), '-i', 'anullsrc=r=16000:cl=mono');
  const filter = `${shown.filter}${sideways ? ',transpose=2' : ''},format=yuv420p[v]`;
  const heard = sound === 'none' ? [] : ['-map', `${shown.count}:a`, '-c:a', 'aac'];
  const encoded = await ffmpeg(files, `out.${kind}`, [
    ...inputs,
    ...['-filter_complex', filter, '-map', '[v]', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '30', ...heard],
    ...['-t', String(seconds)],
  ]);
  return sideways ? toBeTurned(encoded) : encoded;
}

/** FFmpeg's inputs for what is seen, and the filter that begins with them. */
interface Shown {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly inputs: readonly string[];
  readonly count: number;
  readonly filter: string;
}

const headFrames = new Map<typeof gestureAt, Map<string, Promise<readonly Uint8Array[]>>>();

/** Drawn once for each photo and gesture, and kept: most videos show the same person. */
async function headsShown(people: readonly Uint8Array[], count: number, gesture = gestureAt): Promise<Shown> {
  const drawn = headFrames.get(gesture) ?? new Map<string, Promise<readonly Uint8Array[]>>();
  headFrames.set(gesture, drawn);
  const frames: Uint8Array[] = [];
  for (const person of people) {
    const name = `${count} ${createHash('sha256').update(person).digest('hex')}`;
    const drawing = drawn.get(name) ?? drawFrames(person, count, gesture);
    drawn.set(name, drawing);
    frames.push(...(await drawing));
  }
  const inputs = ['-f', 'rawvideo', '-pixel_format', 'rgb24', '-video_size', '540x960'];
  return {
    files: { 'heads.rgb': Buffer.concat(frames) },
    inputs: [...inputs, '-framerate', String(framesPerSecond), '-i', 'heads.rgb'],
    count: 1,
    filter: '[0:v]null',
  };
}

async function drawFrames(
  person: Uint8Array,
  count: number,
  gesture: typeof gestureAt,
): Promise<readonly Uint8Array[]> {
  const head = await headOf(person);
  const loudness = loudnessOf(await speech(), framesPerSecond);
  return Array.from({ length: count }, (_, index) => {
    const seconds = index / framesPerSecond;
    return columns(drawHead(head, gesture(seconds, loudness[index] ?? 0)), 210, 540);
  });
}

/** 0..1 for each frame, of a WAV with µ-law at 16 kHz. */
function loudnessOf(wav: Buffer, perSecond: number): number[] {
  const samples = wav.subarray(wav.indexOf('data') + 8);
  const length = 16_000 / perSecond;
  const powers = Array.from({ length: Math.ceil(samples.length / length) }, (_, frame) => {
    const heard = samples.subarray(frame * length, (frame + 1) * length);
    return Math.sqrt(heard.reduce((sum, sample) => sum + magnitudeOf(sample) ** 2, 0) / Math.max(heard.length, 1));
  });
  return powers.map((power) => power / Math.max(...powers));
}

/** ITU-T G.711: 3 bits of exponent and 4 of mantissa, all turned over. */
function magnitudeOf(sample: number): number {
  const [exponent, mantissa] = [(~sample >> 4) & 7, ~sample & 15];
  return ((mantissa << 3) + 132) * 2 ** exponent - 132;
}

function columns({ width, height, pixels }: RgbImage, first: number, count: number): Uint8Array {
  const cut = new Uint8Array(3 * count * height);
  for (let y = 0; y < height; y += 1) {
    const from = 3 * (y * width + first);
    cut.set(pixels.subarray(from, from + 3 * count), 3 * y * count);
  }
  return cut;
}

/** The photos themselves, swaying. */
async function photosShown(people: readonly Uint8Array[], frames: number): Promise<Shown> {
  const files: Record<string, Uint8Array> = {};
  const inputs: string[] = [];
  for (const [index, person] of people.entries()) {
    files[`person${index}.png`] = await sharp(person)
      .resize(960, 960, { fit: 'cover', position: 'top' })
      .png()
      .toBuffer();
    inputs.push('-framerate', String(framesPerSecond), '-i', `person${index}.png`);
  }
  // Decoded once and shown again and again: `-loop 1` would decode the picture for every frame.
  const looped = people.map((_, index) => `[${index}:v]format=yuv420p,loop=loop=${frames - 1}:size=1[p${index}];`);
  const swaying = `concat=n=${people.length}:v=1:a=0,crop=540:960:210+6*sin(3*t):0`;
  const filter = [...looped, ...people.map((_, index) => `[p${index}]`), swaying].join('');
  return { files, inputs, count: people.length, filter };
}

/** The first track's header told to be shown turned by 90° clockwise: a matrix of nine 32-bit numbers, 40 bytes in. */
function toBeTurned(mp4: Uint8Array): Uint8Array {
  const turned = Buffer.from(mp4);
  const matrix = turned.indexOf('tkhd') + 4 + 40;
  for (const [index, value] of [0, 0x10000, 0, -0x10000, 0, 0, 540 * 0x10000, 0, 0x40000000].entries()) {
    turned.writeInt32BE(value, matrix + 4 * index);
  }
  return turned;
}

/** The same video again and again, without encoding it anew. */
export const repeated = (bytes: Uint8Array, times: number): Promise<Uint8Array> =>
  ffmpeg({ 'once.mp4': bytes }, 'often.mp4', ['-stream_loop', String(times - 1), '-i', 'once.mp4', '-c', 'copy']);

/** A video of nothing, as large as said: noise-free, so its file is small. */
export const plain = (widthPx: number, heightPx: number): Promise<Uint8Array> =>
  ffmpeg({}, 'plain.mp4', [
    ...['-f', 'lavfi', '-i', `color=gray:size=${widthPx}x${heightPx}:rate=2`, '-t', '1'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
  ]);

/** A second of H.264 of a size, without a container: its set-up lies in the stream. */
export const annexB = (widthPx: number, heightPx: number): Promise<Uint8Array> =>
  ffmpeg({}, 'plain.h264', [
    ...['-f', 'lavfi', '-i', `color=gray:size=${widthPx}x${heightPx}:rate=5`, '-t', '1'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
  ]);

/** A MOV of several of them, one after the other: its header tells of the first. */
export const fromAnnexB = (...streams: readonly Uint8Array[]): Promise<Uint8Array> =>
  ffmpeg({ 'all.h264': Buffer.concat(streams) }, 'all.mov', ['-r', '5', '-i', 'all.h264', '-c', 'copy']);

export interface ClipOptions {
  readonly seconds?: number;
  /** As FFmpeg's `-c:a`: of what its wasm can encode. */
  readonly sound?: string;
  readonly options?: readonly string[];
  readonly file?: string;
}

/** A small moving test picture with a tone, ten frames a second: for tests of decoding alone. */
export const clip = ({
  seconds = 3,
  sound = 'aac',
  options = [],
  file = 'clip.mov',
}: ClipOptions = {}): Promise<Uint8Array> =>
  ffmpeg({}, file, [
    ...['-f', 'lavfi', '-i', 'testsrc2=size=160x240:rate=10', '-f', 'lavfi', '-i', 'sine=440:sample_rate=48000'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', sound, '-t', String(seconds)],
    ...options,
  ]);

/** The picture with a second of AMR at 8 kHz, which phones of old record: noise, as any bits are sound. */
export async function amrClip(): Promise<Uint8Array> {
  const random = numbersFrom(1);
  // 12.2 kbit/s: a byte that says so, and 31 of sound, each 20 ms.
  const frames = Array.from({ length: 50 }, () => [0x3c, ...Array.from({ length: 31 }, () => random() % 256)]);
  const sound = Buffer.concat([Buffer.from('#!AMR\n'), Buffer.from(frames.flat())]);
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=160x240:rate=10', '-t', '1', '-c:v', 'libx264'];
  return ffmpeg({ 'sound.amr': sound }, 'clip.3gp', [
    '-i',
    'sound.amr',
    ...picture,
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'copy',
  ]);
}

/** The same numbers for the same seed (a linear congruential generator, its upper bits). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
}

/** MOV with PCM whose sample rate is another, in a field that FFmpeg believes. */
export async function withSampleRate(rateHz: number, options: readonly string[] = []): Promise<Uint8Array> {
  const mov = Buffer.from(await clip({ sound: 'pcm_s16le', options }));
  // 28 bytes into the sample entry, 16.16.
  mov.writeUInt16BE(rateHz, mov.lastIndexOf('sowt') + 28);
  return mov;
}

/** The video, or an error that says what came instead. */
export function decodedFrom(answer: VideoAnswer): DecodedVideo {
  if (answer.kind !== 'decoded') throw new Error(`not decoded but ${answer.kind}`);
  return answer;
}
