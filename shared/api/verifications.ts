import { createHash } from 'node:crypto';
import * as z from 'zod';
import {
  type ContentType,
  captureName,
  capturesOf,
  check,
  contentType,
  type Declared,
  entriesOf,
  typesOf,
} from '../domain/captures.ts';
import { challengeExpiresAt, givenChallenge, turn } from '../domain/challenge.ts';
import { faultCodes } from '../domain/fault.ts';
import { providerName } from '../domain/policy.ts';
import type { Listed, ListQuery, PageStart } from '../domain/ports.ts';
import { publishedKeys, receipt } from '../domain/receipt.ts';
import { returnUrl } from '../domain/return-url.ts';
import { isoOf, longestWaitSeconds } from '../domain/times.ts';
import {
  format,
  measurements,
  outcome,
  reason,
  recaptureReason,
  review,
  scores,
  type Verdict,
} from '../domain/verdict.ts';
import {
  type Attempt,
  type InState,
  maximumRounds,
  sourceId,
  state,
  states,
  subject,
  type Unerased,
  type Verification,
} from '../domain/verification.ts';
import type { Asked, Begun } from '../lifecycle/begin.ts';
import type { Issued } from '../lifecycle/issue-uploads.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { InexactNumber, inexactIn } from './json.ts';

/** Our API's own words: snake_case on the wire, turned into the domain's here and nowhere else. */

const metadataBytes = 2048;

/** Names that cameras, browsers and old libraries have for a type of ours. */
const aliases: ReadonlyMap<string, ContentType> = new Map([
  ['image/jpg', 'image/jpeg'],
  ['image/pjpeg', 'image/jpeg'],
  ['image/x-png', 'image/png'],
  ['image/heif', 'image/heic'],
  ['image/heic-sequence', 'image/heic'],
  ['image/heif-sequence', 'image/heic'],
  ['video/mov', 'video/quicktime'],
  ['video/x-quicktime', 'video/quicktime'],
  ['video/x-m4v', 'video/mp4'],
  ['video/m4v', 'video/mp4'],
]);

/**
 * A content type as a client names it: in any case, under its other names, with parameters such as `;codecs=vp9`. What is
 * declared and signed is our own name of it; the bytes decide in the end.
 */
const anyContentType = z
  .string()
  .max(200)
  .transform((given) => {
    const [type = ''] = given.toLowerCase().split(';');
    return aliases.get(type.trim()) ?? type.trim();
  })
  .pipe(contentType)
  .meta({ description: `${contentType.options.join(', ')}; other names of these and parameters are taken` });

const captureRequest = z.strictObject({
  content_type: anyContentType,
  content_length: z.int().positive().optional(),
});

const capturesRequest = z.strictObject({
  selfie: captureRequest.optional(),
  video: captureRequest.optional(),
  id_card: captureRequest.optional(),
});

/** Any JSON object: kept as its text, so that every name and number comes back as it was sent. */
export const metadata = z
  .custom<Readonly<Record<string, unknown>>>(isJsonObject, 'must be a JSON object')
  .superRefine((value, context) => {
    const inexact = inexactIn(value);
    if (inexact) {
      const message = `${inexact.text.slice(0, 40)} cannot be kept exactly as a number: send it as a string`;
      context.addIssue({ code: 'custom', path: inexact.path, message });
    } else if (Buffer.byteLength(JSON.stringify(value)) > metadataBytes) {
      context.addIssue({ code: 'custom', message: `must be at most ${metadataBytes} bytes of JSON` });
    }
  })
  .meta({
    type: 'object',
    additionalProperties: true,
    description: 'Yours, at most 2 KB of JSON; erased with the rest',
  });

function isJsonObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof InexactNumber);
}

export const verificationRequest = z
  .strictObject({
    source_id: sourceId,
    check,
    captures: capturesRequest,
    provider: providerName.optional(),
    challenge: givenChallenge.optional(),
    language_code: z
      .string()
      .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a language code such as en-US')
      .optional(),
    metadata: metadata.optional(),
    return_url: returnUrl
      .optional()
      .describe('Where the hosted capture page leads back to, with nothing added: of an origin that the policy lists'),
    subject: subject
      .optional()
      .describe('Your own id of the person: five verdicts `failed` within 30 minutes lock it. Kept as an HMAC alone'),
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

/** `POST …/captures`: what the new captures will be. */
export const capturesRequestBody = z.strictObject({ captures: capturesRequest.optional() });
/** The same, or no body at all. */
export const capturesBody = capturesRequestBody.default({});

/** Query of `GET /verifications/{source_id}`: seconds the caller is ready to wait for a resting state. */
export const readQuery = z.object({
  wait: z.coerce
    .number('must be a number of seconds, 0 to 20')
    .int()
    .min(0)
    .max(longestWaitSeconds)
    .default(0)
    .describe(
      'Answer once decided, errored, expired or erased, or after this many seconds (at most 10 on AWS by default); at once while captures or the webhook of a vendor are awaited',
    ),
});

/** A time with its offset, as the store compares it: in UTC, to the millisecond. */
export const moment = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 time with its offset, such as 2026-01-31T09:00:00Z' })
  .transform((text) => new Date(text).toISOString());

/** Query of `GET /verifications`. */
export const listQuery = z
  .object({
    state: z.enum([...states, 'all']).describe('Which state, or all of them'),
    check: check.optional().describe('Only this check'),
    outcome: outcome.optional().describe('Only decided ones of this outcome'),
    from: moment.optional().describe('Created at or after this time'),
    to: moment.optional().describe('Created before this time'),
    limit: z.coerce
      .number('must be a whole number, 1 to 100')
      .int('must be a whole number, 1 to 100')
      .min(1)
      .max(100)
      .default(20)
      .describe('How many at the most'),
    cursor: z
      .string()
      .max(400)
      .transform((text, context): PageStart => {
        const start = readCursor(text);
        if (start) return start;
        context.addIssue('is not a cursor of this API: send next_cursor as the page before gave it');
        return z.NEVER;
      })
      .optional()
      .describe('next_cursor of the page before'),
  })
  .superRefine(({ from, to }, context) => {
    if (from && to && from >= to) {
      context.addIssue({ code: 'custom', path: ['to'], message: 'must be later than from' });
    }
  });

/** Which verifications of a tenant a list shows. */
export function listedOf(tenant: string, { state, cursor, ...query }: z.output<typeof listQuery>): ListQuery {
  const wanted = state === 'all' ? states : [state];
  // Only a decided verification has an outcome.
  return {
    tenant,
    ...query,
    states: query.outcome ? wanted.filter((one) => one === 'decided') : wanted,
    after: cursor,
  };
}

export const uploadView = z.object({
  expires_at: z.string(),
  put: z.object({ url: z.url(), headers: z.record(z.string(), z.string()) }),
  post: z.object({ url: z.url(), fields: z.record(z.string(), z.string()) }),
});

const turnView = turn
  .optional()
  .describe(
    "Where the policy asks for it: turn the head once, to one's own left or right, at this second of the video",
  );

export const stateView = z.object({ source_id: sourceId, check, state, round: z.int(), sequence: z.int() });

/** Answer of `POST /verifications`: state, client token, one upload per capture. */
export const uploadsView = stateView.extend({
  challenge: z
    .string()
    .optional()
    .describe('The digits to say in the video. Show these: they may be new in any answer'),
  challenge_expires_at: z
    .string()
    .optional()
    .describe('Until when a video that says the digits may be uploaded; ask for captures again to have new ones'),
  turn: turnView,
  client_token: z.string(),
  capture_url: z
    .url()
    .describe('The hosted capture page: lead the person there with `#` and the client_token behind it'),
  limits: z
    .object({ minimum_face_px: z.int().describe('Width and height of the face in the picture, at the least') })
    .optional()
    .describe('What the first provider asks of a capture, where that is known before'),
  /** When the round expires if its captures have not landed. Each upload says itself when its URL does. */
  expires_at: z.string(),
  uploads: z.object({ selfie: uploadView.optional(), video: uploadView.optional(), id_card: uploadView.optional() }),
});
export type UploadsView = z.infer<typeof uploadsView>;

const formatView = format.optional().describe('Beside `format_unsupported`: the format, as FFmpeg names it');

export const verdictView = z.object({
  outcome,
  confidence: z.number().nullable(),
  reasons: z.array(reason),
  scores,
  format: formatView,
  provider: z.string(),
  policy_version: z.int(),
  seen_before: z
    .array(captureName)
    .optional()
    .describe('Captures that were judged before under another source_id of yours, where the policy looks for them'),
});

/** Body of `POST …/review`. */
export const reviewRequest = z.strictObject({
  sequence: review.shape.sequence.describe('Of the verification as the reviewer saw it'),
  outcome: review.shape.outcome,
  reason: review.shape.reason.describe('Yours: in this answer and with a key alone, and erased with the rest'),
  reviewer: review.shape.reviewer.describe('Your own name or id of who reviewed it'),
});

export const attemptView = z.object({
  attempt: z.int(),
  provider: z.string(),
  round: z.int(),
  started_at: z.string(),
  ended_at: z.string().optional(),
  result: z.string().optional(),
  measurements: measurements.optional(),
  transcript: z.string().optional().describe('The digits that were heard'),
});

export const faultCodeView = z.enum(faultCodes);

/** `GET /verifications/{source_id}` with a key. */
export const verificationView = stateView.extend({
  verdict: verdictView
    .nullable()
    .describe('The one that counts. Of a review, `provider` is `review`, and there are neither reasons nor scores'),
  review: review.optional().describe('Where a review is what counts: the last one, and why'),
  first_verdict: verdictView.optional().describe('Beside a review: the verdict that was reviewed first'),
  fault: faultCodeView.optional(),
  challenge: z.string().optional(),
  turn: turnView,
  metadata: metadata.optional(),
  attempts: z.array(attemptView),
  created_at: z.string(),
  updated_at: z.string(),
});
export type VerificationView = z.infer<typeof verificationView>;

/**
 * The same with a client_token: no scores, attempts or provider, and reasons of a recapture alone. Why a verification
 * failed would tell an attacker which part of a forgery to work on.
 */
export const clientView = stateView.extend({
  verdict: z.object({ outcome, reasons: z.array(recaptureReason), format: formatView }).nullable(),
  missing: z.array(captureName).optional().describe('Captures that are still awaited, in awaiting_captures'),
  rounds_left: z.int().describe('Rounds that may follow this one'),
  handed_off: z.boolean().describe('Another device has claimed the capture, and it was not taken back'),
  return_url: z.string().optional().describe('As the request had it'),
  created_at: z.string(),
  updated_at: z.string(),
});
export type ClientView = z.infer<typeof clientView>;

export const listView = z.object({
  verifications: z.array(
    stateView.extend({
      source_id: sourceId.nullable().describe('Null where it was erased: nothing of the caller outlives that'),
      verdict: verdictView.nullable(),
      created_at: z.string(),
      updated_at: z.string(),
    }),
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
      review: z.literal(true).optional().describe('A reviewer decided'),
      digest: z.string().optional().describe('Of the verdict or the review that this move gave'),
      hash: z
        .string()
        .optional()
        .describe('SHA-256 of the line, base64url; of a move, of every line before it too. Its event has the same'),
    }),
  ),
  notes_dropped: z.int(),
});

/** Why a verdict is not `passed`. */
export const reasonView = reason;
/** Those that the person can put right: a client_token sees no others. */
export const recaptureReasonView = recaptureReason;

/** `GET /verifications/{source_id}/receipt`. */
export const receiptView = receipt;

/** `GET /.well-known/bonafide.json`. */
export const publicKeysView = publishedKeys;

export const receivedView = z.object({ received: z.literal(true) });

export const problemView = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.union([faultCodeView, z.literal('internal')]),
  source_id: z.string().optional(),
  retryable: z.boolean(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});

/** What the request asks, in the domain's words. */
export function askedOf(request: VerificationRequest): Asked {
  const { subject, ...rest } = request;
  const { source_id, check, captures, provider, challenge, language_code, metadata, return_url } = rest;
  return {
    sourceId: source_id,
    check,
    captures: declaredOf(captures),
    provider,
    challenge,
    languageCode: language_code,
    metadataText: metadata && JSON.stringify(metadata),
    returnUrl: return_url,
    subject,
    requestHash: hashOf(rest),
  };
}

/** What `POST …/captures` says of the captures to come, where it says anything. */
export function redeclaredOf({ captures }: z.infer<typeof capturesBody>): Declared | undefined {
  return captures && declaredOf(captures);
}

function declaredOf(captures: VerificationRequest['captures']): Declared {
  const declared = entriesOf(captures).map(([name, { content_type: contentType, content_length: contentLength }]) => [
    name,
    { contentType, ...(contentLength !== undefined && { contentLength }) },
  ]);
  return Object.fromEntries(declared);
}

/**
 * SHA-256 of the request with its keys in order: how it was written does not matter, what it says does. The subject is
 * left out: a hash without a key would let a guess at it be tried.
 */
function hashOf(request: Omit<VerificationRequest, 'subject'>): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(request)))
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  );
}

/** The state, under the source_id that it was asked for by: a tombstone does not know its own any more. */
export function viewState(record: Verification, source_id: string): z.infer<typeof stateView> {
  const { check, state, round, sequence } = record;
  return { source_id, check, state, round, sequence };
}

function viewVerdict(verdict: Listed['verdict']): VerificationView['verdict'] {
  if (!verdict) return null;
  const { policyVersion: policy_version, seenBefore: seen_before, ...rest } = verdict;
  return { ...rest, policy_version, ...(seen_before && { seen_before }) };
}

/** JSON text of a verdict, as it is kept for the events of endpoints that ask for it. */
export function verdictText(verdict: Verdict): string {
  return JSON.stringify(viewVerdict(verdict));
}

function viewReview({ review, first }: InState<'decided'>): Pick<VerificationView, 'review' | 'first_verdict'> {
  const verdict = viewVerdict(first?.verdict);
  return { ...(review && { review }), ...(verdict && { first_verdict: verdict }) };
}

function viewAttempt({ pass: _, startedAt, endedAt, ...rest }: Attempt): z.infer<typeof attemptView> {
  return { ...rest, started_at: startedAt, ...(endedAt ? { ended_at: endedAt } : {}) };
}

/** The hosted capture page of a verification. */
export function captureUrlOf({ tenant, sourceId }: Pick<Unerased, 'tenant' | 'sourceId'>, origin: string): string {
  return `${origin}/capture/${tenant}/${encodeURIComponent(sourceId)}`;
}

/** `origin` is where the caller reached this deployment. */
export function viewUploads({ record, clientToken, uploads, minimumFacePx }: Issued, origin: string): UploadsView {
  const challengeExpires = challengeExpiresAt(record);
  const views = entriesOf(uploads).map(([name, { expiresAt, put, post }]) => [
    name,
    { expires_at: expiresAt, put, post },
  ]);
  return {
    ...viewState(record, record.sourceId),
    ...(record.challenge ? { challenge: record.challenge } : {}),
    ...(challengeExpires ? { challenge_expires_at: challengeExpires.toISOString() } : {}),
    ...(record.turn ? { turn: record.turn } : {}),
    client_token: clientToken,
    capture_url: captureUrlOf(record, origin),
    ...(minimumFacePx !== undefined && { limits: { minimum_face_px: minimumFacePx } }),
    expires_at: isoOf(record.dueAt),
    uploads: Object.fromEntries(views),
  };
}

/** The uploads while captures are awaited, the state alone after. */
export function replyOfBegun({ kind, verification, issued }: Begun, origin: string) {
  if (kind === 'created') return { status: 201 as const, body: viewUploads(issued, origin) };
  const body = issued ? viewUploads(issued, origin) : viewState(verification, verification.sourceId);
  return { status: 200 as const, body };
}

/** As it was sent. Earlier versions kept a map, later ones its text. */
function metadataOf(record: Verification): Pick<VerificationView, 'metadata'> {
  if (record.state === 'erased') return {};
  if (record.metadataText !== undefined) return { metadata: JSON.parse(record.metadataText) };
  return record.metadata ? { metadata: record.metadata } : {};
}

export function viewVerification(record: Verification, sourceId: string): VerificationView {
  return {
    ...viewState(record, sourceId),
    verdict: viewVerdict(record.state === 'decided' ? record.verdict : undefined),
    ...(record.state === 'decided' ? viewReview(record) : {}),
    ...(record.state === 'errored' ? { fault: record.fault } : {}),
    ...('challenge' in record && record.challenge ? { challenge: record.challenge } : {}),
    ...('turn' in record && record.turn ? { turn: record.turn } : {}),
    ...metadataOf(record),
    attempts: 'attempts' in record ? record.attempts.map(viewAttempt) : [],
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  };
}

/** A key sees the whole verification, a client_token what its holder may know. */
export function viewFor(
  by: 'key' | 'client_token',
  record: Verification,
  sourceId: string,
): VerificationView | ClientView {
  return by === 'key' ? viewVerification(record, sourceId) : viewForClient(record, sourceId);
}

function viewForClient(record: Verification, sourceId: string): ClientView {
  return {
    ...viewState(record, sourceId),
    verdict: record.state === 'decided' ? verdictForClient(record.verdict) : null,
    ...(record.state === 'awaiting_captures' && { missing: record.missing }),
    rounds_left: maximumRounds - record.round,
    handed_off: record.state !== 'erased' && record.handOff?.state === 'claimed',
    ...(record.state !== 'erased' && record.returnUrl !== undefined && { return_url: record.returnUrl }),
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  };
}

function verdictForClient({ outcome, reasons, format }: Verdict): ClientView['verdict'] {
  const shown = outcome === 'recapture' ? reasons : [];
  const named = outcome === 'recapture' && format ? { format } : {};
  return { outcome, reasons: shown.flatMap((one) => recaptureReason.safeParse(one).data ?? []), ...named };
}

function viewListed(row: Listed): z.infer<typeof listView>['verifications'][number] {
  const { sourceId, check, state, round, sequence, createdAt, updatedAt } = row;
  return {
    // A tombstone of an earlier version still has one, which is not shown either.
    source_id: state === 'erased' ? null : (sourceId ?? null),
    check,
    state,
    round,
    sequence,
    verdict: viewVerdict(row.verdict),
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

/** A page of a list, and where the next one begins. */
export function viewPage({ items, next }: { items: Listed[]; next?: PageStart | undefined }): z.infer<typeof listView> {
  return { verifications: items.map(viewListed), next_cursor: next ? writeCursor(next) : null };
}

export function viewHistory(record: Verification, source_id: string): z.infer<typeof historyView> {
  return { source_id, history: record.history, notes_dropped: record.notesDropped };
}
