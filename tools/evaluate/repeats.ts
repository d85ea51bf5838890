import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import * as z from 'zod';
import { decodeImage } from '../../engine/decode.ts';
import { detectFaces } from '../../engine/faces.ts';
import { fingerprintOf } from '../../engine/fingerprint.ts';
import { openModelPack } from '../../engine/models.ts';
import type { RgbImage } from '../../engine/pixels.ts';
import { openSightModels, type SightModels, seeFace } from '../../engine/sight.ts';
import { type Fingerprint, isRepeat, sharedKinds } from '../../shared/domain/fingerprint.ts';
import { readRows } from './csv.ts';
import { decoders } from './decoders.ts';
import { type Rate, rateOf, rateText, type Section } from './rates.ts';
import { padRow } from './spoofing.ts';

/** How well a capture is recognised that comes again, and what else is taken for one. */
export interface RepeatsReport {
  /** Captures recognised, by how they were stored again. */
  readonly found: Readonly<Record<string, Rate>>;
  /** Pairs of different pictures that are taken for one, by whom they show. */
  readonly mistaken: Readonly<Record<string, Rate>>;
  readonly mistakenPairs: readonly (readonly [string, string])[];
  readonly withoutFace: number;
}

const photoRow = z.object({ file: z.string().min(1), person: z.string().min(1) });
const captureRow = padRow
  .extend({ subject: z.string().default('') })
  .transform(({ file, subject }) => ({ file, person: subject || file }));

/** What becomes of a file that is sent on, stored anew or edited a little. */
const storedAgain: Readonly<Record<string, (picture: Sharp, size: RgbImage) => Sharp>> = {
  'JPEG 60': (picture) => picture.jpeg({ quality: 60 }),
  'JPEG 40': (picture) => picture.jpeg({ quality: 40 }),
  'WebP 75': (picture) => picture.webp({ quality: 75 }),
  '80 % of its size': (picture, { width }) => picture.resize({ width: Math.round(width * 0.8) }).jpeg(),
  'half its size': (picture, { width }) => picture.resize({ width: Math.round(width / 2) }).jpeg(),
  '10 % brighter': (picture) => picture.linear(1.1, 5).jpeg(),
  'cropped by 1 % a side': (picture, size) => cropped(picture, size, 0.01),
  'cropped by 2 % a side': (picture, size) => cropped(picture, size, 0.02),
  'cropped by 5 % a side': (picture, size) => cropped(picture, size, 0.05),
};

function cropped(picture: Sharp, { width, height }: RgbImage, share: number): Sharp {
  const [left, top] = [Math.round(width * share), Math.round(height * share)];
  return picture.extract({ left, top, width: width - 2 * left, height: height - 2 * top }).jpeg();
}

interface Seen {
  readonly file: string;
  readonly person: string;
  readonly fingerprint: Fingerprint;
}

/**
 * Photos of `match.csv` and captures of `pad.csv`. Where captures of one subject are frames of one recording, seconds
 * apart and before a still camera, they are nearly one picture: they are counted apart.
 */
export async function evaluateRepeats(directory: string, modelsDirectory: string): Promise<Section<RepeatsReport>> {
  const pack = await openModelPack(modelsDirectory, 1);
  const models = await openSightModels(pack);
  const photos = await listed(path.join(directory, 'match.csv'), photoRow);
  const captures = await listed(path.join(directory, 'pad.csv'), captureRow);
  const found: Record<string, boolean[]> = {};
  let withoutFace = 0;
  const look = async (all: readonly Listed[]): Promise<Seen[]> => {
    const seen: Seen[] = [];
    for (const { file, person } of all) {
      const bytes = await readFile(path.join(directory, file)).catch(() => undefined);
      const first = bytes && (await fingerprinted(bytes, models));
      if (!first) {
        withoutFace += 1;
        continue;
      }
      seen.push({ file, person, fingerprint: first.fingerprint });
      for (const [how, store] of Object.entries(storedAgain)) {
        const again = await fingerprinted(await store(sharp(bytes).autoOrient(), first.stored).toBuffer(), models);
        found[how] = [...(found[how] ?? []), again !== undefined && areOne(first.fingerprint, again.fingerprint)];
      }
    }
    return seen;
  };
  const [seenPhotos, seenCaptures] = [await look(photos), await look(captures)];
  if (seenPhotos.length + seenCaptures.length === 0) return { missing: 'there is no capture with a face in it' };
  const mistakenPairs: [string, string][] = [];
  const mistakenOf = (pairs: readonly (readonly [Seen, Seen])[]): Rate => {
    const mistaken = pairs.filter(([one, other]) => areOne(one.fingerprint, other.fingerprint));
    mistakenPairs.push(...mistaken.map(([one, other]): [string, string] => [one.file, other.file]));
    return rateOf(mistaken.length, pairs.length);
  };
  const [ofPhotos, ofCaptures] = [pairsOf(seenPhotos), pairsOf(seenCaptures)];
  const strangers = ([one, other]: readonly [Seen, Seen]) => one.person !== other.person;
  const onePerson = (pair: readonly [Seen, Seen]) => !strangers(pair);
  return {
    report: {
      found: Object.fromEntries(
        Object.entries(found).map(([how, each]) => [how, rateOf(each.filter(Boolean).length, each.length)]),
      ),
      mistaken: {
        'two people': mistakenOf([...ofPhotos, ...ofCaptures].filter(strangers)),
        'two photos of one person (match.csv)': mistakenOf(ofPhotos.filter(onePerson)),
        'two captures of one subject (pad.csv)': mistakenOf(ofCaptures.filter(onePerson)),
      },
      mistakenPairs,
      withoutFace,
    },
  };
}

type Listed = z.output<typeof photoRow>;

/** None where there is no such file, or it is not as it should be: the sections it is made for say so. */
async function listed(file: string, row: z.ZodType<Listed>): Promise<Listed[]> {
  const read = await readRows(file, row);
  return 'why' in read ? [] : read.rows;
}

const areOne = (one: Fingerprint, other: Fingerprint) => isRepeat(sharedKinds(one, other));

function pairsOf(seen: readonly Seen[]): [Seen, Seen][] {
  return seen.flatMap((one, index) => seen.slice(index + 1).map((other): [Seen, Seen] => [one, other]));
}

/** As the engine does it: undefined where there is no face. `stored`: the picture's size as it stands in the file. */
async function fingerprinted(bytes: Uint8Array, models: SightModels) {
  const decoded = await decodeImage(bytes, { decoders });
  if (decoded.kind !== 'decoded') return undefined;
  const { sight } = await seeFace(decoded.capture.image, models, {
    detect: detectFaces,
    tries: 1,
    embed: false,
    shaded: false,
  });
  if (!sight) return undefined;
  const { widthPx: width, heightPx: height } = decoded.capture;
  return {
    stored: { ...decoded.capture.image, width, height },
    fingerprint: {
      sha256: createHash('sha256').update(bytes).digest('hex'),
      ...fingerprintOf(sight.image, sight.landmarks),
    },
  };
}

export function repeatsText(section: Section<RepeatsReport>): string[] {
  if ('missing' in section) return [`Not measured: ${section.missing}`];
  const { found, mistaken, mistakenPairs, withoutFace } = section.report;
  return [
    '  Recognised when it comes again, stored anew:',
    ...Object.entries(found).map(([how, rate]) => `    ${how.padEnd(38)}${rateText(rate)}`),
    '  Taken for one though they are two:',
    ...Object.entries(mistaken).map(([whom, rate]) => `    ${whom.padEnd(38)}${rateText(rate)}`),
    ...mistakenPairs.slice(0, 10).map(([one, other]) => `    ${one} and ${other}`),
    ...(withoutFace > 0 ? [`  ${withoutFace} captures without a face are left out`] : []),
    '  Subjects of pad.csv may be frames of one recording: a person who sits still before a still camera is one picture.',
  ];
}
