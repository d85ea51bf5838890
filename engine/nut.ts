/**
 * Packets of one stream in NUT's framing (https://ffmpeg.org/~michael/nut.txt), the plainest that FFmpeg reads and that
 * keeps times and set-up data of every codec. Every field is ours: a stranger's bytes lie behind lengths that are counted
 * here, and no reader looks for anything in them.
 */

/** One stored frame of picture or sound, times in microseconds from the first on. */
export interface NutPacket {
  readonly microseconds: number;
  readonly key: boolean;
  readonly bytes: Uint8Array;
}

export type NutStream = {
  /** What the decoder is set up with: of H.264 its avcC, of AAC its AudioSpecificConfig. */
  readonly setUp: Uint8Array;
  readonly packets: readonly NutPacket[];
} & (
  | {
      readonly kind: 'picture';
      readonly widthPx: number;
      readonly heightPx: number;
      /** Width of a pixel and its height; 0 and 0 leave it to the codec. */
      readonly pixelShape: readonly [number, number];
      /** Bytes of `PlanarFrame`, not of a codec. */
      readonly decoded?: boolean;
    }
  | { readonly kind: 'sound'; readonly rateHz: number; readonly channels: number }
);

const startCodes = {
  main: 0x4e4d_7a56_1f5f_04adn,
  stream: 0x4e53_1140_5bf2_f9dbn,
  syncPoint: 0x4e4b_e4ad_eeca_4569n,
  index: 0x4e58_dd67_2f23_e64en,
} as const;

const frameFlags = { key: 1, codedTime: 8, codedSize: 32, checksum: 64, coded: 4096, invalid: 8192 } as const;
/** The one code of a frame that may occur: 0 and all the others are invalid. */
const frameCode = 1;
const anyFrame = frameFlags.codedTime | frameFlags.codedSize | frameFlags.checksum | frameFlags.coded;
/** More than this behind a start code has a checksum of its own. */
const longPayload = 4096;

/** A file that FFmpeg's `nut` demuxer reads. */
export function nutOf(stream: NutStream): Uint8Array<ArrayBuffer> {
  const head = [Buffer.from('nut/multimedia container\0'), chunk('main', mainHeader()), streamHeader(stream)];
  const firstFrame = head.reduce((sum, { length }) => sum + length, 0);
  const parts: Uint8Array[] = [...head];
  for (const packet of stream.packets) parts.push(syncPoint(packet), frameHeader(packet), packet.bytes);
  const last = stream.packets.reduce((most, { microseconds }) => Math.max(most, microseconds), 0);
  parts.push(index(last, firstFrame));
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** Numbers of any size, seven bits a byte, all but the last byte marked. */
function numbers(...values: readonly number[]): Buffer {
  return Buffer.from(
    values.flatMap((value) => {
      const bytes = [value % 128];
      for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
        bytes.unshift(128 + (rest % 128));
      }
      return bytes;
    }),
  );
}

function mainHeader(): Buffer {
  const [version, streams, mostBetweenSyncPoints, timeBases] = [3, 1, 65_536, 1];
  // Flags, then how many of: time difference, size's factor, stream, size, reserved, count of codes.
  const codes = (flags: number, count: number) => numbers(flags, 6, 0, 1, 0, 0, 0, count);
  return Buffer.concat([
    numbers(version, streams, mostBetweenSyncPoints, timeBases, 1, 1_000_000),
    // 255 codes: 'N' begins a start code.
    ...[codes(frameFlags.invalid, frameCode), codes(anyFrame, 1), codes(frameFlags.invalid, 254 - frameCode)],
    // No bytes that frames have in common.
    numbers(0),
  ]);
}

function streamHeader(stream: NutStream): Buffer {
  const kind = stream.kind === 'picture' ? 0 : 1;
  const [timeBase, timeShift, mostTimeDifference, decodeDelay, flags, sortOfColours] = [0, 0, 1_000_000, 0, 0, 0];
  // The decoder is named to FFmpeg; of what is decoded already, this is how it lies there.
  const codec = Buffer.from(stream.kind === 'picture' && stream.decoded ? 'I420' : 'any ');
  return chunk(
    'stream',
    Buffer.concat([
      numbers(0, kind, codec.length),
      codec,
      numbers(timeBase, timeShift, mostTimeDifference, decodeDelay, flags, stream.setUp.length),
      stream.setUp,
      stream.kind === 'picture'
        ? numbers(stream.widthPx, stream.heightPx, ...stream.pixelShape, sortOfColours)
        : numbers(stream.rateHz, 1, stream.channels),
    ]),
  );
}

const syncPoint = ({ microseconds }: NutPacket): Buffer => chunk('syncPoint', numbers(microseconds, 0));

function frameHeader({ microseconds, key, bytes }: NutPacket): Buffer {
  const header = Buffer.concat([
    Buffer.of(frameCode),
    numbers(key ? frameFlags.key : 0, microseconds + 1, bytes.length),
  ]);
  return Buffer.concat([header, checksum(header)]);
}

/** Without it a reader searches the file for the last time; its last twelve bytes are what a reader looks at first. */
function index(lastMicroseconds: number, firstFrame: number): Buffer {
  const [syncPoints, noKeyFrame] = [1, 3];
  const content = numbers(lastMicroseconds, syncPoints, Math.floor(firstFrame / 16), noKeyFrame);
  const length = Buffer.alloc(8);
  const whole = chunk('index', Buffer.concat([content, length])).length;
  length.writeBigUInt64BE(BigInt(whole));
  return chunk('index', Buffer.concat([content, length]));
}

/** A start code, the length of what follows, the content and its checksum. */
function chunk(name: keyof typeof startCodes, content: Uint8Array): Buffer {
  const start = Buffer.alloc(8);
  start.writeBigUInt64BE(startCodes[name]);
  const length = numbers(content.length + 4);
  const head = Buffer.concat([start, length]);
  const ofHead = content.length + 4 > longPayload ? [checksum(head)] : [];
  return Buffer.concat([head, ...ofHead, content, checksum(content)]);
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) value = (value << 1) ^ (value < 0 ? 0x04c1_1db7 : 0);
  return value;
});

/** CRC-32 of polynomial 0x04C11DB7, not reflected, beginning and ending with nothing. */
function checksum(bytes: Uint8Array): Buffer {
  let value = 0;
  for (const byte of bytes) value = (value << 8) ^ (crcTable[(value >>> 24) ^ byte] ?? 0);
  const written = Buffer.alloc(4);
  written.writeInt32BE(value | 0);
  return written;
}
