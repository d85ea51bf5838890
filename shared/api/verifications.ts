import * as z from 'zod';
import { captureName, capturesOf, check, contentType, typesOf } from '../domain/captures.ts';
import { faultCodes } from '../domain/fault.ts';
import { providerName } from '../domain/policy.ts';
import { measurements, outcome, reason, scores } from '../domain/verdict.ts';
import { type Attempt, type HistoryEntry, sourceId, state, type Verification } from '../domain/verification.ts';
import type { Listed } from '../stores/verifications.ts';

/** Our API's own words: snake_case on the wire, turned into the domain's here and nowhere else. */

const metadataBytes = 2048;

const captureRequest = z.strictObject({
  content_type: contentType,
  content_length: z.int().positive().optional(),
});

const capturesRequest = z.partialRecord(captureName, captureRequest);

export const verificationRequest = z
  .strictObject({
    source_id: sourceId,
    check,
    captures: capturesRequest,
    provider: providerName.optional(),
    challenge: z
      .string()
      .regex(/^\d{4,8}$/, 'must be 4 to 8 digits')
      .optional(),
    language_code: z
      .string()
      .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a language code such as en-US')
      .optional(),
    metadata: z
      .record(z.string(), z.json())
      .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= metadataBytes, 'must be at most 2 KB of JSON')
      .optional(),
  })
  .superRefine((request, context) => {
    const needed: readonly string[] = capturesOf[request.check];
    for (const name of needed) {
      if (!(name in request.captures)) {
        context.addIssue({ code: 'custom', path: ['captures', name], message: `${request.check} needs this capture` });
      }
    }
    for (const [name, { content_type }] of Object.entries(request.captures)) {
      const path = ['captures', name];
      if (!needed.includes(name)) {
        context.addIssue({ code: 'custom', path, message: `${request.check} does not take this capture` });
      } else if (!typesOf[captureName.parse(name)].includes(content_type)) {
        context.addIssue({ code: 'custom', path: [...path, 'content_type'], message: `not a type for ${name}` });
      }
    }
    if (request.check !== 'video_verify') {
      for (const name of ['challenge', 'language_code'] as const) {
        if (request[name] !== undefined) {
          context.addIssue({ code: 'custom', path: [name], message: 'is for video_verify only' });
        }
      }
    }
  });
export type VerificationRequest = z.infer<typeof verificationRequest>;

/** `POST …/captures`: nothing, or what the new captures will be. */
export const capturesBody = z.strictObject({ captures: capturesRequest.optional() }).default({});

const uploadView = z.object({
  expires_at: z.string(),
  put: z.object({ url: z.url(), headers: z.record(z.string(), z.string()) }),
  post: z.object({ url: z.url(), fields: z.record(z.string(), z.string()) }),
});

export const stateView = z.object({ source_id: sourceId, check, state, round: z.int(), sequence: z.int() });

/** What whoever will upload is given. */
export const uploadsView = stateView.extend({
  challenge: z.string().optional(),
  client_token: z.string(),
  /** When the round expires if its captures have not landed. Each upload says itself when its URL does. */
  expires_at: z.string(),
  uploads: z.partialRecord(captureName, uploadView),
});
export type UploadsView = z.infer<typeof uploadsView>;

const verdictView = z.object({
  outcome,
  confidence: z.number().nullable(),
  reasons: z.array(reason),
  scores,
  provider: z.string(),
  policy_version: z.int(),
});

const attemptView = z.object({
  attempt: z.int(),
  provider: z.string(),
  round: z.int(),
  started_at: z.string(),
  ended_at: z.string().optional(),
  result: z.string().optional(),
  measurements: measurements.optional(),
});

/** `GET /verifications/{source_id}` with a key. */
export const verificationView = stateView.extend({
  verdict: verdictView.nullable(),
  fault: z.enum(faultCodes).optional(),
  challenge: z.string().optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  attempts: z.array(attemptView),
  created_at: z.string(),
  updated_at: z.string(),
});
export type VerificationView = z.infer<typeof verificationView>;

/** The same with a client_token: no scores, attempts or provider. */
export const clientView = stateView.extend({
  verdict: z.object({ outcome, reasons: z.array(reason) }).nullable(),
  created_at: z.string(),
  updated_at: z.string(),
});
export type ClientView = z.infer<typeof clientView>;

export const listView = z.object({
  verifications: z.array(
    stateView.extend({ verdict: verdictView.nullable(), created_at: z.string(), updated_at: z.string() }),
  ),
  next_cursor: z.string().nullable(),
});

export const historyView = z.object({
  source_id: sourceId,
  history: z.array(
    z.object({
      at: z.string(),
      sequence: z.int(),
      kind: z.enum(['moved', 'noted']),
      state,
      round: z.int(),
      code: z.string().optional(),
      outcome: outcome.optional(),
      provider: z.string().optional(),
      attempt: z.int().optional(),
    }),
  ),
  notes_dropped: z.int(),
});

export const problemView = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum([...faultCodes, 'internal']),
  source_id: z.string().optional(),
  retryable: z.boolean(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});

export function viewState(record: Verification): z.infer<typeof stateView> {
  const { sourceId: source_id, check, state, round, sequence } = record;
  return { source_id, check, state, round, sequence };
}

function viewVerdict(verdict: Listed['verdict']): VerificationView['verdict'] {
  if (!verdict) return null;
  const { policyVersion: policy_version, ...rest } = verdict;
  return { ...rest, policy_version };
}

function viewAttempt({ pass: _, startedAt, endedAt, ...made }: Attempt): z.infer<typeof attemptView> {
  return { ...made, started_at: startedAt, ...(endedAt ? { ended_at: endedAt } : {}) };
}

export function viewVerification(record: Verification): VerificationView {
  return {
    ...viewState(record),
    verdict: viewVerdict(record.state === 'decided' ? record.verdict : undefined),
    ...(record.state === 'errored' ? { fault: record.fault } : {}),
    ...('challenge' in record && record.challenge ? { challenge: record.challenge } : {}),
    ...('metadata' in record && record.metadata ? { metadata: record.metadata } : {}),
    attempts: 'attempts' in record ? record.attempts.map(viewAttempt) : [],
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  };
}

export function viewForClient(record: Verification): ClientView {
  return {
    ...viewState(record),
    verdict: record.state === 'decided' ? { outcome: record.verdict.outcome, reasons: record.verdict.reasons } : null,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  };
}

export function viewListed(row: Listed): z.infer<typeof listView>['verifications'][number] {
  const { sourceId: source_id, check, state, round, sequence, createdAt, updatedAt } = row;
  return {
    source_id,
    check,
    state,
    round,
    sequence,
    verdict: viewVerdict(row.verdict),
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

export function viewHistory(record: Verification): z.infer<typeof historyView> {
  const line = ({ at, sequence, kind, state, round, code, outcome, provider, attempt }: HistoryEntry) => ({
    at,
    sequence,
    kind,
    state,
    round,
    code,
    outcome,
    provider,
    attempt,
  });
  return { source_id: record.sourceId, history: record.history.map(line), notes_dropped: record.notesDropped };
}
