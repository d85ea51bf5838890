/**
 * Lays the face of one frame over that of another: as a plane that is seen from elsewhere (8 numbers), a change of
 * contrast, and 4 numbers for what a plane cannot do: that what stands out moves further than the rest, to the right and
 * down. Gauss–Newton over the skull's pixels, inverse compositional (Baker & Matthews, Lucas–Kanade 20 Years On, 2004).
 */
import { clamp } from '../pixels.ts';
import type { GreyFrame } from '../video-worker.ts';
import { depths, type Field, patchSize, skull } from './face-shape.ts';
import { type Homography, inverse, product } from './homography.ts';

const half = patchSize / 2;
const pixels = patchSize * patchSize;
/** Light and shadow are wider than this many pixels each way. */
const detailRadius = 10;

const planeModes = 8;
const flatModes = planeModes + 1;
const allModes = flatModes + 2 * depths.length;

/** A face to lay others over. */
export interface Reference {
  readonly detail: Field;
  /** Of the detail, squared: where it is steep, a shift by little shows. */
  readonly steepness: Field;
  readonly coarse: Float32Array;
  /** How each pixel of the skull changes with each mode. */
  readonly descents: readonly Float32Array[];
  readonly factor: Cholesky;
}

/** How a frame lies over the reference. */
export interface Alignment {
  /** From the patch, −1..1 across and down, to pixels of the frame. */
  readonly place: Homography;
  /** In pixels of the patch: roundness right and down, nose right and down. */
  readonly depth: readonly number[];
  /** −1..1: how like the reference the skull is, then. */
  readonly likeness: number;
  /** What is left of the frame's detail without the reference's, pixel by pixel. */
  readonly remains: Field;
}

export function referenceOf(frame: GreyFrame, place: Homography): Reference {
  const detail = new Float32Array(pixels);
  lay(frame, place, undefined, detail);
  const coarse = shrunk(detail);
  takeDetail(detail);
  const steepness = new Float32Array(pixels);
  const descents = Array.from({ length: allModes }, () => new Float32Array(skull.length));
  for (let y = 1; y < patchSize - 1; y += 1) {
    for (let x = 1; x < patchSize - 1; x += 1) {
      const [right, down] = slopes(detail, y * patchSize + x);
      steepness[y * patchSize + x] = right * right + down * down;
    }
  }
  for (const [place, index] of skull.entries()) {
    const [right, down] = slopes(detail, index);
    const x = ((index % patchSize) + 0.5 - half) / half;
    const y = (Math.floor(index / patchSize) + 0.5 - half) / half;
    const inwards = right * x + down * y;
    const modes = [
      right,
      down,
      right * x,
      right * y,
      down * x,
      down * y,
      inwards * x,
      inwards * y,
      detail[index] as number,
    ];
    for (const depth of depths) modes.push(right * (depth[index] as number), down * (depth[index] as number));
    for (const [mode, value] of modes.entries()) (descents[mode] as Float32Array)[place] = value;
  }
  const products = descents.map((one) => descents.map((other) => dot(one, other)));
  return {
    detail,
    steepness,
    coarse,
    descents,
    factor: choleskyOf(products),
  };
}

function slopes(detail: Field, index: number): [number, number] {
  const right = ((detail[index + 1] as number) - (detail[index - 1] as number)) / 2;
  const down = ((detail[index + patchSize] as number) - (detail[index - patchSize] as number)) / 2;
  return [right, down];
}

/** Steps by less than this many pixels of the patch change nothing any more. */
const smallStep = 0.02;
const mostSteps = 10;

/** Begins where it is thought to lie, to some 16 pixels of the patch. */
export function align(frame: GreyFrame, reference: Reference, thought: Homography): Alignment {
  const laid = new Float32Array(pixels);
  let place = moved(frame, reference, thought, laid);
  const depth = new Array<number>(2 * depths.length).fill(0);
  for (let count = 0; count < mostSteps; count += 1) {
    lay(frame, place, depth, laid);
    takeDetail(laid);
    const step = solve(reference.factor, descentsOf(laid, reference));
    place = product(place, inverse(planeOf(step)));
    for (const [index, value] of depth.entries()) depth[index] = value - (step[flatModes + index] as number);
    if (step.every((value, mode) => mode === planeModes || Math.abs(value) < smallStep)) break;
  }
  lay(frame, place, depth, laid);
  takeDetail(laid);
  const { likeness, contrast } = compare(laid, reference.detail);
  for (let index = 0; index < pixels; index += 1) {
    laid[index] = (laid[index] as number) - contrast * (reference.detail[index] as number);
  }
  return { place, depth, likeness, remains: laid };
}

/** The plane's part of a step, as it moves points −1..1. */
function planeOf(step: readonly number[]): Homography {
  const [right = 0, down = 0, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = step.map((value) => value / half);
  return [1 + a, b, right, c, 1 + d, down, -e, -f, 1];
}

function descentsOf(laid: Field, { detail, descents }: Reference): number[] {
  const difference = new Float32Array(skull.length);
  for (const [place, index] of skull.entries()) difference[place] = (laid[index] as number) - (detail[index] as number);
  return descents.map((descent) => dot(descent, difference));
}

function compare(laid: Field, detail: Field): { likeness: number; contrast: number } {
  let both = 0;
  let one = 0;
  let other = 0;
  for (const index of skull) {
    const [x, y] = [laid[index] as number, detail[index] as number];
    both += x * y;
    one += x * x;
    other += y * y;
  }
  return { likeness: both / Math.sqrt(one * other + 1e-9), contrast: both / (other + 1e-9) };
}

/** The patch four times smaller is moved about by whole pixels. */
const coarseStep = 4;
const coarseSize = patchSize / coarseStep;
const coarseReach = 4;

/** By as many whole steps as make it most alike. */
function moved(frame: GreyFrame, { coarse }: Reference, place: Homography, laid: Field): Homography {
  lay(frame, place, undefined, laid);
  const found = shrunk(laid);
  let best = { right: 0, down: 0 };
  let least = Number.POSITIVE_INFINITY;
  for (let down = -coarseReach; down <= coarseReach; down += 1) {
    for (let right = -coarseReach; right <= coarseReach; right += 1) {
      const distance = coarseDistance(found, coarse, right, down) * (1 + 0.01 * (right * right + down * down));
      if (distance >= least) continue;
      least = distance;
      best = { right: (right * coarseStep) / half, down: (down * coarseStep) / half };
    }
  }
  return product(place, [1, 0, best.right, 0, 1, best.down, 0, 0, 1]);
}

function coarseDistance(found: Float32Array, coarse: Float32Array, right: number, down: number): number {
  let sum = 0;
  for (let y = coarseReach; y < coarseSize - coarseReach; y += 1) {
    for (let x = coarseReach; x < coarseSize - coarseReach; x += 1) {
      const difference =
        (found[(y + down) * coarseSize + x + right] as number) - (coarse[y * coarseSize + x] as number);
      sum += difference * difference;
    }
  }
  return sum;
}

/** Four times smaller, its mean taken off. */
function shrunk(patch: Field): Float32Array {
  const small = new Float32Array(coarseSize * coarseSize);
  let sum = 0;
  for (let index = 0; index < pixels; index += 1) {
    const value = (patch[index] as number) / coarseStep ** 2;
    const at = Math.floor(index / patchSize / coarseStep) * coarseSize + Math.floor((index % patchSize) / coarseStep);
    small[at] = (small[at] as number) + value;
    sum += value;
  }
  return small.map((value) => value - sum / small.length);
}

/** The frame's pixels where the patch lies, bilinear; beyond the frame its edge. */
function lay(
  { width, height, pixels: from }: GreyFrame,
  place: Homography,
  depth: readonly number[] | undefined,
  into: Field,
): void {
  const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = place;
  const [roundness, nose] = depths;
  const [roundRight = 0, roundDown = 0, noseRight = 0, noseDown = 0] = (depth ?? []).map((value) => value / half);
  for (let index = 0; index < pixels; index += 1) {
    const [round, tip] = [roundness[index] as number, nose[index] as number];
    const x = ((index % patchSize) + 0.5 - half) / half + roundRight * round + noseRight * tip;
    const y = (Math.floor(index / patchSize) + 0.5 - half) / half + roundDown * round + noseDown * tip;
    const w = 1 / (m6 * x + m7 * y + m8);
    const right = clamp((m0 * x + m1 * y + m2) * w, 0, width - 1.001);
    const down = clamp((m3 * x + m4 * y + m5) * w, 0, height - 1.001);
    const column = Math.floor(right);
    const row = Math.floor(down);
    const at = row * width + column;
    const [acrossBy, downBy] = [right - column, down - row];
    const upper = (from[at] as number) + acrossBy * ((from[at + 1] as number) - (from[at] as number));
    const lower =
      (from[at + width] as number) + acrossBy * ((from[at + width + 1] as number) - (from[at + width] as number));
    into[index] = upper + downBy * (lower - upper);
  }
}

const line = new Float32Array(patchSize);

/** Takes the mean of its surroundings off each pixel, in place. */
function takeDetail(patch: Field): void {
  const means = patch.slice();
  for (let index = 0; index < patchSize; index += 1) averageLine(means, index * patchSize, 1);
  for (let index = 0; index < patchSize; index += 1) averageLine(means, index, patchSize);
  for (let index = 0; index < pixels; index += 1) patch[index] = (patch[index] as number) - (means[index] as number);
}

function averageLine(values: Field, first: number, step: number): void {
  for (let index = 0; index < patchSize; index += 1) line[index] = values[first + index * step] as number;
  const last = patchSize - 1;
  let sum = 0;
  for (let index = -detailRadius; index <= detailRadius; index += 1) sum += line[clamp(index, 0, last)] as number;
  for (let index = 0; index < patchSize; index += 1) {
    values[first + index * step] = sum / (2 * detailRadius + 1);
    sum +=
      (line[Math.min(index + detailRadius + 1, last)] as number) - (line[Math.max(index - detailRadius, 0)] as number);
  }
}

function dot(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += (one[index] as number) * (other[index] as number);
  return sum;
}

/** The lower triangle whose product with itself is a matrix: solves by it. */
type Cholesky = readonly (readonly number[])[];

/** With a thousandth of a percent more on the diagonal, so that a face without detail has one, too. */
function choleskyOf(matrix: readonly (readonly number[])[]): Cholesky {
  const factor: number[][] = [];
  for (let row = 0; row < matrix.length; row += 1) {
    const values: number[] = [];
    for (let column = 0; column <= row; column += 1) {
      const known = factor[column] ?? values;
      let rest = (matrix[row]?.[column] ?? 0) * (row === column ? 1.0001 : 1);
      for (let term = 0; term < column; term += 1) rest -= (values[term] as number) * (known[term] as number);
      values.push(row === column ? Math.sqrt(Math.max(rest, 1e-9)) : rest / (known[column] as number));
    }
    factor.push(values);
  }
  return factor;
}

function solve(factor: Cholesky, right: readonly number[]): number[] {
  const solution = [...right];
  for (const [row, values] of factor.entries()) {
    for (let term = 0; term < row; term += 1)
      solution[row] = (solution[row] as number) - (values[term] as number) * (solution[term] as number);
    solution[row] = (solution[row] as number) / (values[row] as number);
  }
  for (let row = factor.length - 1; row >= 0; row -= 1) {
    for (let term = row + 1; term < factor.length; term += 1)
      solution[row] = (solution[row] as number) - (factor[term]?.[row] as number) * (solution[term] as number);
    solution[row] = (solution[row] as number) / (factor[row]?.[row] as number);
  }
  return solution;
}
