import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { cardSizePx, decodeImage } from '../../engine/decode.ts';
import type { Engine, Thresholds } from '../../engine/engine.ts';
import { cropFace, detectFaces, findLandmarks } from '../../engine/faces.ts';
import { readIdCard } from '../../engine/id-card.ts';
import { cosineOf, type Embedding, embedFace } from '../../engine/matching.ts';
import { openModelPack } from '../../engine/models.ts';
import type { DecodedCapture } from '../../engine/pixels.ts';
import type { FaceModels } from '../../engine/selfie.ts';
import { openSightModels, seeFace } from '../../engine/sight.ts';
import { cardBack } from './card-backs.ts';
import { cardFront, type PrintedPhoto } from './card-fronts.ts';
import { readRows } from './csv.ts';
import { decoders } from './decoders.ts';
import { pairRow, personRow, shrink } from './matching.ts';
import { mulberry32 } from './random.ts';
import { percent, type Rate, rateOf, rateText, type Section } from './rates.ts';
import { padRow } from './spoofing.ts';

/** Is this a face, and which way up? Each rate is of what went wrong, or says why it was not measured. */
export interface SightReport {
  /** Generated backs of cards, on which a face is seen, sent as card or as selfie. */
  readonly backs: Measured;
  /** Parts of pictures without a person, likewise. */
  readonly scenes: Measured;
  /** Drawn faces that pass `spoof_detect`, that end in anything but `face_not_detected`, and that are read on a card. */
  readonly drawings: { readonly passed: Measured; readonly decided: Measured; readonly read: Measured };
  /** Bona fide captures that are decided upright: turned, they fail though upright they pass; they are sent back. */
  readonly turned: { readonly accused: Measured; readonly sentBack: Measured };
  /** Pairs of one person that match by the largest detection, and do not with everything that is asked of a face. */
  readonly pairs: Measured;
  /** Generated cards sent back as `card_not_seen`. */
  readonly fronts: Measured;
}

type Measured = Section<Rate>;

/** How many pictures are made, and where the others are. */
export interface SightOptions {
  readonly backs: number;
  readonly scenes: number;
  readonly fronts: number;
  /** A folder of pictures without a person, and one of drawn faces. */
  readonly scenesDirectory?: string | undefined;
  readonly drawingsDirectory?: string | undefined;
}

interface Tools {
  readonly directory: string;
  readonly engine: Engine;
  readonly models: FaceModels;
  readonly thresholds: Thresholds;
  readonly options: SightOptions;
}

export async function evaluateSight(
  directory: string,
  modelsDirectory: string,
  engine: Engine,
  thresholds: Thresholds,
  options: SightOptions,
): Promise<Section<SightReport>> {
  const pack = await openModelPack(modelsDirectory, 1);
  const spoofModels = await Promise.all(pack.manifest.spoofing.models.map((model) => pack.open(model)));
  const models = { ...(await openSightModels(pack)), spoofModels };
  const tools = { directory, engine, models, thresholds, options };
  const report = {
    turned: await turnedCaptures(tools),
    pairs: await genuinePairs(tools),
    drawings: await drawnFaces(tools),
    fronts: await cardFronts(tools),
    scenes: await scenesWithoutPerson(tools),
    backs: await cardBacks(tools),
  };
  return { report };
}

const found = (wrong: readonly boolean[]): Measured => ({
  report: rateOf(wrong.filter((one) => one).length, wrong.length),
});

async function decode(bytes: Uint8Array, sizePx?: number): Promise<DecodedCapture | undefined> {
  const decoded = await decodeImage(bytes, { decoders, ...(sizePx && { sizePx }) });
  return decoded.kind === 'decoded' ? decoded.capture : undefined;
}

/** What a picture is taken for. */
interface Taken {
  readonly passed: boolean;
  /** Something else is said of it than `face_not_detected`. */
  readonly seen: boolean;
  /** A face is read on it, as on a card. */
  readonly read: boolean;
}

/** Nothing of a picture that cannot be decoded: a decoder that is out of time has seen no face. */
async function look(bytes: Uint8Array, { engine, models, thresholds }: Tools): Promise<Taken | undefined> {
  const { finding } = await engine.analyseSelfie(bytes, thresholds);
  const capture = await decode(bytes, cardSizePx);
  if (!capture || finding.reasons.includes('capture_unreadable')) return undefined;
  const card = await readIdCard(capture, models);
  return {
    passed: finding.outcome === 'passed',
    seen: !finding.reasons.includes('face_not_detected'),
    read: card.embedding !== undefined,
  };
}

async function cardBacks(tools: Tools): Promise<Measured> {
  const faces: boolean[] = [];
  for (let seed = 0; seed < tools.options.backs; seed += 1) {
    const taken = await look(await cardBack(seed), tools);
    if (taken) faces.push(taken.seen || taken.read);
  }
  return found(faces);
}

/** Pictures in a folder and the folders in it, by name. */
async function picturesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  return names
    .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
    .sort()
    .map((name) => path.join(directory, name));
}

/** Widths of the parts, in pixels. */
const sceneFromPx = 400;
const sceneToPx = 1280;

async function scenesWithoutPerson(tools: Tools): Promise<Measured> {
  const { scenesDirectory, scenes } = tools.options;
  if (!scenesDirectory) return { missing: '--scenes names no folder of pictures without a person' };
  const files = await picturesIn(scenesDirectory);
  if (files.length === 0) return { missing: `there is no JPEG, PNG or WebP in ${scenesDirectory}` };
  const random = mulberry32(1);
  const faces: boolean[] = [];
  for (let index = 0; index < scenes; index += 1) {
    const photo = sharp(files[index % files.length]);
    const { width = 1, height = 1 } = await photo.metadata();
    const across = Math.min(width, height, Math.round(sceneFromPx + (sceneToPx - sceneFromPx) * random()));
    const down = Math.round(0.75 * across);
    const part = {
      left: Math.floor((width - across) * random()),
      top: Math.floor((height - down) * random()),
      width: across,
      height: down,
    };
    const taken = await look(await photo.extract(part).flatten().jpeg({ quality: 92 }).toBuffer(), tools);
    if (taken) faces.push(taken.seen || taken.read);
  }
  return found(faces);
}

async function drawnFaces(tools: Tools): Promise<SightReport['drawings']> {
  const { drawingsDirectory } = tools.options;
  const files = drawingsDirectory ? await picturesIn(drawingsDirectory) : [];
  if (files.length === 0) {
    const missing = { missing: '--drawings names no folder of drawn faces' };
    return { passed: missing, decided: missing, read: missing };
  }
  const looks: Taken[] = [];
  for (const file of files) {
    const taken = await look(await readFile(file), tools);
    if (taken) looks.push(taken);
  }
  return {
    passed: found(looks.map(({ passed }) => passed)),
    decided: found(looks.map(({ seen }) => seen)),
    read: found(looks.map(({ read }) => read)),
  };
}

async function turnedCaptures({ directory, engine, thresholds }: Tools): Promise<SightReport['turned']> {
  const listed = await readRows(path.join(directory, 'pad.csv'), padRow);
  if ('why' in listed) return { accused: { missing: listed.why }, sentBack: { missing: listed.why } };
  const turned: { accused: boolean; sentBack: boolean }[] = [];
  for (const { file, label } of listed.rows) {
    const bytes = label === 'bona_fide' && (await readFile(path.join(directory, file)).catch(() => undefined));
    if (!bytes) continue;
    const upright = await engine.analyseSelfie(bytes, thresholds);
    if (upright.finding.outcome === 'recapture') continue;
    const standing = await sharp(bytes).autoOrient().toBuffer();
    for (const degrees of [90, 180, 270]) {
      const lying = await sharp(standing).rotate(degrees).jpeg({ quality: 95 }).toBuffer();
      const { outcome } = (await engine.analyseSelfie(lying, thresholds)).finding;
      turned.push({
        accused: outcome === 'failed' && upright.finding.outcome === 'passed',
        sentBack: outcome === 'recapture',
      });
    }
  }
  return {
    accused: found(turned.map(({ accused }) => accused)),
    sentBack: found(turned.map(({ sentBack }) => sentBack)),
  };
}

/** Width of a simulated card's face, in pixels. */
const cardFacePx = 64;

/** Embeddings of a photo as selfie and as card: of the largest detection, and of what is a face for certain. */
interface Faces {
  readonly selfie: { readonly detected: Embedding; readonly certain: Embedding | undefined };
  readonly card: { readonly detected: Embedding; readonly certain: Embedding | undefined };
}

async function genuinePairs({ directory, models, engine }: Tools): Promise<Measured> {
  const people = await readRows(path.join(directory, 'match.csv'), personRow);
  const pairs = await readRows(path.join(directory, 'match-pairs.csv'), pairRow);
  if ('why' in people && 'why' in pairs) return { missing: `${people.why}; ${pairs.why}` };
  const persons = 'rows' in people ? people.rows : [];
  const genuine = [
    ...persons.flatMap((one, index) =>
      persons.slice(index + 1).flatMap((other) => (one.person === other.person ? [[one.file, other.file]] : [])),
    ),
    ...('rows' in pairs ? pairs.rows : []).flatMap(({ file_a, file_b, label }) =>
      label === 'same' ? [[file_a, file_b]] : [],
    ),
  ];
  const faces = new Map<string, Faces>();
  for (const file of new Set(genuine.flat())) {
    const bytes = await readFile(path.join(directory, file)).catch(() => undefined);
    const seen = bytes && (await facesOf(bytes, models));
    if (seen) faces.set(file, seen);
  }
  const { cosine } = engine.manifest.faceMatching.thresholds;
  const lost = genuine.flatMap(([one = '', other = '']) =>
    [
      [one, other],
      [other, one],
    ].flatMap(([selfieFile = '', cardFile = '']) => {
      const [selfie, card] = [faces.get(selfieFile)?.selfie, faces.get(cardFile)?.card];
      if (!selfie || !card || cosineOf(selfie.detected, card.detected) < cosine) return [];
      return [!selfie.certain || !card.certain || cosineOf(selfie.certain, card.certain) < cosine];
    }),
  );
  return lost.length > 0 ? found(lost) : { missing: 'no pair of one person matches' };
}

async function facesOf(bytes: Uint8Array, models: FaceModels): Promise<Faces | undefined> {
  const photo = await decode(bytes);
  const detected = photo && (await largest(photo, models));
  if (!photo || !detected) return undefined;
  const small = await decode(await shrink(bytes, cardFacePx / detected.widthPx), cardSizePx);
  const printed = small && (await largest(small, models));
  if (!small || !printed) return undefined;
  const { kind, sight } = await seeFace(photo.image, models, {
    detect: detectFaces,
    tries: 1,
    embed: true,
    shaded: true,
  });
  const card = await readIdCard(small, models, { barePortraits: true });
  return {
    selfie: { detected: detected.embedding, certain: kind === 'certain' ? await sight?.embedding() : undefined },
    card: { detected: printed.embedding, certain: card.reasons.length === 0 ? card.embedding : undefined },
  };
}

async function largest({ image, widthPx }: DecodedCapture, { detector, landmarker, matcher }: FaceModels) {
  const [face] = await detectFaces(image, detector);
  if (!face) return undefined;
  const landmarks = await findLandmarks(cropFace(image, face, landmarker), face, landmarker);
  return {
    embedding: await embedFace(image, landmarks, await matcher()),
    widthPx: (face.width * widthPx) / image.width,
  };
}

async function cardFronts({ directory, models, options }: Tools): Promise<Measured> {
  const people = await readRows(path.join(directory, 'match.csv'), personRow);
  if ('why' in people) return { missing: people.why };
  const [first, ...others] = people.rows.map(
    ({ file }): PrintedPhoto =>
      () =>
        readFile(path.join(directory, file)),
  );
  if (!first) return { missing: 'match.csv names no photo to print' };
  const sentBack: boolean[] = [];
  for (let seed = 0; seed < options.fronts; seed += 1) {
    const card = await decode(await cardFront(seed, [first, ...others]), cardSizePx);
    if (card) sentBack.push((await readIdCard(card, models)).reasons.includes('card_not_seen'));
  }
  return found(sentBack);
}

export function sightText(section: Section<SightReport>): string[] {
  if ('missing' in section) return [`Not measured: ${section.missing}`];
  const { backs, scenes, drawings, turned, pairs, fronts } = section.report;
  const line = (what: string, measured: Measured, goal?: number) => {
    const text = 'missing' in measured ? `not measured: ${measured.missing}` : rateText(measured.report);
    return `  ${what.padEnd(58)}${text}${goal === undefined ? '' : `; goal at most ${percent(goal)}`}`;
  };
  return [
    line('a face on the generated back of a card', backs, 0),
    line('a face in part of a picture without a person', scenes, 0.01),
    line('drawn faces that pass', drawings.passed, 0),
    line('drawn faces that are not face_not_detected', drawings.decided, 0),
    line('drawn faces that are read on a card', drawings.read, 0),
    line('turned bona fide captures accused, and not upright', turned.accused, 0),
    line('turned bona fide captures sent back, decided upright', turned.sentBack, 0.05),
    line(`genuine pairs lost by the gate, card faces of ${cardFacePx} px`, pairs, 0.005),
    line('generated cards sent back as card_not_seen', fronts, 0),
  ];
}
