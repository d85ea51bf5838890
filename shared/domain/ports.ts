import type { Breaker } from './breaker.ts';
import type { CaptureFile, CaptureName, CapturePlace, Check, DeclaredCapture } from './captures.ts';
import type { Answered, Delivery, Going, KeptEvent, Tried } from './delivery.ts';
import type { Endpoint, EndpointEvent, EndpointFields, ShownEndpoint } from './endpoint.ts';
import type { StoredVersion } from './erasure.ts';
import type { Event } from './event.ts';
import type { HandOff } from './hand-off.ts';
import type { Later } from './later.ts';
import type { Measurement } from './metric.ts';
import type { BegunSession, Operator, Session } from './operator.ts';
import type { KeptOutcome } from './outcome.ts';
import type { Page, Policy } from './policy.ts';
import type { ReceiptKey } from './receipt.ts';
import type { Outcome, Verdict } from './verdict.ts';
import type {
  ChallengeFields,
  Changes,
  FieldsOf,
  InState,
  NoteCode,
  Order,
  Remark,
  State,
  Unerased,
  Verification,
} from './verification.ts';

/*
 * What the acts of a verification's life need of the world, as types: no SDK, no network, no clock.
 * `shared/stores` stands behind them with AWS, `test/simulation` with memory.
 */

/** Either the move is done, or another writer was first: then `current` is what the record had become, without a second read. */
export type Moved<S extends State> =
  | { kind: 'moved'; verification: InState<S> }
  | { kind: 'lost'; current: Verification | undefined };

export type Created =
  | { kind: 'created'; verification: InState<'awaiting_captures'> }
  | { kind: 'exists'; verification: Verification };

/** A verification as lists show it: what the index holds. */
export interface Listed {
  readonly verificationId: string;
  /** Absent where it was erased. */
  readonly sourceId?: string | undefined;
  readonly check: Check | Later;
  readonly state: State | Later;
  readonly round: number;
  readonly sequence: number;
  readonly verdict?: Verdict | undefined;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Where the next page of a list begins. */
export interface PageStart {
  readonly verificationId: string;
  readonly createdAt: string;
}

/** Which of a tenant's verifications: every field that is given narrows the list. */
export interface ListQuery {
  readonly tenant: string;
  readonly states: readonly State[];
  readonly check?: Check | undefined;
  readonly outcome?: Outcome | undefined;
  /** Created at or after, ISO 8601 in UTC with milliseconds. */
  readonly from?: string | undefined;
  /** Created before. */
  readonly to?: string | undefined;
  readonly limit: number;
  readonly after?: PageStart | undefined;
}

/** A record that was to be made with a credit of its tenant: the tenant had none left. */
export type Unpaid = { kind: 'unpaid' };

/** States with a deadline. Each has index partitions of its own, so a backlog of one kind hides no other. */
export const dueStates = [
  'awaiting_captures',
  'queued',
  'dispatched',
  'decided',
  'errored',
  'expired',
  'erased',
] as const satisfies State[];
export type DueState = (typeof dueStates)[number];
/** Partitions per state of the index of deadlines: spreads its writes. */
export const dueShards = 4;

/** The records. `move` is the only way to change a state; see `docs/state-machine.md`. */
export interface Verifications {
  /** Writes a new record, or answers with the one that has the key. One request. */
  readonly create: (record: InState<'awaiting_captures'>) => Promise<Created>;
  /** The same together with taking a credit of its tenant, both or neither: however many ask at once, none is taken twice. */
  readonly createPaid: (record: InState<'awaiting_captures'>) => Promise<Created | Unpaid>;
  /**
   * Throws `version_outdated` where a later version wrote a value that decides, unless it is `toShow`: then the record
   * has that version's texts, and nothing may be decided by it.
   */
  readonly find: (
    id: string,
    options?: { consistent?: boolean; toShow?: boolean },
  ) => Promise<Verification | undefined>;
  /**
   * Fenced by the sequence `from` was read at; a move out of `awaiting_captures` by its `missing` as well. Notes that were
   * made meanwhile do not lose it: it is made again over them, as its hash covers every line before it. With
   * `sightings` it also takes their places, all or nothing: lost to `from` itself where one was taken meanwhile.
   */
  readonly move: <S extends State>(
    from: Verification,
    to: S,
    fields: FieldsOf<S> & Changes,
    remark?: Remark,
    sightings?: readonly Sighting[],
  ) => Promise<Moved<S>>;
  /** Takes a landing that is not the last: no move. Conditioned on state, round and `missing` exactly as read. */
  readonly land: (
    from: InState<'awaiting_captures'>,
    fields: Pick<InState<'awaiting_captures'>, 'missing' | 'landed'>,
  ) => Promise<Moved<'awaiting_captures'>>;
  /**
   * Puts new digits in the place of dead ones: no move. Conditioned as `land`, and on the old digits still being there,
   * so that of two that ask at once both are told the same.
   */
  readonly renew: (from: InState<'awaiting_captures'>, fields: ChallengeFields) => Promise<Moved<'awaiting_captures'>>;
  /**
   * Puts a step of the hand-off in the place of the one as it was read: no move. Of two that ask at once one wins; lost
   * where the record has moved, or was erased, meanwhile.
   */
  readonly handOff: (from: Unerased, handOff: HandOff) => Promise<Moved<Unerased['state']>>;
  /** The provider will answer by webhook: the webhook's deadline replaces the lease. Fenced by the claim's sequence. */
  readonly accept: (
    from: InState<'dispatched'>,
    fields: Pick<InState<'dispatched'>, 'attempts' | 'dueAt'>,
  ) => Promise<Moved<'dispatched'>>;
  /**
   * Gives the credit back and marks the record or the tombstone, both or neither: no move. Lost where it was given back,
   * or erased, meanwhile.
   */
  readonly refund: (
    from: InState<'errored' | 'expired' | 'erased'>,
  ) => Promise<Moved<'errored' | 'expired' | 'erased'>>;
  /** A result was posted in vain: no move. Of two that count the same try, one wins. */
  readonly countPost: (
    from: InState<'decided' | 'errored' | 'expired'>,
    fields: { readonly failedPosts: number; readonly dueAt: number },
  ) => Promise<Moved<'decided' | 'errored' | 'expired'>>;
  /** The last try was in vain: link and webhook stay, for a resend, and nothing is owed any more. No move; as `countPost`. */
  readonly giveUpOrder: (
    from: InState<'decided' | 'errored' | 'expired'> & { order: Order },
    fields: { readonly failedPosts: number; readonly dueAt: number | undefined },
  ) => Promise<Moved<'decided' | 'errored' | 'expired'>>;
  /** The result was taken, and link and webhook leave the record: no move. `dueAt` as `withOrderClosed` has it. */
  readonly closeOrder: (from: InState<'decided' | 'errored' | 'expired'>, dueAt: number | undefined) => Promise<void>;
  /**
   * Puts what is about to be deleted on the tombstone, and when the sweep has to look whether it was: no move. Lost where
   * another worker has put something there meanwhile.
   */
  readonly writeDeletions: (
    from: InState<'erased'>,
    fields: Required<Pick<InState<'erased'>, 'erasure' | 'dueAt'>>,
  ) => Promise<Moved<'erased'>>;
  /**
   * Every object of a record that rests is gone: nothing is due any more. Of a tombstone it is lost where another worker
   * is deleting more, or has settled it.
   */
  readonly settle: <S extends 'decided' | 'errored' | 'expired' | 'erased'>(from: InState<S>) => Promise<Moved<S>>;
  /** Appends to the history without moving. The first 20 are kept, the rest counted; a tombstone takes none. */
  readonly note: (
    from: Verification,
    code: NoteCode,
    about?: Pick<Remark, 'provider' | 'attempt' | 'outcome'>,
  ) => Promise<void>;
  /** A page of a tenant's verifications, newest first, by index; full unless it is the last. */
  readonly list: (query: ListQuery) => Promise<{ items: Listed[]; next?: PageStart | undefined }>;
  /**
   * When the latest verdicts `failed` of a subject were given, ISO 8601, the latest first: those after `since`, at most
   * `limit`. By index, eventually consistent; an erased verification counts no more.
   */
  readonly failures: (query: { subject: string; since: Date; limit: number }) => Promise<string[]>;
  /**
   * A page of those whose deadline has passed, the longest overdue first: at most `limit`, and fewer on the last page
   * alone. By index, eventually consistent.
   */
  readonly due: (query: {
    readonly state: DueState;
    readonly shard: number;
    readonly now: Date;
    readonly limit: number;
    /** The last of the page before. */
    readonly after?: Due | undefined;
  }) => Promise<readonly Due[]>;
}

/** A record that the index of deadlines holds, and its deadline there. */
export interface Due {
  readonly verificationId: string;
  /** Epoch seconds. */
  readonly dueAt: number;
}

/** A verification that judged a capture, in a place under one of the keys of the capture's fingerprint. */
export interface Sighting {
  readonly place: string;
  readonly verificationId: string;
  /** When it was judged, ISO 8601. */
  readonly at: string;
  /** The record's own. */
  readonly purgeAt: number;
}

/** Who has judged which capture: hashes under a key, and ids. Places are taken by `Verifications.move` alone. */
export interface Sightings {
  /** Who stands in these places, as it is now. */
  readonly find: (places: readonly string[]) => Promise<Sighting[]>;
  /** Empties those of a verification. Doing it twice is doing it once. */
  readonly remove: (verificationId: string, places: readonly string[]) => Promise<void>;
}

/**
 * The ids that a caller's own ids lead to. Only what starts from a source_id needs them: an id in an object key, a message, a
 * token or a vendor's reference is used as it comes.
 */
export interface SourceIds {
  /** Under the deployment's key. Fails where that cannot be read or used: there is no id without it. */
  readonly of: (tenant: string, sourceId: string) => Promise<string>;
  /** What a version from before the key made of it; undefined once no record of such a version is left. */
  readonly legacyOf: (tenant: string, sourceId: string) => string | undefined;
  /** What is kept of the caller's own id of a person, under the same key. */
  readonly ofSubject: (tenant: string, subject: string) => Promise<string>;
}

/** One way in, two shapes: a PUT for code, a form POST for browsers. */
export interface Upload {
  readonly put: { url: string; headers: Record<string, string> };
  readonly post: { url: string; fields: Record<string, string> };
}

/** Signing only: no request is made. */
export interface Uploads {
  readonly presign: (
    capture: CapturePlace,
    declared: DeclaredCapture,
    limits: { expiresInSeconds: number; maximumBytes: number },
  ) => Promise<Upload>;
}

/** Which stored bytes: the pinned version of a capture, never just its key. */
export interface Pinned extends CapturePlace {
  readonly versionId: string;
}

/** An object that landed where a capture belongs. */
export interface Landing extends Pinned {
  /** By S3's own clock. */
  readonly storedAt: string;
  readonly etag: string;
  readonly bytes: number;
}

export type OpenedCapture = { kind: 'bytes'; bytes: Uint8Array } | { kind: 'too_large'; bytes: number };

export type StreamedCapture =
  | { kind: 'stream'; stream: ReadableStream<Uint8Array>; bytes: number }
  | { kind: 'too_large'; bytes: number };

/** A file to store where a capture belongs. */
export interface Stored extends CapturePlace, CaptureFile {}

export interface Captures {
  /** Stores a capture; answers which version it is. */
  readonly put: (capture: Stored) => Promise<{ versionId: string; etag: string }>;
  /** The pinned version's bytes. Its size is known before a byte is read. Throws `capture_missing`. */
  readonly open: (pinned: Pinned) => Promise<OpenedCapture>;
  /** The same as a stream. */
  readonly stream: (pinned: Pinned) => Promise<StreamedCapture>;
  /** A GET URL of the pinned version. Signing only: no request is made. */
  readonly link: (pinned: Pinned, seconds: number) => Promise<string>;
  readonly exists: (pinned: Pinned) => Promise<boolean>;
  /** The content type that it was uploaded with, as it was declared; undefined where it is gone. */
  readonly typeOf: (pinned: Pinned) => Promise<string | undefined>;
  /** Deletes one version. Doing it twice is doing it once. */
  readonly removeVersion: (pinned: Pinned) => Promise<void>;
  /** Deletes every version of everything a verification stored in its rounds up to and with `lastRound`. */
  readonly removeAll: (verificationId: string, lastRound: number) => Promise<void>;
  /** Versions of whatever a verification stored, at most a thousand, and whether there are more; none where nothing is left. */
  readonly stored: (
    verificationId: string,
  ) => Promise<{ readonly versions: readonly StoredVersion[]; readonly more: boolean }>;
  /** Of each place of a round the version that was stored first, as its event would tell of it; an empty one is none. */
  readonly oldest: (verificationId: string, round: number) => Promise<readonly Landing[]>;
  /** Deletes these versions. Doing it twice is doing it once. */
  readonly removeVersions: (verificationId: string, versions: readonly StoredVersion[]) => Promise<void>;
  /** False where S3 makes an object's ETag of its bytes, as it does unless the bucket has a key in KMS. */
  readonly keepsEtags: boolean;
}

/** What receipts of erasures are signed with. */
export interface ReceiptKeys {
  /** The secret of the current key, once its public key is written down for good: no receipt outlives its key. */
  readonly secret: () => Promise<string>;
  /** Every public key that may have signed a receipt, the current one first. */
  readonly published: () => Promise<readonly ReceiptKey[]>;
}

/** What a provider's queue carries: which record, and which of its sequences may claim it. */
export interface Work {
  readonly verificationId: string;
  readonly sequence: number;
}

/** Puts a verification on its provider's queue. Sending twice is harmless: only one message can claim. */
export type Send = (provider: string, work: Work, delaySeconds?: number) => Promise<void>;

/** A result to post, and how often it was posted in vain: a message that counts otherwise than the record does nothing. */
export interface ResultMessage {
  readonly verificationId: string;
  readonly failedPosts: number;
}

/** The queues of orders. Sending twice is harmless. */
export interface Orders {
  /** Has the image of an order fetched. */
  readonly fetch: (verificationId: string) => Promise<void>;
  /** Has what is owed of an order made good: a refund, and the result posted. */
  readonly deliver: (delivery: ResultMessage, delaySeconds?: number) => Promise<void>;
  /** Leaves a result that no webhook took where an alarm tells an operator of it. */
  readonly giveUp: (delivery: ResultMessage) => Promise<void>;
}

/** Logos of tenants' capture pages: PNG files by the SHA-256 of their bytes, as hex. */
export interface Logos {
  readonly find: (tenant: string, hash: string) => Promise<Uint8Array | undefined>;
}

/** Fields of an endpoint that change. One that is given as undefined is taken out. */
export type EndpointChanges = Partial<Omit<Endpoint, 'id' | 'tenant' | 'createdAt' | 'version'>>;

/** The endpoints of tenants. Their URLs may hold secrets: no log has them. */
export interface Endpoints {
  /**
   * All of a tenant's, the oldest first, and whether its events are kept: it has or had an endpoint, or reads events. At
   * most one read in 20 s.
   */
  readonly of: (tenant: string) => Promise<{ readonly keeps: boolean; readonly endpoints: readonly Endpoint[] }>;
  /** All of a tenant's as they are stored now, the oldest first. */
  readonly list: (tenant: string) => Promise<readonly Endpoint[]>;
  /** One of them as it is stored now. */
  readonly find: (tenant: string, id: string) => Promise<Endpoint | undefined>;
  /** False where the tenant has as many as it may, however many are made at once. */
  readonly create: (endpoint: Endpoint) => Promise<boolean>;
  /** Changes fields of one, fenced by its version: undefined where another writer was first, or it is gone. */
  readonly change: (from: Endpoint, fields: EndpointChanges) => Promise<Endpoint | undefined>;
  /** True where there was one. The tenant's events are kept on: what it missed can be replayed to its next endpoint. */
  readonly remove: (tenant: string, id: string) => Promise<boolean>;
  /** The tenant has just read events, so that they are kept for 30 days from now on. At most one write a day. */
  readonly readsEvents: (tenant: string) => Promise<void>;
}

/** With its secret, which is shown this once. */
export interface EndpointWithSecret extends ShownEndpoint {
  readonly secret: string;
}

/** What a tenant does with its endpoints, and an operator for it. Every verb throws `endpoint_unknown` for one that it has not. */
export interface ManagedEndpoints {
  readonly list: (tenant: string) => Promise<ShownEndpoint[]>;
  readonly show: (tenant: string, id: string) => Promise<ShownEndpoint>;
  readonly create: (
    tenant: string,
    fields: EndpointFields & { readonly secret?: string | undefined },
  ) => Promise<EndpointWithSecret>;
  readonly change: (tenant: string, id: string, fields: Partial<EndpointFields>) => Promise<ShownEndpoint>;
  readonly remove: (tenant: string, id: string) => Promise<void>;
  /** What waits for it ends unsent. */
  readonly disable: (tenant: string, id: string) => Promise<ShownEndpoint>;
  readonly enable: (tenant: string, id: string) => Promise<ShownEndpoint>;
  /** A new secret; those from before go on signing beside it for `graceSeconds` more. */
  readonly rotate: (
    tenant: string,
    id: string,
    next: { readonly secret?: string | undefined; readonly graceSeconds: number },
  ) => Promise<EndpointWithSecret>;
  /** Seals the valid secrets of all its endpoints under the deployment's current key; answers how many endpoints these are. */
  readonly reseal: (tenant: string) => Promise<number>;
  /** Sends it an `endpoint.test`, once, whether it is disabled or not. */
  readonly test: (tenant: string, id: string) => Promise<Answered>;
}

/** Events of tenants with endpoints, for 30 days. */
export interface KeptEvents {
  /** Keeps an event, and answers the one that is kept: the first write wins, so a repeat has the same bytes. One request. */
  readonly keep: (event: KeptEvent) => Promise<KeptEvent>;
  readonly find: (id: string) => Promise<KeptEvent | undefined>;
  /**
   * A tenant's, in the order in which they were kept, from `since` on and before `until` (ISO 8601 in UTC with
   * milliseconds), after the place `after`. By index, eventually consistent; full unless it is the last page or few of
   * very many are of these types.
   */
  readonly page: (query: {
    readonly tenant: string;
    readonly since: string;
    readonly until: string;
    readonly types?: readonly string[] | undefined;
    readonly limit: number;
    readonly after?: string | undefined;
  }) => Promise<{ readonly items: readonly KeptEvent[]; readonly next?: string | undefined }>;
  /** Takes the texts out of events of an erased verification, and of those that a late writer would still keep. */
  readonly empty: (events: readonly Omit<KeptEvent, 'data' | 'verdict' | 'metadata'>[]) => Promise<void>;
  /** A `verification.erased` need not be sent to this endpoint any more: with the last of them its text goes. */
  readonly noLongerAwaited: (id: string, endpointId: string) => Promise<void>;
}

/** What became of events at endpoints, for 30 days. */
export interface Deliveries {
  readonly find: (eventId: string, endpointId: string) => Promise<Delivery | undefined>;
  /** Writes the first try. Undefined: the event was tried there before, by a message that came twice. One request. */
  readonly begin: (delivery: Delivery) => Promise<Delivery | undefined>;
  /** Writes what a later try came to, if nothing was written since `from` was read. One request. */
  readonly go: (from: Delivery, fields: Going) => Promise<Delivery | undefined>;
  /**
   * Newest first: of a verification, an endpoint, or of a tenant those in a state other than `delivered`; what else is
   * given narrows it. Full unless it is the last page or few of very many fit. By index, eventually consistent.
   */
  readonly list: (query: {
    readonly tenant: string;
    readonly about?: string | undefined;
    readonly endpointId?: string | undefined;
    readonly state?: Delivery['state'] | undefined;
    readonly limit: number;
    readonly after?: string | undefined;
  }) => Promise<{ readonly items: readonly Delivery[]; readonly next?: string | undefined }>;
  /** Whether the endpoint took anything at or after this time. */
  readonly tookSince: (tenant: string, endpointId: string, since: string) => Promise<boolean>;
  /** Those that wait and whose next try is due, the longest overdue first. By index, eventually consistent. */
  readonly due: (query: {
    readonly shard: number;
    readonly now: Date;
    readonly limit: number;
    /** The last entry of the page before it. */
    readonly after?: DueDelivery | undefined;
  }) => Promise<readonly DueDelivery[]>;
}

/** A delivery that the index of next tries holds, and when its try is due there, epoch seconds. */
export type DueDelivery = Pick<Delivery, 'eventId' | 'endpointId'> & { readonly dueAt: number };

/** An event to send to an endpoint, and how often that failed: a message that counts otherwise than the delivery does nothing. */
export interface WebhookMessage {
  readonly tenant: string;
  readonly eventId: string;
  readonly about: string;
  readonly endpointId: string;
  readonly failed: number;
  /** `dueAt` of the delivery that it is to go on with: of two messages about one try, this tells the old one. */
  readonly due?: number;
  /** Of a replay, or a resend by hand: sent whether it was delivered before or not. */
  readonly again?: { readonly kind: 'resend' | 'replay'; readonly id: string };
}

/** A replay whose next page of events is to be sent. */
export interface ReplayMessage {
  readonly tenant: string;
  readonly endpointId: string;
  readonly replayId: string;
}

/**
 * What the sender is to do: post a result, send an event or go on with a replay whose turn has come, or put one into its lane
 * whose time has come.
 */
export type SenderMessage =
  | { readonly kind: 'result'; readonly result: ResultMessage }
  | { readonly kind: 'webhook' | 'later'; readonly webhook: WebhookMessage }
  | { readonly kind: 'replay' | 'replay_later'; readonly replay: ReplayMessage };

/**
 * The queue of webhooks. It keeps the order within an endpoint and a verification, and hands over no more than
 * `lanesPerEndpoint` messages of an endpoint at a time: a dead one holds up no other endpoint.
 */
export interface WebhookQueue {
  /** In as few requests as SQS takes. Fails if one was not taken: sending again is harmless. */
  readonly send: (messages: readonly WebhookMessage[]) => Promise<void>;
  /** Hands the message to `send` after a delay of at most 15 minutes. */
  readonly sendLater: (message: WebhookMessage, delaySeconds: number) => Promise<void>;
  /**
   * Has the next page of a replay sent, behind what was handed over of the pages before: in the lane of the endpoint's
   * replays, into which it is put after a delay of at most 15 minutes.
   */
  readonly goOn: (replay: ReplayMessage, delaySeconds?: number) => Promise<void>;
}

/** Signs a body for an endpoint: the headers of Standard Webhooks. Signed with every secret that is valid at that time. */
export type SignWebhook = (
  endpoint: Endpoint,
  message: { id: string; at: Date; body: string },
) => Promise<Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>>>;

/** Posts a body to an endpoint, signed: what came of the try, and the `Retry-After` that was answered. */
export type PostSigned = (
  endpoint: Endpoint,
  message: { readonly id: string; readonly body: string },
) => Promise<{ readonly tried: Tried; readonly retryAfter: string | undefined }>;

/** Posts a result to a tenant's webhook, and tells what was answered. */
export type PostWebhook = (url: string, body: string) => ReturnType<Fetcher['post']>;

/** Open breakers, one row each; a closed one has none. Written only when something changes. */
export interface Breakers {
  /** At most one read in five seconds per key; undefined is closed. */
  readonly read: (key: string) => Promise<Breaker | undefined>;
  readonly open: (key: string, state: Breaker) => Promise<void>;
  /** True for the one caller that may probe until `probeUntil`. */
  readonly probe: (key: string, now: number, probeUntil: number) => Promise<boolean>;
  readonly close: (key: string) => Promise<void>;
}

/** Provider → name of the secret with its credentials. */
export type Credentials = Readonly<Record<string, string>>;

/** What an act needs to know of the tenant that asks. */
export interface Tenant {
  readonly id: string;
  readonly policy: Policy;
  readonly credentials: Credentials;
  /** See `livemode.ts`. */
  readonly livemode?: boolean | undefined;
}

/** Whose webhook address it is: one tenant's, or the deployment's. */
export type WebhookOwner =
  | { readonly kind: 'tenant'; readonly tenant: Pick<Tenant, 'id'> }
  | { readonly kind: 'deployment' };

export interface Tenants {
  /** The tenant whose key this is. Throws `api_key_invalid`, the same for every reason. */
  readonly authenticate: (key: string | undefined) => Promise<Tenant>;
  /** The tenant as it is stored now. */
  readonly find: (id: string) => Promise<Tenant | undefined>;
  /** Whether the tenant has a key left: without one, its client tokens are dead too. At most one read in 20 s. */
  readonly hasKey: (id: string) => Promise<boolean>;
  /** The tenant's capture page as its policy has it, undefined where there is none or no such tenant. At most one read in 20 s. */
  readonly pageOf: (id: string) => Promise<Page | undefined>;
  /** The deployment's own credentials, for tenants that have none of a provider. */
  readonly deploymentCredentials: () => Promise<Credentials>;
  /** Whose webhook address this is, or undefined: the same work whether there is such an owner or not. */
  readonly ofWebhook: (provider: string, token: string) => Promise<WebhookOwner | undefined>;
  /** Whether a provider's results could arrive, for a tenant whose credentials are kept in `secretName`. */
  readonly hasWebhook: (id: string, provider: string, secretName: string) => Promise<boolean>;
  /** Where results of served calls go that name this webhook, or undefined. At most one read in 20 s. */
  readonly servedWebhook: (id: string, name: string) => Promise<string | undefined>;
  /** Credits that the tenant has left, as it is now. */
  readonly creditsLeft: (id: string) => Promise<number>;
}

/** Operators of the console, and their sessions. */
export interface Operators {
  /**
   * Whose session this is, as it is now: an operator who is revoked or signed out is refused at the next request. Throws
   * `session_invalid`, the same for every reason. One read.
   */
  readonly authenticate: (token: string | undefined) => Promise<Session>;
  /**
   * Begins the session that an invitation is for: once, however many ask at a time. Throws `invitation_invalid`, the same
   * for every reason.
   */
  readonly spend: (code: string) => Promise<BegunSession>;
  /** Begins a session of the operator who was invited with this address; undefined where none was. */
  readonly signIn: (email: string) => Promise<BegunSession | undefined>;
  /** Ends one session. Doing it twice is doing it once. */
  readonly signOut: (session: Pick<Session, 'tenant' | 'operator' | 'id'>) => Promise<void>;
  /** Of a tenant, the revoked ones too: what they did keeps their name. */
  readonly list: (tenant: string) => Promise<readonly (Operator & { readonly revokedAt?: string | undefined })[]>;
}

/** That an operator looked at a capture: who and when, and nothing of the person in it. */
export interface Look {
  readonly verificationId: string;
  readonly at: string;
  readonly operatorId: string;
  readonly capture: CaptureName | Later;
  readonly round: number;
  /** The record's own: it ends with the record, and not with an erasure. */
  readonly purgeAt: number;
}

export interface Looks {
  readonly write: (look: Look) => Promise<void>;
  /** The newest first, 100 at the most. */
  readonly of: (verificationId: string) => Promise<readonly Look[]>;
}

/** What was decided or errored, for the charts of the console. */
export interface Outcomes {
  readonly keep: (outcome: KeptOutcome) => Promise<void>;
  /**
   * The newest first, 1,000 at the most: all, or those that were kept from a minute before `after` on, ISO 8601. `until`
   * is what to give as `after` to get what is newer. One read.
   */
  readonly newest: (
    tenant: string,
    after: string | undefined,
  ) => Promise<{ readonly outcomes: readonly KeptOutcome[]; readonly until: string }>;
}

/**
 * Why nothing came of a request to an address that a stranger chose: the link is none that is followed, it leads into a
 * network of ours, nothing is there or it broke off, it was slow, it sent too much, or it answered another status than 2xx.
 */
export type Unreached = {
  readonly kind: 'failed';
  readonly reason:
    | 'link_invalid'
    | 'address_forbidden'
    | 'unreachable'
    | 'timed_out'
    | 'answer_too_large'
    | 'status_unexpected';
  /** The status, where that was unexpected. */
  readonly status?: number;
};

export interface FetchLimits {
  /** From the first step to the last byte. */
  readonly timeoutSeconds: number;
  /** Whether http is refused, but to this computer where that may be reached. @default false */
  readonly httpsOnly?: boolean;
}

/** Why a link is called by no request, where its text alone tells. */
export type LinkRefusal = Extract<Unreached['reason'], 'link_invalid' | 'address_forbidden'>;

/** The one way to an address that a stranger chose. No link is ever in what it answers, and it never throws. */
export interface Fetcher {
  /** Looks at the link's text and asks nothing. `get` and `post` look again, and at every address that its name leads to. */
  readonly refusalOf: (link: string, limits: Pick<FetchLimits, 'httpsOnly'>) => LinkRefusal | undefined;
  /** The body of a 2xx answer, as it came. A redirect is an unexpected status. */
  readonly get: (
    link: string,
    limits: FetchLimits & { readonly maximumBytes: number },
  ) => Promise<{ readonly kind: 'fetched'; readonly bytes: Uint8Array } | Unreached>;
  /**
   * Posts a body, and tells the status whatever it is, and `Retry-After` (64 characters of it). What is answered beside
   * them is thrown away: a head that came counts, however its body ends.
   */
  readonly post: (
    link: string,
    message: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
    limits: FetchLimits,
  ) => Promise<{ readonly kind: 'answered'; readonly status: number; readonly retryAfter?: string } | Unreached>;
}

/** Puts events on the bus, at most ten; answers which were refused, by index. */
export type PutEvents = (events: (Event | EndpointEvent)[]) => Promise<number[]>;

/** Ids, codes and counts; never a key, a token, a signed URL, a person's data or a body. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  readonly info: (event: string, fields?: LogFields) => void;
  readonly warn: (event: string, fields?: LogFields) => void;
  /** `error`'s name and stack are written, and a fault's code; no message of an unknown error: it may quote a body. */
  readonly error: (event: string, error: unknown, fields?: LogFields) => void;
}

/** Writes one value of a metric. */
export type Measure = (measurement: Measurement) => void;
