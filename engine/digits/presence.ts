/** How much there is to hear, before anybody asks what was said, and where it is. */
export interface Presence {
  readonly durationSeconds: number;
  /** Of the loudest sample, 0 at full scale; −120 for digital silence. */
  readonly peakDbfs: number;
  /** Time clearly louder than the quietest tenth of the recording. */
  readonly activeSeconds: number;
  /** The recording without its long pauses: what is active, and 0.3 s on either side of it. */
  readonly spoken: Float32Array;
}

const rateHz = 8000;
const frameSamples = 160;
/** Weak consonants and the first and last of a word lie this close to something louder. */
const marginFrames = 15;
const silenceDb = -120;
/** What a muted microphone or an empty track stays below, at its loudest. */
const faintDb = -60;
const aboveNoiseDb = 6;
const belowLoudestDb = 40;

/**
 * `samples` at 8 kHz, −1..1. Pauses go because the network compares every sound with the average of the recording, and
 * was trained on strings with little around them: three seconds of silence before the first digit would mislead it.
 */
export function presenceOf(samples: Float32Array): Presence {
  const levels: number[] = [];
  for (let start = 0; start < samples.length; start += frameSamples) {
    const frame = samples.subarray(start, start + frameSamples);
    levels.push(decibels(Math.sqrt(frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length)));
  }
  const ranked = levels.toSorted((a, b) => a - b);
  const noise = ranked[Math.floor(ranked.length / 10)] ?? silenceDb;
  const threshold = Math.max(noise + aboveNoiseDb, (ranked.at(-1) ?? silenceDb) - belowLoudestDb);
  const active = levels.map((level) => level > threshold);
  return {
    durationSeconds: samples.length / rateHz,
    peakDbfs: decibels(samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)),
    activeSeconds: (active.filter(Boolean).length * frameSamples) / rateHz,
    spoken: around(active, samples),
  };
}

/** A steady sound, such as noise, has no active part: all of it is kept. */
function around(active: readonly boolean[], samples: Float32Array): Float32Array {
  if (!active.includes(true)) return samples;
  const kept = new Float32Array(samples.length);
  let length = 0;
  for (let frame = 0; frame < active.length; frame += 1) {
    if (!active.slice(Math.max(0, frame - marginFrames), frame + marginFrames + 1).includes(true)) continue;
    const part = samples.subarray(frame * frameSamples, (frame + 1) * frameSamples);
    kept.set(part, length);
    length += part.length;
  }
  return kept.slice(0, length);
}

const decibels = (amplitude: number) => Math.max(silenceDb, 20 * Math.log10(amplitude));

/** No sound at all: a muted microphone, an empty track. */
export const isSilent = ({ peakDbfs }: Presence): boolean => peakDbfs < faintDb;
