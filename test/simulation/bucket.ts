import { captureKey, capturesPrefix, parseCaptureKey } from '../../shared/domain/captures.ts';
import { Fault } from '../../shared/domain/fault.ts';
import type { Captures, Landing, Pinned } from '../../shared/domain/ports.ts';
import { epochSeconds, isoOf } from '../../shared/domain/times.ts';
import { start } from '../builders/verification.ts';

/** A version as S3's events name it. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly 'version-id': string;
}

/** Bytes of every version. */
const size = 1000;

/** What a bucket tells of itself: every version that a provider was given, and every one that an erasure deletes. */
interface Watching {
  readonly read: (pinned: Pinned) => void;
  readonly erasing: (verificationId: string, versionId: string) => void;
}

const unwatched: Watching = { read() {}, erasing() {} };

/** The bucket, with versions. */
export function simulatedBucket({ read, erasing }: Watching = unwatched, now = () => start) {
  const objects = new Map<string, string[]>();
  /** When each version was stored, in whole seconds, as S3 writes it. */
  const storedAt = new Map<string, string>();
  let versions = 0;
  const keyOf = ({ verificationId, round, name, challengeNumber }: Pinned) =>
    captureKey(verificationId, round, name, challengeNumber);
  const isStored = (pinned: Pinned) => objects.get(keyOf(pinned))?.includes(pinned.versionId) ?? false;
  const given = (pinned: Pinned) => {
    if (!isStored(pinned)) throw new Fault('capture_missing', 'It is no longer stored.');
    read(pinned);
  };

  const store = (key: string) => {
    versions += 1;
    const versionId = `version-${versions}`;
    objects.set(key, [...(objects.get(key) ?? []), versionId]);
    storedAt.set(versionId, isoOf(epochSeconds(now())));
    return versionId;
  };

  const captures: Captures = {
    put: async ({ verificationId, round, name }) => {
      return { versionId: store(captureKey(verificationId, round, name)), etag: 'etag' };
    },
    async open(pinned) {
      given(pinned);
      return { kind: 'bytes', bytes: new Uint8Array() };
    },
    async stream(pinned) {
      given(pinned);
      return { kind: 'stream', stream: new ReadableStream(), bytes: 0 };
    },
    async link(pinned) {
      read(pinned); // signing does not ask whether it is still there
      return `https://captures/${pinned.versionId}`;
    },
    exists: async (pinned) => isStored(pinned),
    typeOf: async (pinned) => (isStored(pinned) ? 'image/jpeg' : undefined),
    async removeVersion(pinned) {
      const stored = objects.get(keyOf(pinned));
      const at = stored?.indexOf(pinned.versionId) ?? -1;
      if (at >= 0) stored?.splice(at, 1);
    },
    async removeAll(verificationId, lastRound) {
      for (const key of objects.keys()) {
        const address = parseCaptureKey(key);
        if (address?.verificationId === verificationId && address.round <= lastRound) objects.delete(key);
      }
    },
    stored: async (verificationId) => {
      const prefix = capturesPrefix(verificationId);
      const versions = [...objects]
        .filter(([key]) => key.startsWith(prefix))
        .flatMap(([key, stored]) =>
          stored.map((versionId) => ({ key: key.slice(prefix.length), versionId, etag: 'etag' })),
        );
      return { versions, more: false };
    },
    oldest: async (verificationId, round) =>
      [...objects].flatMap(([key, [versionId]]): Landing[] => {
        const place = parseCaptureKey(key);
        if (versionId === undefined || place?.verificationId !== verificationId || place.round !== round) return [];
        return [{ ...place, versionId, etag: 'etag', bytes: size, storedAt: storedAt.get(versionId) ?? '' }];
      }),
    async removeVersions(verificationId, versions) {
      for (const { key, versionId } of versions) {
        const stored = objects.get(`${capturesPrefix(verificationId)}${key}`);
        const at = stored?.indexOf(versionId) ?? -1;
        if (at < 0) continue; // another erasure has deleted it
        stored?.splice(at, 1);
        erasing(verificationId, versionId);
      }
    },
    keepsEtags: true,
  };

  return {
    captures,

    /** A PUT (which finds nothing there, or is refused) or a POST. Answers the new version's event, as S3 tells it. */
    upload(how: 'PUT' | 'POST', key: string): StoredObject | undefined {
      const stored = objects.get(key) ?? [];
      if (how === 'PUT' && stored.length > 0) return undefined;
      return { key, size, etag: 'etag', 'version-id': store(key) };
    },

    /** Versions of one verification that are still stored. */
    left(verificationId: string): string[] {
      const prefix = capturesPrefix(verificationId);
      return [...objects].flatMap(([key, stored]) => (key.startsWith(prefix) ? stored : []));
    },
  };
}
