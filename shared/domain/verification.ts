import * as z from 'zod';
import { goesOnFrom, moveHash, noteHash, verdictDigest } from './audit.ts';
import { captureName, check, declaredCapture, landedCapture } from './captures.ts';
import { turn } from './challenge.ts';
import { earlierCapture, erasure, finished } from './erasure.ts';
import { Fault, faultCodes } from './fault.ts';
import { handOff } from './hand-off.ts';
import { orLater, outdated, tolerant, tolerantly } from './later.ts';
import { livemode } from './livemode.ts';
import { plan, providerName, servedVendor } from './policy.ts';
import { measurements, outcome, review, verdict } from './verdict.ts';

export const states = ['awaiting_captures', 'queued', 'dispatched', 'decided', 'errored', 'expired', 'erased'] as const;
export const state = z.enum(states);
export type State = z.infer<typeof state>;

/**
 * A verification's life, as data: every state, and every state it may move to.
 * The store checks its moves against this table and `docs/state-machine.md` draws it: there is no second copy to drift.
 */
export const transitions = {
  awaiting_captures: ['queued', 'expired', 'erased'],
  queued: ['queued', 'dispatched', 'decided', 'errored', 'erased'],
  dispatched: ['dispatched', 'queued', 'decided', 'errored', 'erased'],
  decided: ['awaiting_captures', 'decided', 'erased'],
  errored: ['queued', 'erased'],
  expired: ['erased'],
  erased: [],
} as const satisfies Record<State, readonly State[]>;

/** The states a record in `from` may move to. */
export type Next<From extends State> = (typeof transitions)[From][number];

export function mayMove(from: State, to: State): boolean {
  return transitions[from].some((next) => next === to);
}

/** A waiting caller is answered once one of these is reached. */
export const restingStates: readonly State[] = ['decided', 'errored', 'expired', 'erased'];

export const maximumRounds = 3;
/** Calls to one provider within one pass of the route. */
export const attemptsPerPass = 2;
/** How often `retry` may begin another pass: keeps the record small whatever a caller does. */
export const maximumRetries = 10;
/** How often one verification may be reviewed, for the same reason. */
export const maximumReviews = 10;
/** Notes kept in the history; the rest are only counted. */
export const maximumNotes = 20;

/** The tenant's own id for a verification, and its idempotency key. */
export const sourceId = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,128}$/, 'must be 1 to 128 characters of A-Z a-z 0-9 . _ : -')
  .refine((value) => value !== '.' && value !== '..', 'must not be "." or ".."');

/** The caller's own id of the person, whatever it looks like. Only its HMAC is kept. */
export const subject = z.string().min(1).max(256);

/** So many failed verdicts within `subjectLockSeconds` lock a subject. */
export const failuresToLock = 5;

export const tenantId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be 1 to 40 characters of a-z 0-9 -, beginning with a letter');

/** A table key taken out of a row, a message or an object key, as it comes: `verification-id.ts` makes it of a source_id. */
export const verificationId = z.string().regex(/^[a-z2-7]{26}$/);

/** Why something was written down without moving the record. */
export const noteCode = z.enum([
  'capture_empty',
  'capture_overwritten',
  'capture_late',
  'answer_late',
  'answer_repeated',
  'answer_contradictory',
  'fault_late',
  'capture_reused',
]);
export type NoteCode = z.infer<typeof noteCode>;

const faultCode = z.enum(faultCodes);

/** One line of a verification's history: at most 400 bytes, no scores, no vendor's text. */
export const historyEntry = tolerant({
  at: z.string(),
  /** The record's sequence after a move, or at the time of a note. */
  sequence: z.int().positive(),
  kind: orLater(z.enum(['moved', 'noted'])),
  state: orLater(state),
  round: z.int().min(1),
  code: orLater(z.enum([...noteCode.options, ...faultCodes])).optional(),
  outcome: orLater(outcome).optional(),
  provider: providerName.optional(),
  attempt: z.int().positive().optional(),
  /** Of a move from `decided` to `decided`: a reviewer's verdict is in the place of the one before. */
  review: z.literal(true).optional(),
  /** Of the verdict that this move gave (`verdictDigest`). */
  digest: z.string().optional(),
  /** See `audit.ts`. Absent in lines of versions before. */
  hash: z.string().optional(),
});
export type HistoryEntry = z.infer<typeof historyEntry>;

/** One call to one provider. The record keeps which round and which pass of the route it belongs to. */
export const attempt = tolerant({
  attempt: z.int().positive(),
  provider: providerName,
  round: z.int().positive(),
  pass: z.int().positive(),
  startedAt: z.string(),
  endedAt: z.string().optional(),
  result: orLater(z.enum(['decided', 'accepted', ...faultCodes])).optional(),
  measurements: measurements.optional(),
  /** The digits that were heard, without spaces; '' where none were. */
  transcript: z.string().max(64).optional(),
});
export type Attempt = z.infer<typeof attempt>;

const landed = z.partialRecord(captureName, landedCapture);

/** A call that brings a link and is answered at a webhook. It leaves the record once its result was taken. */
export const order = tolerant({
  /** As the caller wrote it; the record's own is made of it. */
  sourceId: z.string(),
  imageLink: z.string(),
  webhookName: z.string(),
  /** All tries were in vain: its result is posted where the tenant asks for it once more, and no more by itself. */
  givenUp: z.literal(true).optional(),
});
export type Order = z.infer<typeof order>;

/** What became of the credit that an order took. */
export const credit = z.enum(['taken', 'refunded']);

/** In every record, the tombstone's too: nothing that the caller chose but the check. */
const identity = {
  verificationId,
  tenant: tenantId,
  /** Its tenant's, when it was made. */
  livemode,
  check,
  round: z.int().min(1).max(maximumRounds),
  /** 1 when made, +1 with every move and with nothing else: the fence. */
  sequence: z.int().positive(),
  createdAt: z.string(),
  /** When it last moved. Notes leave it alone. */
  updatedAt: z.string(),
  /** Epoch seconds after which the table forgets the record. */
  purgeAt: z.int(),
  /** The move that wrote this sequence: tells a writer whose answer was lost that it had won. */
  moveId: z.string(),
  history: z.array(historyEntry),
  notes: z.int().nonnegative(),
  notesDropped: z.int().nonnegative(),
};

/** What was asked and how far it came; gone with erasure. */
const request = {
  sourceId,
  /** SHA-256 of the request as parsed, its subject left out: the same body is a repeat, another one a conflict. */
  requestHash: z.string(),
  /** HMAC of the caller's own id of the person. */
  subject: z.string().optional(),
  plan,
  /** The vendor whose API it was asked through: it has one round, and no retry. */
  served: servedVendor.optional(),
  order: order.optional(),
  /** How often the result of the order was posted in vain. */
  failedPosts: z.int().nonnegative().optional(),
  /** The credit that was taken with the making of the record. */
  credit: credit.optional(),
  declared: z.partialRecord(captureName, declaredCapture),
  challenge: z.string().optional(),
  /** The turn of the head that the video shows besides, where policy asks for one: drawn anew whenever the digits are. */
  turn: turn.optional(),
  /** When these digits were issued, and which of the round's they are. Absent in records of versions before. */
  challengeIssuedAt: z.string().optional(),
  challengeNumber: z.int().positive().optional(),
  languageCode: z.string().optional(),
  /** The caller's own JSON, as its text: DynamoDB has no number for 1e200, and no empty or odd name is lost. */
  metadataText: z.string().optional(),
  /** The same as versions before kept it. */
  metadata: z.record(z.string(), z.unknown()).optional(),
  /** Which walk along the route this is: +1 with every round and every retry. */
  pass: z.int().positive(),
  retries: z.int().nonnegative(),
  attempts: z.array(attempt),
  /** Places that its captures take among those that were judged (`Sightings`): erasure empties them. */
  sightings: z.array(z.string()).optional(),
  /** Where there were rounds before: epoch seconds at which the first capture of them must be gone. */
  keptUntil: z.int().optional(),
  /** Where the person is led back to from the hosted capture page. */
  returnUrl: z.string().optional(),
  /** Another device, where the capture was handed over to one. */
  handOff: handOff.optional(),
  /** Captures of rounds that are over, for the receipt of an erasure: at most two a round. */
  earlier: z.array(earlierCapture).optional(),
};

const common = { ...identity, ...request };
/** A verdict with the move that gave it, and when. */
const given = tolerant({ verdict, moveId: z.string(), at: z.string() });
export type Given = z.infer<typeof given>;

/** Epoch seconds at which the sweep has to look at the record. */
const dueAt = z.int();

/** Fields exist only in the states that have them: no verdict can be read before `decided`. */
const inState = {
  awaiting_captures: tolerant({
    ...common,
    state: z.literal('awaiting_captures'),
    missing: z.array(captureName).min(1),
    landed,
    dueAt,
  }),
  queued: tolerant({ ...common, state: z.literal('queued'), landed, provider: providerName, dueAt }),
  dispatched: tolerant({
    ...common,
    state: z.literal('dispatched'),
    landed,
    provider: providerName,
    attempt: z.int().positive(),
    /** `answer`: dueAt is the end of the lease. `webhook`: dueAt is when the webhook is overdue. */
    waitingFor: z.enum(['answer', 'webhook']),
    dueAt,
  }),
  /** `dueAt`, in the states that rest: when what is still stored must be gone. Absent where nothing is. */
  /** With a review, `verdict` is the reviewer's, and `first` what the review is about. */
  decided: tolerant({
    ...common,
    state: z.literal('decided'),
    landed,
    verdict,
    review: review.optional(),
    first: given.optional(),
    dueAt: dueAt.optional(),
  }),
  errored: tolerant({
    ...common,
    state: z.literal('errored'),
    landed,
    fault: orLater(faultCode),
    dueAt: dueAt.optional(),
  }),
  expired: tolerant({ ...common, state: z.literal('expired'), dueAt: dueAt.optional() }),
  /** The tombstone. `dueAt` and `sightings` stay until every object and every place is gone. An earlier version's still holds a source_id, which is never read. */
  erased: tolerant({
    ...identity,
    state: z.literal('erased'),
    /** What its only line goes on from: one hash for the lines that are gone. Absent in tombstones of versions before. */
    goesOnFrom: z.string().optional(),
    sightings: request.sightings,
    /** Until the credit is given back. */
    refundDue: z.literal(true).optional(),
    dueAt: dueAt.optional(),
    /** What was deleted. Absent in tombstones of versions before. */
    erasure: erasure.optional(),
  }),
} satisfies Record<State, z.ZodObject>;

export const verification = z.discriminatedUnion('state', [
  inState.awaiting_captures,
  inState.queued,
  inState.dispatched,
  inState.decided,
  inState.errored,
  inState.expired,
  inState.erased,
]);
export type Verification = z.infer<typeof verification>;

/** Each state as it is shown, and a state that this version does not know. */
const shown: ReadonlyMap<string, z.ZodType<object>> = new Map(
  Object.entries(inState).map(([name, schema]) => [name, tolerantly<z.ZodType<object>>(schema)]),
);
const shownOfLaterState = tolerantly<z.ZodType<object>>(
  z.object({ ...identity, ...z.object(request).partial().shape, state: z.string() }),
);
/** An erasure decides nothing by the check, so it goes on to its end where that is a later version's. */
const tombstoneOfAnyCheck = inState.erased.extend({ check: orLater(check) });
const stored = z.looseObject({ state: z.string() });

/**
 * A stored record for whatever acts on it. Where a later version wrote a value that decides (a state, a check, a capture,
 * what is waited for), it is `version_outdated`: the record waits for a version that knows.
 */
export function readVerification(row: unknown): Verification {
  const fields = ofTombstone(row);
  const read = verification.safeParse(fields);
  if (read.success) return read.data;
  const tombstone = tombstoneOfAnyCheck.safeParse(fields);
  if (tombstone.success) return tombstone.data as Verification;
  showVerification(fields);
  throw outdated('this verification');
}

/** A stored record to show or to erase: texts of a later version stand where ours would, though the type has ours alone. */
export function showVerification(row: unknown): Verification {
  const fields = ofTombstone(row);
  const read = verification.safeParse(fields);
  if (read.success) return read.data;
  const opened = (shown.get(stored.parse(fields).state) ?? shownOfLaterState).safeParse(fields);
  if (!opened.success) throw read.error;
  return opened.data as Verification;
}

/** A tombstone that an earlier version wrote may still hold what was asked: that is never read. */
function ofTombstone(row: unknown): unknown {
  const fields = stored.safeParse(row).data;
  if (fields?.state !== 'erased') return row;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name === 'sightings' || !(name in request)));
}
export type InState<S extends State> = Extract<Verification, { state: S }>;
/** A verification that was not erased. */
export type Unerased = Exclude<Verification, { state: 'erased' }>;

/** The fields a move into `S` must give: what that state has of its own. */
export type FieldsOf<S extends State> = Omit<
  InState<S>,
  'state' | 'goesOnFrom' | keyof typeof identity | keyof typeof request
>;
/** What a move may change besides. */
export type Changes = Partial<
  Pick<
    InState<'queued'>,
    | 'round'
    | 'pass'
    | 'retries'
    | 'attempts'
    | 'declared'
    | 'keptUntil'
    | 'earlier'
    | 'sightings'
    | keyof ChallengeFields
  >
>;
/** The digits a round asks for, and the turn of the head. */
export type ChallengeFields = Required<
  Pick<InState<'awaiting_captures'>, 'challenge' | 'challengeIssuedAt' | 'challengeNumber'>
> &
  Pick<InState<'awaiting_captures'>, 'turn'>;
/** What the history should say of a move, besides what the record says itself. */
export type Remark = Partial<Pick<HistoryEntry, 'code' | 'outcome' | 'provider' | 'attempt' | 'review'>>;

export interface MoveStamp {
  readonly at: Date;
  readonly moveId: string;
}

const decision = inState.decided.pick({ verdict: true, review: true });
const identityNames = Object.keys(identity);
/** What one state has and another has not. */
const ownNames = Object.values(inState).flatMap(({ shape }) => Object.keys(shape).filter((name) => !(name in common)));

/**
 * The record after a move. Both stores build on it: the real one writes the difference, the fake one keeps the result.
 * Erasure leaves the identity alone, and of the history only the line that says so; every other move also what a later
 * version wrote besides.
 */
export function moved<S extends State>(
  from: Verification,
  to: S,
  fields: FieldsOf<S> & Changes,
  remark: Remark,
  stamp: MoveStamp,
): InState<S> {
  if (!mayMove(from.state, to)) throw new Error(`A verification cannot move from ${from.state} to ${to}`);
  const keeps = (name: string) => (to === 'erased' ? identityNames.includes(name) : !ownNames.includes(name));
  const { verificationId, history } = from;
  // The clocks of two writers differ: a move that comes later in sequence is no earlier in time.
  const [at = ''] = [stamp.at.toISOString(), from.updatedAt, history.at(-1)?.at ?? ''].sort().reverse();
  const sequence = from.sequence + 1;
  const round = fields.round ?? from.round;
  const before = goesOnFrom(verificationId, history);
  const line: HistoryEntry = { at, sequence, kind: 'moved', state: to, round, ...remark, ...digestOf(fields, stamp) };
  const entry = { ...line, hash: moveHash(verificationId, before, line) };
  const next = {
    ...Object.fromEntries(Object.entries(from).filter(([name]) => keeps(name))),
    ...fields,
    ...(to === 'erased' ? { notes: 0, notesDropped: 0, goesOnFrom: before } : {}),
    state: to,
    sequence,
    updatedAt: at,
    moveId: stamp.moveId,
    history: to === 'erased' ? [entry] : [...history, entry],
  };
  return (to === 'erased' ? tombstoneOfAnyCheck : inState[to]).parse(next) as InState<S>;
}

function digestOf(fields: object, { moveId }: MoveStamp): Pick<HistoryEntry, 'digest'> {
  const decided = decision.safeParse(fields);
  return decided.success ? { digest: verdictDigest(moveId, decided.data.verdict, decided.data.review) } : {};
}

/** The verdict that was given first, whatever a reviewer has put in its place. */
export function firstVerdict({ first, verdict, moveId, updatedAt }: InState<'decided'>): Given {
  return first ?? { verdict, moveId, at: updatedAt };
}

/**
 * A record that rests once nothing of it is stored any more; a tombstone then forgets where its captures were written
 * down, and says that its deletion is finished.
 */
export function withNothingDue<Resting extends InState<'decided' | 'errored' | 'expired' | 'erased'>>(
  from: Resting,
  at: Date,
): Resting {
  const { dueAt: _, ...settled } = from;
  if (from.state !== 'erased') return settled as Resting;
  delete settled.sightings;
  return { ...settled, erasure: finished(from.erasure, at) } as Resting;
}

/** A record that rests once its order is over; `dueAt` is when what is still stored must be gone. */
export function withOrderClosed<Resting extends InState<'decided' | 'errored' | 'expired'>>(
  { order: _, failedPosts: __, dueAt: ___, ...from }: Resting,
  dueAt: number | undefined,
): Resting {
  return { ...from, ...(dueAt !== undefined && { dueAt }) } as Resting;
}

/** A record that rests once all tries of its order's result were in vain; `dueAt` as for `withOrderClosed`. */
export function withOrderGivenUp<Resting extends InState<'decided' | 'errored' | 'expired'> & { order: Order }>(
  { dueAt: _, ...from }: Resting,
  { failedPosts, dueAt }: { readonly failedPosts: number; readonly dueAt: number | undefined },
): Resting {
  const order: Order = { ...from.order, givenUp: true };
  return { ...from, order, failedPosts, ...(dueAt !== undefined && { dueAt }) } as Resting;
}

/** The record or tombstone once its credit is given back. */
export function withRefund<Refunded extends InState<'errored' | 'expired' | 'erased'>>(from: Refunded): Refunded {
  if (from.state !== 'erased') return { ...from, credit: 'refunded' };
  const { refundDue: _, ...refunded } = from;
  return refunded as Refunded;
}

/** What of a record decides whether a credit is to be given back. */
export const creditDeciding = z.object({ state, credit: credit.optional() });

/** Whether a credit is to be given back: the image was never fetched, or no provider of the route could answer. */
export function owesRefund(record: Verification): record is InState<'errored' | 'expired' | 'erased'> {
  if (record.state === 'erased') return record.refundDue === true;
  return record.credit === 'taken' && (record.state === 'errored' || record.state === 'expired');
}

/**
 * A move, made again over notes that were written since its record was read: the move covers them. Whatever else a writer
 * was first with has it lost.
 */
export async function overNotes<Result extends { kind: 'moved' } | { kind: 'lost'; current: Verification | undefined }>(
  read: Verification,
  move: (from: Verification) => Promise<Result>,
): Promise<Result> {
  let from = read;
  for (let again = 0; again <= maximumNotes; again += 1) {
    const result = await move(from);
    const current = result.kind === 'lost' ? result.current : undefined;
    if (current?.sequence !== from.sequence || current.notes === from.notes) return result;
    from = { ...from, history: current.history, notes: current.notes };
  }
  throw new Error(`A record takes ${maximumNotes} notes: no move loses to more`);
}

/** The line of history that says something of a record where it was at `from`, without a move. Both stores append it. */
export function notedEntry(from: Verification, code: HistoryEntry['code'], about: Remark, at: Date): HistoryEntry {
  const line: HistoryEntry = {
    at: at.toISOString(),
    sequence: from.sequence,
    kind: 'noted',
    state: from.state,
    round: from.round,
    code,
    ...about,
  };
  return { ...line, hash: noteHash(from.verificationId, line) };
}

/** The line that a verification begins with. */
export function firstEntry(verificationId: string, at: Date): HistoryEntry {
  const line: HistoryEntry = {
    at: at.toISOString(),
    sequence: 1,
    kind: 'moved',
    state: 'awaiting_captures',
    round: 1,
  };
  return { ...line, hash: moveHash(verificationId, goesOnFrom(verificationId, []), line) };
}

/** Attempts of `provider` in the pass the record is in. */
export function attemptsInPass(record: { attempts: readonly Attempt[]; pass: number }, provider: string): number {
  return record.attempts.filter((attempt) => attempt.pass === record.pass && attempt.provider === provider).length;
}

/** The attempts with the one numbered `number` ended. */
export function withEnded(
  attempts: readonly Attempt[],
  number: number,
  ended: Pick<Attempt, 'endedAt' | 'result' | 'measurements' | 'transcript'>,
): Attempt[] {
  return attempts.map((attempt) => (attempt.attempt === number ? { ...attempt, ...ended } : attempt));
}

/** The record, or the fault that a caller is answered where there is none. */
export function found<Found extends Verification>(record: Found | undefined): Found {
  if (!record) throw new Fault('verification_unknown', 'No verification of this tenant has this source_id.');
  return record;
}
