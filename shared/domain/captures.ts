import * as z from 'zod';
import { imageTypes, sniffContentType, typesOf, videoTypes } from './capture-files.ts';

export {
  capturesOf,
  imageTypes,
  magicBytes,
  maximumBytesOf,
  sniffContentType,
  typesOf,
  videoTypes,
} from './capture-files.ts';

/** What can be asked of a verification. */
export const check = z.enum(['spoof_detect', 'photo_verify', 'video_verify']);
export type Check = z.infer<typeof check>;

export const captureName = z.enum(['selfie', 'video', 'id_card']);
export type CaptureName = z.infer<typeof captureName>;

export const contentType = z.enum([...imageTypes, ...videoTypes]);
export type ContentType = z.infer<typeof contentType>;

/** What the client said it would upload. */
export const declaredCapture = z.object({ contentType, contentLength: z.int().positive().optional() });
export type DeclaredCapture = z.infer<typeof declaredCapture>;

/** What landed first: the only version of that key a provider will ever read. */
export const landedCapture = z.object({
  versionId: z.string(),
  etag: z.string(),
  bytes: z.int().nonnegative(),
  /** When we noticed it; of one whose event never came, when it was stored. */
  landedAt: z.string(),
  /** When it was stored, by S3's own clock, in whole seconds. Versions before did not keep it. */
  storedAt: z.string().optional(),
  /** Of a video: for which of the round's challenges its upload was signed, if not for the first. */
  challengeNumber: z.int().positive().optional(),
});
export type LandedCapture = z.infer<typeof landedCapture>;

export type Landed = Partial<Record<CaptureName, LandedCapture>>;

/** Where captures of one kind land in one round: a video in a place of its own for each challenge of the round. */
export interface CapturePlace {
  readonly verificationId: string;
  readonly round: number;
  readonly name: CaptureName;
  /** Absent: the first. */
  readonly challengeNumber?: number | undefined;
}

/**
 * Where a capture lives: nothing of the caller's becomes a path. A video for the second challenge of a round and later
 * ones has another key, `video-2`, so that what was said in it is known from where it landed.
 */
export function captureKey(verificationId: string, round: number, name: CaptureName, challengeNumber = 1): string {
  return `captures/${verificationId}/${round}/${name}${challengeNumber > 1 ? `-${challengeNumber}` : ''}`;
}

/** The prefix under which everything of one verification lies. */
export function capturesPrefix(verificationId: string): string {
  return `captures/${verificationId}/`;
}

/** Every landed capture of a round, by the version that is pinned. */
export function pinnedOf(record: {
  verificationId: string;
  round: number;
  landed: Landed;
}): (CapturePlace & { versionId: string })[] {
  const { verificationId, round } = record;
  return entriesOf(record.landed).map(([name, { versionId, challengeNumber }]) => {
    return { verificationId, round, name, versionId, challengeNumber };
  });
}

/** What the client said of each capture it would upload. */
export type Declared = Partial<Record<CaptureName, DeclaredCapture>>;

/** The captures of a partial record with their names. */
export function entriesOf<T>(captures: Partial<Record<CaptureName, T>>): [CaptureName, T][] {
  return captureName.options.flatMap((name): [CaptureName, T][] => {
    const value = captures[name];
    return value === undefined ? [] : [[name, value]];
  });
}

const keyPattern = /^captures\/([a-z2-7]{26})\/([1-3])\/(?:(selfie|id_card)|(video)(?:-([2-9]|[1-9]\d{1,3}))?)$/;

/** The reverse of `captureKey`, or undefined for a key that is not ours. */
export function parseCaptureKey(key: string): CapturePlace | undefined {
  const [, verificationId, round, image, video, challengeNumber] = keyPattern.exec(key) ?? [];
  if (!verificationId || !round) return undefined;
  const place = { verificationId, round: Number(round), name: captureName.parse(image ?? video) };
  return challengeNumber === undefined ? place : { ...place, challengeNumber: Number(challengeNumber) };
}

/** A capture as a file: its bytes, and their type by their magic. */
export interface CaptureFile {
  readonly contentType: ContentType;
  readonly bytes: Uint8Array;
}

/** The bytes as a file for this capture; undefined where they are of no type that it may have. */
export function captureFile(name: CaptureName, bytes: Uint8Array): CaptureFile | undefined {
  const contentType = sniffContentType(bytes);
  return contentType && typesOf[name].includes(contentType) ? { contentType, bytes } : undefined;
}
