import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { cropFace, detectFaces, findLandmarks, type Point } from '../../engine/faces.ts';
import { median } from '../../engine/footage.ts';
import { openModelPack } from '../../engine/models.ts';
import { type Tracked, trackFace } from '../../engine/motion/face-track.ts';
import { type Motion, type Sighting, watchMotion } from '../../engine/motion.ts';
import { luma, type RgbImage } from '../../engine/pixels.ts';
import { syncOf } from '../../engine/sync.ts';
import { watchTurn } from '../../engine/turn.ts';
import { decodeVideo } from '../../engine/video.ts';
import type { VideoSound } from '../../engine/video-worker.ts';
import { turns } from '../../shared/domain/challenge.ts';
import { ffmpeg } from './encode.ts';
import { type StillAttack, showStill, stillAttacks } from './moving-stills.ts';
import { percent, type Rate, rateOf, rateText, type Section } from './rates.ts';

/** What the check of motion says of living people's videos, and of one still of each, moved about. */
export interface MotionReport {
  /** By the face's width in the video. */
  readonly living: Readonly<Record<string, Verdicts>>;
  /** By how the still moves; empty where they were left out. */
  readonly stills: Readonly<Record<string, Verdicts>>;
  /** Living people were asked for no turn: how many of all that could be asked for are seen. */
  readonly turnsSeen: Rate;
  /** Whether lips go with the voice: the people's own, and that of each other video. */
  readonly sync: Sync;
  readonly judged: readonly Judged[];
  readonly unreadableFiles: readonly string[];
}

interface Verdicts {
  readonly head: Rate;
  readonly unclear: Rate;
  readonly flat: Rate;
}

interface Sync {
  readonly own: readonly number[];
  readonly others: readonly number[];
  /** Of all pairs of an own one and another's, those of which the own one is higher: 0.5 is chance. Null without any. */
  readonly ownHigherRatio: number | null;
}

interface Judged {
  readonly file: string;
  /** `living`, or the name of the attack. */
  readonly what: string;
  readonly faceWidthPx: number;
  readonly seconds: number;
  readonly kind: Motion['kind'];
  readonly measurements: Motion['measurements'];
}

/** Where bands of the face's width begin, in pixels of the video. */
const bands = [0, 100, 150] as const;

/** Shorter ones are told apart. */
const wholeSeconds = 4.8;

interface Living {
  readonly track: readonly Tracked[];
  readonly begins: number;
  readonly audio?: VideoSound | undefined;
}

type Seen = Living & {
  readonly judged: Omit<Judged, 'file' | 'what'>;
  readonly still: RgbImage;
  readonly landmarks: readonly Point[];
};

/** Every video in `videos/` is taken for one of a living person. `stills`: also makes, and judges, stills of them. */
export async function evaluateMotion(
  directory: string,
  modelsDirectory: string,
  { stills }: { readonly stills: boolean },
): Promise<Section<MotionReport>> {
  const folder = path.join(directory, 'videos');
  const files = (await readdir(folder).catch(() => [])).filter((file) => /\.(mp4|mov|webm)$/.test(file)).toSorted();
  if (files.length === 0) return { missing: `there are no videos in ${folder}` };
  const look = await openEyes(modelsDirectory);
  const judged: Judged[] = [];
  const unreadableFiles: string[] = [];
  const people: Living[] = [];
  for (const file of files) {
    const seen = await look(await readFile(path.join(folder, file)));
    if (!seen) {
      unreadableFiles.push(file);
      continue;
    }
    judged.push({ file, what: 'living', ...seen.judged });
    people.push({ track: seen.track, begins: seen.begins, audio: seen.audio });
    for (const attack of stills ? stillAttacks : []) {
      const moved = await look(await filmStill(seen, attack));
      if (moved) judged.push({ file, what: attack.name, ...moved.judged });
    }
  }
  const living = judged.filter(({ what }) => what === 'living');
  const attacks = judged.filter(({ what }) => what !== 'living');
  return {
    report: {
      living: grouped(living, bandOf),
      stills: grouped(attacks, ({ what }) => what),
      turnsSeen: turnsSeenOf(people),
      sync: compareSync(people),
      judged,
      unreadableFiles,
    },
  };
}

/** Decodes, finds the face in each picture, and asks whether a head moves. */
async function openEyes(modelsDirectory: string): Promise<(video: Uint8Array) => Promise<Seen | undefined>> {
  const pack = await openModelPack(modelsDirectory, 1);
  const detector = await pack.open(pack.manifest.faceDetection);
  const landmarker = await pack.open(pack.manifest.faceLandmarks);
  return async (video) => {
    const decoded = await decodeVideo(video);
    if (decoded.kind !== 'decoded') return undefined;
    const sightings: (Sighting & { readonly image: RgbImage })[] = [];
    for (const [index, image] of decoded.frames.entries()) {
      const [face] = await detectFaces(image, detector);
      if (!face) continue;
      const landmarks = await findLandmarks(cropFace(image, face, landmarker), face, landmarker);
      const time = decoded.times[index] ?? 0;
      sightings.push({ time, image, landmarks, face, pictureWidthPx: image.width });
    }
    const middle = sightings[sightings.length >> 1];
    if (!middle) return undefined;
    const { kind, measurements } = watchMotion(decoded.motion, sightings);
    const track = await trackFace(decoded.motion, sightings, landmarker);
    const faceWidthPx = (middle.face.width * decoded.widthPx) / middle.pictureWidthPx;
    return {
      judged: { faceWidthPx, seconds: decoded.seconds, kind, measurements },
      track,
      begins: decoded.times[0] ?? 0,
      audio: decoded.audio,
      still: middle.image,
      landmarks: middle.landmarks,
    };
  };
}

function turnsSeenOf(people: readonly Living[]): Rate {
  const asked = people.flatMap(({ track, begins }) => turns.map((turn) => watchTurn(track, turn, begins).seen));
  return rateOf(asked.filter((seen) => seen).length, asked.length);
}

function compareSync(people: readonly Living[]): Sync {
  const [own, others]: [number[], number[]] = [[], []];
  for (const one of people) {
    for (const { audio } of people) {
      // Each video's sound begins with its picture, wherever its clock begins.
      const sync = audio && syncOf(one.track, { ...audio, begins: one.audio?.begins ?? one.begins });
      if (typeof sync === 'number') (audio === one.audio ? own : others).push(sync);
    }
  }
  const higher = own.map((sync) => others.filter((other) => sync > other).length);
  const pairs = own.length * others.length;
  return { own, others, ownHigherRatio: pairs === 0 ? null : higher.reduce((sum, count) => sum + count, 0) / pairs };
}

const film = { framesPerSecond: 10, seconds: 3.5, sizePx: 640 } as const;

/** In grey: nothing that is asked here sees colour. H.264 of medium and of low quality in turns. */
async function filmStill({ still, landmarks }: Seen, { name, poseAt }: StillAttack): Promise<Uint8Array> {
  const { width, height, pixels } = still;
  const values = new Float32Array(pixels.length);
  for (const [index, value] of pixels.entries()) values[(index % 3) * width * height + Math.floor(index / 3)] = value;
  const grey = { width, height, pixels: Uint8Array.from(luma({ width, height, values }), Math.round) };
  const fit = film.sizePx / Math.max(width, height);
  const even = (length: number) => 2 * Math.round((length * fit) / 2);
  const size = { width: even(width), height: even(height) };
  const frames = Array.from({ length: film.framesPerSecond * film.seconds }, (_, frame) =>
    showStill(grey, landmarks, poseAt(frame / film.framesPerSecond), size, frame),
  );
  const raw = Buffer.concat(frames.map((frame) => frame.pixels));
  const quality = stillAttacks.findIndex((attack) => attack.name === name) % 2 === 0 ? '24' : '31';
  return ffmpeg({ 'frames.grey': raw }, 'still.mp4', [
    ...['-f', 'rawvideo', '-pixel_format', 'gray', '-video_size', `${size.width}x${size.height}`],
    ...['-framerate', String(film.framesPerSecond), '-i', 'frames.grey', '-pix_fmt', 'yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', quality],
  ]);
}

function bandOf({ faceWidthPx, seconds }: Judged): string {
  const from = bands.findLast((least) => faceWidthPx >= least) ?? 0;
  const to = bands[bands.indexOf(from) + 1];
  const width = to === undefined ? `${from} px and more` : `${from} to ${to - 1} px`;
  return `${width}, ${seconds >= wholeSeconds ? '5 s and more' : 'shorter'}`;
}

function grouped(judged: readonly Judged[], nameOf: (one: Judged) => string): Record<string, Verdicts> {
  const groups = Map.groupBy(judged, nameOf);
  return Object.fromEntries(
    [...groups].map(([name, some]) => {
      const share = (wanted: Motion['kind']) => rateOf(some.filter(({ kind }) => kind === wanted).length, some.length);
      return [name, { head: share('head'), unclear: share('unclear'), flat: share('flat') }];
    }),
  );
}

export function motionText(section: Section<MotionReport>): string[] {
  if ('missing' in section) return [`Not measured: ${section.missing}`];
  const { living, stills, turnsSeen, sync, judged, unreadableFiles } = section.report;
  const passed = judged.filter(({ what, kind }) => what !== 'living' && kind === 'head');
  const accused = judged.filter(({ what, kind }) => what === 'living' && kind === 'flat');
  return [
    'Videos of living people, by the width of the face: a head (passes), unclear (sent back), flat (fails)',
    ...linesOf(living),
    ...(Object.keys(stills).length > 0 ? ['One still of each, moved about: the same', ...linesOf(stills)] : []),
    `Turns seen that were not asked for, of ${turns.length} for each living person: ${rateText(turnsSeen)}`,
    ...syncLines(sync),
    ...passed.map(({ file, what }) => `  PASSED ${file}: ${what}`),
    ...accused.map(({ file }) => `  FAILED ${file}, a living person`),
    ...(unreadableFiles.length > 0 ? [`  ${unreadableFiles.length} without a face, or not read`] : []),
  ];
}

function syncLines({ own, others, ownHigherRatio }: Sync): string[] {
  if (ownHigherRatio === null) return [];
  const medians = [own, others].map((some) => `${median(some).toFixed(2)} (${some.length})`);
  return [
    `Lips and voice, which decides nothing: median ${medians[0]} with the own voice, ${medians[1]} with that of another video;`,
    `  the own one is higher in ${percent(ownHigherRatio)} of all pairs, where chance is 50 %`,
  ];
}

const linesOf = (groups: Readonly<Record<string, Verdicts>>) =>
  Object.entries(groups)
    .toSorted(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }))
    .map(
      ([name, { head, unclear, flat }]) =>
        `  ${name.padEnd(32)}${rateText(head)}; unclear ${unclear.errors}, flat ${flat.errors}`,
    );
