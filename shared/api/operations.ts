import * as z from 'zod';
import type { FaultCode } from '../domain/fault.ts';
import type { OperatorRole } from '../domain/operator.ts';
import type { ServedVendor } from '../domain/policy.ts';
import { publicKeysCacheSeconds, untilCapturesSeconds, untilWebhookSeconds } from '../domain/times.ts';
import { sourceId } from '../domain/verification.ts';
import { received as identifyReceived, refused as identifyRefused } from '../providers/identify/answers.ts';
import { call as identifyCall } from '../providers/identify/calls.ts';
import {
  problem as onesmartlabProblem,
  photoVerified,
  spoofDetected,
  videoVerified,
} from '../providers/onesmartlab/answers.ts';
import { calls as onesmartlabCalls } from '../providers/onesmartlab/calls.ts';
import { coded, processed, worded } from '../providers/spoofsense/answers.ts';
import { call as spoofsenseCall } from '../providers/spoofsense/calls.ts';
import {
  breakersView,
  callbackQuery,
  consoleReviewRequest,
  consoleSettingsView,
  consoleVerificationView,
  lookRequest,
  looksView,
  lookView,
  outcomesQuery,
  outcomesView,
  sessionView,
  signedOutView,
  signInRequest,
} from './console.ts';
import {
  deliveriesQuery,
  deliveriesView,
  deliveryView,
  deliveryWithBodyView,
  eventsQuery,
  eventsView,
  replayRequest,
} from './deliveries.ts';
import {
  endpointChange,
  endpointDeletedView,
  endpointRequest,
  endpointsView,
  endpointTestedView,
  endpointView,
  endpointWithSecretView,
  replayView,
  rotationBody,
} from './endpoints.ts';
import { claimedView, claimRequest, handOffView } from './hand-off.ts';
import {
  capturesBody,
  clientView,
  historyView,
  listQuery,
  listView,
  publicKeysView,
  readQuery,
  receiptView,
  receivedView,
  reviewRequest,
  stateView,
  uploadsView,
  verificationRequest,
  verificationView,
} from './verifications.ts';

/** A function that answers HTTP requests, by the name of its folder in `functions/`. */
export type ApiFunctionName =
  | 'request-verification'
  | 'hand-off-capture'
  | 'read-verification'
  | 'erase-verification'
  | 'retry-verification'
  | 'read-receipt'
  | 'review-verification'
  | 'receive-result'
  | 'manage-endpoints'
  | 'read-deliveries'
  | 'send-again'
  | 'sign-in-operator'
  | 'read-console'
  | 'look-at-capture'
  | 'serve-spoofsense'
  | 'serve-onesmartlab'
  | 'serve-identify'
  | 'serve-pages';

/** Requests per second, and how many may come at once before that counts. */
export interface Throttle {
  readonly rate: number;
  readonly burst: number;
}

/** Who may call: a tenant's server with its key, the holder of a client_token, or an operator with the console's cookie. */
export type CallerKind = 'key' | 'client_token' | 'operator';

/** What a route takes, by where it stands in the request. */
export interface RequestSchemas {
  readonly path: z.ZodObject;
  readonly query?: z.ZodObject;
  /** JSON, or with `bodyAs` whatever came: then the schema is for the document alone. */
  readonly body?: z.ZodType;
  readonly bodyAs?: 'text' | 'bytes';
  /** @default application/json */
  readonly bodyMedia?: 'multipart/form-data';
  readonly maximumBodyBytes?: number;
}

/** One answer of a route. */
export interface DeclaredAnswer {
  readonly description: string;
  readonly body: z.ZodType;
  /** When it has a `Retry-After`. */
  readonly retryAfter?: string;
}

/** One HTTP route: who answers it, who may call, what it takes, and everything it may answer. */
export interface Operation {
  /** `operationId` of the document. */
  readonly id: string;
  readonly function: ApiFunctionName;
  readonly summary: string;
  readonly description?: string;
  /** Where the stage's own throttle is too generous, or the route must not share it. */
  readonly throttle?: Throttle;
  /** A client_token opens it for the first device alone, and not for one that the capture was handed over to. */
  readonly firstDeviceOnly?: true;
  /** Empty: the path or the body itself carries the secret, or there is none. */
  readonly callers: readonly CallerKind[];
  /** What an operator who calls must be. */
  readonly role?: OperatorRole;
  /** The browser must say, in `Origin`, that the request comes from a page of this API itself: every write of the console. */
  readonly sameOrigin?: true;
  /** How long any cache may keep its 200, where that holds nothing of a caller. */
  readonly cacheSeconds?: number;
  /** Where a key may stand besides `x-api-key`: bare, or after `Bearer` or `Token`. */
  readonly keyAlsoIn?: 'authorization';
  /** The vendor whose API it is: it answers in that vendor's words alone, and `answers` has all of them. */
  readonly vendor?: ServedVendor;
  /** A page or a file of one: its act answers every header and byte, and it is no part of the document. */
  readonly page?: true;
  readonly request: RequestSchemas;
  readonly answers: Readonly<Record<number, DeclaredAnswer>>;
  /** What this route itself may refuse with; `faultsOf` adds what every route of its kind may. */
  readonly faults: readonly FaultCode[];
}

/**
 * What one deployment takes on all routes together before it answers 429. Small on purpose: it bounds the bill of a
 * leaked key, and context `throttle` raises it.
 */
export const stageThrottle: Throttle = { rate: 100, burst: 200 };

/** Larger than any request of our own API (metadata ≤ 2 KB). */
export const ownBodyBytes = 16 * 1024;

const ofVerification = z.object({ source_id: sourceId });
const noPath = z.object({});
const ofEndpoint = z.object({ endpoint_id: z.string() });
const ofDelivery = z.object({ delivery_id: z.string() });

/** A tenant's server, now and then. */
const endpointThrottle: Throttle = { rate: 10, burst: 20 };
const readsDeliveries = { function: 'read-deliveries', callers: ['key'], throttle: { rate: 20, burst: 40 } } as const;
const sendsAgain = { function: 'send-again', throttle: endpointThrottle, callers: ['key'] } as const;
const manages = { function: 'manage-endpoints', throttle: endpointThrottle, callers: ['key'] } as const;

/** A page in a browser, which asks at most 20 times a minute. */
const consoleThrottle: Throttle = { rate: 20, burst: 40 };
const views = { callers: ['operator'], role: 'viewer', throttle: consoleThrottle } as const;
const reviews = {
  callers: ['operator'],
  role: 'reviewer',
  sameOrigin: true,
  throttle: { rate: 10, burst: 20 },
} as const;
const signsIn = { function: 'sign-in-operator', throttle: { rate: 10, burst: 20 } } as const;
/** By the first device, or the tenant's server. */
const handsOff = {
  function: 'hand-off-capture',
  throttle: { rate: 10, burst: 20 },
  callers: ['key', 'client_token'],
  firstDeviceOnly: true,
} as const;

/** The same by a tenant's server and by an operator. */
const retries = {
  function: 'retry-verification',
  summary: 'Try an errored verification again while its captures are stored',
  request: { path: ofVerification },
  answers: { 202: { description: 'Queued again', body: stateView } },
  faults: ['verification_unknown', 'state_conflict', 'captures_gone', 'retries_spent'],
} as const;

/** What the vendors' documents take. AWS takes less: 6 MB with the event around it (docs/serving.md). */
const documentedBytes = 10_485_760;
/** A call is a person's, who waits: as many as `POST /verifications` takes would be more than an account can run. */
const servedThrottle: Throttle = { rate: 10, burst: 20 };

/** A person opens a page, which loads a handful of files. */
const servesPages = { function: 'serve-pages', page: true, callers: [], answers: {}, faults: [] } as const;
const pageThrottle: Throttle = { rate: 50, burst: 100 };
const fileThrottle: Throttle = { rate: 200, burst: 400 };

/** What API Gateway says in front of SpoofSense. */
export const gatewayMessage = z.strictObject({ message: z.string() });

/** The same as text. */
export const gatewayText = z.string();

/** SpoofSense's, under the stage of its own addresses and without. */
const spoofSense = {
  function: 'serve-spoofsense',
  vendor: 'spoofsense',
  throttle: servedThrottle,
  callers: ['key'],
  request: { path: noPath, body: spoofsenseCall, bodyAs: 'bytes', maximumBodyBytes: documentedBytes },
  answers: {
    200: { description: 'Judged, or not to be judged', body: z.union([processed, coded, worded]) },
    403: { description: 'No such key', body: gatewayMessage },
    413: { description: 'Larger than 10 MB', body: gatewayText },
    500: { description: 'Our failure', body: gatewayMessage },
    504: { description: 'No verdict in 25 s; the verification goes on', body: gatewayMessage },
  },
  faults: [],
} as const;
const antispoofing = <Id extends string>(id: Id) =>
  ({ ...spoofSense, id, summary: 'SpoofSense: is the face in the picture a live one?' }) as const;
const robust = <Id extends string>(id: Id) =>
  ({ ...spoofSense, id, summary: 'SpoofSense: the same for captures of low quality' }) as const;

/** One Smart Lab's: the tenant's key is the form's field `api_key`. */
const oneSmartLab = {
  function: 'serve-onesmartlab',
  vendor: 'onesmartlab',
  throttle: servedThrottle,
  callers: [],
  request: { path: noPath, bodyAs: 'bytes', bodyMedia: 'multipart/form-data' },
  answers: {
    400: { description: 'What to send instead, or to take again', body: onesmartlabProblem },
    401: { description: 'No such key', body: onesmartlabProblem },
    413: { description: 'Larger than it may be', body: onesmartlabProblem },
    500: { description: 'Our failure', body: onesmartlabProblem },
    504: { description: 'No verdict in 25 s; the verification goes on', body: onesmartlabProblem },
  },
  faults: [],
} as const;

/**
 * Every HTTP route there is, by what API Gateway calls it. The template, the local server, the wrapper that checks
 * requests, the handlers' types and docs/openapi.json are made from these rows.
 */
export const operations = {
  'POST /verifications': {
    id: 'requestVerification',
    function: 'request-verification',
    summary: 'Ask for a verification and get upload URLs for its captures',
    description:
      'Idempotent by source_id: the same body again is 200, with fresh URLs while captures are awaited and the state alone after.',
    throttle: { rate: 50, burst: 100 },
    callers: ['key'],
    request: { path: noPath, body: verificationRequest },
    answers: {
      201: { description: 'Made', body: uploadsView },
      200: { description: 'Made before by the same request', body: z.union([uploadsView, stateView]) },
    },
    faults: [
      'source_id_conflict',
      'source_id_erased',
      'subject_locked',
      'provider_unavailable',
      'check_unavailable',
      'language_unsupported',
      'challenge_unsupported',
      'capture_type_unsupported',
      'capture_length_invalid',
    ],
  },
  'POST /verifications/{source_id}/captures': {
    id: 'requestCaptures',
    function: 'request-verification',
    summary: 'Fresh upload URLs for this round; after a recapture, the next round',
    throttle: { rate: 50, burst: 100 },
    callers: ['key', 'client_token'],
    request: { path: ofVerification, body: capturesBody },
    answers: { 200: { description: 'What is still missing', body: uploadsView } },
    faults: [
      'verification_unknown',
      'state_conflict',
      'rounds_spent',
      'source_id_erased',
      'capture_type_unsupported',
      'capture_length_invalid',
    ],
  },
  'POST /verifications/{source_id}/hand-off': {
    ...handsOff,
    id: 'handOffCapture',
    summary: 'A link for another device of the person, with a code that it may claim once within ten minutes',
    description: 'Another one ends the one before: its code, and the token of the device that has claimed it.',
    request: { path: ofVerification },
    answers: { 201: { description: 'Made', body: handOffView } },
    faults: ['verification_unknown', 'state_conflict', 'source_id_erased'],
  },
  'DELETE /verifications/{source_id}/hand-off': {
    ...handsOff,
    id: 'takeCaptureBack',
    summary: 'End the code and the token of the other device',
    request: { path: ofVerification },
    answers: { 200: { description: 'Taken back, now or before', body: stateView } },
    faults: ['verification_unknown', 'source_id_erased'],
  },
  'POST /verifications/{source_id}/hand-off/claim': {
    function: 'hand-off-capture',
    id: 'claimCapture',
    summary: 'Exchange the code of a hand-off for a client_token, once',
    description: 'Called when the person presses, not when the page opens: previews of links open pages.',
    throttle: { rate: 10, burst: 20 },
    callers: [],
    request: { path: ofVerification, body: claimRequest },
    answers: { 200: { description: 'Claimed', body: claimedView } },
    faults: ['hand_off_invalid'],
  },
  'GET /verifications': {
    id: 'listVerifications',
    function: 'read-verification',
    summary: 'Verifications of one state, newest first',
    throttle: { rate: 20, burst: 40 },
    callers: ['key'],
    request: { path: noPath, query: listQuery },
    answers: { 200: { description: 'A page', body: listView } },
    faults: [],
  },
  'GET /verifications/{source_id}': {
    id: 'readVerification',
    function: 'read-verification',
    summary: 'State and verdict',
    description: 'With a client_token: neither scores nor attempts nor provider, and of a failure the outcome alone.',
    throttle: { rate: 200, burst: 400 },
    callers: ['key', 'client_token'],
    request: { path: ofVerification, query: readQuery },
    answers: {
      200: {
        description: 'As it is',
        body: z.union([verificationView, clientView]),
        retryAfter: `Seconds after which to ask again: ${untilCapturesSeconds} while captures are awaited, ${untilWebhookSeconds} while a vendor's webhook is; then \`wait\` is answered at once`,
      },
    },
    faults: ['verification_unknown'],
  },
  'GET /verifications/{source_id}/history': {
    id: 'readHistory',
    function: 'read-verification',
    summary: 'Every move, and the first twenty notes',
    throttle: { rate: 20, burst: 40 },
    callers: ['key'],
    request: { path: ofVerification },
    answers: { 200: { description: 'The history', body: historyView } },
    faults: ['verification_unknown'],
  },
  'DELETE /verifications/{source_id}': {
    id: 'eraseVerification',
    function: 'erase-verification',
    summary: 'Erase it: captures, scores, metadata, history. A tombstone keeps the source_id taken',
    throttle: { rate: 20, burst: 40 },
    callers: ['key'],
    request: { path: ofVerification },
    answers: { 200: { description: 'Erased, now or before', body: stateView } },
    faults: ['verification_unknown'],
  },
  'GET /verifications/{source_id}/receipt': {
    id: 'readReceipt',
    function: 'read-receipt',
    summary: 'The signed receipt of a finished erasure: what was deleted, and when',
    description: 'docs/erasure.md has its format, and how anybody verifies it with the public key.',
    throttle: { rate: 20, burst: 40 },
    callers: ['key'],
    request: { path: ofVerification },
    answers: { 200: { description: 'Signed', body: receiptView } },
    faults: ['verification_unknown', 'state_conflict', 'erasure_unfinished'],
  },
  'GET /.well-known/bonafide.json': {
    id: 'readPublicKeys',
    function: 'read-receipt',
    summary: 'Public keys of this deployment, those of replaced secrets too',
    throttle: { rate: 20, burst: 40 },
    callers: [],
    cacheSeconds: publicKeysCacheSeconds,
    request: { path: noPath },
    answers: { 200: { description: 'The keys', body: publicKeysView } },
    faults: [],
  },
  'POST /verifications/{source_id}/retry': {
    id: 'retryVerification',
    ...retries,
    throttle: { rate: 10, burst: 20 },
    callers: ['key'],
  },
  'POST /verifications/{source_id}/review': {
    id: 'reviewVerification',
    function: 'review-verification',
    summary: 'A person’s decision in the place of the verdict',
    description:
      'Of the sequence that the reviewer saw: 409 where the verification has moved since. The same review again is 200 and changes nothing.',
    throttle: { rate: 10, burst: 20 },
    callers: ['key'],
    request: { path: ofVerification, body: reviewRequest },
    answers: { 200: { description: 'Reviewed, now or before', body: verificationView } },
    faults: ['verification_unknown', 'state_conflict'],
  },
  'POST /console/session': {
    ...signsIn,
    id: 'signIn',
    summary: 'Spend an invitation: begins a session, in a cookie that scripts cannot read',
    description: 'Every invitation that cannot be spent is refused in the same words: spent, 15 minutes old, or none.',
    callers: [],
    sameOrigin: true,
    request: { path: noPath, body: signInRequest },
    answers: { 201: { description: 'Signed in', body: sessionView } },
    faults: ['invitation_invalid'],
  },
  'GET /console/session': {
    ...views,
    id: 'readSession',
    function: 'sign-in-operator',
    summary: 'Who is signed in, and until when',
    request: { path: noPath },
    answers: { 200: { description: 'As it is', body: sessionView } },
    faults: [],
  },
  'DELETE /console/session': {
    ...views,
    id: 'signOut',
    function: 'sign-in-operator',
    sameOrigin: true,
    summary: 'End the session',
    request: { path: noPath },
    answers: { 200: { description: 'Signed out', body: signedOutView } },
    faults: [],
  },
  'GET /console/settings': {
    ...signsIn,
    id: 'readConsoleSettings',
    summary: 'Which ways to sign in there are',
    callers: [],
    request: { path: noPath },
    answers: { 200: { description: 'As deployed', body: consoleSettingsView } },
    faults: [],
  },
  'GET /console/sign-in': {
    ...signsIn,
    id: 'beginSignIn',
    summary: 'To the identity provider of this deployment, with OpenID Connect configured',
    page: true,
    callers: [],
    request: { path: noPath },
    answers: {},
    faults: [],
  },
  'GET /console/callback': {
    ...signsIn,
    id: 'finishSignIn',
    summary: 'Back from the identity provider: a page that goes on to the console',
    description:
      'A page and no redirect: a browser that follows one from another site sends no SameSite=Strict cookie.',
    page: true,
    callers: [],
    request: { path: noPath, query: callbackQuery },
    answers: {},
    faults: [],
  },
  'GET /console/verifications': {
    ...views,
    id: 'listForOperator',
    function: 'read-console',
    summary: 'Verifications of one state, newest first',
    request: { path: noPath, query: listQuery },
    answers: { 200: { description: 'A page', body: listView } },
    faults: [],
  },
  'GET /console/verifications/{source_id}': {
    ...views,
    id: 'readForOperator',
    function: 'read-console',
    summary: 'One verification whole: verdict, history, attempts, captures that are still stored',
    request: { path: ofVerification },
    answers: { 200: { description: 'As it is', body: consoleVerificationView } },
    faults: ['verification_unknown'],
  },
  'POST /console/verifications/{source_id}/retry': {
    ...reviews,
    id: 'retryForOperator',
    ...retries,
  },
  'POST /console/verifications/{source_id}/review': {
    ...reviews,
    id: 'reviewForOperator',
    function: 'review-verification',
    summary: 'The operator’s decision in the place of the verdict',
    description: 'Of the sequence that the reviewer saw: 409 where the verification has moved since.',
    request: { path: ofVerification, body: consoleReviewRequest },
    answers: { 200: { description: 'Reviewed, now or before', body: verificationView } },
    faults: ['verification_unknown', 'state_conflict'],
  },
  'DELETE /console/verifications/{source_id}': {
    ...reviews,
    id: 'eraseForOperator',
    function: 'erase-verification',
    summary: 'Erase it: captures, scores, metadata, history. Who looked at its captures stays',
    request: { path: ofVerification },
    answers: { 200: { description: 'Erased, now or before', body: stateView } },
    faults: ['verification_unknown'],
  },
  'POST /console/verifications/{source_id}/looks': {
    ...reviews,
    id: 'lookAtCapture',
    function: 'look-at-capture',
    summary: 'A capture, for a minute. That the operator looked is written down before',
    request: { path: ofVerification, body: lookRequest },
    answers: { 201: { description: 'Written down, and this is the capture', body: lookView } },
    faults: ['verification_unknown', 'captures_gone'],
  },
  'GET /console/verifications/{source_id}/looks': {
    ...views,
    id: 'listLooks',
    function: 'look-at-capture',
    summary: 'Who looked at captures of this verification, and when',
    request: { path: ofVerification },
    answers: { 200: { description: 'The newest first', body: looksView } },
    faults: ['verification_unknown'],
  },
  'GET /console/breakers': {
    ...views,
    id: 'listBreakers',
    function: 'read-console',
    summary: 'Which providers are not asked for now, and why',
    request: { path: noPath },
    answers: { 200: { description: 'Every provider that the policy can ask', body: breakersView } },
    faults: [],
  },
  'GET /console/outcomes': {
    ...views,
    id: 'listOutcomes',
    function: 'read-console',
    summary: 'What was decided or errored: the last 1,000, or what is newer than an earlier answer',
    request: { path: noPath, query: outcomesQuery },
    answers: { 200: { description: 'A page', body: outcomesView } },
    faults: [],
  },
  'POST /endpoints': {
    ...manages,
    id: 'createEndpoint',
    summary: 'An address that is told what becomes of verifications; its secret is shown this once',
    description: 'At most 16 a tenant. It is sent what happens from then on, within 30 s.',
    request: { path: noPath, body: endpointRequest },
    answers: { 201: { description: 'Made', body: endpointWithSecretView } },
    faults: [],
  },
  'GET /endpoints': {
    ...manages,
    id: 'listEndpoints',
    summary: 'All endpoints, the oldest first',
    request: { path: noPath },
    answers: { 200: { description: 'As they are', body: endpointsView } },
    faults: [],
  },
  'GET /endpoints/{endpoint_id}': {
    ...manages,
    id: 'readEndpoint',
    summary: 'One endpoint, without its secret',
    request: { path: ofEndpoint },
    answers: { 200: { description: 'As it is', body: endpointView } },
    faults: ['endpoint_unknown'],
  },
  'PATCH /endpoints/{endpoint_id}': {
    ...manages,
    id: 'changeEndpoint',
    summary: 'Change what is given; in force within 30 s',
    request: { path: ofEndpoint, body: endpointChange },
    answers: { 200: { description: 'Changed', body: endpointView } },
    faults: ['endpoint_unknown', 'state_conflict'],
  },
  'DELETE /endpoints/{endpoint_id}': {
    ...manages,
    id: 'deleteEndpoint',
    summary: 'Send it nothing more: what waits for it ends unsent',
    request: { path: ofEndpoint },
    answers: { 200: { description: 'Deleted', body: endpointDeletedView } },
    faults: ['endpoint_unknown'],
  },
  'POST /endpoints/{endpoint_id}/disable': {
    ...manages,
    id: 'disableEndpoint',
    summary: 'Send it nothing until it is enabled: what waits for it ends unsent, and can be replayed',
    request: { path: ofEndpoint },
    answers: { 200: { description: 'Disabled, now or before', body: endpointView } },
    faults: ['endpoint_unknown', 'state_conflict'],
  },
  'POST /endpoints/{endpoint_id}/enable': {
    ...manages,
    id: 'enableEndpoint',
    summary: 'Send it again what happens from now on',
    request: { path: ofEndpoint },
    answers: { 200: { description: 'Enabled, now or before', body: endpointView } },
    faults: ['endpoint_unknown', 'state_conflict'],
  },
  'POST /endpoints/{endpoint_id}/rotate': {
    ...manages,
    id: 'rotateEndpointSecret',
    summary: 'A new secret, shown this once; the one before signs beside it for a day, or as asked',
    request: { path: ofEndpoint, body: rotationBody },
    answers: { 200: { description: 'Replaced', body: endpointWithSecretView } },
    faults: ['endpoint_unknown', 'state_conflict'],
  },
  'POST /endpoints/{endpoint_id}/test': {
    ...manages,
    id: 'testEndpoint',
    summary: 'Send it an endpoint.test, signed, once, also while it is disabled',
    throttle: { rate: 2, burst: 5 }, // each may wait 15 s for a stranger's server
    request: { path: ofEndpoint },
    answers: { 200: { description: 'What it answered, or why it did not', body: endpointTestedView } },
    faults: ['endpoint_unknown'],
  },
  'POST /endpoints/{endpoint_id}/replay': {
    ...sendsAgain,
    id: 'replayEndpoint',
    summary: 'Send it again every event kept between two times; one replay at a time',
    description:
      'In order of time, within a verification of sequence, sent before or not, also from before the endpoint was made. It waits behind nothing and holds up nothing that happens meanwhile.',
    request: { path: ofEndpoint, body: replayRequest },
    answers: { 202: { description: 'Begun. Its progress stands in the endpoint', body: replayView } },
    faults: ['endpoint_unknown', 'endpoint_disabled', 'replay_running'],
  },
  'POST /endpoints/{endpoint_id}/replay/cancel': {
    ...sendsAgain,
    id: 'cancelReplay',
    summary: 'Stop a replay, within 30 s',
    request: { path: ofEndpoint },
    answers: { 200: { description: 'Cancelled, or over before', body: replayView } },
    faults: ['endpoint_unknown', 'replay_unknown'],
  },
  'GET /deliveries': {
    ...readsDeliveries,
    id: 'listDeliveries',
    summary: 'What became of events at endpoints, newest first: of a verification, to an endpoint, or in a state',
    request: { path: noPath, query: deliveriesQuery },
    answers: { 200: { description: 'A page, with every attempt', body: deliveriesView } },
    faults: ['verification_unknown', 'endpoint_unknown'],
  },
  'GET /deliveries/{delivery_id}': {
    ...readsDeliveries,
    id: 'readDelivery',
    summary: 'One delivery, with the body as it was sent',
    request: { path: ofDelivery },
    answers: { 200: { description: 'As it is', body: deliveryWithBodyView } },
    faults: ['delivery_unknown'],
  },
  'POST /deliveries/{delivery_id}/resend': {
    ...sendsAgain,
    id: 'resendDelivery',
    summary: 'Send it once more, at once, whether it was taken or not',
    request: { path: ofDelivery },
    answers: { 202: { description: 'Queued', body: deliveryView } },
    faults: ['delivery_unknown', 'endpoint_disabled', 'event_erased', 'result_closed'],
  },
  'GET /events': {
    ...readsDeliveries,
    id: 'listEvents',
    summary: 'Events of your verifications in the order in which they were kept, for programs without an address',
    description:
      'They are kept for 30 days, from the first call on, and for 30 days after the last. An event may come twice: take each id once.',
    request: { path: noPath, query: eventsQuery },
    answers: { 200: { description: 'A page, and where the next one begins', body: eventsView } },
    faults: [],
  },
  'POST /webhooks/{provider}/{token}': {
    id: 'receiveResult',
    function: 'receive-result',
    summary: 'Where a vendor posts its result; the address is made by npm run admin',
    throttle: { rate: 200, burst: 400 }, // its own: what anybody sends elsewhere costs no vendor its result
    callers: [],
    request: {
      path: z.object({ provider: z.string(), token: z.string() }),
      body: z.looseObject({}).describe('As the vendor documents it'),
      bodyAs: 'text',
      maximumBodyBytes: 64 * 1024,
    },
    answers: {
      200: {
        description: 'Applied, repeated, late or contradictory',
        body: receivedView,
      },
    },
    faults: ['request_unreadable', 'webhook_unknown'],
  },
  'POST /antispoofing': antispoofing('checkAntispoofing'),
  'POST /prod/antispoofing': antispoofing('checkAntispoofingAsProduction'),
  'POST /robust': robust('checkRobust'),
  'POST /prod/robust': robust('checkRobustAsProduction'),
  'POST /v1.1/photoverify': {
    ...oneSmartLab,
    id: 'photoVerify',
    summary: 'One Smart Lab: is the selfie of a person, and of the one on the ID card?',
    request: { ...oneSmartLab.request, body: onesmartlabCalls.photoverify, maximumBodyBytes: documentedBytes },
    answers: { ...oneSmartLab.answers, 200: { description: 'Judged', body: z.union([photoVerified, videoVerified]) } },
  },
  'POST /v1.1/videoverify': {
    ...oneSmartLab,
    id: 'videoVerify',
    summary: 'One Smart Lab: is the video of a person, of the one on the ID card, who says the digits?',
    request: { ...oneSmartLab.request, body: onesmartlabCalls.videoverify, maximumBodyBytes: 50 * 1024 * 1024 },
    answers: { ...oneSmartLab.answers, 200: { description: 'Judged', body: videoVerified } },
  },
  'POST /v1.1/spoofdetect': {
    ...oneSmartLab,
    id: 'spoofDetect',
    summary: 'One Smart Lab: is the selfie of a person?',
    request: { ...oneSmartLab.request, body: onesmartlabCalls.spoofdetect, maximumBodyBytes: documentedBytes },
    answers: { ...oneSmartLab.answers, 200: { description: 'Judged', body: spoofDetected } },
  },
  'POST /identify': {
    id: 'identifyAntiSpoof',
    function: 'serve-identify',
    vendor: 'identify',
    summary: 'Identify: is the face in the linked image a live one? The result comes to a webhook',
    description: 'Idempotent by payload.source_id: the same body again is answered again, and costs no credit.',
    throttle: { rate: 50, burst: 100 },
    callers: ['key'],
    keyAlsoIn: 'authorization',
    request: { path: noPath, body: identifyCall, bodyAs: 'bytes' },
    answers: {
      200: { description: 'Taken, now or before', body: identifyReceived },
      401: { description: 'No such key', body: identifyRefused },
      413: { description: 'Larger than it may be', body: identifyRefused },
      422: {
        description: 'Another service, no credit left, or not a payload that can be taken',
        body: identifyRefused,
      },
      500: { description: 'Our failure', body: identifyRefused },
    },
    faults: [],
  },
  'GET /capture/{tenant}/{source_id}': {
    ...servesPages,
    id: 'openCapturePage',
    summary: 'The hosted page on which a person takes the captures of one verification',
    throttle: pageThrottle,
    request: { path: z.object({ tenant: z.string(), source_id: z.string() }) },
  },
  'GET /console': {
    ...servesPages,
    id: 'openConsole',
    summary: "The operators' console",
    throttle: pageThrottle,
    request: { path: noPath },
  },
  'GET /assets/{file}': {
    ...servesPages,
    id: 'readAsset',
    summary: 'A file of a page, by a name that holds its hash',
    throttle: fileThrottle,
    request: { path: z.object({ file: z.string() }) },
  },
  'GET /capture.js': {
    ...servesPages,
    id: 'readElement',
    summary: "The element <bonafide-capture>, for integrators' own pages",
    throttle: fileThrottle,
    request: { path: noPath },
  },
  'GET /logos/{tenant}/{hash}': {
    ...servesPages,
    id: 'readLogo',
    summary: "A tenant's logo, as its capture page shows it",
    throttle: fileThrottle,
    request: { path: z.object({ tenant: z.string(), hash: z.string() }) },
  },
} as const satisfies Record<`${Method} /${string}`, Operation>;

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** What API Gateway calls a route, in its events, logs and settings: `POST /verifications`. */
export type RouteKey = keyof typeof operations;

/** Every route with its key, in the order of the table. */
export const routes: readonly (Operation & {
  readonly key: RouteKey;
  readonly method: Method;
  readonly path: `/${string}`;
})[] = (Object.entries(operations) as [RouteKey, Operation][]).map(([key, operation]) => {
  const [method, path] = key.split(' ') as [Method, `/${string}`];
  return { ...operation, key, method, path };
});

/** The routes that one function answers. */
export type RoutesOf<F extends ApiFunctionName> = {
  [Key in RouteKey]: (typeof operations)[Key]['function'] extends F ? Key : never;
}[RouteKey];

/** Every fault a route may be refused with: its own, and what comes with its callers and its request. */
export function faultsOf({ callers, role, sameOrigin, vendor, page, request, faults }: Operation): FaultCode[] {
  if (vendor || page) return [];
  const body: FaultCode[] = ['request_too_large'];
  if (request.body && request.bodyAs !== 'text') body.push('request_unreadable');
  const validated = request.bodyAs !== 'text' && (request.body || request.query || 'source_id' in request.path.shape);
  return [
    ...new Set<FaultCode>([
      ...body,
      ...(callers.includes('key') ? (['api_key_invalid'] as const) : []),
      ...(callers.includes('client_token') ? (['client_token_invalid'] as const) : []),
      ...(callers.includes('operator') ? (['session_invalid'] as const) : []),
      ...(role === 'reviewer' ? (['operator_forbidden'] as const) : []),
      ...(sameOrigin ? (['origin_forbidden'] as const) : []),
      ...(validated ? (['request_invalid'] as const) : []),
      ...faults,
    ]),
  ];
}
