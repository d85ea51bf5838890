import * as z from 'zod';
import { tryError } from '../domain/delivery.ts';
import {
  disabledBecause,
  type EndpointFields,
  endpointId,
  type Replay,
  type ShownEndpoint,
  type WebhookType,
  webhookType,
} from '../domain/endpoint.ts';
import { readSecret } from '../domain/endpoint-secret.ts';
import { orLater } from '../domain/later.ts';
import type { EndpointWithSecret, ManagedEndpoints } from '../domain/ports.ts';
import { longestSecretGraceSeconds, secretGraceSeconds } from '../domain/times.ts';

/** Words of `/endpoints`: a tenant's addresses that are told what becomes of its verifications. */

const url = z
  .string()
  .min(1)
  .max(2048)
  .describe('https, on port 443 or 80, without user or password, and not an address of a private network');
const types = z
  .array(webhookType)
  .min(1)
  .max(webhookType.options.length)
  .nullable()
  .describe('What it is sent; null is everything, also what later versions add');
const body = z
  .enum(['thin', 'full'])
  .describe('thin: the event alone. full: its verdict with reasons and scores as well');
const withMetadata = z.boolean().describe("Whether the request's metadata goes with it");
const description = z.string().max(256);
const v1a = z.boolean().describe('Whether an ed25519 signature stands beside the HMAC');
const secret = z
  .string()
  .refine((text) => readSecret(text) !== undefined, 'must be whsec_ and base64 of 24 to 64 bytes')
  .describe('Your own: whsec_ and base64 of 24 to 64 bytes. Without it one is made of 32 random bytes');

/** `POST /endpoints`. */
export const endpointRequest = z.strictObject({
  url,
  types: types.default(null),
  body: body.default('thin'),
  metadata: withMetadata.default(false),
  description: description.default(''),
  v1a: v1a.default(false),
  secret: secret.optional(),
});

/** `PATCH /endpoints/{endpoint_id}`: what is given changes. */
export const endpointChange = z.strictObject({ url, types, body, metadata: withMetadata, description, v1a }).partial();

/** `POST …/rotate`. */
export const rotationRequest = z.strictObject({
  secret: secret.optional(),
  grace_seconds: z
    .int()
    .min(0)
    .max(longestSecretGraceSeconds)
    .default(secretGraceSeconds)
    .describe('How long the secrets from before go on signing beside the new one; 0 ends them now'),
});
/** The same, or no body at all. */
export const rotationBody = rotationRequest.prefault({});

export const replayView = z.object({
  id: z.string(),
  state: orLater(z.enum(['running', 'done', 'cancelled'])),
  since: z.string(),
  until: z.string(),
  types: z.array(z.string()).nullable(),
  failed_only: z.boolean(),
  begun_at: z.string(),
  seen: z.int(),
  sent: z.int(),
});

export const endpointView = z.object({
  id: endpointId,
  url: z.string(),
  types: z.array(z.string()).nullable(),
  body: orLater(body),
  metadata: z.boolean(),
  description: z.string(),
  v1a: z.boolean(),
  public_keys: z
    .array(z.string())
    .optional()
    .describe('Of v1a: whpk_ and the ed25519 key in base64, the newest first; two during a rotation'),
  state: orLater(z.enum(['enabled', 'disabled'])),
  disabled_because: orLater(disabledBecause).optional(),
  failing_since: z.string().optional(),
  created_at: z.string(),
  replay: replayView.optional(),
});

/** The only two answers that hold the secret: of making an endpoint, and of replacing its secret. */
export const endpointWithSecretView = endpointView.extend({ secret: z.string() });
export const endpointsView = z.object({ endpoints: z.array(endpointView) });
export const endpointDeletedView = z.object({ id: endpointId, state: z.literal('deleted') });

/** `POST …/test`: never anything that the receiver said beyond its status. */
export const endpointTestedView = z.object({
  delivered: z.boolean(),
  status: z.int().optional(),
  milliseconds: z.int(),
  error: orLater(tryError).optional(),
});

/** A call of a route of `/endpoints`, as far as it is looked at here. */
interface Call<Body = unknown> {
  readonly caller: { readonly tenant: { readonly id: string } };
  readonly body: Body;
}
interface CallOfOne<Body = unknown> extends Call<Body> {
  readonly path: { readonly endpoint_id: string };
}

/** What is done with endpoints, asked for and answered in our API's words. */
export function endpointCalls(managed: ManagedEndpoints) {
  const one = ({ caller, path }: CallOfOne) => [caller.tenant.id, path.endpoint_id] as const;
  return {
    list: async ({ caller }: Call) => ({ endpoints: (await managed.list(caller.tenant.id)).map(viewEndpoint) }),
    show: async (call: CallOfOne) => viewEndpoint(await managed.show(...one(call))),
    create: async ({ caller, body: asked }: Call<z.infer<typeof endpointRequest>>) =>
      viewWithSecret(await managed.create(caller.tenant.id, { ...asked, types: typesOf(asked.types) })),
    change: async (call: CallOfOne<z.infer<typeof endpointChange>>) =>
      viewEndpoint(await managed.change(...one(call), changesOf(call.body))),
    remove: async (call: CallOfOne) => {
      await managed.remove(...one(call));
      return { id: call.path.endpoint_id, state: 'deleted' as const };
    },
    disable: async (call: CallOfOne) => viewEndpoint(await managed.disable(...one(call))),
    enable: async (call: CallOfOne) => viewEndpoint(await managed.enable(...one(call))),
    rotate: async (call: CallOfOne<z.infer<typeof rotationBody>>) => {
      const { secret: given, grace_seconds: graceSeconds } = call.body;
      return viewWithSecret(await managed.rotate(...one(call), { secret: given, graceSeconds }));
    },
    test: async (call: CallOfOne): Promise<z.infer<typeof endpointTestedView>> => {
      const answered = await managed.test(...one(call));
      return { delivered: answered.error === undefined, ...answered };
    },
  };
}

/** All types are none in particular. */
function typesOf(wanted: z.infer<typeof types>): WebhookType[] | undefined {
  return wanted === null ? undefined : [...new Set(wanted)];
}

function changesOf({ types: wanted, ...others }: z.infer<typeof endpointChange>): Partial<EndpointFields> {
  return { ...others, ...(wanted !== undefined && { types: typesOf(wanted) }) };
}

function viewWithSecret(made: EndpointWithSecret): z.infer<typeof endpointWithSecretView> {
  return { ...viewEndpoint(made), secret: made.secret };
}

export function viewEndpoint({ endpoint, publicKeys }: ShownEndpoint): z.infer<typeof endpointView> {
  const { disabledBecause: because, failingSince, replay } = endpoint;
  return {
    id: endpoint.id,
    url: endpoint.url,
    types: endpoint.types ?? null,
    body: endpoint.body,
    metadata: endpoint.metadata,
    description: endpoint.description,
    v1a: endpoint.v1a,
    ...(endpoint.v1a && { public_keys: [...publicKeys] }),
    state: endpoint.state,
    ...(because !== undefined && { disabled_because: because }),
    ...(failingSince !== undefined && { failing_since: failingSince }),
    created_at: endpoint.createdAt,
    ...(replay && { replay: viewReplay(replay) }),
  };
}

export function viewReplay(replay: Replay): z.infer<typeof replayView> {
  return {
    id: replay.id,
    state: replay.state,
    since: replay.since,
    until: replay.until,
    types: replay.types ?? null,
    failed_only: replay.failedOnly,
    begun_at: replay.begunAt,
    seen: replay.seen,
    sent: replay.sent,
  };
}
