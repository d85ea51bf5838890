/**
 * How much picture a recording has. Browsers' WebM states no length (crbug.com/642012), and a busy device keeps less picture
 * than the seconds it recorded: so the frames themselves are counted, in the two containers that recorders write.
 */
export interface RecordingLength {
  /** From the first frame to the last. */
  readonly seconds: number;
  readonly frames: number;
}

/** Undefined where the bytes are of neither container, or say nothing. */
export function lengthOf(file: Uint8Array): RecordingLength | undefined {
  try {
    const isWebm = file[0] === 0x1a && file[1] === 0x45 && file[2] === 0xdf && file[3] === 0xa3;
    return isWebm ? lengthOfWebm(file) : lengthOfMp4(file);
  } catch {
    return undefined;
  }
}

/** Elements of Matroska by their ids, length marker included (RFC 9559). */
const webm = {
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
} as const;
const entered: readonly number[] = [
  webm.segment,
  webm.info,
  webm.tracks,
  webm.trackEntry,
  webm.cluster,
  webm.blockGroup,
];

function lengthOfWebm(file: Uint8Array): RecordingLength | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let [scale, track, video, cluster] = [1_000_000, 0, 0, 0];
  const times: number[] = [];
  for (let at = 0; at < file.length; ) {
    const id = vint(view, at, true);
    const length = vint(view, at + id.bytes, false);
    const content = at + id.bytes + length.bytes;
    const end = content + length.value;
    if (id.value === webm.timestampScale) scale = unsigned(view, content, length.value);
    else if (id.value === webm.trackNumber) track = unsigned(view, content, length.value);
    else if (id.value === webm.trackType && unsigned(view, content, length.value) === 1) video ||= track;
    else if (id.value === webm.timestamp) cluster = unsigned(view, content, length.value);
    else if (id.value === webm.simpleBlock || id.value === webm.block) {
      const number = vint(view, content, false);
      if (number.value === video) times.push(cluster + view.getInt16(content + number.bytes));
    }
    at = entered.includes(id.value) || length.isUnknown ? content : end;
  }
  return spanOf(times.map((time) => (time * scale) / 1e9));
}

function spanOf(times: readonly number[]): RecordingLength | undefined {
  if (times.length === 0) return undefined;
  const [least, most] = times.reduce(
    ([low, high], time) => [Math.min(low, time), Math.max(high, time)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return { seconds: most - least, frames: times.length };
}

/** A number whose first byte says by its leading zeros how many bytes it has; an id keeps that marker. */
function vint(view: DataView, at: number, withMarker: boolean) {
  const first = view.getUint8(at);
  const bytes = Math.clz32(first) - 23;
  let value = withMarker ? first : first & (0xff >> bytes);
  let isUnknown = !withMarker && value === 0xff >> bytes;
  for (let index = 1; index < bytes; index += 1) {
    const byte = view.getUint8(at + index);
    isUnknown &&= byte === 0xff;
    value = value * 256 + byte;
  }
  return { value, bytes, isUnknown };
}

function unsigned(view: DataView, at: number, length: number): number {
  let value = 0;
  for (let index = 0; index < length; index += 1) value = value * 256 + view.getUint8(at + index);
  return value;
}

interface Box {
  readonly type: string;
  readonly content: number;
  readonly end: number;
}

function* boxes(view: DataView, from: number, to: number): Generator<Box> {
  for (let at = from; at + 8 <= to; ) {
    const short = view.getUint32(at);
    const long = short === 1;
    const size = long ? Number(view.getBigUint64(at + 8)) : short === 0 ? to - at : short;
    if (size < 8) return;
    const type = String.fromCharCode(...[4, 5, 6, 7].map((index) => view.getUint8(at + index)));
    yield { type, content: at + (long ? 16 : 8), end: Math.min(to, at + size) };
    at += size;
  }
}

const find = (view: DataView, { content, end }: Box, ...path: string[]): Box | undefined => {
  const [type, ...rest] = path;
  for (const box of boxes(view, content, end)) {
    if (box.type === type) return rest.length > 0 ? find(view, box, ...rest) : box;
  }
  return undefined;
};

/** Of a whole file the table of durations (`stts`), of one written in fragments the runs (`trun`). */
function lengthOfMp4(file: Uint8Array): RecordingLength | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const top = [...boxes(view, 0, file.length)];
  const moov = top.find(({ type }) => type === 'moov');
  if (!moov) return undefined;
  const track = [...boxes(view, moov.content, moov.end)].find((box) => {
    const handler = box.type === 'trak' && find(view, box, 'mdia', 'hdlr');
    return handler && view.getUint32(handler.content + 8) === 0x76696465; // vide
  });
  const header = track && find(view, track, 'mdia', 'mdhd');
  if (!track || !header) return undefined;
  const timescale = view.getUint32(header.content + (view.getUint8(header.content) === 1 ? 20 : 12));
  const trackHeader = find(view, track, 'tkhd');
  const id = trackHeader && view.getUint32(trackHeader.content + (view.getUint8(trackHeader.content) === 1 ? 20 : 12));
  const whole = sampleTable(view, find(view, track, 'mdia', 'minf', 'stbl', 'stts'));
  const runs = top.filter(({ type }) => type === 'moof').flatMap((moof) => runsOf(view, moof, id));
  const defaults = defaultDuration(view, find(view, moov, 'mvex'), id);
  const parts = [...whole, ...runs.map((run) => ({ ...run, ticks: run.ticks ?? (run.each ?? defaults) * run.frames }))];
  const frames = parts.reduce((total, part) => total + part.frames, 0);
  const ticks = parts.reduce((total, part) => total + part.ticks, 0);
  return frames > 0 && timescale > 0 ? { seconds: ticks / timescale, frames } : undefined;
}

function sampleTable(view: DataView, stts: Box | undefined): { frames: number; ticks: number }[] {
  if (!stts) return [];
  return Array.from({ length: view.getUint32(stts.content + 4) }, (_, index) => {
    const frames = view.getUint32(stts.content + 8 + 8 * index);
    return { frames, ticks: frames * view.getUint32(stts.content + 12 + 8 * index) };
  });
}

interface Run {
  readonly frames: number;
  /** Undefined: each frame lasts `each`, or as long as the track's default says. */
  readonly ticks: number | undefined;
  readonly each: number | undefined;
}

function runsOf(view: DataView, moof: Box, id: number | undefined): Run[] {
  return [...boxes(view, moof.content, moof.end)].flatMap((traf) => {
    const header = traf.type === 'traf' && find(view, traf, 'tfhd');
    if (!header || view.getUint32(header.content + 4) !== id) return [];
    const flags = view.getUint32(header.content) & 0xffffff;
    const each =
      flags & 0x8 ? view.getUint32(header.content + 8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0)) : undefined;
    return [...boxes(view, traf.content, traf.end)]
      .filter(({ type }) => type === 'trun')
      .map((run) => runOf(view, run, each));
  });
}

function runOf(view: DataView, { content }: Box, each: number | undefined): Run {
  const flags = view.getUint32(content) & 0xffffff;
  const frames = view.getUint32(content + 4);
  const fields = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length;
  if (!(flags & 0x100)) return { frames, ticks: undefined, each };
  let at = content + 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
  let ticks = 0;
  for (let index = 0; index < frames; index += 1, at += 4 * fields) ticks += view.getUint32(at);
  return { frames, ticks, each };
}

function defaultDuration(view: DataView, mvex: Box | undefined, id: number | undefined): number {
  if (!mvex) return 0;
  for (const { type, content } of boxes(view, mvex.content, mvex.end)) {
    if (type === 'trex' && view.getUint32(content + 4) === id) return view.getUint32(content + 12);
  }
  return 0;
}
