/** How a picture is stored, 1..8: 1 as it is seen, 6 as a phone held upright stores it. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const isOrientation = (value: number): value is Orientation => Number.isInteger(value) && value >= 1 && value <= 8;

const orientationTag = 0x0112;
const shortType = 3;

/** The orientation in a HEIC's Exif item: 4 bytes say where its TIFF header begins. 1 for whatever says none. */
export function readOrientation(exif: Uint8Array): Orientation {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  try {
    const start = 4 + view.getUint32(0);
    const littleEndian = view.getUint16(start) === 0x4949;
    const directory = start + view.getUint32(start + 4, littleEndian);
    const entries = view.getUint16(directory, littleEndian);
    for (let entry = directory + 2; entry < directory + 2 + entries * 12; entry += 12) {
      if (view.getUint16(entry, littleEndian) !== orientationTag) continue;
      if (view.getUint16(entry + 2, littleEndian) !== shortType) return 1;
      const value = view.getUint16(entry + 8, littleEndian);
      return isOrientation(value) ? value : 1;
    }
  } catch (error) {
    // An offset beyond the end.
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}
