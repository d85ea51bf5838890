import { digitsRateHz } from '../../engine/digits/resampling.ts';

/** Mono samples at 8 kHz, −1..1. */
type Sound = Float32Array;
type Random = () => number;

export interface Circumstance {
  readonly name: string;
  /** `voices`: sounds that other people make meanwhile. */
  readonly heard: (said: Sound, random: Random, voices: readonly Sound[]) => Sound;
  /** The share of right strings, by speakers never heard, that we want accepted. */
  readonly leastAccepted: number;
}

/** How a recording reaches the recogniser, simulated: none of it was recorded. */
export const circumstances: readonly Circumstance[] = [
  { name: 'clean', heard: (said) => said, leastAccepted: 0.95 },
  { name: 'µ-law', heard: (said) => said.map(muLaw), leastAccepted: 0.95 },
  { name: 'room', heard: inRoom, leastAccepted: 0.9 },
  { name: 'noise 20 dB', heard: (said, random) => beside(said, 20, white(said, random)), leastAccepted: 0.9 },
  { name: 'noise 10 dB', heard: (said, random) => beside(said, 10, white(said, random)), leastAccepted: 0.8 },
  { name: 'babble 20 dB', heard: (...given) => beside(given[0], 20, babble(...given)), leastAccepted: 0.9 },
  { name: 'babble 10 dB', heard: (...given) => beside(given[0], 10, babble(...given)), leastAccepted: 0.8 },
];

/** Through eight bits and back, as a telephone exchange (G.711) does. */
function muLaw(sample: number): number {
  const steps = 127;
  const packed = Math.round((Math.log1p(255 * Math.min(1, Math.abs(sample))) / Math.log(256)) * steps) / steps;
  return (Math.sign(sample) * (256 ** packed - 1)) / 255;
}

const reverberationSeconds = 0.5;
const echoesPerSecond = 2000;

/** An echo that has the voice's own energy and dies by 60 dB in half a second: at random moments, of either sign. */
function inRoom(said: Sound, random: Random): Sound {
  const length = reverberationSeconds * digitsRateHz;
  const echoes = Array.from({ length: reverberationSeconds * echoesPerSecond }, () => {
    const delay = 8 + Math.floor(random() * (length - 8));
    return { delay, gain: (random() < 0.5 ? -1 : 1) * 10 ** ((-3 * delay) / length) };
  });
  const energy = Math.sqrt(echoes.reduce((sum, { gain }) => sum + gain * gain, 0));
  const heard = Float32Array.from(said);
  for (const { delay, gain } of echoes) {
    for (let at = delay; at < heard.length; at += 1)
      heard[at] = (heard[at] ?? 0) + ((said[at - delay] ?? 0) * gain) / energy;
  }
  return heard;
}

/** With another sound of the same length, so many decibels weaker. */
function beside(said: Sound, decibels: number, other: Sound): Sound {
  const gain = Math.sqrt(powerOf(said) / powerOf(other)) * 10 ** (-decibels / 20);
  return said.map((sample, at) => sample + gain * (other[at] ?? 0));
}

const powerOf = (sound: Sound) => sound.reduce((sum, sample) => sum + sample * sample, 0) / sound.length;

function white({ length }: Sound, random: Random): Sound {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Float32Array.from({ length }, normal);
}

const talkers = 6;

/** Six people at once, each saying one digit after another without a pause. */
function babble({ length }: Sound, random: Random, voices: readonly Sound[]): Sound {
  const sum = new Float32Array(length);
  for (let talker = 0; talker < talkers; talker += 1) {
    for (let at = -Math.floor(random() * digitsRateHz); at < length; ) {
      const voice = voices[Math.floor(random() * voices.length)] ?? new Float32Array(1);
      const loudness = Math.sqrt(powerOf(voice)) || 1;
      for (const [index, sample] of voice.entries())
        if (at + index >= 0 && at + index < length) sum[at + index] = (sum[at + index] ?? 0) + sample / loudness;
      at += voice.length;
    }
  }
  return sum;
}
