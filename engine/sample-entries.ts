/** Of the tracks of an MP4 or MOV, what mediabunny leaves out: how a codec it does not know is set up, and where edits end. */

export interface BoxedTrack {
  readonly id: number;
  /** The first sample entry (ISO/IEC 14496-12, 8.5.2), its header included; empty where there is none. */
  readonly sampleEntry: Uint8Array;
  readonly edits: readonly Edit[];
}

/** A stretch of the track that is shown; or, where `mediaTime` is −1, of nothing. */
export interface Edit {
  /** In the movie's clock; 0 for all there is. */
  readonly duration: number;
  /** In the track's clock. */
  readonly mediaTime: number;
  /** 1 as it was recorded. */
  readonly rate: number;
}

export interface BoxedMovie {
  readonly ticksPerSecond: number;
  readonly tracks: readonly BoxedTrack[];
}

/** More edits of one track, and more tracks, than are read. */
const mostEdits = 64;
const mostTracks = 256;

interface Box {
  readonly type: string;
  readonly content: DataView;
  /** With the header. */
  readonly whole: Uint8Array;
}

/** The movie box of a file; undefined where it has none. */
export function readMovie(file: Uint8Array): BoxedMovie | undefined {
  const movie = find(viewOf(file), 'moov');
  if (!movie) return undefined;
  const header = find(movie, 'mvhd');
  const tracks: BoxedTrack[] = [];
  for (const { type, content } of boxesIn(movie)) {
    if (type !== 'trak' || tracks.length === mostTracks) continue;
    tracks.push({ id: trackId(content), sampleEntry: sampleEntryOf(content), edits: editsOf(content) });
  }
  const version = header?.getUint8(0) ?? 0;
  return { ticksPerSecond: header?.getUint32(version === 1 ? 20 : 12) ?? 0, tracks };
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The boxes that lie in a stretch of bytes one after the other, up to one that does not fit. */
function* boxesIn(bytes: DataView, from = 0): Generator<Box> {
  for (let at = from; at + 8 <= bytes.byteLength; ) {
    const short = bytes.getUint32(at);
    const long = short === 1 && at + 16 <= bytes.byteLength;
    const header = long ? 16 : 8;
    const length = long ? Number(bytes.getBigUint64(at + 8)) : short === 0 ? bytes.byteLength - at : short;
    if (length < header || at + length > bytes.byteLength) return;
    const type = String.fromCharCode(...[4, 5, 6, 7].map((offset) => bytes.getUint8(at + offset)));
    yield {
      type,
      content: new DataView(bytes.buffer, bytes.byteOffset + at + header, length - header),
      whole: new Uint8Array(bytes.buffer, bytes.byteOffset + at, length),
    };
    at += length;
  }
}

function find(bytes: DataView | undefined, ...path: readonly string[]): DataView | undefined {
  return path.reduce<DataView | undefined>((within, type) => {
    for (const box of within ? boxesIn(within) : []) if (box.type === type) return box.content;
    return undefined;
  }, bytes);
}

function trackId(track: DataView): number {
  const header = find(track, 'tkhd');
  return header?.getUint32(header.getUint8(0) === 1 ? 20 : 12) ?? 0;
}

function sampleEntryOf(track: DataView): Uint8Array {
  const descriptions = find(track, 'mdia', 'minf', 'stbl', 'stsd');
  for (const { whole } of descriptions ? boxesIn(descriptions, 8) : []) return whole;
  return new Uint8Array();
}

function editsOf(track: DataView): readonly Edit[] {
  const list = find(track, 'edts', 'elst');
  if (!list) return [];
  const long = list.getUint8(0) === 1;
  const bytes = long ? 20 : 12;
  const count = Math.min(list.getUint32(4), mostEdits, Math.floor((list.byteLength - 8) / bytes));
  return Array.from({ length: count }, (_, index) => {
    const at = 8 + index * bytes;
    return {
      duration: long ? Number(list.getBigUint64(at)) : list.getUint32(at),
      mediaTime: long ? Number(list.getBigInt64(at + 8)) : list.getInt32(at + 4),
      rate: list.getInt32(at + bytes - 4) / 65_536,
    };
  });
}

/** Seconds of the movie between which a track is shown. */
export interface Shown {
  readonly from: number;
  readonly until: number;
}

/**
 * What a list of edits shows: nothing for a while, then one stretch, of one speed. Undefined for any other list: stretches
 * out of order, or the same one twice.
 */
export function shownBy(edits: readonly Edit[], movieTicks: number, trackTicks: number): Shown | undefined {
  const first = edits.findIndex(({ mediaTime }) => mediaTime !== -1);
  if (first < 0) return { from: 0, until: Number.POSITIVE_INFINITY };
  const waiting = edits.slice(0, first).reduce((sum, { duration }) => sum + duration, 0);
  const stretches = edits.slice(first);
  // One tick of the movie's clock, which is the coarser one.
  const tolerance = trackTicks / movieTicks + 1;
  let shown = 0;
  for (const [index, { duration, mediaTime, rate }] of stretches.entries()) {
    const expected = (stretches[0]?.mediaTime ?? 0) + (shown / movieTicks) * trackTicks;
    if (rate !== 1 || Math.abs(mediaTime - expected) > tolerance) return undefined;
    if (duration === 0 && index < stretches.length - 1) return undefined;
    shown += duration;
  }
  const from = waiting / movieTicks;
  return { from, until: shown === 0 ? Number.POSITIVE_INFINITY : from + shown / movieTicks };
}
