import * as z from 'zod';
import { eventTypeOf, supersededType } from './event.ts';
import { orLater, tolerant } from './later.ts';
import { tenantId } from './verification.ts';

/** What an endpoint can ask to be sent: the events of verifications, and that another of the tenant's endpoints was disabled. */
export const webhookType = z.enum([...Object.values(eventTypeOf), supersededType, 'endpoint.disabled']);
export type WebhookType = z.infer<typeof webhookType>;

export const endpointId = z.string().regex(/^ep_[a-z2-7]{16}$/);

/**
 * Groups that an endpoint's messages are divided into, by what they are about: as many calls of it are open at the most, and
 * one more for its replays. Events of one verification share a lane, so they come in their order.
 */
export const lanesPerEndpoint = 4;

/** Endpoints one tenant may have. */
export const maximumEndpoints = 16;

/** A signing secret as it is stored: AES-256-GCM under the deployment's key named `keyId`, the endpoint's id as associated data. */
export const sealedSecret = tolerant({
  keyId: z.string(),
  /** base64: 12 bytes of nonce, the ciphertext, 16 bytes of tag. */
  sealed: z.string(),
  createdAt: z.string(),
  /** Epoch seconds until which a replaced secret still signs beside the new one. */
  expiresAt: z.int().optional(),
});
export type SealedSecret = z.infer<typeof sealedSecret>;

/** Why an endpoint is sent nothing: its tenant asked for it, it answered 410, or every try of five days failed. */
export const disabledBecause = z.enum(['asked', 'gone', 'failing']);

/** Events sent again to one endpoint, those that were kept between two times: one at a time per endpoint. */
export const replay = tolerant({
  id: z.string(),
  state: z.enum(['running', 'done', 'cancelled']),
  /** ISO 8601: the events kept at or after, and before. */
  since: z.string(),
  until: z.string(),
  types: z.array(z.string()).optional(),
  failedOnly: z.boolean(),
  begunAt: z.string(),
  /** Events looked at, and those of them that were handed to the queue. */
  seen: z.int().nonnegative(),
  sent: z.int().nonnegative(),
  /** Where the next page of kept events begins; absent before the first. */
  after: z.string().optional(),
  /** Replays before it that were cancelled, the newest last: a message of theirs may still be under way. */
  cancelled: z.array(z.string()),
});
export type Replay = z.infer<typeof replay>;

/** Cancelled replays that an endpoint remembers. */
export const rememberedReplays = 10;

/** Whether a replay was cancelled: what was handed to the queue of it is not sent any more. */
export function isCancelled({ replay: last }: Pick<Endpoint, 'replay'>, id: string): boolean {
  return last?.id === id ? last.state === 'cancelled' : (last?.cancelled.includes(id) ?? false);
}

/** An address of the tenant's that is told what becomes of its verifications. */
export const endpoint = tolerant({
  id: endpointId,
  tenant: tenantId,
  url: z.string().max(2048),
  /** Absent: every type, also those that later versions add. Any text is read: a later version may have written it. */
  types: z.array(z.string()).min(1).optional(),
  /** `thin`: the event alone. `full`: the verdict with reasons and scores as well. */
  body: z.enum(['thin', 'full']),
  /** Whether the request's metadata goes with it. */
  metadata: z.boolean(),
  description: z.string().max(256),
  /** Whether an ed25519 signature stands beside the HMAC's. */
  v1a: z.boolean(),
  /** The newest first. Those that have expired sign no more. */
  secrets: z.array(sealedSecret).min(1),
  createdAt: z.string(),
  /** +1 with every change: the fence. */
  version: z.int().positive(),
  state: z.enum(['enabled', 'disabled']),
  disabledBecause: orLater(disabledBecause).optional(),
  /** When it was last disabled: what waited for it then has ended, also after it is enabled again. */
  stoppedAt: z.string().optional(),
  /** When the first try failed after the last that succeeded; absent while tries succeed. */
  failingSince: z.string().optional(),
  /** Open while the endpoint holds up calls without answering. Epoch seconds; absent while closed. */
  breaker: tolerant({ openUntil: z.int(), openings: z.int().positive() }).optional(),
  /** The id of an `endpoint.disabled` that is not yet put; absent once it is. */
  untold: z.string().optional(),
  replay: replay.optional(),
});
export type Endpoint = z.infer<typeof endpoint>;

/** Whether an endpoint is sent events of this type now: the sender finds out what a later version's state means. */
export function wants({ state, types }: Pick<Endpoint, 'state' | 'types'>, type: string): boolean {
  return state !== 'disabled' && (types === undefined || types.includes(type));
}

/** The order in which a tenant sees its endpoints. */
export function byAge(one: Endpoint, other: Endpoint): number {
  return one.createdAt.localeCompare(other.createdAt) || one.id.localeCompare(other.id);
}

/** What a tenant decides of an endpoint. Its `types` given as undefined are all. */
export type EndpointFields = Pick<Endpoint, 'url' | 'types' | 'body' | 'metadata' | 'description' | 'v1a'>;

/** An endpoint as its tenant is shown it: with what verifies its `v1a` signatures, which others have none of. */
export interface ShownEndpoint {
  readonly endpoint: Endpoint;
  readonly publicKeys: readonly string[];
}

/** `data` of the `endpoint.test` that a tenant has sent to an endpoint. It is never kept, and sent once. */
export const endpointTest = z.object({
  id: z.string(),
  type: z.literal('endpoint.test'),
  occurred_at: z.string(),
  tenant: tenantId,
  endpoint_id: endpointId,
});
export type EndpointTest = z.infer<typeof endpointTest>;

/** That an endpoint was disabled because it takes nothing: for the bus, and the tenant's other endpoints. Its URL may hold a secret. */
export const endpointEvent = z.object({
  /** The same for every repeat. */
  id: z.string(),
  type: z.literal('endpoint.disabled'),
  occurred_at: z.string(),
  tenant: tenantId,
  endpoint_id: endpointId,
  because: disabledBecause.exclude(['asked']),
});
export type EndpointEvent = z.infer<typeof endpointEvent>;

/** A function of the endpoint as it was disabled: `untold` is the event's id. */
export function endpointEventOf(endpoint: Endpoint, id: string): EndpointEvent {
  return {
    id,
    type: 'endpoint.disabled',
    occurred_at: endpoint.stoppedAt ?? endpoint.createdAt,
    tenant: endpoint.tenant,
    endpoint_id: endpoint.id,
    because: endpoint.disabledBecause === 'gone' ? 'gone' : 'failing',
  };
}
