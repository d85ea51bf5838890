/**
 * Videos made when the tests run, by the decoder's own package, which can encode H.264 as well. Its other encoders crash
 * or never end: the VP9 and HEVC files of `test/fixtures` were made elsewhere.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { DecodedVideo, VideoAnswer } from '../../engine/video-worker.ts';
import { selfieOfPairFurtherAway } from './people.ts';

interface Ffmpeg {
  readonly exec: (...options: readonly string[]) => number;
  readonly setTimeout: (milliseconds: number) => void;
  readonly setLogger: (log: (line: { message: string }) => void) => void;
  readonly FS: {
    readonly writeFile: (name: string, bytes: Uint8Array) => void;
    readonly readFile: (name: string) => Uint8Array;
  };
}

const { resolve } = createRequire(import.meta.url);
let compiling: Promise<WebAssembly.Module> | undefined;

/** A new one for each video: the encoders of one run leave memory behind that the next one trips over. */
async function openFfmpeg(): Promise<Ffmpeg> {
  Object.assign(globalThis, { self: globalThis, location: { href: 'file:///' } }); // it was built for browsers
  compiling ??= readFile(resolve('@ffmpeg/core/wasm')).then((bytes) => WebAssembly.compile(bytes));
  const module = await compiling;
  return createRequire(import.meta.url)('@ffmpeg/core')({
    instantiateWasm: (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
      done(new WebAssembly.Instance(module, imports));
      return {};
    },
  });
}

/** Runs FFmpeg on files by name; answers the one it was asked to write. */
async function ffmpeg(files: Readonly<Record<string, Uint8Array>>, output: string, options: readonly string[]) {
  const core = await openFfmpeg();
  core.setTimeout(30_000);
  const log: string[] = [];
  core.setLogger(({ message }) => log.push(message));
  for (const [name, bytes] of Object.entries(files)) core.FS.writeFile(name, bytes);
  const status = core.exec(...options, output);
  if (status !== 0) throw new Error(`ffmpeg: ${log.slice(-5).join('\n')}`);
  return Uint8Array.from(core.FS.readFile(output));
}

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
  readonly kind?: 'mp4' | 'mov';
  /** Stored on its side with the note that turns it upright, as phones do. */
  readonly sideways?: boolean;
}

/** 540 × 960 as a phone held upright records it, ten frames a second, the head swaying a little. */
export async function video(options: VideoOptions = {}): Promise<Uint8Array> {
  const { seconds = 4, sound = 'digits', kind = 'mp4', sideways = false, speechSeconds = seconds } = options;
  const people = options.people ?? [await selfieOfPairFurtherAway()];
  const files: Record<string, Uint8Array> = {};
  const inputs: string[] = [];
  for (const [index, person] of people.entries()) {
    files[`person${index}.png`] = await sharp(person)
      .resize(960, 960, { fit: 'cover', position: 'top' })
      .png()
      .toBuffer();
    inputs.push('-framerate', '10', '-i', `person${index}.png`);
  }
  if (sound === 'digits') {
    files['speech.wav'] = await speech();
    inputs.push('-t', String(speechSeconds), '-i', 'speech.wav');
  } else if (sound === 'silence') inputs.push('-f', 'lavfi', '-t', String(seconds), '-i', 'anullsrc=r=16000:cl=mono');
  // Decoded once and shown again and again: `-loop 1` would decode the picture for every frame.
  const frames = Math.round((10 * seconds) / people.length);
  const shown = people.map((_, index) => `[${index}:v]format=yuv420p,loop=loop=${frames - 1}:size=1[p${index}];`);
  const looped = people.map((_, index) => `[p${index}]`);
  const turned = sideways ? ',transpose=2' : '';
  const swaying = `concat=n=${people.length}:v=1:a=0,crop=540:960:210+6*sin(3*t):0${turned}[v]`;
  const filter = [...shown, ...looped, swaying].join('');
  const heard = sound === 'none' ? [] : ['-map', `${people.length}:a`, '-c:a', 'aac'];
  const encoded = await ffmpeg(files, `out.${kind}`, [
    ...inputs,
    ...['-filter_complex', filter, '-map', '[v]', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '30', ...heard],
    ...['-t', String(seconds)],
  ]);
  return sideways ? toBeTurned(encoded) : encoded;
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
