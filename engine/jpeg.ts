const endOfImage = 0xd9;
const startOfScan = 0xda;
const jfif = 0xe0;
const progressiveFrames = [0xc2, 0xc6, 0xca, 0xce];
const sequentialFrames = [0xc0, 0xc1, 0xc3, 0xc5, 0xc7, 0xc9, 0xcb, 0xcd, 0xcf];

/** What the segments before the end said of the picture. */
interface Frame {
  isProgressive: boolean;
  scans: number;
  /** Of each component, by coefficient: how many of its last bits have not come yet, -1 for all. */
  readonly missing: Map<number, Int8Array>;
  /** Bytes that libjpeg warns of and takes for others, by offset: these. */
  readonly mended: Map<number, number>;
}

/** A JPEG as libvips shall read it when any warning is an error. */
export interface MendedJpeg {
  readonly bytes: Uint8Array;
  /**
   * The same with other data behind the last scan, where a sequential JPEG has no end marker: a whole one has the same
   * pixels, a cut one takes these for the missing. libvips does not ask for warnings of the last rows it reads.
   */
  readonly otherwiseEnded?: Uint8Array;
}

/**
 * Encoders write about ten. Each costs libjpeg a walk over the whole picture, and nothing stops it meanwhile: 5,000 in
 * 360 kB took 11 s of a processor.
 */
const maximumScans = 100;

const endMarker = [0xff, endOfImage];
/** No code of the usual tables is made of these bits for long without another value than zeros have. */
const otherData = Array.from({ length: 256 }, (_, index) => (index % 2 === 0 ? 0xa6 : 0x5b));

/**
 * Cameras leave out what no decoder needs: the end marker (it is added), and true numbers where they are ignored (they are
 * corrected). What is left to warn of is damage: entropy-coded data that end too soon, or are none.
 *
 * Undefined where the file ends inside a segment or a scan is missing (cut there, a progressive JPEG is a whole picture of
 * half the detail), and where there are more scans than any encoder writes. Markers are walked (ITU-T T.81, annex B),
 * nothing is decoded.
 */
export function mendJpeg(jpeg: Uint8Array): MendedJpeg | undefined {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  const frame: Frame = { isProgressive: false, scans: 0, missing: new Map(), mended: new Map() };
  let at = nextMarker(bytes, 2);
  while (at !== undefined && bytes[at + 1] !== endOfImage) {
    const end = at + 4 <= bytes.length ? at + 2 + bytes.readUInt16BE(at + 2) : Number.POSITIVE_INFINITY;
    if (end > bytes.length || frame.scans > maximumScans) return undefined;
    noteSegment(bytes[at + 1] ?? 0, bytes.subarray(at + 4, end), at + 4, frame);
    at = nextMarker(bytes, end);
  }
  if ([...frame.missing.values()].some((bits) => bits.some((count) => count !== 0))) return undefined;
  const padding = at === undefined || !frame.isProgressive ? 0 : zerosBefore(bytes, at);
  if (at !== undefined && frame.mended.size === 0 && padding === 0) return { bytes: jpeg };

  const corrected = Buffer.from(bytes);
  for (const [offset, value] of frame.mended) corrected[offset] = value;
  if (at !== undefined) return { bytes: Buffer.concat([corrected.subarray(0, at - padding), corrected.subarray(at)]) };
  const endedBy = (...data: number[]) => Buffer.concat([corrected, Buffer.from([...data, ...endMarker])]);
  if (frame.isProgressive) return { bytes: endedBy() };
  return { bytes: endedBy(), otherwiseEnded: endedBy(...otherData) };
}

/**
 * Zeros that some cameras put between the last scan and the end marker. A single one may be the scan's own, and one behind
 * 0xFF always is.
 */
function zerosBefore(bytes: Buffer, at: number): number {
  let from = at;
  while (from > 0 && bytes[from - 1] === 0) from -= 1;
  if (bytes[from - 1] === 0xff) from += 1;
  return at - from >= 2 ? at - from : 0;
}

/** Where the next marker with a segment, or the end of the image, is: entropy-coded data and restarts are passed over. */
function nextMarker(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 1)) {
    const code = bytes[at + 1] ?? 0;
    if (code >= 0xc0 && code < 0xff && (code < 0xd0 || code > 0xd8)) return at;
  }
  return undefined;
}

function noteSegment(code: number, segment: Buffer, offset: number, frame: Frame): void {
  if (progressiveFrames.includes(code) || sequentialFrames.includes(code)) {
    frame.isProgressive = progressiveFrames.includes(code);
    for (let at = 6; at + 3 <= segment.length; at += 3) frame.missing.set(segment[at] ?? 0, new Int8Array(64).fill(-1));
  } else if (code === startOfScan) {
    noteScan(segment, offset, frame);
  } else if (code === jfif && segment.toString('latin1', 0, 5) === 'JFIF\0') {
    mend(frame, segment, offset, 5, 1);
  }
}

function noteScan(segment: Buffer, offset: number, frame: Frame): void {
  frame.scans += 1;
  const components = segment[0] ?? 0;
  const parameters = 1 + 2 * components;
  const [first = 0, last = 63, bits = 0] = frame.isProgressive ? segment.subarray(parameters) : [];
  for (let index = 0; index < components; index += 1) {
    frame.missing.get(segment[1 + 2 * index] ?? 0)?.fill(bits & 15, first, last + 1);
  }
  if (frame.isProgressive) return;
  for (const [index, value] of [0, 63, 0].entries()) mend(frame, segment, offset, parameters + index, value);
}

function mend({ mended }: Frame, segment: Buffer, offset: number, at: number, value: number): void {
  if (at < segment.length && segment[at] !== value) mended.set(offset + at, value);
}
