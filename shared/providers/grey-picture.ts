import { crc32, deflateSync } from 'node:zlib';

const sizePx = 64;

/** A grey PNG of 64×64 pixels: a picture without a person, for a vendor that answers nothing about its key without one. */
export function greyPicture(): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(sizePx, 0);
  header.writeUInt32BE(sizePx, 4);
  header.set([8, 0, 0, 0, 0], 8); // 8 bits, grey, and the only compression, filter and interlace that matter
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(sizePx, 0x80)]);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: sizePx }, () => row)));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', pixels),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A chunk of a PNG: length, type, data and checksum. */
export function pngChunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(typed.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(typed, 4);
  framed.writeUInt32BE(crc32(typed), typed.length + 4);
  return framed;
}
