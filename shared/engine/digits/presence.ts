/** How much there is to hear, before anybody asks what was said. */
export interface Presence {
  readonly durationSeconds: number;
  /** Of the loudest sample, 0 at full scale; −120 for digital silence. */
  readonly peakDbfs: number;
  /** Time clearly louder than the quietest tenth of the recording. */
  readonly activeSeconds: number;
}

const frameSamples = 160;
const rateHz = 8000;
const silenceDb = -120;
/** What a microphone hears of an empty room stays below this. */
const faintDb = -60;
const aboveNoiseDb = 9;

/** `samples` at 8 kHz, −1..1. */
export function presenceOf(samples: Float32Array): Presence {
  const levels: number[] = [];
  let peak = 0;
  for (let start = 0; start + frameSamples <= samples.length; start += frameSamples) {
    let energy = 0;
    for (let index = start; index < start + frameSamples; index += 1) {
      const sample = samples[index] ?? 0;
      energy += sample * sample;
      peak = Math.max(peak, Math.abs(sample));
    }
    levels.push(decibels(Math.sqrt(energy / frameSamples)));
  }
  const noise = levels.toSorted((a, b) => a - b)[Math.floor(levels.length / 10)] ?? silenceDb;
  const active = levels.filter((level) => level > Math.max(faintDb, noise + aboveNoiseDb)).length;
  return {
    durationSeconds: samples.length / rateHz,
    peakDbfs: decibels(peak),
    activeSeconds: (active * frameSamples) / rateHz,
  };
}

const decibels = (amplitude: number) => Math.max(silenceDb, 20 * Math.log10(amplitude));

/** Less than this, at its loudest, is no sound at all: a muted microphone, an empty track. */
export const isSilent = ({ peakDbfs }: Presence): boolean => peakDbfs < faintDb;
