import { createHash } from 'node:crypto';
import type { CaptureName } from '../../domain/captures.ts';
import { Fault } from '../../domain/fault.ts';
import type { Fingerprint } from '../../domain/fingerprint.ts';
import type { Finding, Measurements } from '../../domain/verdict.ts';
import type { Answer, Provider, Submission } from '../provider.ts';
import { builtin } from './capabilities.ts';

/** Result of a check: the finding and the numbers behind it. */
export interface Checked {
  readonly finding: Finding;
  readonly measurements: Measurements;
  readonly transcript?: string;
  /** Of captures with a face whose fingerprints were asked for. */
  readonly bands?: Partial<Record<CaptureName, Bands>>;
}

type Thresholds = Submission['thresholds'];
/** What else is asked for; `engine/` has the same words. */
type Options = Pick<Submission, 'fingerprinted' | 'barePortraits' | 'digitsDoubted' | 'turn'>;

/** The checks of the engine in this process: bytes of captures in, a finding out. `engine/` fits this type and is not imported. */
export interface Checks {
  readonly analyseSelfie: (selfie: Uint8Array, thresholds: Thresholds, options: Options) => Promise<Checked>;
  readonly analysePhotos: (
    selfie: Uint8Array,
    idCard: Uint8Array,
    thresholds: Thresholds,
    options: Options,
  ) => Promise<Checked>;
  readonly analyseVideo: (
    video: Uint8Array,
    idCard: Uint8Array,
    challenge: string,
    thresholds: Thresholds,
    options: Options,
  ) => Promise<Checked>;
}

/** The models of this process as a provider: it decides at once, there is no webhook to wait for. */
export function builtinProvider(engine: () => Promise<Checks>): Provider {
  return {
    ...builtin,
    submit: async (submission: Submission): Promise<Answer> => {
      const { thresholds, challenge, fingerprinted, barePortraits, digitsDoubted, turn } = submission;
      const options = { fingerprinted, barePortraits, digitsDoubted, turn };
      switch (submission.check) {
        case 'spoof_detect':
          return withCaptures(submission, ['selfie'], engine, (open, [selfie]) =>
            open.analyseSelfie(selfie, thresholds, options),
          );
        case 'photo_verify':
          return withCaptures(submission, ['selfie', 'id_card'], engine, (open, [selfie, idCard]) =>
            open.analysePhotos(selfie, idCard, thresholds, options),
          );
        case 'video_verify': {
          if (!challenge) throw new Fault('provider_refused', 'A video is verified by the digits it should say.');
          return withCaptures(submission, ['video', 'id_card'], engine, (open, [video, idCard]) =>
            open.analyseVideo(video, idCard, challenge, thresholds, options),
          );
        }
      }
    },
  };
}

/** Of a video, and of a picture without a face, the bytes alone. */
function fingerprintOf(bytes: Uint8Array, { picture, face } = { picture: [], face: [] } as Bands): Fingerprint {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), picture, face };
}

type Bands = Pick<Fingerprint, 'picture' | 'face'>;

type BytesOf<Names extends readonly CaptureName[]> = { [Index in keyof Names]: Uint8Array };

/**
 * What the captures hold is a finding; an exception is the engine's own fault, and its text may name files.
 * A capture that is too large to be opened needs no engine to be refused.
 */
async function withCaptures<const Names extends readonly CaptureName[]>(
  { openCapture, fingerprinted }: Submission,
  names: Names,
  engine: () => Promise<Checks>,
  analyse: (open: Checks, captures: BytesOf<Names>) => Promise<Checked>,
): Promise<Answer> {
  const opened = await Promise.all(names.map(async (name) => ({ name, ...(await openCapture(name)) })));
  const bytes: Uint8Array[] = [];
  const tooLarge: Record<string, number> = {};
  for (const capture of opened) {
    if (capture.kind === 'bytes') bytes.push(capture.bytes);
    else tooLarge[capture.name === 'id_card' ? 'id_capture_bytes' : 'capture_bytes'] = capture.bytes;
  }
  if (bytes.length < names.length) {
    const finding = { outcome: 'recapture', confidence: null, reasons: ['capture_too_large'], scores: {} } as const;
    return { kind: 'decided', finding: { ...finding, reasons: [...finding.reasons] }, measurements: tooLarge };
  }
  try {
    const { finding, measurements, transcript, bands } = await analyse(await engine(), bytes as BytesOf<Names>);
    const fingerprints = names.flatMap((name, index) =>
      fingerprinted.includes(name) ? [[name, fingerprintOf(bytes[index] as Uint8Array, bands?.[name])]] : [],
    );
    return { kind: 'decided', finding, measurements, transcript, fingerprints: Object.fromEntries(fingerprints) };
  } catch (cause) {
    throw new Fault('provider_failed', 'The built-in engine failed', { cause });
  }
}
