/** What is decided about a video before it is decoded: from its packets and bytes, never from time, so the same on every machine. */

/** What a stored frame says of itself. */
export interface FrameHeader {
  /** No frame refers to one of a higher layer: those above any layer may be left out. */
  readonly layer: number;
  /** Decoding can begin here: no frame shown later refers to one before it. */
  readonly entry: boolean;
  /** It carries parameters that other frames are decoded with. */
  readonly parameters: boolean;
}

/** One stored frame, as the container lists it, in the order of decoding. */
export interface StoredFrame extends FrameHeader {
  /** When it is shown, in seconds. */
  readonly time: number;
  readonly bytes: number;
  /** Not before or behind what the container's edits show. */
  readonly shown: boolean;
}

export interface DecodingPlan<Frame extends StoredFrame = StoredFrame> {
  /** The frames that the decoder gets. */
  readonly frames: readonly Frame[];
  /** Entries before which frames are missing that others may refer to: decoding begins anew there. */
  readonly restarts: ReadonlySet<Frame>;
}

export interface DecodingBudget {
  readonly framePixels: number;
  /** In pixels, as `workOf` counts: nothing that costs more is decoded. */
  readonly work: number;
  /** Of what costs more than this, frames are left out: as few as bring it down to this, or else as many as can be. */
  readonly thinningWork: number;
  /** How far behind a decoded frame a stored one may lie. */
  readonly gapSeconds: number;
  /** So many are left where frames are left out: motion is not told from fewer. */
  readonly leastFramesPerSecond: number;
}

/** A byte of a frame costs as much as this many pixels (`engine/notes/videos.md`). */
const pixelsPerByte = 60;

/** What decoding these frames costs, in pixels. */
export const workOf = (frames: readonly Pick<StoredFrame, 'bytes'>[], framePixels: number): number =>
  frames.reduce((sum, { bytes }) => sum + framePixels + bytes * pixelsPerByte, 0);

/** Of the gap that is allowed, what is left out before an entry: as little as the budget allows. */
const gapShares = [0, 0.25, 0.5, 0.75, 1] as const;

/**
 * All frames; where they are too much work, those of lower layers, which leaves the rest evenly spread; then also without
 * the last ones before each entry, a quarter of the gap at a time. Undefined where no plan keeps within budget and gap.
 * `thinnable`: the frames' headers say what may be left out.
 */
export function planDecoding<Frame extends StoredFrame>(
  frames: readonly Frame[],
  { framePixels, work, thinningWork, gapSeconds, leastFramesPerSecond }: DecodingBudget,
  thinnable: boolean,
): DecodingPlan<Frame> | undefined {
  const everything = { frames, restarts: new Set<Frame>() };
  const stored = timesShown(frames);
  const least = Math.min(stored.length, (Math.max(...stored) - Math.min(...stored)) * leastFramesPerSecond);
  let cheapest: DecodingPlan<Frame> | undefined;
  let leastWork = work;
  for (const plan of thinnable ? plansOf(frames, gapSeconds) : [everything]) {
    const cost = workOf(plan.frames, framePixels);
    const decoded = timesShown(plan.frames);
    if (cost > leastWork || decoded.length < least || secondsUnseen(stored, decoded) > gapSeconds) continue;
    if (cost <= thinningWork) return plan;
    [cheapest, leastWork] = [plan, cost];
  }
  return cheapest;
}

export const timesShown = (frames: readonly StoredFrame[]): number[] =>
  frames.flatMap(({ time, shown }) => (shown ? [time] : []));

function* plansOf<Frame extends StoredFrame>(
  frames: readonly Frame[],
  gapSeconds: number,
): Generator<DecodingPlan<Frame>> {
  const layers = [...new Set(frames.map(({ layer }) => layer))].toSorted((a, b) => b - a);
  const safe = frames.every(({ entry, parameters }, index) => entry || !parameters || index === 0);
  for (const share of gapShares) {
    for (const layer of layers) {
      yield withoutTails(frames, layer, share * gapSeconds);
      // What is left out must not hold what others are decoded with.
      if (!safe) return;
    }
  }
}

/** Up to a layer, and from each entry on no further than to so many seconds before the next one, or the end. */
function withoutTails<Frame extends StoredFrame>(
  frames: readonly Frame[],
  layer: number,
  seconds: number,
): DecodingPlan<Frame> {
  const parts = partsOf(frames);
  const end = Math.max(...timesShown(frames)) + roundingSeconds;
  const kept: Frame[] = [];
  const restarts = new Set<Frame>();
  let cut = false;
  for (const [index, part] of parts.entries()) {
    const [first] = part;
    if (!first) continue;
    if (cut) restarts.add(first);
    // Frames that are shown before their entry refer to what lies before it.
    const wanted = part.filter((frame) => frame.layer <= layer && !(cut && frame.time < first.time));
    const until = parts[index + 1]?.[0]?.time ?? end;
    const enough = wanted.findIndex(({ time }) => until - time <= seconds + sameTimeSeconds);
    const needed = seconds > 0 && enough >= 0 ? wanted.slice(0, enough + 1) : wanted;
    cut = needed.length < wanted.length;
    kept.push(...needed);
  }
  return { frames: kept, restarts };
}

/** Differences of times are not exact. */
const sameTimeSeconds = 1e-6;

/** Each from one entry to the next; the first may begin without. */
function partsOf<Frame extends StoredFrame>(frames: readonly Frame[]): Frame[][] {
  const parts: Frame[][] = [];
  for (const frame of frames) {
    if (frame.entry || parts.length === 0) parts.push([frame]);
    else parts.at(-1)?.push(frame);
  }
  return parts;
}

/** FFmpeg rounds times to the decoder's clock. */
const roundingSeconds = 0.002;

/** The furthest that a stored frame lies behind the last one looked at; endless where none was before it. */
export function secondsUnseen(stored: readonly number[], looked: readonly number[]): number {
  const sorted = looked.toSorted((a, b) => a - b);
  let next = 0;
  let furthest = 0;
  for (const time of stored.toSorted((a, b) => a - b)) {
    while (next < sorted.length && (sorted[next] ?? 0) <= time + roundingSeconds) next += 1;
    furthest = Math.max(furthest, time - (sorted[next - 1] ?? -Infinity));
  }
  return furthest;
}

/**
 * Which frames would go unseen between two looks that are `everySeconds` apart: those after which too long a gap begins,
 * in which nothing is decoded. They are looked at as well.
 */
export function looksBeforeGaps(
  stored: readonly number[],
  decoded: readonly number[],
  { everySeconds, gapSeconds }: { readonly everySeconds: number; readonly gapSeconds: number },
): readonly number[] {
  const sorted = decoded.toSorted((a, b) => a - b);
  const end = Math.max(...stored) + roundingSeconds;
  const added: number[] = [];
  let looked = Number.NEGATIVE_INFINITY;
  for (const [index, time] of sorted.entries()) {
    const due = time - looked >= everySeconds;
    const tooLate = (sorted[index + 1] ?? end) - looked > gapSeconds + sameTimeSeconds;
    if (!due && !tooLate) continue;
    if (!due) added.push(time);
    looked = time;
  }
  return added;
}

/**
 * Reads what the frames of a stream say of themselves; of H.264 and HEVC whose NAL units have their lengths before them,
 * as avcC and hvcC say. Undefined for any other stream: it cannot be known.
 */
export function headerReader(codec: string, setUp: Uint8Array): ((frame: Uint8Array) => FrameHeader) | undefined {
  const lengthBytes = lengthBytesOf(codec, setUp);
  if (lengthBytes === undefined) return undefined;
  const read = codec === 'h264' ? h264Unit : hevcUnit;
  return (frame) => {
    const units = [...unitsIn(frame, lengthBytes)].map(({ header }) => read(header));
    const slices = units.flatMap(({ slice }) => slice ?? []);
    const layers = slices.map(({ layer }) => layer);
    return {
      layer: slices.length > 0 ? Math.min(...layers) : 0,
      entry: slices[0]?.entry ?? false,
      parameters: units.some(({ parameters }) => parameters),
    };
  };
}

/**
 * An entry whose predecessors are missing, for the decoder to begin anew with it: of HEVC, clean random access becomes a
 * broken link, as where streams are spliced (H.265, 3.12); without, the decoder takes what is missing for damage.
 */
export function spliced(codec: string, setUp: Uint8Array, frame: Uint8Array): Uint8Array {
  const lengthBytes = codec === 'hevc' ? lengthBytesOf(codec, setUp) : undefined;
  const copy = new Uint8Array(frame);
  if (lengthBytes === undefined) return copy;
  for (const { at, header } of unitsIn(frame, lengthBytes)) {
    if (hevcType(header) === cleanRandomAccess) copy[at] = (header[0] & 0x81) | (brokenLink << 1);
  }
  return copy;
}

const cleanRandomAccess = 21;
/** Without leading frames. */
const brokenLink = 18;

function lengthBytesOf(codec: string, setUp: Uint8Array): number | undefined {
  const at = codec === 'h264' ? 4 : codec === 'hevc' ? 21 : undefined;
  const lengthSize = at === undefined || setUp[0] !== 1 ? undefined : setUp[at];
  return lengthSize === undefined ? undefined : (lengthSize & 3) + 1;
}

interface Unit {
  readonly slice?: { readonly layer: number; readonly entry: boolean };
  readonly parameters: boolean;
}

/** The first two bytes of a NAL unit. */
type UnitHeader = readonly [number, number];

const hevcType = ([first]: UnitHeader) => (first >> 1) & 0x3f;

/** H.264, 7.4.1: nal_ref_idc is 0 where no frame refers to this one. */
function h264Unit([first]: UnitHeader): Unit {
  const type = first & 0x1f;
  const isSlice = type >= 1 && type <= 5;
  return {
    ...(isSlice && { slice: { layer: (first & 0x60) === 0 ? 1 : 0, entry: type === 5 } }),
    parameters: type === 7 || type === 8,
  };
}

/**
 * H.265, 7.4.2.2: no frame refers to one of a higher temporal sublayer, nor to one of even type below 16 of its own; a
 * higher sublayer's may. Units of further views (their own layer) are not decoded.
 */
function hevcUnit([first, second]: UnitHeader): Unit {
  const type = hevcType([first, second]);
  const isView = (first & 1) !== 0 || second >> 3 !== 0;
  const isEntry = type >= 16 && type <= 21;
  const sublayer = isEntry ? 0 : Math.max(0, (second & 7) - 1);
  const unreferred = type < 16 && type % 2 === 0 ? 1 : 0;
  return {
    ...(type < 32 && !isView && { slice: { layer: 2 * sublayer + unreferred, entry: isEntry } }),
    parameters: type >= 32 && type <= 34,
  };
}

function* unitsIn(frame: Uint8Array, lengthBytes: number): Generator<{ at: number; header: UnitHeader }> {
  for (let from = 0; from + lengthBytes < frame.length; ) {
    let length = 0;
    for (let index = 0; index < lengthBytes; index += 1) length = length * 256 + (frame[from + index] ?? 0);
    const at = from + lengthBytes;
    yield { at, header: [frame[at] ?? 0, frame[at + 1] ?? 0] };
    from = at + length;
  }
}
