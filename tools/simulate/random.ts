/** Chance that can be had again: the same seed and run give the same numbers. */
export interface Random {
  /** 0 ≤ n < 1 */
  readonly fraction: () => number;
  /** A whole number from 0 to below `limit`. */
  readonly below: (limit: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(from: readonly [T, ...T[]]) => T;
}

/** mulberry32: 0 ≤ n < 1, the same ones from the same 32-bit beginning. */
export function mulberry32(beginning: number): () => number {
  let state = beginning;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Begun at a place of its own for every run of a seed: any run can be had without those before it. */
export function randomOf(seed: number, run: number): Random {
  const fraction = mulberry32(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(run + 1, 0xc2b2ae35));
  const below = (limit: number) => Math.floor(fraction() * limit);
  return {
    fraction,
    below,
    chance: (probability) => fraction() < probability,
    pick: (from) => from[below(from.length)] ?? from[0],
  };
}
