import * as z from 'zod';
import { type Check, captureName, capturesOf, check, entriesOf } from './captures.ts';
import { tolerant, tolerantly } from './later.ts';
import { isLive } from './livemode.ts';

export const providerName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);

const route = z.array(providerName).min(1).max(8);

/** What becomes of a capture that was judged before under another source_id: it fails, it is told, or it is not looked for. */
const seenBeforeMode = z.enum(['refuse', 'note', 'off']);

const seenBefore = z.object({ selfie: seenBeforeMode, video: seenBeforeMode, id_card: seenBeforeMode });
/** One card serves many verifications of its holder. */
const seenBeforeDefault = { selfie: 'note', video: 'note', id_card: 'off' } as const;

/** A vendor whose API is served here, on whatever provider the policy routes to. */
export const servedVendor = z.enum(['spoofsense', 'onesmartlab', 'identify']);
export type ServedVendor = z.infer<typeof servedVendor>;

/** How SpoofSense tells what it did not judge: by `error_code`, as its newer document has it, or by `message` alone. */
export const spoofsenseEdition = z.enum(['error_codes', 'messages']);
export type SpoofsenseEdition = z.infer<typeof spoofsenseEdition>;

const served = z.object({ spoofsense: z.object({ edition: spoofsenseEdition }) });
const servedDefault = { spoofsense: { edition: 'error_codes' } } as const;

/** A web origin as browsers write it, without a path: `https`, or `http` on the machine itself. */
export const webOrigin = z
  .string()
  .max(300)
  .refine(isWebOrigin, 'must be an origin such as https://shop.example, without a path; http for localhost alone');

/** Hosts as the DNS has them: `*` and `;` parse as a URL too, and mean something in a policy of a page's contents. */
const originPattern = /^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?$/;

function isWebOrigin(text: string): boolean {
  if (!originPattern.test(text) || !URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  const onThisMachine = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return origin === text && (protocol === 'https:' || (protocol === 'http:' && onThisMachine));
}

/** A colour of the capture page. */
const colour = z.string().regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #1a2b3c');

const colours = z.object({
  accent: colour.optional(),
  accentText: colour.optional(),
  background: colour.optional(),
  text: colour.optional(),
});

/** SHA-256 of a stored logo, as hex. */
export const logoHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be the name that npm run admin -- logo set has printed');

/** Languages that the capture page speaks. */
export const pageLanguage = z.enum(['en', 'de', 'es', 'ar']);

/** The hosted capture page of a tenant: where it may lead to, who may frame it, and what it looks like. */
export const page = z.object({
  /** Where `return_url` of a request may lead to: exact origins. */
  returnOrigins: z.array(webOrigin).max(50).default([]),
  /** Pages that may show it in a frame: exact origins. */
  frameOrigins: z.array(webOrigin).max(50).default([]),
  name: z.string().min(1).max(60).optional(),
  logo: logoHash.optional(),
  colours: colours.optional(),
  language: pageLanguage.optional(),
});
export type Page = z.infer<typeof page>;

/** What a tenant has decided: whom to ask for what, how strictly, how long to wait and to keep. */
export const policy = z.object({
  version: z.int().positive(),
  /** Providers in order: the next is asked when the one before cannot answer. */
  routes: z.object({ spoof_detect: route, photo_verify: route, video_verify: route } satisfies Record<Check, unknown>),
  /** Per provider, by threshold name; what is not named here is the provider's own default. */
  thresholds: z.record(providerName, z.record(z.string(), z.number())),
  deadlines: z.object({
    /** How long a round waits for its captures. */
    capturesSeconds: z.int().min(60).max(86_400),
  }),
  retention: z.object({
    /** How long a record is kept after it was made. */
    recordDays: z.int().min(1).max(3650),
  }),
  /** Keep captures after the decision, until the bucket's lifecycle takes them. */
  keepCaptures: z.boolean(),
  seenBefore: seenBefore.default(seenBeforeDefault),
  /** Take a picture of a person for the ID card, such as the portrait of a document's chip; false where absent. */
  barePortraits: z.boolean().optional(),
  /** A video's challenge also asks for one turn of the head, where a provider of the route judges it; false where absent. */
  turn: z.boolean().optional(),
  /** How the vendors' APIs are spoken to this tenant. */
  served: served.default(servedDefault),
  /** The hosted capture page; absent: it leads nowhere, no page may frame it, and it looks as it comes. */
  page: page.optional(),
});
export type Policy = z.infer<typeof policy>;

/** A policy as it is stored: a later version may have written it. */
export const storedPolicy = tolerantly(policy);
/** What of it decides what becomes of a verification: a version that does not know a value in it begins none. */
export const decidingPolicy = policy.omit({ page: true, served: true });

/** The page of a stored policy, as far as this version knows it: what it does not is as if it had not been said. */
export function knownPage(stored: Page): Page {
  const fields = Object.entries(page.shape).flatMap(([name, schema]) => {
    const read = schema.safeParse(new Map(Object.entries(stored)).get(name));
    return read.success ? [[name, read.data]] : [];
  });
  return page.parse(Object.fromEntries(fields));
}

/** What an operator writes: a policy without its version, which is counted for them. */
export const policyInput = policy
  .omit({ version: true })
  .extend({ page: page.extend({ colours: colours.strict().optional() }).strict().optional() })
  .strict();
export type PolicyInput = z.infer<typeof policyInput>;

/** The values a threshold may have, both ends among them. */
export interface Range {
  readonly from: number;
  readonly to: number;
  /** What holds where a policy does not say, where pages are told of it. */
  readonly default?: number;
}

/** What a policy has to fit, of every provider by name. */
export interface Routable {
  readonly checks: readonly Check[];
  readonly live: boolean;
  readonly thresholds: Readonly<Record<string, Range>>;
}

/** What is wrong with a tenant's policy that has the right shape: each line says what to change. */
export function policyMistakes(
  { routes, thresholds }: PolicyInput,
  providers: ReadonlyMap<string, Routable>,
  tenant: { readonly livemode?: boolean | undefined },
): string[] {
  return [
    ...check.options.flatMap((one) => routeMistakes(one, routes[one], providers, isLive(tenant))),
    ...Object.entries(thresholds).flatMap(([name, chosen]) => thresholdMistakes(name, chosen, providers)),
  ];
}

/** Why a live tenant is refused a provider. */
export function forTestsAlone(provider: string): string {
  return `${provider} decides nothing real, so only a test tenant may use it`;
}

export const makeTestTenant = 'make a test tenant: npm run admin -- tenant create NAME --test';

function routeMistakes(
  one: Check,
  route: readonly string[],
  providers: ReadonlyMap<string, Routable>,
  isForLive: boolean,
): string[] {
  const able = [...providers].filter(([, { live, checks }]) => (live || !isForLive) && checks.includes(one));
  const instead = `take ${able.map(([name]) => name).join(' or ')}`;
  return route.flatMap((name, index) => {
    const provider = providers.get(name);
    const where = `routes.${one}`;
    if (!provider) return [`${where}: there is no provider ${name}; ${instead}`];
    if (isForLive && !provider.live) return [`${where}: ${forTestsAlone(name)}: ${instead}, or ${makeTestTenant}`];
    if (!provider.checks.includes(one)) return [`${where}: ${name} cannot do ${one}; ${instead}`];
    return route.indexOf(name) < index ? [`${where}: ${name} is named twice`] : [];
  });
}

function thresholdMistakes(
  name: string,
  chosen: Readonly<Record<string, number>>,
  providers: ReadonlyMap<string, Routable>,
): string[] {
  const provider = providers.get(name);
  if (!provider)
    return [`thresholds.${name}: there is no provider ${name}; there are ${[...providers.keys()].join(', ')}`];
  const ranges = new Map(Object.entries(provider.thresholds));
  return Object.entries(chosen).flatMap(([threshold, value]) => {
    const where = `thresholds.${name}.${threshold}`;
    const range = ranges.get(threshold);
    if (ranges.size === 0) return [`${where}: ${name} reads no thresholds; leave it out`];
    if (!range) return [`${where}: ${name} does not read it; it reads ${[...ranges.keys()].join(', ')}`];
    const { from, to } = range;
    return value < from || value > to ? [`${where}: must be from ${from} to ${to}, not ${value}`] : [];
  });
}

export const defaultPolicy: Policy = {
  version: 1,
  routes: { spoof_detect: ['builtin'], photo_verify: ['builtin'], video_verify: ['builtin'] },
  thresholds: {},
  deadlines: { capturesSeconds: 3600 },
  retention: { recordDays: 30 },
  keepCaptures: false,
  seenBefore: seenBeforeDefault,
  served: servedDefault,
};

/**
 * The part of a policy one verification needs, kept in its record: a later policy changes nothing for it,
 * and no step after the first has to read the tenant again.
 */
export const plan = tolerant({
  policyVersion: z.int().positive(),
  route,
  thresholds: z.record(providerName, z.record(z.string(), z.number())),
  capturesSeconds: z.int().positive(),
  keepCaptures: z.boolean(),
  /** Captures that are looked for among those judged before. */
  seenBefore: z.partialRecord(captureName, z.enum(['refuse', 'note'])).default({}),
  barePortraits: z.boolean().optional(),
  turn: z.boolean().optional(),
  /** Where each remote provider's credentials are kept: names of secrets, never their values. */
  credentials: z.record(providerName, z.string()).default({}),
});
export type Plan = z.infer<typeof plan>;

function lookedFor({ seenBefore }: Policy, check: Check): Plan['seenBefore'] {
  const wanted: readonly string[] = capturesOf[check];
  return Object.fromEntries(entriesOf(seenBefore).filter(([name, mode]) => wanted.includes(name) && mode !== 'off'));
}

/** What `policy` means for one check; `only`, where given, is the whole route. */
export function planFor(policy: Policy, check: Check, only?: string): Plan {
  const route = only ? [only] : policy.routes[check];
  return {
    policyVersion: policy.version,
    route,
    thresholds: Object.fromEntries(Object.entries(policy.thresholds).filter(([name]) => route.includes(name))),
    capturesSeconds: policy.deadlines.capturesSeconds,
    keepCaptures: policy.keepCaptures,
    seenBefore: lookedFor(policy, check),
    ...(policy.barePortraits !== undefined && { barePortraits: policy.barePortraits }),
    ...(policy.turn !== undefined && { turn: policy.turn }),
    credentials: {},
  };
}
