import { mulberry32 } from '../../tools/evaluate/random.ts';

/** Chance that can be had again: the same seed and run give the same numbers. */
export interface Random {
  /** 0 ≤ n < 1 */
  readonly fraction: () => number;
  /** A whole number from 0 to below `limit`. */
  readonly below: (limit: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(from: readonly [T, ...T[]]) => T;
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
