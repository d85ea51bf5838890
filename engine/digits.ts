import * as ort from 'onnxruntime-node';
import type { Measurements } from '../shared/domain/verdict.ts';
import { type Features, featuresOf, filters, windowSamples } from './digits/features.ts';
import { isSilent, presenceOf } from './digits/presence.ts';
import { resample } from './digits/resampling.ts';
import {
  classes,
  greedyDigits,
  type LogProbabilities,
  lengthLogProbability,
  stringLogProbability,
} from './digits/scoring.ts';
import type { DigitsModel } from './manifest.ts';
import { ModelsRefused } from './model.ts';
import type { ModelPack } from './models.ts';

export interface DigitsHeard {
  /** What was heard, whatever was expected; '' when no digit was. */
  readonly transcript: string;
  /** 0..1: how sure the network is of the transcript among all strings as long; 0 where there is none. */
  readonly confidence: number;
  /** `nothing`: no sound at all. `no_digits`: sound, but no digit in it. */
  readonly heard: 'nothing' | 'no_digits' | 'digits';
  readonly measurements: Measurements;
}

export interface DigitsVerified {
  /** 0..1: how sure it is that the expected digits were said; from 0.5 on they are accepted. */
  readonly score: number;
  readonly accepted: boolean;
  /** Whether a refusal rests on a weak number: right digits said badly score like this, as do wrong ones. */
  readonly doubtful: boolean;
  readonly measurements: Measurements;
}

export interface Listening extends DigitsHeard {
  /** `expected`: 1 to 12 digits. */
  readonly verify: (expected: string) => DigitsVerified;
}

export interface DigitsRecogniser {
  readonly contract: DigitsModel;
  /**
   * `samples`: mono, −1..1, at any whole rate from 8 kHz up; the first minute is heard.
   * The same samples give the same numbers.
   */
  readonly listen: (samples: Float32Array, rateHz: number) => Promise<Listening>;
}

const longestSeconds = 60;
const refused = { score: 0, accepted: false, doubtful: false } as const;

/** The pack's recogniser of spoken digits, or undefined if it brings none. */
export async function openDigits(pack: ModelPack): Promise<DigitsRecogniser | undefined> {
  const contract = pack.manifest.digits;
  if (!contract) return undefined;
  const session = await pack.openSession(contract);
  return { contract, listen: (samples, rateHz) => listen(session, contract, samples, rateHz) };
}

/** Listens, and if digits are expected says whether they were said. Without any, `accepted` is false and `score` 0. */
export async function recogniseDigits(
  recogniser: DigitsRecogniser,
  samples: Float32Array,
  rateHz: number,
  expected: string | undefined,
): Promise<DigitsHeard & DigitsVerified> {
  const { verify, ...heard } = await recogniser.listen(samples, rateHz);
  if (expected === undefined) return { ...heard, ...refused };
  const verified = verify(expected);
  return { ...heard, ...verified, measurements: { ...heard.measurements, ...verified.measurements } };
}

/**
 * Whether what was heard are other digits than the expected ones for certain: as many or more, or one fewer that are not
 * the expected ones in their order. Anything less may be a recording that was cut short.
 */
export function contradicts(transcript: string, expected: string): boolean {
  if (transcript.length >= expected.length) return true;
  if (transcript.length < expected.length - 1) return false;
  let found = 0;
  for (const digit of transcript) {
    found = expected.indexOf(digit, found) + 1;
    if (found === 0) return true;
  }
  return false;
}

async function listen(
  session: ort.InferenceSession,
  contract: DigitsModel,
  samples: Float32Array,
  rateHz: number,
): Promise<Listening> {
  const presence = presenceOf(resample(samples.subarray(0, longestSeconds * rateHz), rateHz));
  const measurements = {
    audio_seconds: presence.durationSeconds,
    audio_active_seconds: presence.activeSeconds,
    audio_peak_dbfs: presence.peakDbfs,
  };
  if (isSilent(presence) || presence.spoken.length < windowSamples) {
    const verify = (expected: string) => {
      digitsOf(expected);
      return { ...refused, measurements: {} };
    };
    return { transcript: '', confidence: 0, heard: 'nothing', measurements, verify };
  }

  const output = await run(session, contract, featuresOf(presence.spoken));
  const digits = greedyDigits(output);
  const certainty = certaintyIn(output);
  return {
    transcript: digits.join(''),
    confidence: digits.length === 0 ? 0 : Math.exp(certainty(digits).digits),
    heard: digits.length === 0 ? 'no_digits' : 'digits',
    measurements: { ...measurements, digits_heard: digits.length },
    verify: (expected) => verify(certainty(digitsOf(expected)), contract),
  };
}

async function run(
  session: ort.InferenceSession,
  contract: DigitsModel,
  features: Features,
): Promise<LogProbabilities> {
  const input = new ort.Tensor('float32', features.values, [1, features.frames, filters]);
  const outputs = await session.run({ [contract.input.name]: input });
  const output = outputs[contract.outputs.logProbabilities];
  if (!(output?.data instanceof Float32Array) || output.dims.at(-1) !== classes) {
    throw new ModelsRefused(`${contract.file} does not answer with log-probabilities of ${classes} classes`);
  }
  return { values: output.data, steps: output.data.length / classes };
}

function digitsOf(expected: string): number[] {
  if (!/^\d{1,12}$/.test(expected)) throw new RangeError('Expected digits are 1 to 12 of 0 to 9');
  return [...expected].map(Number);
}

/** In natural logarithms: P(these digits | that many were said), and P(that many were said). */
interface Certainty {
  readonly digits: number;
  readonly length: number;
}

/** Stands in for ln 0, which JSON cannot say. */
const leastLog = -1000;

function certaintyIn(output: LogProbabilities): (digits: readonly number[]) => Certainty {
  const lengths = new Map<number, number>();
  return (digits) => {
    const length = lengths.get(digits.length) ?? Math.max(lengthLogProbability(output, digits.length), leastLog);
    lengths.set(digits.length, length);
    const string = Math.max(stringLogProbability(output, digits), leastLog + length);
    return { length, digits: Math.min(0, string - length) };
  };
}

function verify({ digits, length }: Certainty, { thresholds }: DigitsModel): DigitsVerified {
  // How far above or below the threshold, on the logistic curve.
  const margin = digits + thresholds.lengthWeight * length - thresholds.accept;
  return {
    score: 1 / (1 + Math.exp(-margin)),
    accepted: margin >= 0,
    doubtful: margin >= -thresholds.doubt,
    measurements: { digits_log_probability: digits, digits_length_log_probability: length },
  };
}
