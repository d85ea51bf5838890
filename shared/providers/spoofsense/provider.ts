import * as z from 'zod';
import { Fault } from '../../domain/fault.ts';
import type { Finding, Reason } from '../../domain/verdict.ts';
import { openFor } from '../capture.ts';
import { baseUrl, callVendor, readAnswer, secret } from '../http.ts';
import type { Answer, Fetch, Provider, Submission } from '../provider.ts';
import { refusalIn } from '../refusals.ts';
import { exactly } from '../settings.ts';
import { spoofsense as capabilities } from './capabilities.ts';
import {
  defaultThresholds,
  type ErrorCode,
  endpoint,
  faceBoxIn,
  problemOf,
  type Request,
  response,
  type unprocessed,
} from './wire.ts';

export const settings = exactly({
  baseUrl: baseUrl.default('https://z3jwq0rjyj.execute-api.ap-south-1.amazonaws.com/prod'),
  /** `robust` is for captures of low quality. */
  endpoint: endpoint.default('antispoofing'),
  timeoutSeconds: z.number().positive().max(capabilities.timeoutSeconds.spoof_detect).optional(),
});
export type Settings = z.infer<typeof settings>;

export const credentials = exactly({ apiKey: secret });
export type Credentials = z.infer<typeof credentials>;

export interface Connection {
  readonly settings: Settings;
  readonly credentials: Credentials;
  readonly fetch: Fetch;
}

/** Where selfies are sent. */
export function address({ baseUrl, endpoint }: Settings): string {
  return `${baseUrl}/${endpoint}`;
}

/** SpoofSense: the selfie in, the verdict back in the same call. */
export function spoofsense(connection: Connection): Provider {
  return {
    ...capabilities,
    submit: (submission) => submit(submission, connection),
    probe: { costs: 'It is sent no image, which is one call.', run: () => probe(connection) },
  };
}

async function submit(submission: Submission, connection: Connection): Promise<Answer> {
  const { name } = capabilities;
  if (submission.check !== 'spoof_detect')
    throw new Fault('provider_refused', `${name} cannot do ${submission.check}.`);
  const selfie = await openFor(capabilities, submission, 'selfie');
  if (selfie.kind === 'unusable') return selfie.answer;
  const { buffer, byteOffset, byteLength } = selfie.bytes;
  const request: Request = { data: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
  const { status, text } = await post(request, connection);
  if (status === 413) return { kind: 'decided', finding: recapture('capture_too_large') };
  const read = readAnswer(response, text, name);
  if (!read.success) {
    return { kind: 'decided', finding: recapture(reasons[knownProblem(read)]), measurements: faceBoxIn(read) };
  }
  const { prob_real } = read.model_output;
  return {
    kind: 'decided',
    finding: judge(prob_real, submission.thresholds.live ?? defaultThresholds[connection.settings.endpoint]),
  };
}

/** "Invalid base64 string", or what the newer edition says instead, is said to a key that is taken. */
async function probe(connection: Connection): Promise<void> {
  const { text } = await post({ data: '' }, connection);
  const read = readAnswer(response, text, capabilities.name);
  if (!read.success) knownProblem(read);
}

function post(request: Request, { settings, credentials, fetch }: Connection) {
  return callVendor({
    provider: capabilities.name,
    url: address(settings),
    headers: { 'content-type': 'application/json', 'x-api-key': credentials.apiKey },
    body: JSON.stringify(request),
    timeoutSeconds: settings.timeoutSeconds ?? capabilities.timeoutSeconds.spoof_detect,
    fetch,
    readStatuses: [413],
  });
}

/** An unknown problem may be theirs: the person must not be sent to take another picture for it. */
function knownProblem(read: z.output<typeof unprocessed>): ErrorCode {
  const problem = problemOf(read);
  if (problem) return problem;
  const code = refusalIn({ message: read.message, error_code: read.error_code }) ?? 'provider_unreadable';
  throw new Fault(code, `${capabilities.name} answered success: false for a reason its document does not have.`);
}

/** Their `pred_idx` is not asked: the document has `prob_real` decide, so that a tenant may choose the threshold. */
function judge(real: number, threshold: number): Finding {
  return real > threshold
    ? { outcome: 'passed', confidence: real, reasons: [], scores: { live: real } }
    : { outcome: 'failed', confidence: 1 - real, reasons: ['presentation_attack_suspected'], scores: { live: real } };
}

const reasons: Readonly<Record<ErrorCode, Reason>> = {
  FACE_NOT_DETECTED: 'face_not_detected',
  FACE_TOO_SMALL: 'face_too_small',
  INVALID_IMAGE_PAYLOAD: 'capture_unreadable',
};

const recapture = (reason: Reason): Finding => ({
  outcome: 'recapture',
  confidence: null,
  reasons: [reason],
  scores: {},
});
