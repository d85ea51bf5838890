import * as z from 'zod';
import type { Check } from './captures.ts';

export const providerName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);

const route = z.array(providerName).min(1).max(8);

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
});
export type Policy = z.infer<typeof policy>;

/** What an operator writes: a policy without its version, which is counted for them. */
export const policyInput = policy.omit({ version: true }).strict();
export type PolicyInput = z.infer<typeof policyInput>;

/** What is wrong with a policy that has the right shape: each line says what to change. */
export function policyMistakes(
  { routes, thresholds }: PolicyInput,
  registry: ReadonlyMap<string, { readonly routable: boolean }>,
): string[] {
  const known = [...registry.keys()].join(', ');
  return [
    ...Object.entries(routes).flatMap(([check, route]) =>
      route.flatMap((name, index) => {
        const provider = registry.get(name);
        if (!provider) return [`routes.${check}: there is no provider ${name}; there are ${known}`];
        // The sandbox passes any capture: for a test's own requests, by name, and for no other.
        if (!provider.routable) return [`routes.${check}: ${name} decides nothing; name it in a request instead`];
        return route.indexOf(name) < index ? [`routes.${check}: ${name} is named twice`] : [];
      }),
    ),
    ...Object.keys(thresholds)
      .filter((name) => !registry.has(name))
      .map((name) => `thresholds.${name}: there is no provider ${name}; there are ${known}`),
  ];
}

export const defaultPolicy: Policy = {
  version: 1,
  routes: { spoof_detect: ['builtin'], photo_verify: ['builtin'], video_verify: ['builtin'] },
  thresholds: {},
  deadlines: { capturesSeconds: 3600 },
  retention: { recordDays: 30 },
  keepCaptures: false,
};

/**
 * The part of a policy one verification needs, kept in its record: a later policy changes nothing for it,
 * and no step after the first has to read the tenant again.
 */
export const plan = z.object({
  policyVersion: z.int().positive(),
  route,
  thresholds: z.record(providerName, z.record(z.string(), z.number())),
  capturesSeconds: z.int().positive(),
  keepCaptures: z.boolean(),
  /** Where each remote provider's credentials are kept: names of secrets, never their values. */
  credentials: z.record(providerName, z.string()).default({}),
});
export type Plan = z.infer<typeof plan>;

/** What `policy` means for one check; `only`, where given, is the whole route. */
export function planFor(policy: Policy, check: Check, only?: string): Plan {
  const route = only ? [only] : policy.routes[check];
  return {
    policyVersion: policy.version,
    route,
    thresholds: Object.fromEntries(Object.entries(policy.thresholds).filter(([name]) => route.includes(name))),
    capturesSeconds: policy.deadlines.capturesSeconds,
    keepCaptures: policy.keepCaptures,
    credentials: {},
  };
}
