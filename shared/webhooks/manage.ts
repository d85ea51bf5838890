import { base32 } from '../domain/base32.ts';
import {
  type Endpoint,
  type EndpointTest,
  maximumEndpoints,
  type SealedSecret,
  type ShownEndpoint,
} from '../domain/endpoint.ts';
import { ownSecretBytes, readSecret, secretText } from '../domain/endpoint-secret.ts';
import { Fault } from '../domain/fault.ts';
import type { EndpointChanges, Endpoints, Fetcher, LinkRefusal, ManagedEndpoints } from '../domain/ports.ts';
import type { SigningSecret } from '../domain/signing-secret.ts';
import { epochSeconds } from '../domain/times.ts';
import { sealsUnder } from './seal.ts';
import { endpointLimits, publicKeysOf, signedSender, validSecrets, webhookSigner } from './sign.ts';

/** Secrets that may sign at a time: each is one signature more in a header. */
const maximumSecrets = 8;
/** A change meets the sender's at the most now and then. */
const tries = 20;

export interface ManagingDependencies {
  readonly endpoints: Endpoints;
  /** Of the deployment, for the secrets of all endpoints. */
  readonly key: SigningSecret;
  readonly fetcher: Pick<Fetcher, 'post' | 'refusalOf'>;
  readonly now: () => Date;
  readonly randomBytes: (size: number) => Buffer;
}

export function manageEndpoints(dependencies: ManagingDependencies): ManagedEndpoints {
  const { endpoints, key, fetcher, now, randomBytes } = dependencies;
  const seals = sealsUnder(key, randomBytes);
  const postSigned = signedSender(fetcher, webhookSigner(seals), now);

  async function found(tenant: string, id: string): Promise<Endpoint> {
    const endpoint = await endpoints.find(tenant, id);
    if (!endpoint) throw new Fault('endpoint_unknown', 'There is no endpoint with this id.');
    return endpoint;
  }

  async function shown(endpoint: Endpoint): Promise<ShownEndpoint> {
    return { endpoint, publicKeys: endpoint.v1a ? await publicKeysOf(endpoint, now(), seals) : [] };
  }

  /** Reads it anew wherever another writer was first. No fields change nothing. */
  async function changed(
    tenant: string,
    id: string,
    fieldsFor: (current: Endpoint) => EndpointChanges | undefined | Promise<EndpointChanges>,
  ): Promise<Endpoint> {
    for (let tried = 0; tried < tries; tried += 1) {
      const current = await found(tenant, id);
      const fields = await fieldsFor(current);
      if (!fields) return current;
      const next = await endpoints.change(current, fields);
      if (next) return next;
    }
    throw new Fault('state_conflict', 'Others change this endpoint at the same time. Try again.');
  }

  function refuseUrl(url: string): void {
    const refusal = fetcher.refusalOf(url, endpointLimits);
    if (refusal) refuseField('/url', urlAdvice[refusal]);
  }

  async function sealed(endpointId: string, text: string | undefined) {
    const secret = text === undefined ? randomBytes(ownSecretBytes) : readSecret(text);
    if (!secret) return refuseField('/secret', 'must be whsec_ and base64 of 24 to 64 bytes');
    const row: SealedSecret = { ...(await seals.seal(endpointId, secret)), createdAt: now().toISOString() };
    return { text: secretText(secret), row };
  }

  return {
    list: async (tenant) => Promise.all((await endpoints.list(tenant)).map(shown)),
    async show(tenant, id) {
      const endpoint = (await endpoints.list(tenant)).find((one) => one.id === id);
      return shown(endpoint ?? (await found(tenant, id)));
    },

    async create(tenant, { secret: given, ...fields }) {
      refuseUrl(fields.url);
      const id = `ep_${base32(randomBytes(10), 16)}`;
      const secret = await sealed(id, given);
      const made: Endpoint = {
        id,
        tenant,
        ...fields,
        secrets: [secret.row],
        createdAt: now().toISOString(),
        version: 1,
        state: 'enabled',
      };
      if (!(await endpoints.create(made))) {
        refuseField('/url', `is one too many: a tenant has at most ${maximumEndpoints} endpoints. Delete one first`);
      }
      return { ...(await shown(made)), secret: secret.text };
    },

    async change(tenant, id, fields) {
      if (fields.url !== undefined) refuseUrl(fields.url);
      const next = await changed(tenant, id, ({ url }) => {
        if (Object.keys(fields).length === 0) return undefined;
        // What its old address did says nothing of its new one.
        const elsewhere = fields.url !== undefined && fields.url !== url;
        return { ...fields, ...(elsewhere && { failingSince: undefined, breaker: undefined }) };
      });
      return shown(next);
    },

    async remove(tenant, id) {
      await found(tenant, id); // any text may be asked for; an id of ours alone names a part of the row
      await endpoints.remove(tenant, id);
    },

    async disable(tenant, id) {
      const next = await changed(tenant, id, ({ state }) =>
        state === 'disabled'
          ? undefined
          : { state: 'disabled', disabledBecause: 'asked', stoppedAt: now().toISOString() },
      );
      return shown(next);
    },

    async enable(tenant, id) {
      const next = await changed(tenant, id, ({ state }) =>
        state === 'enabled'
          ? undefined
          : { state: 'enabled', disabledBecause: undefined, failingSince: undefined, breaker: undefined },
      );
      return shown(next);
    },

    async rotate(tenant, id, { secret: given, graceSeconds }) {
      await found(tenant, id);
      const secret = await sealed(id, given);
      const next = await changed(tenant, id, ({ secrets }) => {
        const before = ending(validSecrets(secrets, now()), epochSeconds(now()) + graceSeconds);
        const kept = validSecrets(before, now());
        if (kept.length >= maximumSecrets) {
          throw new Fault(
            'state_conflict',
            `${kept.length} secrets of this endpoint are valid. Wait, or rotate with grace_seconds 0.`,
          );
        }
        return { secrets: [secret.row, ...kept] };
      });
      return { ...(await shown(next)), secret: secret.text };
    },

    async reseal(tenant) {
      const all = await endpoints.list(tenant);
      for (const { id } of all) {
        await changed(tenant, id, async ({ secrets }) => {
          const again = validSecrets(secrets, now()).map(async (secret) => ({
            ...secret,
            ...(await seals.seal(id, await seals.open(id, secret))),
          }));
          return { secrets: await Promise.all(again) };
        });
      }
      return all.length;
    },

    async test(tenant, id) {
      const endpoint = await found(tenant, id);
      const data: EndpointTest = {
        id: `evt_test_${base32(randomBytes(10), 16)}`,
        type: 'endpoint.test',
        occurred_at: now().toISOString(),
        tenant,
        endpoint_id: id,
      };
      const body = JSON.stringify({ type: data.type, timestamp: data.occurred_at, data });
      const { at: _, ...answered } = (await postSigned(endpoint, { id: data.id, body })).tried;
      return answered;
    },
  };
}

const urlAdvice = {
  link_invalid: 'must be an https URL on port 443 or 80, without user or password',
  address_forbidden: 'leads into a network that is not public',
} as const satisfies Record<LinkRefusal, string>;

function refuseField(field: string, message: string): never {
  const detail = 'Correct the fields named in errors and send the request again.';
  throw new Fault('request_invalid', detail, { errors: [{ field, message }] });
}

/** None of them lives longer than it would have. */
function ending(secrets: readonly SealedSecret[], at: number): SealedSecret[] {
  return secrets.map((secret) => ({ ...secret, expiresAt: Math.min(secret.expiresAt ?? at, at) }));
}
