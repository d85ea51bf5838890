import type { Check, Declared } from '../domain/captures.ts';
import { entriesOf, maximumBytesOf } from '../domain/captures.ts';
import { challengeDigits } from '../domain/challenge.ts';
import { Fault, type FieldError } from '../domain/fault.ts';
import { understood } from '../domain/later.ts';
import { isLive } from '../domain/livemode.ts';
import { deploymentOwner, isDeploymentSecret } from '../domain/owner.ts';
import { decidingPolicy, forTestsAlone, makeTestTenant, type Plan, planFor } from '../domain/policy.ts';
import type { Credentials, Tenant, Tenants } from '../domain/ports.ts';
import type { Capabilities } from '../providers/provider.ts';
import { firstOfRoute } from './hand-over.ts';

export interface Planning {
  /** Every provider there is, by name. */
  readonly registry: ReadonlyMap<string, Capabilities>;
  readonly tenants: Pick<Tenants, 'deploymentCredentials' | 'hasWebhook'>;
}

/** What a caller asks that decides who can do it. */
export interface Wanted {
  readonly check: Check;
  /** Makes this one provider the whole route. */
  readonly provider?: string | undefined;
  readonly languageCode?: string | undefined;
  /** The digits a video has to say, where the caller chooses them. */
  readonly challenge?: string | undefined;
}

/** The part of the route that can do this check for this tenant. Refuses what no upload could ever complete. */
export async function planVerification(wanted: Wanted, tenant: Tenant, dependencies: Planning): Promise<Plan> {
  const { registry } = dependencies;
  const { check, provider } = wanted;
  if (provider !== undefined && !registry.has(provider)) {
    const known = [...registry.keys()].join(', ');
    throw new Fault('provider_unavailable', `There is no provider ${provider} here. Providers: ${known}.`);
  }
  understood(decidingPolicy, tenant.policy, 'the policy of this tenant');
  const plan = planFor(tenant.policy, check, provider);
  refuseTestsOnly(wanted, plan, tenant, dependencies);
  const capable = plan.route.filter((name) => registry.get(name)?.checks.includes(check));
  if (capable.length === 0) {
    throw new Fault('check_unavailable', `None of ${plan.route.join(', ')} can do ${check} yet.`);
  }
  const credentials = await credentialsOf(capable, tenant, dependencies);
  const usable = capable.filter((name) => !registry.get(name)?.remote || credentials[name]);
  if (usable.length === 0) {
    throw new Fault('provider_unavailable', `There are no credentials for ${capable.join(', ')}.`);
  }
  const answering = await thoseThatCanAnswer(usable, credentials, tenant, dependencies);
  const route = thoseThatHear(wanted, answering, dependencies);
  // A turn that no provider of the route looks for is not asked for.
  const turn = check === 'video_verify' && route.some((name) => registry.get(name)?.judgesTurns);
  return { ...plan, route, ...(plan.turn && { turn }), credentials };
}

/** A live tenant gets no verdict of a provider that decides nothing real, not even where another one of the route fails. */
function refuseTestsOnly(
  { check, provider }: Wanted,
  { route }: Plan,
  tenant: Tenant,
  { registry }: Pick<Planning, 'registry'>,
): void {
  const refused = isLive(tenant) ? route.find((name) => registry.get(name)?.live === false) : undefined;
  if (refused === undefined) return;
  const why = forTestsAlone(refused);
  if (provider !== undefined) {
    const message = `${why}: leave provider out, or ${makeTestTenant}.`;
    throw new Fault('provider_unavailable', message, { errors: [{ field: '/provider', message }] });
  }
  const message = `routes.${check} of the policy: ${why}. The operator takes it out: npm run admin -- policy set.`;
  throw new Fault('provider_unavailable', message, { errors: [{ field: '/check', message }] });
}

/** A provider that answers by webhook needs an address to answer at, or each of its verifications would wait in vain. */
async function thoseThatCanAnswer(
  providers: readonly string[],
  credentials: Credentials,
  tenant: Tenant,
  { registry, tenants }: Planning,
): Promise<string[]> {
  const answering: string[] = [];
  for (const name of providers) {
    const byWebhook = registry.get(name)?.answersBy === 'webhook';
    if (!byWebhook || (await tenants.hasWebhook(tenant.id, name, credentials[name] ?? ''))) answering.push(name);
  }
  if (answering.length > 0) return answering;
  const commands = providers.map((name) => {
    const owner = isDeploymentSecret(credentials[name] ?? '', name) ? deploymentOwner : tenant.id;
    return `npm run admin -- webhook rotate ${name} ${owner}`;
  });
  throw new Fault(
    'provider_unavailable',
    `${providers.join(', ')} answers by webhook and has no address to do so. The operator makes one: ${commands.join('; ')}`,
  );
}

/** The providers that take what a video will say: its language and as many digits. */
function thoseThatHear(
  { check, languageCode, challenge }: Wanted,
  providers: readonly string[],
  { registry }: Planning,
): string[] {
  const speaking = providers.filter((name) => speaks(registry.get(name)?.languages, languageCode));
  if (speaking.length === 0) {
    const message = `None of ${providers.join(', ')} understands ${languageCode}.`;
    throw new Fault('language_unsupported', message, { errors: [{ field: '/language_code', message }] });
  }
  if (check !== 'video_verify') return speaking;
  const digits = challenge?.length ?? challengeDigits;
  const hearing = speaking.filter((name) => registry.get(name)?.challengeDigits?.includes(digits) ?? true);
  if (hearing.length === 0) {
    const message = `None of ${speaking.join(', ')} takes a challenge of ${digits} digits.`;
    throw new Fault('challenge_unsupported', message, { errors: [{ field: '/challenge', message }] });
  }
  return hearing;
}

/** Where the credentials of the remote ones are kept: the tenant's own, else the deployment's. */
async function credentialsOf(
  providers: readonly string[],
  tenant: Tenant,
  { registry, tenants }: Planning,
): Promise<Credentials> {
  const remote = providers.filter((name) => registry.get(name)?.remote);
  const lacking = remote.some((name) => !tenant.credentials[name]);
  const kept = lacking ? { ...(await tenants.deploymentCredentials()), ...tenant.credentials } : tenant.credentials;
  return Object.fromEntries(Object.entries(kept).filter(([name]) => remote.includes(name)));
}

/** Providers that name no languages take any; `en` takes en-US. */
function speaks(languages: readonly string[] | undefined, wanted: string | undefined): boolean {
  if (!languages || !wanted) return true;
  return languages.some((one) => wanted.toLowerCase() === one || wanted.toLowerCase().startsWith(`${one}-`));
}

/** What the first provider of a planned route can take. */
export function firstProvider(plan: Plan, { registry }: Pick<Planning, 'registry'>): Capabilities {
  const first = registry.get(firstOfRoute({ plan }));
  if (!first) throw new Error('A plan begins with a provider of the registry');
  return first;
}

/** The most bytes a capture may have: the product's limit, or the provider's smaller one. */
export function maximumBytes(name: keyof typeof maximumBytesOf, first: Capabilities): number {
  return Math.min(maximumBytesOf[name], first.maximumBytes[name] ?? Number.POSITIVE_INFINITY);
}

/** The smallest face that it takes, where it has such a limit: the policy's, or its own. */
export function minimumFacePxOf({ thresholds }: Pick<Plan, 'thresholds'>, first: Capabilities): number | undefined {
  const own = first.thresholds.minimumFacePx;
  const chosen = new Map(Object.entries(thresholds)).get(first.name);
  return own && (chosen?.minimumFacePx ?? own.default);
}

/** Refuses captures that the route's first provider could not take, before anybody uploads them. */
export function refuseUnfit(declared: Declared, first: Capabilities): void {
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
