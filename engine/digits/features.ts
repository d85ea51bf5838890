/**
 * The twin of `engine/training/digits/features.py`, which says what is computed and why; a test compares the two on the same
 * samples. Changing either means training again.
 */
export const filters = 40;
export const windowSamples = 200;
const hopSamples = 80;
const transform = 256;
const bins = transform / 2 + 1;
const rateHz = 8000;
const [lowHz, highHz] = [60, 3900];
const floor = 1e-5;

const hann = Float64Array.from(
  { length: windowSamples },
  (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / (windowSamples - 1)),
);
const [cosines, sines] = [Math.cos, Math.sin].map((wave) =>
  Float64Array.from({ length: transform / 2 }, (_, index) => wave((-2 * Math.PI * index) / transform)),
) as [Float64Array, Float64Array];
const reversed = Uint8Array.from({ length: transform }, (_, index) => {
  let result = 0;
  for (let bit = 0; bit < 8; bit += 1) result |= ((index >> bit) & 1) << (7 - bit);
  return result;
});

/** One triangle per filter: the first bin it weighs, and the weights from there on. */
const triangles = melTriangles();

function melTriangles(): readonly { readonly first: number; readonly weights: Float64Array }[] {
  const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
  const hertz = (mels: number) => 700 * (10 ** (mels / 2595) - 1);
  const corner = (index: number) => hertz(mel(lowHz) + ((mel(highHz) - mel(lowHz)) * index) / (filters + 1));
  return Array.from({ length: filters }, (_, filter) => {
    const [left, peak, right] = [corner(filter), corner(filter + 1), corner(filter + 2)];
    const weights = Float64Array.from({ length: bins }, (__, bin) => {
      const at = (bin * rateHz) / transform;
      return Math.max(0, Math.min((at - left) / (peak - left), (right - at) / (right - peak)));
    });
    const first = Math.max(
      0,
      weights.findIndex((weight) => weight > 0),
    );
    const last = weights.findLastIndex((weight) => weight > 0);
    return { first, weights: weights.slice(first, last + 1) };
  });
}

export interface Features {
  /** [frames, 40], row after row. */
  readonly values: Float32Array;
  readonly frames: number;
}

/** `samples` at 8 kHz, any scale, at least 200 and not all zero: silence has no features. */
export function featuresOf(samples: Float32Array): Features {
  const frames = 1 + Math.floor((samples.length - windowSamples) / hopSamples);
  const logs = new Float64Array(frames * filters);
  const power = new Float64Array(bins);
  let total = 0;
  for (let frame = 0; frame < frames; frame += 1) {
    powerSpectrum(samples, frame * hopSamples, power);
    for (const [filter, { first, weights }] of triangles.entries()) {
      let energy = 0;
      for (let index = 0; index < weights.length; index += 1)
        energy += (weights[index] ?? 0) * (power[first + index] ?? 0);
      logs[frame * filters + filter] = energy;
      total += energy;
    }
  }
  const mean = total / logs.length;
  for (let index = 0; index < logs.length; index += 1) logs[index] = Math.log((logs[index] ?? 0) / mean + floor);
  return { values: normalised(logs, frames), frames };
}

function normalised(logs: Float64Array, frames: number): Float32Array {
  const means = new Float64Array(filters);
  let overall = 0;
  for (const [index, value] of logs.entries()) {
    means[index % filters] = (means[index % filters] ?? 0) + value / frames;
    overall += value / logs.length;
  }
  let variance = 0;
  for (const value of logs) variance += (value - overall) ** 2 / logs.length;
  const deviation = Math.sqrt(variance);
  return Float32Array.from(logs, (value, index) => (value - (means[index % filters] ?? 0)) / deviation);
}

const [real, imaginary] = [new Float64Array(transform), new Float64Array(transform)];

/** |X[k]|² of one window, by a radix-2 transform in double precision. */
function powerSpectrum(samples: Float32Array, start: number, power: Float64Array): void {
  imaginary.fill(0);
  for (let index = 0; index < transform; index += 1) {
    const sample = index < windowSamples ? (samples[start + index] ?? 0) * (hann[index] ?? 0) : 0;
    real[reversed[index] ?? 0] = sample;
  }
  for (let half = 1; half < transform; half *= 2) {
    const stride = transform / 2 / half;
    for (let block = 0; block < transform; block += 2 * half) {
      for (let index = 0; index < half; index += 1) {
        const [cosine, sine] = [cosines[index * stride] ?? 0, sines[index * stride] ?? 0];
        const [upper, lower] = [block + index, block + index + half];
        const [lowerReal, lowerImaginary] = [real[lower] ?? 0, imaginary[lower] ?? 0];
        const turnedReal = lowerReal * cosine - lowerImaginary * sine;
        const turnedImaginary = lowerReal * sine + lowerImaginary * cosine;
        real[lower] = (real[upper] ?? 0) - turnedReal;
        imaginary[lower] = (imaginary[upper] ?? 0) - turnedImaginary;
        real[upper] = (real[upper] ?? 0) + turnedReal;
        imaginary[upper] = (imaginary[upper] ?? 0) + turnedImaginary;
      }
    }
  }
  for (let bin = 0; bin < bins; bin += 1) power[bin] = (real[bin] ?? 0) ** 2 + (imaginary[bin] ?? 0) ** 2;
}
