import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { CaptureName, Check } from '../../domain/captures.ts';
import { Fault } from '../../domain/fault.ts';
import { streamFor } from '../capture.ts';
import { greyPicture } from '../grey-picture.ts';
import { baseUrl, callVendor, readAnswer, secret } from '../http.ts';
import type { Answer, Fetch, Provider, Submission } from '../provider.ts';
import { refusalIn } from '../refusals.ts';
import { exactly } from '../settings.ts';
import { readJson } from '../wire-values.ts';
import { onesmartlab as capabilities } from './capabilities.ts';
import { type Found, photoVerifyFinding, spoofDetectFinding, videoVerifyFinding } from './findings.ts';
import { multipart, type Part } from './multipart.ts';
import {
  audioChallenge,
  endpoints,
  type Fields,
  photoVerified,
  problem,
  spoofDetected,
  videoVerified,
} from './wire.ts';

export const settings = exactly({
  baseUrl: baseUrl.default('https://api.onesmartlab.com/v1.1'),
  /** What is spoken in a video whose request named no language. */
  languageCode: z.string().default('en-US'),
  /** Instead of the 30 and 120 s of the capabilities; never more than those, the lease is made for them. */
  photoTimeoutSeconds: z.number().positive().max(capabilities.timeoutSeconds.photo_verify).optional(),
  videoTimeoutSeconds: z.number().positive().max(capabilities.timeoutSeconds.video_verify).optional(),
  /** For both, where theirs is absent. The only one there was before; a video takes about a minute, so it is too short. */
  timeoutSeconds: z.number().positive().max(capabilities.timeoutSeconds.photo_verify).optional(),
});
export type Settings = z.infer<typeof settings>;

export const credentials = exactly({ apiKey: secret });
export type Credentials = z.infer<typeof credentials>;

export interface Connection {
  readonly settings: Settings;
  readonly credentials: Credentials;
  readonly fetch: Fetch;
}

/** Where captures are sent: the address of every check begins so. */
export function address({ baseUrl }: Settings): string {
  return baseUrl;
}

/** One Smart Lab: captures in as multipart, straight from where they are stored, the verdict back in the same call. */
export function onesmartlab(connection: Connection): Provider {
  return {
    ...capabilities,
    submit: (submission) => submit(submission, connection),
    probe: { costs: 'It is sent a grey picture, which is one call.', run: () => probe(connection) },
  };
}

async function submit(submission: Submission, connection: Connection): Promise<Answer> {
  const { files } = endpoints[submission.check];
  const fields = fieldsOf(submission, connection.settings, connection.credentials);
  const opened = await openParts(submission, files);
  if (opened.kind === 'unusable') return opened.answer;
  const text = await post(submission.check, fields, opened.parts, connection);
  return { kind: 'decided', ...findingIn(submission, text, capabilities.name) };
}

/** The document has nothing that a call without a picture is answered: only a picture tells whether the key is taken. */
async function probe(connection: Connection): Promise<void> {
  const { credentials } = connection;
  const picture = greyPicture();
  const photo = { field: 'photo', contentType: 'image/png', bytes: picture.length } as const;
  const parts = [{ ...photo, stream: ReadableStream.from([picture]) }];
  const text = await post('spoof_detect', { api_key: credentials.apiKey }, parts, connection);
  readAnswer(z.object({ predictions: z.object({}) }), text, capabilities.name);
}

/** The text of an answer that is no refusal. */
async function post(
  check: Check,
  fields: Fields,
  parts: readonly Part[],
  { settings, fetch }: Connection,
): Promise<string> {
  const { name } = capabilities;
  const { headers, body } = multipart(fields, parts, `bonafide-${randomUUID()}`);
  try {
    const { status, text } = await callVendor({
      provider: name,
      url: `${settings.baseUrl}${endpoints[check].path}`,
      headers,
      body,
      timeoutSeconds: timeoutOf(check, settings),
      fetch,
      readStatuses: [400, 422],
    });
    refuse(status, text, name);
    return text;
  } finally {
    await cancelAll(parts);
  }
}

function timeoutOf(check: Check, settings: Settings): number {
  const own = check === 'video_verify' ? settings.videoTimeoutSeconds : settings.photoTimeoutSeconds;
  return own ?? settings.timeoutSeconds ?? capabilities.timeoutSeconds[check];
}

function fieldsOf({ check, challenge, languageCode }: Submission, settings: Settings, { apiKey }: Credentials): Fields {
  if (check !== 'video_verify') return { api_key: apiKey };
  const asked = audioChallenge.safeParse(challenge);
  if (!asked.success) throw new Fault('provider_refused', `${capabilities.name} takes challenges of six digits only.`);
  return { audiochallenge: asked.data, languageCode: languageCode ?? settings.languageCode, api_key: apiKey };
}

type Opened = { kind: 'parts'; parts: Part[] } | { kind: 'unusable'; answer: Answer };

async function openParts(submission: Submission, files: Readonly<Record<string, CaptureName>>): Promise<Opened> {
  const parts: Part[] = [];
  try {
    for (const [field, capture] of Object.entries(files)) {
      const ready = await streamFor(capabilities, submission, capture);
      if (ready.kind === 'unusable') {
        await cancelAll(parts);
        return ready;
      }
      parts.push({ field, contentType: ready.contentType, bytes: ready.bytes, stream: ready.stream });
    }
  } catch (error) {
    await cancelAll(parts);
    throw error;
  }
  return { kind: 'parts', parts };
}

/** A stream that is not read keeps its connection to the store open. One that is being read is ended by its reader. */
async function cancelAll(parts: readonly Part[]): Promise<void> {
  await Promise.allSettled(parts.filter(({ stream }) => !stream.locked).map(({ stream }) => stream.cancel()));
}

/** Throws what a refusal means. The document gives its errors no status, and no text but `SOME_ERROR`. */
function refuse(status: number, text: string, name: string): void {
  const refused = problem.safeParse(readJson(text));
  if (refused.success) {
    throw new Fault(refusalIn(refused.data.error) ?? 'provider_refused', `${name} answered an error.`);
  }
  if (status >= 400) throw new Fault('provider_refused', `${name} answered ${status}.`);
}

function findingIn({ check }: Submission, text: string, name: string): Found {
  switch (check) {
    case 'spoof_detect':
      return spoofDetectFinding(succeeded(readAnswer(spoofDetected, text, name)));
    case 'photo_verify':
      return photoVerifyFinding(succeeded(readAnswer(photoVerified, text, name)));
    case 'video_verify':
      return videoVerifyFinding(succeeded(readAnswer(videoVerified, text, name)));
  }
}

function succeeded<Read extends { success?: boolean | null | undefined }>(read: Read): Read {
  if (read.success === false) throw new Fault('provider_refused', `${capabilities.name} answered success: false.`);
  return read;
}
