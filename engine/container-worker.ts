import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type * as Mediabunny from 'mediabunny';
import { type NutPacket, nutOf } from './nut.ts';
import { type BoxedMovie, readMovie, type Shown, shownBy } from './sample-entries.ts';
import { type DecodingBudget, headerReader, planDecoding, spliced, timesShown } from './video-plan.ts';
import { endsInTheMiddle } from './webm.ts';

export interface ContainerRequest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly limits: ContainerLimits;
  readonly mediabunnyScript: string;
}

/** Decoding's cost is counted beforehand, so the same bytes give the same frames everywhere. */
export interface ContainerLimits extends Omit<DecodingBudget, 'framePixels'> {
  readonly seconds: number;
  readonly pixels: number;
  /** Tracks of picture and sound that a file may carry. */
  readonly streams: number;
  /** Sound tracks that are handed out, of those that could be decoded. */
  readonly soundTracks: number;
  /** Packets of all tracks that are handed out; more of them in that time are no video of a phone. */
  readonly packets: number;
}

/** One stream without its container, times in seconds of the video. */
interface Stream {
  /** As FFmpeg names it. */
  readonly codec: string;
  /** Its packets in the framing of `nut.ts`; of AV1, which FFmpeg does not decode, their bytes one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The time that is 0 in the framing. */
  readonly begins: number;
  /** What lies before or behind is decoded, as other frames may need it, and thrown away. */
  readonly shown: Shown;
}

export interface Picture extends Stream {
  /** As stored. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** The same with square pixels. */
  readonly squareWidthPx: number;
  readonly squareHeightPx: number;
  /** Width of a pixel and its height; 0 and 0 where the container leaves it to the codec. */
  readonly pixelShape: readonly [number, number];
  /** What puts it upright: clockwise, then mirrored. */
  readonly degrees: number;
  readonly mirrored: boolean;
  /** As the container or the codec's set-up says, in WebCodecs' words. */
  readonly colours: { readonly [about in 'primaries' | 'transfer' | 'matrix']?: string } & { readonly full?: boolean };
  /** When its frames are shown. */
  readonly times: readonly number[];
  /** Of them, those of the frames that are decoded: where all are too much work, some are left out. */
  readonly decodedTimes: readonly number[];
  /** All of them, as they are decoded, where `bytes` is not framed. */
  readonly unframed: readonly { readonly time: number; readonly bytes: number }[];
}

export interface Sound extends Stream {
  /** When the last packet begins and ends. */
  readonly lastBegins: number;
  readonly ends: number;
}

export type ContainerAnswer =
  | {
      readonly kind: 'read';
      readonly picture: Picture;
      readonly sounds: readonly Sound[];
      /** A track has a sample rate or channels that none has: without another, the file is not judged. */
      readonly soundRefused: boolean;
    }
  | { readonly kind: 'too_large'; readonly measurements: Readonly<Record<string, number>> }
  /** Whole, yet nothing here decodes its pictures, or any of its sound tracks. */
  | { readonly kind: 'format_unsupported'; readonly format: string }
  | { readonly kind: 'unreadable' };

/** What phones and browsers record; no decoder of anything else is reached. */
const pictureCodecs: ReadonlySet<string> = new Set(['h264', 'hevc', 'vp8', 'vp9', 'av1']);
const soundCodecs: ReadonlySet<string> = new Set([
  ...['aac', 'opus', 'vorbis', 'mp3', 'ac3', 'eac3', 'alac', 'flac', 'amr_nb', 'amr_wb'],
  ...['u8', 's16le', 's16be', 's24le', 's24be', 'f32le', 'f32be', 'mulaw', 'alaw'].map((sample) => `pcm_${sample}`),
]);

/** Words of mediabunny, or letters of the container where it has none, for what FFmpeg calls otherwise. */
const ffmpegNames: ReadonlyMap<string, string> = new Map([
  ['avc', 'h264'],
  ['ulaw', 'pcm_mulaw'],
  ['alaw', 'pcm_alaw'],
  ['samr', 'amr_nb'],
  ['sawb', 'amr_wb'],
  ['.mp3', 'mp3'],
  ['ms\0u', 'mp3'],
  ['mp4v', 'mpeg4'],
  ['mpeg4_iso_asp', 'mpeg4'],
  ['jpeg', 'mjpeg'],
  ['s263', 'h263'],
  ['ima4', 'adpcm_ima_qt'],
]);

/** Beyond these no number of a container is multiplied with anything. */
const soundLimits = { leastRateHz: 8_000, mostRateHz: 192_000, channels: 8, pixelAspect: 4 } as const;

/** One that the demuxer itself knows, and what else is known of it. */
interface Track {
  readonly codec: string;
  readonly track: Mediabunny.InputTrack;
  readonly setUp: Uint8Array;
  /** False for ALAC whose set-up lies where it is not looked for, and AV1 of more than eight bits. */
  readonly decodable: boolean;
  /** Undefined: in a way that is not read. */
  readonly shown: Shown | undefined;
}

async function readContainer({ bytes, limits, mediabunnyScript }: ContainerRequest): Promise<ContainerAnswer> {
  const mediabunny: typeof Mediabunny = createRequire(import.meta.url)(mediabunnyScript);
  const { BufferSource, Input, MATROSKA, MP4, QTFF, WEBM } = mediabunny;
  const input = new Input({ source: new BufferSource(bytes), formats: [MP4, QTFF, MATROSKA, WEBM] });
  const isMatroska = bytes[0] === 0x1a;
  if (isMatroska && endsInTheMiddle(bytes)) return { kind: 'unreadable' };
  const all = await input.getTracks();
  if (all.length > limits.streams) return { kind: 'unreadable' };

  const movie = isMatroska ? undefined : readMovie(bytes);
  const tracks: Track[] = [];
  for (const track of all) tracks.push(await describe(track, movie));
  const pictures = tracks.filter(({ track }) => track.isVideoTrack());
  const sounds = tracks.filter(({ track }) => track.isAudioTrack());
  const video = pictures.find(({ codec, decodable }) => decodable && pictureCodecs.has(codec));
  const heard = sounds.filter(({ codec, decodable }) => decodable && soundCodecs.has(codec));
  const unsupported = (video ? (heard.length === 0 ? sounds : []) : pictures)[0];
  if (unsupported) return { kind: 'format_unsupported', format: unsupported.codec };
  if (!video?.track.isVideoTrack()) return { kind: 'unreadable' };

  const budget = { packets: limits.packets };
  const picture = await readPicture(mediabunny, video, video.track, limits, budget);
  if (picture.kind !== 'read') return picture;
  const within: Sound[] = [];
  let soundRefused = false;
  for (const each of heard) {
    if (!(await isWithinLimits(each.track as Mediabunny.InputAudioTrack))) soundRefused = true;
    else if (within.length < limits.soundTracks) {
      const sound = await readSound(mediabunny, each, each.track as Mediabunny.InputAudioTrack, budget, isMatroska);
      if (sound === 'none') continue;
      if (sound === 'cut') return { kind: 'unreadable' };
      if (sound === 'too many') return tooLong(picture.picture);
      within.push(sound);
    }
  }
  return { ...picture, sounds: within, soundRefused };
}

async function describe(track: Mediabunny.InputTrack, movie: BoxedMovie | undefined): Promise<Track> {
  const boxed = movie?.tracks.find(({ id }) => id === track.id);
  const known = await track.getCodec();
  const letters = await track.getInternalCodecId();
  const codec = nameOf(known ?? String(letters ?? '').replace(/^[AV]_/, ''));
  const config = track.isVideoTrack() || track.isAudioTrack() ? await track.getDecoderConfig() : null;
  const description = config?.description as Uint8Array | undefined;
  const setUp = codec === 'alac' ? alacSetUp(boxed?.sampleEntry) : new Uint8Array(description ?? []);
  return {
    codec,
    track,
    setUp,
    // The codec string of AV1 ends with its bits, if nothing follows: av01.0.05M.08.
    decodable: codec === 'alac' ? setUp.length > 0 : codec !== 'av1' || config?.codec.split('.')[3] === '08',
    shown: boxed && movie ? shownBy(boxed.edits, movie.ticksPerSecond, await track.getTimeResolution()) : everything,
  };
}

const everything: Shown = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };

function nameOf(codec: string): string {
  const plain = codec.toLowerCase().replaceAll('/', '_');
  const [, sample, big] = /^pcm-([sf](?:16|24|32|64))(be)?$/.exec(plain) ?? [];
  return ffmpegNames.get(plain) ?? (sample ? `pcm_${sample}${big ?? 'le'}` : plain.replaceAll('-', '_'));
}

/** The box `alac` of 36 bytes within the sample entry of that name, whole: what FFmpeg sets its decoder up with. */
function alacSetUp(sampleEntry: Uint8Array = new Uint8Array()): Uint8Array {
  const at = Buffer.from(sampleEntry).indexOf('\0\0\0\x24alac', 8, 'latin1');
  return at < 0 ? new Uint8Array() : sampleEntry.slice(at, at + 36);
}

type Budget = { packets: number };

/** All packets of a track; `cut` where the file does not hold the bytes of one that it lists. */
async function packetsOf(
  { EncodedPacketSink }: typeof Mediabunny,
  track: Mediabunny.InputTrack,
  budget: Budget,
): Promise<readonly Mediabunny.EncodedPacket[] | 'cut' | 'too many'> {
  const sink = new EncodedPacketSink(track);
  let listed = 0;
  for await (const _ of sink.packets(undefined, undefined, { metadataOnly: true })) {
    listed += 1;
    if (listed > budget.packets) return 'too many';
  }
  budget.packets -= listed;
  const packets: Mediabunny.EncodedPacket[] = [];
  for await (const packet of sink.packets()) packets.push(packet);
  return packets.length === listed ? packets : 'cut';
}

async function readPicture(
  mediabunny: typeof Mediabunny,
  { codec, setUp, shown }: Track,
  track: Mediabunny.InputVideoTrack,
  limits: ContainerLimits,
  budget: Budget,
): Promise<{ kind: 'read'; picture: Picture } | Exclude<ContainerAnswer, { kind: 'read' }>> {
  const [widthPx, heightPx] = [await track.getCodedWidth(), await track.getCodedHeight()];
  const [squareWidthPx, squareHeightPx] = [await track.getSquarePixelWidth(), await track.getSquarePixelHeight()];
  if (widthPx < 1 || heightPx < 1) return { kind: 'unreadable' };
  if (widthPx * heightPx > limits.pixels) {
    return { kind: 'too_large', measurements: { video_pixels: widthPx * heightPx } };
  }
  const stretched = Math.max(squareWidthPx / widthPx, squareHeightPx / heightPx);
  if (stretched > soundLimits.pixelAspect || !shown) return { kind: 'unreadable' };

  const stored = await packetsOf(mediabunny, track, budget);
  if (stored === 'cut') return { kind: 'unreadable' };
  if (stored === 'too many') return { kind: 'too_large', measurements: { video_frames: limits.packets } };
  const header = headerReader(codec, setUp);
  const frames = stored.map((packet) => ({
    ...(header?.(packet.data) ?? { layer: 0, entry: false, parameters: false }),
    packet,
    time: packet.timestamp,
    bytes: packet.data.length,
    shown: isShown(packet.timestamp, shown),
  }));
  const times = timesShown(frames);
  const seconds = Math.max(...times) - Math.min(...times);
  if (times.length === 0 || !Number.isFinite(seconds)) return { kind: 'unreadable' };
  if (seconds > limits.seconds) return { kind: 'too_large', measurements: { video_seconds: seconds } };
  const framePixels = widthPx * heightPx;
  const plan = planDecoding(frames, { ...limits, framePixels }, header !== undefined);
  if (!plan) {
    return { kind: 'too_large', measurements: { video_seconds: seconds, video_pixels: framePixels * times.length } };
  }
  const isSquare = widthPx === squareWidthPx && heightPx === squareHeightPx;
  const pixelShape = isSquare ? ([0, 0] as const) : ([squareWidthPx * heightPx, squareHeightPx * widthPx] as const);
  const { primaries, transfer, matrix, fullRange } = await track.getColorSpace();
  const framed = framedFrom(
    plan.frames.map((frame) => {
      const { timestamp, type, data } = frame.packet;
      return { timestamp, type, data: plan.restarts.has(frame) ? spliced(codec, setUp, data) : data };
    }),
  );
  if (!framed) return { kind: 'unreadable' };
  return {
    kind: 'read',
    picture: {
      codec,
      begins: framed.begins,
      bytes:
        codec === 'av1'
          ? new Uint8Array(Buffer.concat(stored.map(({ data }) => data)))
          : nutOf({ kind: 'picture', setUp, packets: framed.packets, widthPx, heightPx, pixelShape }),
      unframed: codec === 'av1' ? stored.map(({ timestamp, data }) => ({ time: timestamp, bytes: data.length })) : [],
      shown,
      times,
      decodedTimes: timesShown(plan.frames),
      ...{ widthPx, heightPx, squareWidthPx, squareHeightPx, pixelShape },
      degrees: await track.getRotation(),
      mirrored: await track.getFlip(),
      colours: {
        ...(primaries && { primaries }),
        ...(transfer && { transfer }),
        ...(matrix && { matrix }),
        ...(fullRange !== undefined && fullRange !== null && { full: fullRange }),
      },
    },
  };
}

const tooLong = ({ times }: Picture): ContainerAnswer => ({
  kind: 'too_large',
  measurements: { video_frames: times.length },
});

/** Times are of the frame's beginning; a millisecond is less than any frame lasts. */
const isShown = (time: number, { from, until }: Shown) => time > from - 0.001 && time < until - 0.001;

/** Without empty packets: to a decoder they are the end. Undefined where times are further apart than any video's. */
function framedFrom(
  stored: readonly Pick<Mediabunny.EncodedPacket, 'timestamp' | 'type' | 'data'>[],
): { begins: number; packets: readonly NutPacket[] } | undefined {
  const begins = Math.min(...stored.map(({ timestamp }) => timestamp));
  const packets = stored.flatMap(({ timestamp, type, data }) => {
    const microseconds = Math.round((timestamp - begins) * 1e6);
    return data.length === 0 ? [] : [{ microseconds, key: type === 'key', bytes: data }];
  });
  return packets.every(({ microseconds }) => microseconds < 3.6e9) ? { begins, packets } : undefined;
}

async function isWithinLimits(track: Mediabunny.InputAudioTrack): Promise<boolean> {
  const [rate, channels] = [await track.getSampleRate(), await track.getNumberOfChannels()];
  const { leastRateHz, mostRateHz } = soundLimits;
  const whole = Number.isInteger(rate) && Number.isInteger(channels);
  return whole && rate >= leastRateHz && rate <= mostRateHz && channels >= 1 && channels <= soundLimits.channels;
}

/** Samples at 48 kHz that an Opus encoder puts before the sound, which a WebM's times count (RFC 7845, 5.1). */
const opusPriming = (setUp: Uint8Array) => (setUp.length < 12 ? 0 : Buffer.from(setUp).readUInt16LE(10) / 48_000);

async function readSound(
  mediabunny: typeof Mediabunny,
  { codec, setUp, shown }: Track,
  track: Mediabunny.InputAudioTrack,
  budget: Budget,
  isMatroska: boolean,
): Promise<Sound | 'none' | 'cut' | 'too many'> {
  const stored = await packetsOf(mediabunny, track, budget);
  if (stored === 'too many') return stored;
  if (stored === 'cut' || !shown) return 'cut';
  const priming = isMatroska && codec === 'opus' ? opusPriming(setUp) : 0;
  const heard = stored.filter(({ timestamp, duration }) => {
    return timestamp + duration > shown.from && timestamp < shown.until;
  });
  if (heard.length === 0) return 'none';
  const framed = framedFrom(stored);
  if (!framed) return 'cut';
  const first = framed.begins - priming;
  const rateHz = await track.getSampleRate();
  // AMR has one channel; its sample entry says two by convention (3GPP TS 26.244).
  const channels = codec.startsWith('amr_') ? 1 : await track.getNumberOfChannels();
  return {
    codec,
    begins: first,
    bytes: nutOf({ kind: 'sound', setUp, packets: framed.packets, rateHz, channels }),
    shown: { from: Math.max(shown.from, framed.begins), until: shown.until },
    lastBegins: Math.max(...heard.map(({ timestamp }) => timestamp)),
    ends: Math.min(shown.until, Math.max(...heard.map(({ timestamp, duration }) => timestamp + duration))),
  };
}

function answer(message: ContainerAnswer | 'started'): void {
  const read = typeof message === 'object' && message.kind === 'read' ? message : undefined;
  const transfer = read ? [read.picture.bytes.buffer, ...read.sounds.map(({ bytes }) => bytes.buffer)] : [];
  parentPort?.postMessage(message, transfer);
}

answer('started');
readContainer(workerData as ContainerRequest).then(answer, () => answer({ kind: 'unreadable' }));
