import type { CaptureName, Check, ContentType } from './captures.ts';

/** What captures are as files: names, types, sizes and magic bytes. No library, so that pages can hold it too. */

/** Exactly the captures each check needs: no more are taken, no fewer will do. */
export const capturesOf = {
  spoof_detect: ['selfie'],
  photo_verify: ['selfie', 'id_card'],
  video_verify: ['video', 'id_card'],
} as const satisfies Record<Check, readonly CaptureName[]>;

export const imageTypes = ['image/jpeg', 'image/png', 'image/webp', 'image/heic'] as const;
export const videoTypes = ['video/mp4', 'video/quicktime', 'video/webm'] as const;

export const typesOf: Record<CaptureName, readonly ContentType[]> = {
  selfie: imageTypes,
  id_card: imageTypes,
  video: videoTypes,
};

const mebibyte = 1024 * 1024;
/** The most bytes a capture may have; a provider's smaller limit wins. */
export const maximumBytesOf: Record<CaptureName, number> = {
  selfie: 10 * mebibyte,
  id_card: 10 * mebibyte,
  video: 50 * mebibyte,
};

const startsWith = (bytes: Uint8Array, offset: number, text: string) =>
  [...text].every((character, index) => bytes[offset + index] === character.charCodeAt(0));

const heicBrands = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'];

/** What `sniffContentType` reads at most: an `ftyp` box of twelve compatible brands. */
export const magicBytes = 64;

/** The type by magic bytes (the first 64 suffice), never by name or header; undefined for anything else. */
export function sniffContentType(bytes: Uint8Array): ContentType | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg';
  if (bytes[0] === 0x89 && startsWith(bytes, 1, 'PNG\r\n')) return 'image/png';
  if (startsWith(bytes, 0, 'RIFF') && startsWith(bytes, 8, 'WEBP')) return 'image/webp';
  if (bytes[0] === 0x1a && bytes[1] === 0x45 && bytes[2] === 0xdf && bytes[3] === 0xa3) return 'video/webm';
  if (startsWith(bytes, 4, 'ftyp')) {
    if (startsWith(bytes, 8, 'avif') || startsWith(bytes, 8, 'avis')) return undefined;
    if (startsWith(bytes, 8, 'qt  ')) return 'video/quicktime';
    const isHeic = brandOffsets(bytes).some((at) => heicBrands.some((brand) => startsWith(bytes, at, brand)));
    return isHeic ? 'image/heic' : 'video/mp4';
  }
  return undefined;
}

/** Where an `ftyp` box names what the file is: the major brand, then, behind a version, all it is compatible with. */
function brandOffsets(bytes: Uint8Array): number[] {
  const boxBytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  const compatible = (Math.min(boxBytes, bytes.length, magicBytes) - 16) / 4;
  return [8, ...Array.from({ length: Math.max(0, Math.floor(compatible)) }, (_, index) => 16 + 4 * index)];
}
