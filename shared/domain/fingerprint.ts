import { createHmac } from 'node:crypto';
import type { CaptureName } from './captures.ts';

/** What a capture is recognised by when it comes again. A capture without a face, and a video, has its bytes alone. */
export interface Fingerprint {
  /** Of its bytes, as hex. */
  readonly sha256: string;
  /** Of the whole picture: bands of bits as text. */
  readonly picture: readonly string[];
  /** Of the face in it. */
  readonly face: readonly string[];
}

export type Fingerprints = Partial<Record<CaptureName, Fingerprint>>;

/** So many parts of a kind that two captures share make them one: bytes are certain, a band of a face alone is not. */
const sharedToRepeat = { bytes: 1, picture: 1, face: 2 } as const;
type Kind = keyof typeof sharedToRepeat;

/** One part of a fingerprint under the deployment's key: what is stored, and what is looked for. */
export interface FingerprintKey {
  readonly kind: Kind;
  readonly id: string;
}

/**
 * The keys of a fingerprint: HMAC-SHA-256 over tenant, capture, kind, place and value, 128 bits each. Without the key they
 * say nothing of the picture; under it the parts of two fingerprints are equal or not, and no nearer.
 */
export function fingerprintKeys(
  key: string,
  { tenant, name, fingerprint }: { tenant: string; name: CaptureName; fingerprint: Fingerprint },
): FingerprintKey[] {
  return partsOf(fingerprint).map(({ kind, text }) => {
    const hmac = createHmac('sha256', key).update([tenant, name, text].join('\0'));
    return { kind, id: hmac.digest().subarray(0, 16).toString('base64url') };
  });
}

function partsOf({ sha256, picture, face }: Fingerprint): { kind: Kind; text: string }[] {
  return [
    { kind: 'bytes', text: `bytes\0${sha256}` },
    ...picture.map((band, place) => ({ kind: 'picture', text: `picture\0${place}\0${band}` }) as const),
    ...face.map((band, place) => ({ kind: 'face', text: `face\0${place}\0${band}` }) as const),
  ];
}

/** Whether a capture that shares parts of these kinds with another one is that one again. */
export function isRepeat(shared: readonly Kind[]): boolean {
  return Object.entries(sharedToRepeat).some(([kind, least]) => shared.filter((one) => one === kind).length >= least);
}

/** The kinds of the parts that two fingerprints share. */
export function sharedKinds(one: Fingerprint, other: Fingerprint): Kind[] {
  const others = new Set(partsOf(other).map(({ text }) => text));
  return partsOf(one).flatMap(({ kind, text }) => (others.has(text) ? [kind] : []));
}
