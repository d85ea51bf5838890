import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { digitsRateHz, resample } from '../../engine/digits/resampling.ts';
import { type DigitsRecogniser, type Listening, openDigits } from '../../engine/digits.ts';
import type { Thresholds } from '../../engine/engine.ts';
import type { DigitsModel } from '../../engine/manifest.ts';
import { openModelPack } from '../../engine/models.ts';
import { mulberry32 } from './random.ts';
import { type ChosenBy, listText, type Rate, rateOf, rateText, type Section } from './rates.ts';
import { circumstances } from './sounds.ts';

export interface StringsReport {
  /** Strings of the right digits that were not accepted. */
  readonly genuineRefused: Rate;
  readonly randomAccepted: Rate;
  readonly oneWrongAccepted: Rate;
  /** Strings that were accepted though the speaker said one digit more than was asked for. */
  readonly oneTooManyAccepted: Rate;
  /** Strings whose greedy transcript is not exactly right. */
  readonly transcriptWrong: Rate;
}

export interface DigitsReport {
  /** All speakers the model has never heard, together, as they were recorded. */
  readonly all: StringsReport;
  readonly speakers: Readonly<Record<string, StringsReport>>;
  /** The same strings of all of them, by how they reached the recogniser. */
  readonly circumstances: Readonly<Record<string, StringsReport>>;
  /** Left out, with how many recordings: the model was trained on them. */
  readonly trainedOn: Readonly<Record<string, number>>;
  readonly strings: { readonly perSpeaker: number; readonly digits: number };
  readonly thresholds: DigitsModel['thresholds'];
  /** The genuine strings that were refused, with what was heard. */
  readonly refused: readonly { readonly speaker: string; readonly said: string; readonly heard: string }[];
  readonly unreadableFiles: readonly string[];
}

const seed = 20_261_122;
const stringsPerSpeaker = 100;
const digitsPerString = 6;
const randomPerString = 25;

interface Trial {
  readonly speaker: string;
  readonly circumstance: string;
  readonly said: string;
  readonly heard: string;
  readonly accepted: boolean;
  readonly randomAccepted: number;
  readonly oneWrongAccepted: number;
  readonly oneTooManyAccepted: boolean;
}

/**
 * `DIR/digits/**\/{digit}_{speaker}_{n}.wav`, 16-bit PCM: single digits, joined to strings of six by one speaker, 60 to
 * 175 ms apart, each at the same peak. Every string is tried as it was said, against 25 random others, against six that
 * differ in one digit, one for each place, and against one that lacks a digit; all of that in every circumstance.
 */
export async function evaluateDigits(
  directory: string,
  modelsDirectory: string,
  { digits: leastScore = 0.5 }: Thresholds,
): Promise<Section<DigitsReport>> {
  const recogniser = await openDigits(await openModelPack(modelsDirectory, 1));
  if (!recogniser) return { missing: 'the model pack has no recogniser of spoken digits' };
  const folder = path.join(directory, 'digits');
  const files = await readdir(folder, { recursive: true }).catch(() => undefined);
  if (!files) return { missing: `there is no ${folder}` };

  const voices = new Map<string, Map<string, Float32Array[]>>();
  const trainedOn: Record<string, number> = {};
  const unreadableFiles: string[] = [];
  for (const file of files.toSorted()) {
    const [, digit, speaker] = /^(\d)_(.+)_\d+\.wav$/.exec(path.basename(file)) ?? [];
    if (digit === undefined || speaker === undefined) continue;
    if (recogniser.contract.training_speakers.includes(speaker)) {
      trainedOn[speaker] = (trainedOn[speaker] ?? 0) + 1;
      continue;
    }
    const sound = readWave(await readFile(path.join(folder, file)));
    if (!sound) {
      unreadableFiles.push(file);
      continue;
    }
    const voice = voices.get(speaker) ?? new Map<string, Float32Array[]>();
    voices.set(speaker, voice.set(digit, [...(voice.get(digit) ?? []), sound]));
  }
  if (voices.size === 0) {
    const why = Object.keys(trainedOn).length > 0 ? 'by a speaker the model was not trained on' : 'readable';
    return { missing: `no recording below ${folder} is ${why}` };
  }

  const trials: Trial[] = [];
  const everything = [...voices.values()].flatMap((voice) => [...voice.values()].flat());
  for (const [speaker, voice] of voices) {
    trials.push(...(await tryStrings(recogniser, leastScore, { speaker, voice, everything })));
  }
  const clean = trials.filter(({ circumstance }) => circumstance === 'clean');
  return {
    report: {
      all: summary(clean),
      speakers: summaries(clean, ({ speaker }) => speaker),
      circumstances: summaries(trials, ({ circumstance }) => circumstance),
      trainedOn,
      strings: { perSpeaker: stringsPerSpeaker, digits: digitsPerString },
      thresholds: recogniser.contract.thresholds,
      refused: clean.filter(({ accepted }) => !accepted).map(({ speaker, said, heard }) => ({ speaker, said, heard })),
      unreadableFiles,
    },
  };
}

interface Speaking {
  readonly speaker: string;
  /** Recordings by digit. */
  readonly voice: ReadonlyMap<string, readonly Float32Array[]>;
  /** The recordings of all speakers. */
  readonly everything: readonly Float32Array[];
}

async function tryStrings(
  recogniser: DigitsRecogniser,
  leastScore: number,
  { speaker, voice, everything }: Speaking,
): Promise<Trial[]> {
  const random = numbers(`${seed} ${speaker}`);
  const below = (limit: number) => Math.floor(random() * limit);
  const names = [...voice.keys()].toSorted();
  const trials: Trial[] = [];
  for (let number = 0; number < stringsPerSpeaker; number += 1) {
    const said = Array.from({ length: digitsPerString }, () => names[below(names.length)] ?? '');
    const recordings = said.map((digit) => {
      const own = voice.get(digit) ?? [];
      return own[below(own.length)] ?? new Float32Array();
    });
    const spoken = join(recordings, random);
    for (const { name: circumstance, heard } of circumstances) {
      const listening = await recogniser.listen(heard(spoken, random, everything), digitsRateHz);
      trials.push({ speaker, circumstance, ...verdicts(listening, said, { below, leastScore }) });
    }
  }
  return trials;
}

function verdicts(
  listening: Listening,
  digits: readonly string[],
  { below, leastScore }: { below: (limit: number) => number; leastScore: number },
): Omit<Trial, 'speaker' | 'circumstance'> {
  const said = digits.join('');
  const isAccepted = (expected: string) => listening.verify(expected).score >= leastScore;
  const others = Array.from({ length: randomPerString }, () => {
    const other = Array.from({ length: digitsPerString }, () => below(10)).join('');
    return other === said ? said.replace(/^./, (first) => String((Number(first) + 5) % 10)) : other;
  });
  const oneWrong = digits.map((digit, place) => {
    const wrong = String((Number(digit) + 1 + below(9)) % 10);
    return digits.with(place, wrong).join('');
  });
  return {
    said,
    heard: listening.transcript,
    accepted: isAccepted(said),
    randomAccepted: others.filter(isAccepted).length,
    oneWrongAccepted: oneWrong.filter(isAccepted).length,
    oneTooManyAccepted: isAccepted(digits.toSpliced(below(digits.length), 1).join('')),
  };
}

function summaries(trials: readonly Trial[], nameOf: (trial: Trial) => string): Record<string, StringsReport> {
  const groups = Object.entries(Object.groupBy(trials, nameOf));
  return Object.fromEntries(groups.map(([name, own]) => [name, summary(own ?? [])]));
}

function summary(trials: readonly Trial[]): StringsReport {
  const sum = (count: (trial: Trial) => number) => trials.reduce((total, trial) => total + count(trial), 0);
  return {
    genuineRefused: rateOf(
      sum(({ accepted }) => (accepted ? 0 : 1)),
      trials.length,
    ),
    randomAccepted: rateOf(
      sum(({ randomAccepted }) => randomAccepted),
      trials.length * randomPerString,
    ),
    oneWrongAccepted: rateOf(
      sum(({ oneWrongAccepted }) => oneWrongAccepted),
      trials.length * digitsPerString,
    ),
    oneTooManyAccepted: rateOf(
      sum(({ oneTooManyAccepted }) => (oneTooManyAccepted ? 1 : 0)),
      trials.length,
    ),
    transcriptWrong: rateOf(
      sum(({ said, heard }) => (said === heard ? 0 : 1)),
      trials.length,
    ),
  };
}

/** Digits one after another at one peak, with the faint noise of a quiet room between them and a quarter second around. */
function join(recordings: readonly Float32Array[], random: () => number): Float32Array {
  const quiet = (seconds: number) =>
    Float32Array.from({ length: Math.round(seconds * digitsRateHz) }, () => (random() + random() - 1) * 1e-3);
  const parts = recordings.flatMap((samples) => {
    const peak = samples.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 1e-6);
    return [samples.map((sample) => (sample / peak) * 0.3), quiet(0.06 + 0.115 * random())];
  });
  return Float32Array.from([quiet(0.25), ...parts, quiet(0.25)].flatMap((part) => [...part]));
}

/** 16-bit PCM in a WAV file as 8 kHz mono; undefined for anything else. */
function readWave(bytes: Buffer): Float32Array | undefined {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') return undefined;
  let format: { channels: number; rateHz: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [kind, size] = [bytes.toString('latin1', at, at + 4), bytes.readUInt32LE(at + 4)];
    const body = bytes.subarray(at + 8, at + 8 + size);
    if (kind === 'fmt ' && body.length >= 16) {
      if (body.readUInt16LE(0) !== 1 || body.readUInt16LE(14) !== 16) return undefined;
      format = { channels: body.readUInt16LE(2), rateHz: body.readUInt32LE(4) };
    }
    if (kind === 'data') {
      if (!format || format.channels === 0 || format.rateHz < digitsRateHz) return undefined;
      const { channels, rateHz } = format;
      const first = (_: unknown, index: number) => body.readInt16LE(index * channels * 2) / 32768;
      const samples = Float32Array.from({ length: Math.floor(body.length / (2 * channels)) }, first);
      return samples.length > 0 ? resample(samples, rateHz) : undefined;
    }
    at += 8 + size + (size % 2);
  }
  return undefined;
}

/** Numbers in 0..1, the same for the same text: its FNV-1a hash is where they begin. */
function numbers(text: string): () => number {
  let state = 2166136261;
  for (const letter of text) state = Math.imul(state ^ letter.charCodeAt(0), 16777619);
  return mulberry32(state);
}

export function digitsText(section: Section<DigitsReport>, chosenBy: ChosenBy): string[] {
  if ('missing' in section) return [`Not measured: ${section.missing}`];
  const {
    all,
    speakers,
    circumstances: heard,
    trainedOn,
    strings,
    thresholds,
    refused,
    unreadableFiles,
  } = section.report;
  const lines = (name: string, report: StringsReport) => [
    `  ${name}`,
    `    genuine strings refused   ${rateText(report.genuineRefused)}`,
    `    random strings accepted   ${rateText(report.randomAccepted)}`,
    `    one digit wrong, accepted ${rateText(report.oneWrongAccepted)}`,
    `    one too many, accepted    ${rateText(report.oneTooManyAccepted)}`,
    `    transcript not exact      ${rateText(report.transcriptWrong)}`,
  ];
  const perSpeaker = Object.entries(speakers).flatMap(([speaker, report]) => lines(speaker, report));
  const simulated = Object.entries(heard).filter(([name]) => name !== 'clean');
  const excluded = Object.entries(trainedOn).map(([speaker, count]) => `${speaker} (${count})`);
  return [
    `${strings.perSpeaker} strings of ${strings.digits} digits by each speaker the model never heard; accepted from ln P(digits) + ${thresholds.lengthWeight} ln P(their number) = ${thresholds.accept} on, ${chosenBy}`,
    ...lines('all of them', all),
    ...(Object.keys(speakers).length > 1 ? perSpeaker : []),
    ...simulated.flatMap(([name, report]) => lines(`all of them, ${name} (simulated)`, report)),
    ...(excluded.length > 0 ? [`  left out, as the model was trained on them: ${excluded.join(', ')} recordings`] : []),
    ...listText(
      refused.map(({ speaker, said, heard }) => `  refused: ${speaker} said ${said}, heard ${heard || 'nothing'}`),
    ),
    ...unreadableFiles.slice(0, 10).map((file) => `  not readable: ${file}`),
    '  Strings are joined from single digits; trials of one string are not independent, so the intervals are too narrow.',
  ];
}
