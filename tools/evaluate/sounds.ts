import { digitsRateHz } from '../../engine/digits/resampling.ts';

/** Mono samples at 8 kHz, −1..1. */
type Sound = Float32Array;
type Random = () => number;

export interface Circumstance {
  readonly name: string;
  readonly heard: (said: Sound, random: Random) => Sound;
  /** The share of right strings, by speakers never heard, that we want accepted. */
  readonly leastAccepted: number;
}

/** How a recording reaches the recogniser, simulated: none of it was recorded. */
export const circumstances: readonly Circumstance[] = [
  { name: 'clean', heard: (said) => said, leastAccepted: 0.95 },
  { name: 'µ-law', heard: (said) => said.map(muLaw), leastAccepted: 0.95 },
  { name: 'room', heard: inRoom, leastAccepted: 0.9 },
  { name: 'noise 20 dB', heard: (said, random) => inNoise(said, 20, random), leastAccepted: 0.9 },
  { name: 'noise 10 dB', heard: (said, random) => inNoise(said, 10, random), leastAccepted: 0.8 },
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

/** White noise, so many decibels below the mean power of the recording. */
function inNoise(said: Sound, decibels: number, random: Random): Sound {
  const power = said.reduce((sum, sample) => sum + sample * sample, 0) / said.length;
  const amplitude = Math.sqrt(power) * 10 ** (-decibels / 20);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return said.map((sample) => sample + amplitude * normal());
}
