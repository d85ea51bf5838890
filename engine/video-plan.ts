/** What is decided about a video before it is decoded: from its packets and bytes, never from time, so the same on every machine. */

/** One stored frame, as the container lists it. */
export interface VideoPacket {
  /** When it is shown, in seconds. */
  readonly time: number;
  readonly key: boolean;
  readonly bytes: number;
  /** No other frame refers to it. */
  readonly disposable: boolean;
}

export interface DecodingPlan {
  /** `-skip_frame` of FFmpeg's decoders: nothing, frames that no other frame refers to, all but key frames. */
  readonly skip: 'default' | 'noref' | 'nokey';
  /** The frames that are decoded so. */
  readonly packets: readonly VideoPacket[];
}

export interface DecodingBudget {
  readonly framePixels: number;
  /** In pixels, as `workOf` counts. */
  readonly work: number;
  /** How far behind a decoded frame a stored one may lie. */
  readonly gapSeconds: number;
}

/** A byte of a frame costs as much as this many pixels (`engine/notes/videos.md`). */
const pixelsPerByte = 60;

/** What decoding these frames costs, in pixels. */
export const workOf = (packets: readonly VideoPacket[], framePixels: number): number =>
  packets.reduce((sum, { bytes }) => sum + framePixels + bytes * pixelsPerByte, 0);

/**
 * The most frames that the budget allows; undefined where even key frames are too much or too far apart. All frames are
 * decoded or none where the codec does not say which ones others refer to.
 */
export function planDecoding(
  packets: readonly VideoPacket[],
  { framePixels, work, gapSeconds }: DecodingBudget,
  skippable: boolean,
): DecodingPlan | undefined {
  const plans: DecodingPlan[] = [{ skip: 'default', packets }];
  if (skippable) {
    plans.push({ skip: 'noref', packets: packets.filter(({ key, disposable }) => key || !disposable) });
    plans.push({ skip: 'nokey', packets: packets.filter(({ key }) => key) });
  }
  const times = packets.map(({ time }) => time);
  return plans.find(({ packets: decoded }) => {
    if (workOf(decoded, framePixels) > work) return false;
    const looked = decoded.map(({ time }) => time);
    return secondsUnseen(times, looked) <= gapSeconds;
  });
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
 * Whether no other frame refers to a packet's, by its first slice; of H.264 and HEVC whose NAL units have their lengths
 * before them, as avcC and hvcC say. Undefined for any other stream: it cannot be known.
 */
export function disposableIn(codec: string, setUp: Uint8Array): ((packet: Uint8Array) => boolean) | undefined {
  const at = new Map([
    ['h264', 4],
    ['hevc', 21],
  ]).get(codec);
  const lengthSize = at === undefined || setUp[0] !== 1 ? undefined : setUp[at];
  if (lengthSize === undefined) return undefined;
  return (packet) => {
    const type = firstSlice(packet, (lengthSize & 3) + 1, codec === 'h264' ? isH264Slice : isHevcSlice);
    // Even types of HEVC below 16 are pictures that their own layer does not refer to.
    return codec === 'h264' ? (type & 0x60) === 0 : ((type >> 1) & 0x3f) < 16 && ((type >> 1) & 1) === 0;
  };
}

const isH264Slice = (header: number) => (header & 0x1f) >= 1 && (header & 0x1f) <= 5;
const isHevcSlice = (header: number) => ((header >> 1) & 0x3f) < 32;

/** The first byte of the first NAL unit that is a slice; of one that others refer to where there is none. */
function firstSlice(packet: Uint8Array, lengthBytes: number, isSlice: (header: number) => boolean): number {
  for (let at = 0; at + lengthBytes < packet.length; ) {
    let length = 0;
    for (let index = 0; index < lengthBytes; index += 1) length = length * 256 + (packet[at + index] ?? 0);
    const header = packet[at + lengthBytes] ?? 0;
    if (isSlice(header)) return header;
    at += lengthBytes + length;
  }
  return 0x62;
}
