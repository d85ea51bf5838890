/** What is decided about a video before it is decoded: from its packets and bytes, never from time, so the same on every machine. */

/** One stored frame, as the container lists it. */
export interface VideoPacket {
  /** When it is shown, in seconds. */
  readonly time: number;
  readonly key: boolean;
  /** Where its bytes lie in the file. */
  readonly position: number;
  readonly bytes: number;
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
 * The most frames that the budget allows; undefined where even key frames are too much or too far apart. Without
 * `refersToNothing` all frames are decoded or none.
 */
export function planDecoding(
  packets: readonly VideoPacket[],
  { framePixels, work, gapSeconds }: DecodingBudget,
  isDisposable?: (packet: VideoPacket) => boolean,
): DecodingPlan | undefined {
  const plans: DecodingPlan[] = [{ skip: 'default', packets }];
  if (isDisposable) {
    plans.push({ skip: 'noref', packets: packets.filter((packet) => packet.key || !isDisposable(packet)) });
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

/** Whether no other frame refers to this one, by its first slice; of H.264 and HEVC as MP4 and MOV store them. */
export function disposableIn(file: Uint8Array, codec: 'h264' | 'hevc'): (packet: VideoPacket) => boolean {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return ({ position, bytes }) => {
    const end = Math.min(position + bytes, file.length);
    for (let at = position; at >= 0 && at + 4 < end; at += 4 + view.getUint32(at)) {
      const header = file[at + 4] ?? 0;
      if (codec === 'h264') {
        const type = header & 0x1f;
        if (type >= 1 && type <= 5) return (header & 0x60) === 0;
      } else {
        const type = (header >> 1) & 0x3f;
        // Even types below 16 are pictures that their own layer does not refer to.
        if (type < 32) return type < 16 && type % 2 === 0;
      }
    }
    return false;
  };
}
