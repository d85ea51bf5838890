import * as z from 'zod';
import { eventTypeOf, supersededType } from './event.ts';
import { tenantId } from './verification.ts';

/** What an endpoint can ask to be sent: the events of verifications, and that another of the tenant's endpoints was disabled. */
export const webhookType = z.enum([...Object.values(eventTypeOf), supersededType, 'endpoint.disabled']);
export type WebhookType = z.infer<typeof webhookType>;

export const endpointId = z.string().regex(/^ep_[a-z2-7]{16}$/);

/** Endpoints one tenant may have. */
export const maximumEndpoints = 16;

/** A signing secret as it is stored: AES-256-GCM under the deployment's key named `keyId`, the endpoint's id as associated data. */
export const sealedSecret = z.object({
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
export const replay = z.object({
  id: z.string(),
  state: z.enum(['running', 'done', 'cancelled']),
  /** ISO 8601: the events kept at or after, and before. */
  since: z.string(),
  until: z.string(),
  types: z.array(webhookType).optional(),
  failedOnly: z.boolean(),
  begunAt: z.string(),
  /** Events looked at, and those of them that were handed to the queue. */
  seen: z.int().nonnegative(),
  sent: z.int().nonnegative(),
  /** Where the next page of kept events begins; absent before the first. */
  after: z.string().optional(),
});
export type Replay = z.infer<typeof replay>;

/** An address of the tenant's that is told what becomes of its verifications. */
export const endpoint = z.object({
  id: endpointId,
  tenant: tenantId,
  url: z.string().max(2048),
  /** Absent: every type, also those that later versions add. */
  types: z.array(webhookType).min(1).optional(),
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
  disabledBecause: disabledBecause.optional(),
  /** When it was last disabled: what waited for it then has ended, also after it is enabled again. */
  stoppedAt: z.string().optional(),
  /** When the first try failed after the last that succeeded; absent while tries succeed. */
  failingSince: z.string().optional(),
  /** Open while the endpoint holds up calls without answering. Epoch seconds; absent while closed. */
  breaker: z.object({ openUntil: z.int(), openings: z.int().positive() }).optional(),
  /** The id of an `endpoint.disabled` that is not yet put; absent once it is. */
  untold: z.string().optional(),
  replay: replay.optional(),
});
export type Endpoint = z.infer<typeof endpoint>;

/** Whether an endpoint is sent events of this type now. */
export function wants({ state, types }: Pick<Endpoint, 'state' | 'types'>, type: string): boolean {
  return state === 'enabled' && (types === undefined || types.some((wanted) => wanted === type));
}
