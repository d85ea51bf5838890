import * as z from 'zod';
import { type CaptureFile, type CaptureName, type Check, captureFile } from '../../domain/captures.ts';
import { givenChallenge } from '../../domain/challenge.ts';
import { Fault } from '../../domain/fault.ts';

const file = z.custom<Uint8Array>().meta({ type: 'string', format: 'binary' });
const apiKey = z.string().describe("The tenant's key");

/** The forms that One Smart Lab's document has clients send, for the document of our routes. */
export const calls = {
  photoverify: z.object({ api_key: apiKey, id_card: file, photo: file }),
  videoverify: z.object({
    api_key: apiKey,
    id_card: file,
    video: file,
    audiochallenge: z.string().describe('Six digits'),
    languageCode: z.string().optional(),
  }),
  spoofdetect: z.object({ api_key: apiKey, photo: file }),
} as const;
export type Path = keyof typeof calls;

/** The parts that any of them takes. */
export const formNames = {
  fields: ['api_key', 'audiochallenge', 'languageCode'],
  files: ['id_card', 'photo', 'video'],
};

/** What a form asks for, in our words. */
export interface Call {
  readonly check: Check;
  readonly captures: Partial<Record<CaptureName, CaptureFile>>;
  readonly challenge?: string;
  readonly languageCode?: string;
}

interface Form {
  readonly fields: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads a call. Two of the document's own examples are taken as they are meant: a video sent to `/photoverify` is
 * verified as one, and `/spoofdetect` takes the photo under `id_card`. Types are told by magic bytes: Python's `requests`
 * declares none. Throws `request_invalid`, naming the part.
 */
export function readCall(path: Path, { fields, files }: Form): Call {
  if (path === 'spoofdetect') {
    const part = files.has('id_card') && !files.has('photo') ? 'id_card' : 'photo';
    return { check: 'spoof_detect', captures: { selfie: captureOf('selfie', part, files) } };
  }
  const id_card = captureOf('id_card', 'id_card', files);
  if (path === 'photoverify' && !files.has('video')) {
    return { check: 'photo_verify', captures: { selfie: captureOf('selfie', 'photo', files), id_card } };
  }
  const challenge = givenChallenge.safeParse(fields.get('audiochallenge'));
  if (!challenge.success) {
    throw invalid('audiochallenge', 'send six digits that are not all the same');
  }
  const languageCode = languageOf(fields.get('languageCode'));
  return {
    check: 'video_verify',
    captures: { video: captureOf('video', 'video', files), id_card },
    challenge: challenge.data,
    ...(languageCode !== undefined && { languageCode }),
  };
}

function captureOf(name: CaptureName, part: string, files: Form['files']): CaptureFile {
  const bytes = files.get(part);
  if (bytes === undefined) throw invalid(part, 'send it as a file');
  const file = captureFile(name, bytes);
  if (!file) throw invalid(part, name === 'video' ? 'send a video, as MP4' : 'send a photo, as JPEG or PNG');
  return file;
}

function languageOf(given: string | undefined): string | undefined {
  if (given === undefined || given === '') return undefined;
  if (/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(given)) return given;
  throw invalid('languageCode', 'send a language code such as en-US');
}

const invalid = (part: string, whatToDo: string) => new Fault('request_invalid', `${part}: ${whatToDo}.`);
