/** What the recogniser hears: a telephone's band. */
export const digitsRateHz = 8000;

/** Passes up to 3.4 kHz and stops from 4.0 kHz by 80 dB: half the filter's length is 32 periods of the new rate. */
const cutoffHz = 3700;
const halfPeriods = 32;
const kaiserBeta = 8;

/**
 * Samples at 8 kHz from samples at any higher rate (whole hertz), without aliases. A windowed sinc, one set of weights
 * per phase: 16 kHz has one phase, 44.1 kHz eighty.
 */
export function resample(samples: Float32Array, rateHz: number): Float32Array {
  if (!Number.isInteger(rateHz) || rateHz < digitsRateHz || rateHz > 384_000) {
    throw new RangeError(`Sound at ${rateHz} Hz cannot be resampled to ${digitsRateHz} Hz`);
  }
  if (rateHz === digitsRateHz) return samples;
  const divisor = greatestCommonDivisor(rateHz, digitsRateHz);
  const [phases, step] = [digitsRateHz / divisor, rateHz / divisor];
  const reach = Math.ceil((halfPeriods * rateHz) / digitsRateHz);
  const weights = Array.from({ length: phases }, (_, phase) =>
    weightsAt((phase * step) % phases, phases, reach, rateHz),
  );

  const result = new Float32Array(Math.floor((samples.length * phases) / step));
  for (let index = 0; index < result.length; index += 1) {
    const own = weights[index % phases] ?? new Float64Array();
    const first = Math.floor((index * step) / phases) - reach + 1;
    let sum = 0;
    const [from, to] = [Math.max(0, -first), Math.min(own.length, samples.length - first)];
    for (let tap = from; tap < to; tap += 1) sum += (own[tap] ?? 0) * (samples[first + tap] ?? 0);
    result[index] = sum;
  }
  return result;
}

/** The filter around an output sample that lies `numerator / denominator` after an input sample; its sum is 1. */
function weightsAt(numerator: number, denominator: number, reach: number, rateHz: number): Float64Array {
  const weights = new Float64Array(2 * reach);
  let total = 0;
  for (let tap = 0; tap < weights.length; tap += 1) {
    const distance = tap - reach + 1 - numerator / denominator;
    const ramp = 1 - (distance / reach) ** 2;
    const window = ramp > 0 ? bessel(kaiserBeta * Math.sqrt(ramp)) : 0;
    const angle = (2 * Math.PI * cutoffHz * distance) / rateHz;
    const weight = window * (angle === 0 ? 1 : Math.sin(angle) / angle);
    weights[tap] = weight;
    total += weight;
  }
  return weights.map((weight) => weight / total);
}

/** The modified Bessel function of order zero, by its series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let n = 1; term > sum * 1e-12; n += 1) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
