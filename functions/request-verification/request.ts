import { createHash } from 'node:crypto';
import type { UploadsView, VerificationRequest } from '../../shared/api/verifications.ts';
import { viewState } from '../../shared/api/verifications.ts';
import {
  type CaptureName,
  type Check,
  capturesOf,
  type DeclaredCapture,
  maximumBytesOf,
} from '../../shared/domain/captures.ts';
import { clientTokenSeconds, signClientToken } from '../../shared/domain/client-token.ts';
import { Fault, type FieldError } from '../../shared/domain/fault.ts';
import { type Plan, planFor } from '../../shared/domain/policy.ts';
import { type In, maximumRounds, type Verification, verificationIdOf } from '../../shared/domain/verification.ts';
import { epochSeconds } from '../../shared/lifecycle/next-step.ts';
import type { Capabilities } from '../../shared/providers/provider.ts';
import type { Uploads } from '../../shared/stores/captures.ts';
import type { Credentials, Tenant } from '../../shared/stores/tenants/row.ts';
import type { Tenants } from '../../shared/stores/tenants/tenants.ts';
import { found, type Moved, type Verifications } from '../../shared/stores/verifications.ts';

/** How long an upload URL lives, unless the round ends sooner. */
const uploadSeconds = 15 * 60;
const daySeconds = 24 * 60 * 60;
const challengeDigits = 6;

export interface Dependencies {
  readonly verifications: Verifications;
  readonly uploads: Uploads;
  readonly tenants: Pick<Tenants, 'deploymentCredentials'>;
  readonly registry: Readonly<Record<string, Capabilities>>;
  readonly clientTokenSecret: () => Promise<string>;
  readonly now: () => Date;
  readonly newId: () => string;
  /** A whole number from 0 to below `limit`, unpredictable. */
  readonly randomBelow: (limit: number) => number;
}

export type Requested =
  | { kind: 'created'; body: UploadsView }
  | { kind: 'repeated'; body: UploadsView | ReturnType<typeof viewState> };

/** Makes the record and signs its uploads. The same request again is answered again; nothing is ever made twice. */
export async function requestVerification(
  request: VerificationRequest,
  tenant: Tenant,
  dependencies: Dependencies,
): Promise<Requested> {
  const { verifications, now, newId } = dependencies;
  const plan = await planOf(request, tenant, dependencies);
  const declared = declaredOf(request.captures);
  refuseUnfit(declared, firstProvider(plan, dependencies));

  const at = now();
  const made: In<'awaiting_captures'> = {
    verificationId: verificationIdOf(tenant.id, request.source_id),
    tenant: tenant.id,
    sourceId: request.source_id,
    check: request.check,
    state: 'awaiting_captures',
    round: 1,
    sequence: 1,
    createdAt: at.toISOString(),
    updatedAt: at.toISOString(),
    purgeAt: epochSeconds(at) + tenant.policy.retention.recordDays * daySeconds,
    moveId: newId(),
    history: [{ at: at.toISOString(), sequence: 1, kind: 'moved', state: 'awaiting_captures', round: 1 }],
    notes: 0,
    notesDropped: 0,
    requestHash: hashOf(request),
    plan,
    declared,
    pass: 1,
    retries: 0,
    attempts: [],
    missing: [...capturesOf[request.check]],
    landed: {},
    dueAt: epochSeconds(at) + plan.capturesSeconds,
    ...optional('challenge', challengeFor(request.check, dependencies, request.challenge)),
    ...optional('languageCode', request.language_code),
    ...optional('metadata', request.metadata),
  };
  const { kind, verification } = await verifications.create(made);
  if (kind === 'created') return { kind, body: await viewUploads(verification, dependencies) };
  if (verification.state === 'erased') {
    throw new Fault('source_id_erased', 'Use another source_id: this one belongs to an erased verification.');
  }
  if (verification.requestHash !== made.requestHash) {
    throw new Fault('source_id_conflict', 'Use another source_id, or send exactly the request this one was made with.');
  }
  return {
    kind: 'repeated',
    body:
      verification.state === 'awaiting_captures'
        ? await viewUploads(verification, dependencies)
        : viewState(verification),
  };
}

/**
 * `POST …/captures`: fresh URLs for what the round still misses; after a recapture, the next round with a new challenge.
 * `captures` says what will be uploaded where it differs from what was declared before.
 */
export async function requestCaptures(
  read: Verification | undefined,
  captures: VerificationRequest['captures'] | undefined,
  dependencies: Dependencies,
): Promise<UploadsView> {
  const { verifications, now } = dependencies;
  let current: Verification | undefined = found(read);
  while (current) {
    if (current.state === 'erased') throw new Fault('source_id_erased', 'This verification was erased.');
    const declared = redeclared(current, captures, dependencies);
    if (current.state === 'awaiting_captures') return viewUploads({ ...current, declared }, dependencies);
    if (current.state !== 'decided' || current.verdict.outcome !== 'recapture') {
      throw new Fault('state_conflict', `Captures cannot be taken while the verification is ${current.state}.`);
    }
    if (current.round === maximumRounds) {
      throw new Fault('rounds_spent', `A verification has ${maximumRounds} rounds; begin a new one.`);
    }
    const result: Moved<'awaiting_captures'> = await verifications.move(current, 'awaiting_captures', {
      round: current.round + 1,
      pass: current.pass + 1,
      missing: [...capturesOf[current.check]],
      landed: {},
      declared,
      dueAt: epochSeconds(now()) + current.plan.capturesSeconds,
      ...optional('challenge', challengeFor(current.check, dependencies)),
    });
    if (result.kind === 'moved') return viewUploads(result.verification, dependencies);
    current = result.current;
  }
  return found(undefined) as never; // purged while it was read: unknown by now
}

/** The part of the route that can do this check for this tenant. Refuses what no upload could ever complete. */
async function planOf(request: VerificationRequest, tenant: Tenant, dependencies: Dependencies): Promise<Plan> {
  const { registry } = dependencies;
  const { check, provider, language_code: language } = request;
  if (provider !== undefined && !registry[provider]) {
    const known = Object.keys(registry).join(', ');
    throw new Fault('provider_unavailable', `There is no provider ${provider} here. Providers: ${known}.`);
  }
  const plan = planFor(tenant.policy, check, provider);
  const capable = plan.route.filter((name) => registry[name]?.checks.includes(check));
  if (capable.length === 0) {
    throw new Fault('check_unavailable', `None of ${plan.route.join(', ')} can do ${check} yet.`);
  }
  const credentials = await credentialsOf(capable, tenant, dependencies);
  const usable = capable.filter((name) => !registry[name]?.remote || credentials[name]);
  if (usable.length === 0) {
    throw new Fault('provider_unavailable', `There are no credentials for ${capable.join(', ')}.`);
  }
  const route = usable.filter((name) => speaks(registry[name]?.languages, language));
  if (route.length === 0) {
    throw new Fault('language_unsupported', `None of ${usable.join(', ')} understands ${language}.`);
  }
  return { ...plan, route, credentials };
}

/** Where the credentials of the remote ones are kept: the tenant's own, else the deployment's. */
async function credentialsOf(
  providers: readonly string[],
  tenant: Tenant,
  { registry, tenants }: Dependencies,
): Promise<Credentials> {
  const remote = providers.filter((name) => registry[name]?.remote);
  const lacking = remote.some((name) => !tenant.credentials[name]);
  const kept = lacking ? { ...(await tenants.deploymentCredentials()), ...tenant.credentials } : tenant.credentials;
  return Object.fromEntries(Object.entries(kept).filter(([name]) => remote.includes(name)));
}

/** Providers that name no languages take any; `en` takes en-US. */
function speaks(languages: readonly string[] | undefined, wanted: string | undefined): boolean {
  if (!languages || !wanted) return true;
  return languages.some((one) => wanted.toLowerCase() === one || wanted.toLowerCase().startsWith(`${one}-`));
}

function firstProvider(plan: Plan, { registry }: Dependencies): Capabilities {
  const first = registry[plan.route[0] ?? ''];
  if (!first) throw new Error('A plan begins with a provider of the registry');
  return first;
}

/** Captures the route's first provider could not take are refused before anybody uploads them. */
function refuseUnfit(declared: In<'queued'>['declared'], first: Capabilities): void {
  const types: FieldError[] = [];
  const lengths: FieldError[] = [];
  for (const [name, { contentType, contentLength }] of entriesOf(declared)) {
    const accepted = first.accepts[name] ?? [];
    if (!accepted.includes(contentType)) {
      types.push({
        field: `/captures/${name}/content_type`,
        message: `${first.name} takes ${accepted.join(', ') || 'no such capture'}`,
      });
    }
    const maximum = maximumBytes(name, first);
    if (contentLength !== undefined && contentLength > maximum) {
      lengths.push({ field: `/captures/${name}/content_length`, message: `must be at most ${maximum} bytes` });
    }
  }
  if (types.length > 0) {
    throw new Fault('capture_type_unsupported', 'Declare a type the provider takes.', { errors: types });
  }
  if (lengths.length > 0) {
    throw new Fault('capture_length_invalid', 'Send a smaller capture.', { errors: lengths });
  }
}

function redeclared(
  record: Exclude<Verification, { state: 'erased' }>,
  captures: VerificationRequest['captures'] | undefined,
  dependencies: Dependencies,
): In<'queued'>['declared'] {
  // What was said of the old bytes' length says nothing of new ones.
  const before = Object.fromEntries(
    entriesOf(record.declared).map(([name, { contentType }]) => [name, { contentType }]),
  );
  const unknown = Object.keys(captures ?? {}).filter((name) => !(name in record.declared));
  if (unknown.length > 0) {
    throw new Fault('request_invalid', `${record.check} takes ${Object.keys(record.declared).join(' and ')}.`, {
      errors: unknown.map((name) => ({ field: `/captures/${name}`, message: `${record.check} does not take this` })),
    });
  }
  const declared =
    captures === undefined && record.state === 'awaiting_captures'
      ? record.declared
      : { ...before, ...declaredOf(captures ?? {}) };
  refuseUnfit(declared, firstProvider(record.plan, dependencies));
  return declared;
}

async function viewUploads(record: In<'awaiting_captures'>, dependencies: Dependencies): Promise<UploadsView> {
  const { uploads, clientTokenSecret, now } = dependencies;
  const at = epochSeconds(now());
  const first = firstProvider(record.plan, dependencies);
  const expiresInSeconds = Math.max(1, Math.min(uploadSeconds, record.dueAt - at));
  const signed = await Promise.all(
    record.missing.map(async (name) => {
      const declared: DeclaredCapture | undefined = record.declared[name];
      if (!declared) throw new Error(`The record says nothing of its ${name}`);
      const upload = await uploads.presign(
        { verificationId: record.verificationId, round: record.round, name },
        declared,
        {
          expiresInSeconds,
          maximumBytes: maximumBytes(name, first),
        },
      );
      return [name, { expires_at: isoOf(at + expiresInSeconds), ...upload }] as const;
    }),
  );
  return {
    ...viewState(record),
    ...(record.challenge ? { challenge: record.challenge } : {}),
    client_token: signClientToken(await clientTokenSecret(), record.verificationId, at + clientTokenSeconds),
    expires_at: isoOf(record.dueAt),
    uploads: Object.fromEntries(signed),
  };
}

function maximumBytes(name: CaptureName, first: Capabilities): number {
  return Math.min(maximumBytesOf[name], first.maximumBytes[name] ?? Number.POSITIVE_INFINITY);
}

function challengeFor(check: Check, { randomBelow }: Dependencies, given?: string): string | undefined {
  if (check !== 'video_verify') return undefined;
  return given ?? Array.from({ length: challengeDigits }, () => randomBelow(10)).join('');
}

function declaredOf(captures: VerificationRequest['captures']): In<'queued'>['declared'] {
  return Object.fromEntries(
    entriesOf(captures).map(([name, { content_type, content_length }]) => [
      name,
      { contentType: content_type, ...optional('contentLength', content_length) },
    ]),
  );
}

/** SHA-256 of the request with its keys in order: how it was written does not matter, what it says does. */
function hashOf(request: VerificationRequest): string {
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

function entriesOf<T>(captures: Partial<Record<CaptureName, T>>): [CaptureName, T][] {
  return Object.entries(captures) as [CaptureName, T][];
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [key in Name]?: Value };
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
