import type { Point } from './faces.ts';
import { at, clamp, newPatch, type RgbImage, type Similarity, warp } from './pixels.ts';

/**
 * What a picture is recognised by, however it was stored: bits in bands of hexadecimal digits. Stored again, most bands
 * stay as they are to the last bit; of two photos none does (figures in `engine/notes/fingerprints.md`).
 */
export interface PictureBands {
  /** Of the whole picture. One that is equal is evidence enough. */
  readonly picture: readonly string[];
  /** Of the face alone, which a crop leaves as it is: less certain. Two that are equal are evidence. */
  readonly face: readonly string[];
}

/** Side of the grid of brightness that bits are made of, in cells. */
const gridSize = 64;
const bandCount = 4;

/** Which frequencies the bits are the signs of: horizontal plus vertical half waves across the grid. */
interface Frequencies {
  readonly from: number;
  readonly to: number;
}

/** Above what light and framing decide, below what compression and size do. */
const ofPicture: Frequencies = { from: 10, to: 19 };
/** Lower, because landmarks are found again within a hundredth of the face only. */
const ofFace: Frequencies = { from: 4, to: 12 };

/** Side of the square about the face, over the root mean square distance of the landmarks from their middle. */
const faceExtent = 4;

/** Bands of an upright picture, and of the face at `landmarks` (68 points, iBUG) where there is one. */
export function fingerprintOf(image: RgbImage, landmarks?: readonly Point[]): PictureBands {
  return {
    picture: bandsOf(averageGrid(image), ofPicture),
    face: landmarks ? bandsOf(faceGrid(image, landmarks), ofFace) : [],
  };
}

/** Signs of the cosine transform, dealt out so that every band has bits of all frequencies. */
function bandsOf(grid: Float64Array, { from, to }: Frequencies): string[] {
  const coefficients = cosineTransform(grid, to + 1);
  const bits: boolean[] = [];
  for (let sum = from; sum <= to; sum += 1) {
    for (let down = 0; down <= sum; down += 1) bits.push(at(coefficients, down * (to + 1) + sum - down) > 0);
  }
  return Array.from({ length: bandCount }, (_, band) => {
    const own = bits.filter((_, index) => index % bandCount === band);
    return BigInt(`0b1${own.map(Number).join('')}`).toString(16);
  });
}

/** The lowest `count` × `count` coefficients of the two-dimensional DCT-II, row by row. */
function cosineTransform(grid: Float64Array, count: number): Float64Array {
  const waves = Array.from({ length: count }, (_, frequency) =>
    Float64Array.from({ length: gridSize }, (_, cell) => Math.cos(((cell + 0.5) * frequency * Math.PI) / gridSize)),
  );
  const across = new Float64Array(gridSize * count);
  for (let row = 0; row < gridSize; row += 1) {
    for (const [frequency, wave] of waves.entries()) {
      let sum = 0;
      for (let column = 0; column < gridSize; column += 1) sum += at(grid, row * gridSize + column) * at(wave, column);
      across[row * count + frequency] = sum;
    }
  }
  const coefficients = new Float64Array(count * count);
  for (const [frequency, wave] of waves.entries()) {
    for (let column = 0; column < count; column += 1) {
      let sum = 0;
      for (let row = 0; row < gridSize; row += 1) sum += at(across, row * count + column) * at(wave, row);
      coefficients[frequency * count + column] = sum;
    }
  }
  return coefficients;
}

/** Exact means of the picture's brightness in `gridSize` × `gridSize` cells: the same whatever size it was stored in. */
function averageGrid({ width, height, pixels }: RgbImage): Float64Array {
  const grid = new Float64Array(gridSize * gridSize);
  const [columns, rows] = [sharesOf(width), sharesOf(height)];
  const line = new Float64Array(gridSize);
  for (let y = 0; y < height; y += 1) {
    line.fill(0);
    let from = 3 * y * width;
    for (let x = 0; x < width; x += 1, from += 3) {
      const brightness = brightnessOf(at(pixels, from), at(pixels, from + 1), at(pixels, from + 2));
      const { cell, share, next } = columns[x] as Share;
      line[cell] = at(line, cell) + share * brightness;
      if (next > 0) line[cell + 1] = at(line, cell + 1) + next * brightness;
    }
    const { cell, share, next } = rows[y] as Share;
    for (let column = 0; column < gridSize; column += 1) {
      const here = cell * gridSize + column;
      grid[here] = at(grid, here) + share * at(line, column);
      if (next > 0) grid[here + gridSize] = at(grid, here + gridSize) + next * at(line, column);
    }
  }
  return grid;
}

/** How much of one row or column of pixels lies in a cell, and how much in the next one. */
interface Share {
  readonly cell: number;
  readonly share: number;
  readonly next: number;
}

/** Of a picture with fewer pixels than cells, a pixel lies in one cell or two all the same. */
function sharesOf(length: number): Share[] {
  return Array.from({ length }, (_, pixel) => {
    const from = (pixel * gridSize) / length;
    const to = ((pixel + 1) * gridSize) / length;
    const cell = clamp(Math.floor(from), 0, gridSize - 1);
    const share = Math.min(to, cell + 1) - from;
    return { cell, share, next: cell + 1 < gridSize ? Math.max(0, to - cell - 1) : 0 };
  });
}

/** The face upright and at one size, in brightness. */
function faceGrid(image: RgbImage, landmarks: readonly Point[]): Float64Array {
  const patch = newPatch(gridSize, gridSize);
  warp(image, placementOf(landmarks), patch);
  const plane = gridSize * gridSize;
  const { values } = patch;
  return Float64Array.from({ length: plane }, (_, cell) =>
    brightnessOf(at(values, cell), at(values, plane + cell), at(values, 2 * plane + cell)),
  );
}

/** Points on the left of a face with those on the right, by what moves least when the picture is compressed. */
const sides: readonly (readonly [number, number])[] = [
  [0, 16],
  [1, 15],
  [2, 14],
  [3, 13],
  [4, 12],
  [17, 26],
  [18, 25],
  [36, 45],
  [37, 44],
  [39, 42],
  [31, 35],
  [48, 54],
];

/** Middle, size and tilt from many points at once: each of them alone is a pixel or two off. */
function placementOf(landmarks: readonly Point[]): Similarity {
  let x = 0;
  let y = 0;
  for (const point of landmarks) {
    x += point.x / landmarks.length;
    y += point.y / landmarks.length;
  }
  let squares = 0;
  for (const point of landmarks) squares += ((point.x - x) ** 2 + (point.y - y) ** 2) / landmarks.length;
  let right = 0;
  let down = 0;
  for (const [left, other] of sides) {
    right += (landmarks[other]?.x ?? 0) - (landmarks[left]?.x ?? 0);
    down += (landmarks[other]?.y ?? 0) - (landmarks[left]?.y ?? 0);
  }
  const scale = (faceExtent * Math.sqrt(squares)) / gridSize / Math.hypot(right, down);
  const [a, b] = [scale * right, scale * down];
  const middle = (gridSize - 1) / 2;
  return { a, b, x0: x - a * middle + b * middle, y0: y - b * middle - a * middle };
}

/** ITU-R BT.601 luma of 8-bit sRGB. */
function brightnessOf(red: number, green: number, blue: number): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}
