/** Small files that ask a decoder for much: each number of a container that something could be multiplied with. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { HostileInput } from './hostile-inputs.ts';
import { annexB, clip, fromAnnexB, plain, withSampleRate } from './videos.ts';

/** Made in a process of its own, as what encoding takes is not what decoding does. The same ones every time. */
export async function* videoBombs(): AsyncGenerator<HostileInput> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-bombs-'));
  try {
    await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), directory]);
    for (const name of (await readdir(directory)).toSorted()) {
      yield { name: `a video of ${name}`, kind: 'video', bytes: await readFile(path.join(directory, name)) };
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function makeBombs(): Promise<Readonly<Record<string, Uint8Array>>> {
  const mov = Buffer.from(await clip({ seconds: 2, sound: 'pcm_s16le' }));
  const coded = Buffer.from(await clip({ seconds: 2 }));
  const large = Buffer.from(await plain(3840, 2160));
  const matroska = Buffer.from(await clip({ seconds: 2, file: 'clip.mkv' }));
  const stretched = Buffer.from(await clip({ seconds: 1, options: ['-vf', 'setsar=2'] }));
  return {
    'a sample rate of 1': await withSampleRate(1, ['-t', '20']),
    'sound of 192 kHz in 8 channels': await clip({
      seconds: 6,
      sound: 'pcm_f32le',
      options: ['-ar', '192000', '-ac', '8'],
    }),
    '268 million samples of one size': withNumbers(withNumbers(mov, 'stts', 16, 0x1000_0000), 'stsz', 16, 0x1000_0000),
    '268 million samples, times shifted': withNumbers(shifted(coded), 'stts', 16, 0x1000_0000),
    '4 billion entries of times': withNumbers(mov, 'stts', 12, 0xffff_ffff),
    '4 billion sizes': withNumbers(coded, 'stsz', 16, 0xffff_ffff),
    '4 billion samples in a chunk': withNumbers(mov, 'stsc', 20, 0xffff_ffff),
    'a frame of 65,535 × 65,535': withSize(mov, 65_535, 65_535),
    'a large frame said to be small': withSize(large, 16, 16),
    'a small frame said to be large': withSize(mov, 3840, 2160),
    'frames that grow': await fromAnnexB(await annexB(160, 240), await annexB(3840, 2160)),
    'frames that shrink': await fromAnnexB(await annexB(3840, 2160), await annexB(160, 240)),
    'a pixel 4 billion wide': withNumbers(stretched, 'pasp', 8, 0xffff_ffff),
    '5,000 tracks': withTracks(mov, 5_000),
    '4 billion edits': withNumbers(coded, 'elst', 12, 0xffff_ffff),
    'an edit that never ends': withNumbers(coded, 'elst', 16, 0xffff_ffff),
    'an edit far away': withNumbers(coded, 'elst', 20, 0x7fff_ffff),
    'one tick a second': withNumbers(mov, 'mdhd', 20, 1),
    '4 billion ticks a second': withNumbers(mov, 'mdhd', 20, 0xffff_ffff),
    'no ticks at all': withNumbers(withNumbers(mov, 'mdhd', 20, 0), 'mvhd', 20, 0),
    'ticks of 17 milliseconds': withTimestampScale(matroska, 0xff_ffff),
    'ticks of nothing': withTimestampScale(matroska, 0),
  };
}

/** Every box of a type with another 32-bit number, so many bytes behind its beginning. */
function withNumbers(file: Buffer, type: string, at: number, value: number): Buffer {
  const changed = Buffer.from(file);
  let found = changed.indexOf(type, 0, 'latin1');
  if (found < 0) throw new Error(`no ${type} in this file`);
  for (; found >= 0; found = changed.indexOf(type, found + 4, 'latin1')) changed.writeUInt32BE(value, found - 4 + at);
  return changed;
}

/** What the picture's sample entry says; 32 bytes behind its beginning. */
function withSize(file: Buffer, widthPx: number, heightPx: number): Buffer {
  const changed = Buffer.from(file);
  const entry = changed.lastIndexOf('avc1', undefined, 'latin1') - 4;
  changed.writeUInt16BE(widthPx, entry + 32);
  changed.writeUInt16BE(heightPx, entry + 34);
  return changed;
}

/** The list of key frames becomes one of shifted times, for which a reader makes a list of all frames. */
function shifted(file: Buffer): Buffer {
  const changed = Buffer.from(file);
  const at = changed.indexOf('stss', 0, 'latin1');
  changed.write('ctts', at, 'latin1');
  return changed;
}

/** The movie box lies last: it may grow. */
function withTracks(file: Buffer, count: number): Buffer {
  const movie = file.lastIndexOf('moov', undefined, 'latin1') - 4;
  const track = file.indexOf('trak', movie, 'latin1') - 4;
  const bytes = file.subarray(track, track + file.readUInt32BE(track));
  const grown = Buffer.concat([file, ...Array.from({ length: count }, () => bytes)]);
  grown.writeUInt32BE(grown.length - movie, movie);
  return grown;
}

/** Nanoseconds of a tick, which FFmpeg writes in three bytes. */
function withTimestampScale(file: Buffer, nanoseconds: number): Buffer {
  const changed = Buffer.from(file);
  const at = changed.indexOf('2ad7b1830f4240', 0, 'hex');
  if (at < 0) throw new Error('no time scale in this file');
  changed.writeUIntBE(nanoseconds, at + 4, 3);
  return changed;
}

if (import.meta.main) {
  const [, , directory = ''] = process.argv;
  for (const [name, bytes] of Object.entries(await makeBombs())) await writeFile(path.join(directory, name), bytes);
}
