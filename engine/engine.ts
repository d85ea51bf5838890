import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { CaptureName } from '../shared/domain/captures.ts';
import type { Turn } from '../shared/domain/challenge.ts';
import type { Finding, Measurements, Reason } from '../shared/domain/verdict.ts';
import { cardSizePx } from './decode.ts';
import { contradicts, type DigitsRecogniser, openDigits, recogniseDigits } from './digits.ts';
import { fingerprintOf, type PictureBands } from './fingerprint.ts';
import { median, watchFrames } from './footage.ts';
import { collectLater } from './heap.ts';
import { type CardOptions, type IdCard, readIdCard } from './id-card.ts';
import type { Manifest } from './manifest.ts';
import { cosineOf, distanceOf, matchScoreOf } from './matching.ts';
import { ModelsRefused } from './model.ts';
import { openModelPack } from './models.ts';
import { freshDecoders, type PhotoDecoders } from './photo.ts';
import type { DecodedCapture } from './pixels.ts';
import { photoCorrelationOf, samePhotoCorrelation } from './same-photo.ts';
import { lookAtPerson, openCapture, type Plain, type Portrait, type Timed } from './selfie.ts';
import { openSightModels } from './sight.ts';
import { syncOf } from './sync.ts';
import { decodeVideo } from './video.ts';

export interface EngineOptions {
  /** A directory with `manifest.json` and the .onnx files it names. */
  readonly modelsDirectory: string;
  /** Milliseconds, for the stages' durations only; nothing the engine decides depends on it. */
  readonly now?: () => number;
  /** Threads per model, 1 by default: the models are too small to gain from more (figures in `engine/notes/limits.md`). */
  readonly threads?: number;
  /** Of photos; `keptDecoders()` where all captures are one's own. @default one for each capture */
  readonly decoders?: PhotoDecoders;
  /** Listens instead of the pack's own recogniser. */
  readonly digits?: DigitsRecogniser;
}

/** What the tenant's policy may set; anything absent is the model pack's own threshold, or the gate's own limit. */
export interface Thresholds {
  /** 0..1: from this live score on a capture passes. */
  readonly live?: number;
  /** 0..1: from this match score on two faces are one person's. 0.5 is the pack's own threshold. */
  readonly match?: number;
  /** 0..1: from this score on the digits were said. 0.5 is the pack's own threshold. */
  readonly digits?: number;
  /** Pixels of the capture: the smallest face width and height that are judged; 112 by default. */
  readonly minimumFacePx?: number;
}

export interface Analysis {
  readonly finding: Finding;
  readonly measurements: Measurements;
  /** Milliseconds by stage: decode, detect, quality, spoofing and so on; a stage that was not reached is absent. */
  readonly stages: Readonly<Record<string, number>>;
  /** The digits that were heard, whatever was expected; '' when none were. Absent where nothing was listened to. */
  readonly transcript?: string;
  /** What captures with a face are recognised by, of those that were asked for; videos are not. */
  readonly bands?: Partial<Record<CaptureName, PictureBands>>;
}

/** Captures in, findings out. The same bytes give the same numbers. */
export interface Engine {
  readonly manifest: Manifest;
  /** spoof_detect: is this selfie of a person before the camera? Bytes of a JPEG, PNG, WebP or HEIC. */
  readonly analyseSelfie: (bytes: Uint8Array, thresholds: Thresholds, options?: AnalysisOptions) => Promise<Analysis>;
  /** photo_verify: is it, and is it the person on the ID card? Measurements of the card begin with `id_`. */
  readonly analysePhotos: (
    selfie: Uint8Array,
    idCard: Uint8Array,
    thresholds: Thresholds,
    options?: AnalysisOptions,
  ) => Promise<Analysis>;
  /** video_verify: the same of a video (MP4, MOV, WebM), of one head throughout, which moves and says the digits of `challenge`. */
  readonly analyseVideo: (
    video: Uint8Array,
    idCard: Uint8Array,
    challenge: string,
    thresholds: Thresholds,
    options?: AnalysisOptions,
  ) => Promise<Analysis>;
  /**
   * Resolves when the decoders of the next photos have started, which begins with every answer. A process that is
   * frozen after an answer, as Lambda does, waits for it: else the next verification does.
   */
  readonly prepared: () => Promise<void>;
}

/** What else a verification asks for: its policy, and what its record says of earlier captures. */
export interface AnalysisOptions extends CardOptions {
  /** Captures with a face whose `bands` are wanted. */
  readonly fingerprinted?: readonly CaptureName[];
  /** An earlier video was sent back because its digits were doubtful: it happens once, then a refusal counts. */
  readonly digitsDoubted?: boolean | undefined;
  /** One turn of the head that the video has to show. */
  readonly turn?: Turn | undefined;
}

/** Opens and verifies all models of the pack; the sessions are kept for the life of the process. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  collectLater();
  const threads = Math.min(options.threads ?? 1, availableParallelism());
  const now = options.now ?? (() => performance.now());
  const decoders = options.decoders ?? freshDecoders();
  const decodersReady = decoders.prepare();
  decodersReady.catch(() => undefined); // awaited below, when the models are open
  const pack = await openModelPack(options.modelsDirectory, threads);
  const { faceMatching, spoofing } = pack.manifest;
  const models = {
    ...(await openSightModels(pack)),
    spoofModels: await Promise.all(spoofing.models.map((model) => pack.open(model))),
  };
  // Opened now, so that no capture waits for them. One that is refused fails the checks that need it, and no other.
  await Promise.allSettled([models.matcher(), options.digits ?? openDigits(pack)]);

  function timing(stages: Record<string, number>, prefix = ''): Timed {
    return async (stage, work) => {
      const from = now();
      const result = await work();
      stages[prefix + stage] = now() - from;
      return result;
    };
  }

  async function analyseSelfie(
    bytes: Uint8Array,
    thresholds: Thresholds,
    { fingerprinted = [] }: AnalysisOptions = {},
  ): Promise<Analysis> {
    const stages: Record<string, number> = {};
    const timed = timing(stages);
    const capture = await timed('decode', () => openCapture(bytes, { decoders }));
    const look = { compared: false, photo: true, minimumFacePx: thresholds.minimumFacePx };
    const portrait = 'reasons' in capture ? capture : await lookAtPerson(capture, models, timed, look);
    const { reasons, measurements, live, plain, seen } = portrait;
    const bands = seen && fingerprinted.includes('selfie') && { selfie: fingerprintOf(seen.image, seen.landmarks) };
    releaseSoon(capture);
    const told = { measurements, stages, ...(bands && { bands }) };
    if (live === undefined) return { finding: recapture(reasons), ...told };
    return { finding: decide({ live }, thresholds, { plain }), ...told };
  }

  async function lookAtCard(
    capture: DecodedCapture | Portrait,
    timed: Timed,
    cardOptions?: CardOptions,
  ): Promise<IdCard> {
    if (!('reasons' in capture)) return timed('read', () => readIdCard(capture, models, cardOptions));
    const { reasons, measurements } = capture;
    const named = Object.entries(measurements).map(([name, value]) => [`id_${name}`, value]);
    return { reasons, measurements: { ...Object.fromEntries(named), id_card_refused: 1 } };
  }

  async function analysePhotos(
    selfie: Uint8Array,
    idCard: Uint8Array,
    thresholds: Thresholds,
    { fingerprinted = [], ...cardOptions }: AnalysisOptions = {},
  ): Promise<Analysis> {
    const stages: Record<string, number> = {};
    const [ofSelfie, ofCard] = [timing(stages, 'selfie_'), timing(stages, 'id_card_')];
    // Both are decoded at once, in threads of their own. The models run on this one, on whichever is there first.
    const document = ofCard('decode', () => openCapture(idCard, { decoders, sizePx: cardSizePx }));
    const photo = ofSelfie('decode', () => openCapture(selfie, { decoders }));
    const look = { compared: true, photo: true, minimumFacePx: thresholds.minimumFacePx };
    const [{ portrait, embedding }, card] = await Promise.all([
      photo.then(lookAtSelfie),
      document.then((opened) => lookAtCard(opened, ofCard, cardOptions)),
    ]);
    async function lookAtSelfie(opened: DecodedCapture | Portrait) {
      const portrait = 'reasons' in opened ? opened : await lookAtPerson(opened, models, ofSelfie, look);
      return { portrait, embedding: await portrait.seen?.embedding() };
    }
    const cosine = embedding && card.embedding && cosineOf(embedding, card.embedding);
    const photoCorrelation =
      embedding && card.embedding && photoCorrelationOf(embedding.aligned, card.embedding.aligned);
    const measurements = {
      ...portrait.measurements,
      ...(embedding && { face_norm: embedding.norm }),
      ...card.measurements,
      ...(cosine !== undefined && { match_cosine: cosine, match_distance: distanceOf(cosine, faceMatching) }),
      ...(photoCorrelation !== undefined && { match_photo_correlation: photoCorrelation }),
    };
    const { seen } = portrait;
    const [picture, cardPicture] = [await photo, await document];
    const cardSeen = card.embedding && 'image' in cardPicture && fingerprinted.includes('id_card');
    const bands = {
      ...(seen && fingerprinted.includes('selfie') && { selfie: fingerprintOf(seen.image, seen.landmarks) }),
      ...(cardSeen && { id_card: fingerprintOf(cardPicture.image) }),
    };
    for (const looked of [picture, cardPicture]) releaseSoon(looked);
    const told = { measurements, stages, bands };
    const reasons = new Set([...portrait.reasons, ...reasonsOfCard(card, photoCorrelation)]);
    if (reasons.size > 0 || cosine === undefined || portrait.live === undefined) {
      return { finding: recapture([...reasons]), ...told };
    }
    const scores = { live: portrait.live, match: matchScoreOf(cosine, faceMatching) };
    return { finding: decide(scores, thresholds, { photoCorrelation, plain: portrait.plain }), ...told };
  }

  async function analyseVideo(
    bytes: Uint8Array,
    idCard: Uint8Array,
    challenge: string,
    thresholds: Thresholds,
    { digitsDoubted = false, turn, ...cardOptions }: AnalysisOptions = {},
  ): Promise<Analysis> {
    const recogniser = options.digits ?? (await openDigits(pack));
    if (!recogniser) throw new ModelsRefused('The model pack has no recogniser of spoken digits');
    const stages: Record<string, number> = {};
    const [timed, ofCard] = [timing(stages, 'video_'), timing(stages, 'id_card_')];
    const document = ofCard('decode', () => openCapture(idCard, { decoders, sizePx: cardSizePx }));
    decoders.dismiss();
    const [video, card] = await Promise.all([
      timed('decode', () => decodeVideo(bytes)),
      document.then((opened) => lookAtCard(opened, ofCard, cardOptions)),
    ]);
    if (video.kind !== 'decoded') {
      const measurements = { ...(video.kind === 'too_large' && video.measurements), ...card.measurements };
      const finding = recapture([...new Set([reasonOf[video.kind], ...card.reasons])]);
      const format = video.kind === 'format_unsupported' && { format: video.format };
      return { finding: { ...finding, ...format }, measurements, stages };
    }

    const { audio } = video;
    const { minimumFacePx } = thresholds;
    const [footage, heard] = await Promise.all([
      timed('watch', () => watchFrames(video, models, faceMatching.thresholds.cosine, { minimumFacePx, turn })),
      audio && timed('listen', () => recogniseDigits(recogniser, audio.samples, audio.rateHz, challenge)),
    ]);
    const { embedding } = card;
    const cosines = embedding ? footage.embeddings.map((face) => cosineOf(face, embedding)) : [];
    const cosine = cosines.length > 0 ? median(cosines) : undefined;
    // One photo throughout: at least half of the frames are, and no fewer than eight frames are ever judged.
    const correlations = embedding
      ? footage.embeddings.map(({ aligned }) => photoCorrelationOf(aligned, embedding.aligned))
      : [];
    const photoCorrelation = correlations.length > 0 ? median(correlations) : undefined;
    const distances = cosines.map((one) => distanceOf(one, faceMatching));
    const measurements = {
      ...footage.measurements,
      ...card.measurements,
      ...(cosine !== undefined && {
        match_cosine: cosine,
        match_distance: distanceOf(cosine, faceMatching),
        match_distance_average: distances.reduce((sum, distance) => sum + distance, 0) / distances.length,
        match_distance_best: Math.min(...distances),
      }),
      ...(photoCorrelation !== undefined && { match_photo_correlation: photoCorrelation }),
      ...(heard && { ...heard.measurements, digits_confidence: heard.confidence }),
    };
    const reasons = new Set<Reason>([...footage.reasons, ...reasonsOfCard(card, photoCorrelation)]);
    const tooShort = reasons.has('video_too_short');
    const refused = heard !== undefined && heard.score < (thresholds.digits ?? 0.5);
    const doubted = refused && heard.doubtful && !digitsDoubted && !tooShort;
    const notHeard = heard?.heard !== 'digits' || (refused && !contradicts(heard.transcript, challenge));
    const told = {
      measurements: { ...measurements, ...(doubted && { digits_doubted: 1 }) },
      stages,
      ...(heard && { transcript: heard.transcript }),
    };
    if (!heard) reasons.add('audio_missing');
    else if ((notHeard && !tooShort) || doubted) reasons.add('digits_not_heard');
    if (reasons.size > 0 || cosine === undefined || footage.live === undefined || !heard || !audio) {
      return { finding: recapture([...reasons]), ...told };
    }
    const scores = {
      live: footage.live,
      match: matchScoreOf(cosine, faceMatching),
      digits: heard.score,
      sync: syncOf(footage.track, audio),
    };
    const { changed: faceChanged, motion, turned, plain } = footage;
    const finding = decide(scores, thresholds, { photoCorrelation, faceChanged, flat: motion === 'flat', plain });
    // Asked last: what fails a video anyway needs no head that moves, nor one that turns.
    const unmoved = finding.outcome === 'passed' && (motion === 'unclear' || !turned);
    return { finding: unmoved ? recapture(['move_your_head']) : finding, ...told };
  }

  /**
   * Passed where every score reaches its threshold and nothing else is found; confident by all scores. A face that looks
   * live by its colours alone is not accused of anything, and does not pass. `sync` is told and
   * decides nothing. How sure the
   * findings without a score are, is not known.
   */
  function decide(
    scores: { live: number; match?: number; digits?: number; sync?: number | null },
    thresholds: Thresholds,
    { photoCorrelation = 0, faceChanged = false, flat = false, plain }: Found = {},
  ): Finding {
    const { live, match = 1, digits = 1 } = scores;
    const liveThreshold = thresholds.live ?? spoofing.thresholds.live;
    const failures: Reason[] = [];
    const samePhoto = photoCorrelation >= samePhotoCorrelation;
    if (samePhoto) failures.push('same_photo_as_id');
    if (live < liveThreshold) failures.push('presentation_attack_suspected');
    if (flat) failures.push('face_does_not_move');
    if (match < (thresholds.match ?? 0.5)) failures.push('face_mismatch');
    if (faceChanged) failures.push('face_changed_in_video');
    if (digits < (thresholds.digits ?? 0.5)) failures.push('wrong_digits');
    const passes = live * match * digits;
    if (failures.length === 0 && plain && plain.live < liveThreshold) return recapture([plain.reason]);
    if (failures.length === 0) return { outcome: 'passed', confidence: passes, reasons: [], scores };
    return {
      outcome: 'failed',
      confidence: faceChanged || samePhoto || flat ? null : 1 - passes,
      reasons: failures,
      scores,
    };
  }

  // A decoder that cannot be started fails the capture that needs it.
  const prepared = () => decoders.prepare().catch(() => undefined);
  const thenPreparing =
    <Given extends readonly unknown[]>(analyse: (...given: Given) => Promise<Analysis>) =>
    (...given: Given) =>
      analyse(...given).finally(() => void prepared());

  await decodersReady;
  return {
    manifest: pack.manifest,
    analyseSelfie: thenPreparing(analyseSelfie),
    analysePhotos: thenPreparing(analysePhotos),
    analyseVideo: thenPreparing(analyseVideo),
    prepared,
  };
}

/**
 * Runs the picture of a person in `file` through the engine, as a selfie and as a document's portrait: the first capture
 * then finds models that have run, code that is compiled and memory that is there. What is found in it is of no consequence.
 * Where there is no such file, nothing is run.
 */
export async function warmUp(engine: Engine, file: string): Promise<void> {
  const picture = await readFile(file).catch(() => undefined);
  if (!picture) return;
  await engine.analysePhotos(picture, picture, {}, { barePortraits: true });
  await engine.prepared();
}

/** What is found beside the scores. */
interface Found {
  readonly photoCorrelation?: number | undefined;
  readonly faceChanged?: boolean;
  readonly flat?: boolean;
  readonly plain?: Plain | undefined;
}

/** One photo twice fails as such, whether there is a card around it or not. */
const reasonsOfCard = ({ reasons }: IdCard, photoCorrelation = 0): readonly Reason[] =>
  photoCorrelation >= samePhotoCorrelation ? reasons.filter((reason) => reason !== 'card_not_seen') : reasons;

/** Why a video that was not decoded is asked for again. */
const reasonOf = {
  too_large: 'capture_too_large',
  unreadable: 'capture_unreadable',
  format_unsupported: 'format_unsupported',
} as const;

function recapture(reasons: readonly Reason[]): Finding {
  return { outcome: 'recapture', confidence: null, reasons: [...reasons], scores: {} };
}

/**
 * Gives back a picture's memory when all that is asked of it is known, and the answer is on its way: that takes a
 * millisecond. Megabytes that wait for the collector instead make it walk the heap.
 */
function releaseSoon(picture: DecodedCapture | Portrait): void {
  if (!('image' in picture)) return;
  const { buffer, byteLength } = picture.image.pixels;
  // Small ones may share theirs with other Buffers.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) setImmediate(() => buffer.transfer(0));
}
