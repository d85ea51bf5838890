import {
  askedOf,
  redeclaredOf,
  replyOfBegun,
  type VerificationRequest,
  verdictText,
  viewUploads,
} from '../../shared/api/verifications.ts';
import { type CapturePlace, captureKey, capturesOf } from '../../shared/domain/captures.ts';
import type {
  Breakers,
  Captures,
  Deliveries,
  Endpoints,
  Fetcher,
  KeptEvents,
  Log,
  Looks,
  Measure,
  Orders,
  PostSigned,
  PostWebhook,
  PutEvents,
  Send,
  SenderMessage,
  Sightings,
  SourceIds,
  Tenant,
  Verifications,
  WebhookQueue,
  Work,
} from '../../shared/domain/ports.ts';
import { referenceOf } from '../../shared/domain/reference.ts';
import type { Review } from '../../shared/domain/verdict.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import { announceAgain, announceChanges, type Change, type Span } from '../../shared/lifecycle/announce.ts';
import { askProvider } from '../../shared/lifecycle/ask.ts';
import { beginVerification } from '../../shared/lifecycle/begin.ts';
import { carryOut } from '../../shared/lifecycle/carry-out.ts';
import { eraseEvery } from '../../shared/lifecycle/erase.ts';
import { fetchImage } from '../../shared/lifecycle/fetch-image.ts';
import { findEvery, findOf } from '../../shared/lifecycle/find.ts';
import { breakerGate } from '../../shared/lifecycle/gate.ts';
import { claimHandOff, offerHandOff, takeBackHandOff } from '../../shared/lifecycle/hand-off.ts';
import type { Resting } from '../../shared/lifecycle/keep.ts';
import { landCapture } from '../../shared/lifecycle/land.ts';
import { listBreakers } from '../../shared/lifecycle/list-breakers.ts';
import { listDeliveries, showDelivery, type WantedDeliveries } from '../../shared/lifecycle/list-deliveries.ts';
import { keptCaptures, lookAtCapture } from '../../shared/lifecycle/look.ts';
import { requestCaptures } from '../../shared/lifecycle/next-round.ts';
import { takeOrder } from '../../shared/lifecycle/order.ts';
import { sweepVerifications } from '../../shared/lifecycle/overdue.ts';
import { sweepDeliveries } from '../../shared/lifecycle/overdue-deliveries.ts';
import { readEvents } from '../../shared/lifecycle/read-events.ts';
import { issueReceipt } from '../../shared/lifecycle/receipt.ts';
import { receiveResult } from '../../shared/lifecycle/receive.ts';
import { type AskedReplay, beginReplay, cancelReplay } from '../../shared/lifecycle/replay.ts';
import { resendDelivery } from '../../shared/lifecycle/resend.ts';
import { retryVerification } from '../../shared/lifecycle/retry.ts';
import { reviewVerification } from '../../shared/lifecycle/review.ts';
import { type ServedCall, serveCall } from '../../shared/lifecycle/serve.ts';
import { waitForUs } from '../../shared/lifecycle/wait.ts';
import {
  type Capabilities,
  longestLeaseSeconds,
  type Provider,
  type ReadDelivery,
} from '../../shared/providers/provider.ts';
import { readLanding } from '../../shared/stores/landings.ts';
import { bodyOf } from '../../shared/webhooks/body.ts';
import { delayAfter, nextTryAfter } from '../../shared/webhooks/schedule.ts';
import {
  clientTokenSecret,
  fingerprintKey,
  ids,
  legacyIdOf,
  receiptSecret,
  referenceSecret,
  signingSecretOf,
} from '../builders/deployment.ts';
import { ownBucket } from '../builders/landing.ts';
import { memoryOutcomes } from './outcomes.ts';

/** What the verbs are connected to. */
export interface Surroundings {
  readonly verifications: Verifications;
  readonly captures: Captures;
  readonly sightings: Sightings;
  readonly breakers: Breakers;
  readonly send: Send;
  readonly tenant: Tenant;
  /** Every provider, by name. */
  readonly registry: ReadonlyMap<string, Capabilities>;
  readonly deploymentCredentials: Readonly<Record<string, string>>;
  readonly submit: (
    provider: Capabilities,
    ...submission: Parameters<Provider['submit']>
  ) => ReturnType<Provider['submit']>;
  readonly readWebhook: ReadDelivery;
  readonly putEvents: PutEvents;
  readonly orders: Orders;
  readonly creditsLeft: () => number;
  readonly endpoints: Endpoints;
  readonly keptEvents: KeptEvents;
  readonly deliveries: Deliveries;
  readonly webhooks: WebhookQueue;
  readonly postSigned: PostSigned;
  readonly fetcher: Pick<Fetcher, 'get'>;
  readonly post: PostWebhook;
  readonly writeResult: (record: Resting) => string;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly newId: () => string;
  /** 0 ≤ n < 1 */
  readonly fraction: () => number;
  readonly randomBelow: (limit: number) => number;
  readonly log: Log;
  readonly measure: Measure;
}

/** The token in the address of a tenant's webhook. Any other is a forger's. */
export const genuineToken = 'genuine';

/** The webhook that orders name, and where it is. */
const webhookName = 'ours';
const webhookUrl = 'https://acme.example/results';

/** Where the API is reached. */
const origin = 'https://api.example';

/** How versions from before ids had a key found records, and made them. */
const idsBefore: SourceIds = {
  ...ids,
  of: async (tenant, source) => legacyIdOf(source, tenant),
  legacyOf: () => undefined,
};

/** Every verb of the product, connected to a world in memory: the only place that knows what each is called with. */
export function acts(world: Surroundings) {
  const { verifications, captures, sightings, breakers, send, orders, tenant, registry, now, newId, log, measure } =
    world;
  const { endpoints, keptEvents, deliveries, webhooks } = world;
  const outcomes = memoryOutcomes();
  const tenants = {
    deploymentCredentials: async () => world.deploymentCredentials,
    ofWebhook: async (_provider: string, token: string) =>
      token === genuineToken ? { kind: 'tenant' as const, tenant } : undefined,
    hasWebhook: async () => true,
    servedWebhook: async (_id: string, name: string) => (name === webhookName ? webhookUrl : undefined),
    creditsLeft: async () => world.creditsLeft(),
  };
  const requesting = {
    verifications,
    uploads: {
      presign: async ({ verificationId, round, name, challengeNumber }: CapturePlace) => {
        const key = captureKey(verificationId, round, name, challengeNumber);
        return { put: { url: `https://put/${key}`, headers: {} }, post: { url: 'https://post', fields: { key } } };
      },
    },
    registry,
    tenants,
    clientTokenSecret: signingSecretOf(clientTokenSecret),
    now,
    newId,
    randomBelow: world.randomBelow,
  };
  const counts = new Map<string, number>();
  const recognising = { sightings, fingerprintKey: async () => fingerprintKey };
  const surroundings = {
    verifications,
    captures,
    sightings,
    send,
    orders,
    registry,
    endpoints,
    keptEvents,
    now,
    random: world.fraction,
    ...{ log, measure },
  };
  const request =
    (sourceIds: SourceIds) =>
    async (
      source: string,
      check: VerificationRequest['check'],
      declared: VerificationRequest['captures'],
      subject?: string,
    ) => {
      const asked = askedOf({ source_id: source, check, captures: declared, subject });
      return replyOfBegun(await beginVerification(asked, tenant, { ...requesting, ids: sourceIds }), origin).body;
    };
  const announcing = {
    ...{ put: world.putEvents, orders, endpoints, keptEvents, outcomes, webhooks, verdictText, now, log, measure },
  };
  const find = (source: string) => findOf({ tenant }, source, { verifications, ids });

  return {
    request: request(ids),

    /** The same as a version from before ids had a key did it. */
    requestBefore: request(idsBefore),

    /** The next round, with other content types where some are given. */
    reopen: async (source: string, captures?: VerificationRequest['captures']) =>
      viewUploads(await requestCaptures(await find(source), redeclaredOf({ captures }), requesting), origin),

    /** A code for another device; the same code exchanged for a token; the end of both. */
    handOff: async (source: string) => offerHandOff(await find(source), { verifications, now, newCode: newId }),
    claim: async (source: string, code: string) => {
      const [record] = await findEvery({ tenant }, source, { verifications, ids });
      return claimHandOff(record, code, requesting);
    },
    takeBack: async (source: string) => takeBackHandOff(await find(source), requesting),

    retry: async (source: string) => retryVerification(await find(source), surroundings),

    /** A reviewer's outcome for the verification as it was at a sequence. */
    review: async (source: string, sequence: number, outcome: Review['outcome'], reason = 'as it looks') =>
      reviewVerification(await find(source), { sequence, outcome, reason, reviewer: 'r-1' }, surroundings),

    erase: async (source: string) =>
      eraseEvery(await findEvery({ tenant }, source, { verifications, ids }), surroundings),

    eraseRead: async (read: readonly Verification[]) => eraseEvery(read, surroundings),

    /** The receipt of an erasure. */
    receipt: async (source: string) =>
      issueReceipt(await find(source), { receiptKeys: { secret: async () => receiptSecret } }),

    /** A read that waits until the verification rests, or waits for others. */
    wait: async (source: string, seconds: number) =>
      waitForUs(await find(source), seconds, { verifications, now, sleep: world.sleep, maximumWaitSeconds: 20 }),

    /** A call of a vendor's API that brings its captures along. */
    serve: async (source: string, check: VerificationRequest['check']) => {
      const picture = { contentType: 'image/jpeg', bytes: new Uint8Array(1000) } as const;
      const call: ServedCall = {
        vendor: 'onesmartlab',
        check,
        sourceId: source,
        captures: Object.fromEntries(capturesOf[check].map((name) => [name, picture])),
      };
      return serveCall(call, tenant, { ...requesting, captures, send, ids, sleep: world.sleep });
    },

    /** A call of a vendor's API that brings a link, and is answered at a webhook. */
    order: async (source: string, link = `https://images.example/${source}`, webhook = webhookName) =>
      takeOrder(
        {
          vendor: 'identify',
          sourceId: source,
          order: { sourceId: source, imageLink: link, webhookName: webhook },
          requestHash: link,
        },
        tenant,
        { ...requesting, ids, orders },
      ),

    /** A message of the queue of orders whose image is to be fetched. */
    fetch: (verificationId: string) =>
      fetchImage(verificationId, { ...surroundings, fetcher: world.fetcher, sleep: world.sleep }),

    /** A message of the sender's queues: a result or an event that is to be posted. */
    carryOut: (message: SenderMessage) =>
      carryOut(message, {
        ...surroundings,
        ...{ tenants, endpoints, keptEvents, deliveries, webhooks },
        ...{ post: world.post, postSigned: world.postSigned, put: world.putEvents },
        ...{ writeResult: world.writeResult, delayAfter, bodyOf, nextTryAfter },
      }),

    /** The bucket's event of an upload, as S3 words it. */
    notice: (body: string) => landCapture(readLanding(body, ownBucket), surroundings),

    /** A message of a provider's queue. */
    attempt: (provider: Capabilities, work: Work) =>
      askProvider(work, {
        ...surroundings,
        recognising,
        provider,
        open: async () => ({ submit: (submission) => world.submit(provider, submission) }),
        gate: () => breakerGate(provider.name, longestLeaseSeconds(provider), { breakers, counts, now }),
        reference: referenceOf(async () => referenceSecret),
      }),

    /** A provider's webhook. */
    receive: (webhook: { provider: string; token: string; body: string }) =>
      receiveResult(webhook, {
        ...surroundings,
        tenants,
        deliveries: new Map([[webhook.provider, world.readWebhook]]),
        referenceSecret: signingSecretOf(referenceSecret),
      }),

    sweep: () => sweepVerifications({ ...surroundings, remainingMilliseconds: () => 50_000 }),

    /** The same schedule's other half. */
    sweepDeliveries: () =>
      sweepDeliveries({ ...surroundings, deliveries, webhooks, remainingMilliseconds: () => 50_000 }),

    /** Events that are sent to an endpoint again. */
    replay: (endpointId: string, asked: AskedReplay) =>
      beginReplay({ tenant: tenant.id, endpointId }, asked, { endpoints, webhooks, now, newId }),
    cancelReplay: (endpointId: string) => cancelReplay({ tenant: tenant.id, endpointId }, { endpoints }),
    resend: (id: string) =>
      resendDelivery(tenant.id, id, { deliveries, endpoints, keptEvents, verifications, webhooks, orders, newId }),

    /** What a tenant sees of its events and deliveries. */
    readEvents: (cursor?: Awaited<ReturnType<typeof readEvents>>['next']) =>
      readEvents(tenant.id, { limit: 100, cursor }, { endpoints, keptEvents, now }),
    listDeliveries: (wanted: WantedDeliveries) =>
      listDeliveries(tenant, wanted, { deliveries, endpoints, verifications, ids }),
    showDelivery: (id: string) =>
      showDelivery(tenant.id, id, {
        ...{ deliveries, endpoints, keptEvents, verifications, bodyOf, writeResult: world.writeResult },
      }),

    /** What an operator sees, and what of captures is shown to one. */
    look: async (source: string, looks: Pick<Looks, 'write'>) => {
      const record = await find(source);
      return lookAtCapture(
        record,
        { id: 'o_0123456789ab', name: 'Ada', role: 'reviewer' },
        { capture: 'selfie' },
        { looks, captures, now },
      );
    },
    keptCaptures: async (source: string) => keptCaptures(await find(source), { captures }),
    listBreakers: () => listBreakers(tenant.id, { breakers, tenants: { ...tenants, find: async () => tenant } }),

    /** A batch of the table's stream. */
    announce: (batch: readonly Change[]) => announceChanges(batch, announcing),

    /** What an operator has announced again of a record. */
    announceAgain: (record: Verification, span: Span) => announceAgain(record, span, announcing),
  };
}
