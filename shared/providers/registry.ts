import { functionMarginSeconds } from '../domain/times.ts';
import { builtin } from './builtin/capabilities.ts';
import { identify } from './identify/capabilities.ts';
import { onesmartlab } from './onesmartlab/capabilities.ts';
import { type Capabilities, longestLeaseSeconds } from './provider.ts';
import { sandbox } from './sandbox/capabilities.ts';
import { spoofsense } from './spoofsense/capabilities.ts';

/**
 * Every provider there is, by name. Its queue, the function that consumes it, its timeouts, grants and alarms follow from
 * its line here: infra, tools and functions read this table and keep no list of their own.
 */
export const registry: ReadonlyMap<string, Capabilities> = new Map(
  [builtin, identify, spoofsense, onesmartlab, sandbox].map((capabilities) => [capabilities.name, capabilities]),
);

/** Timeout of the function that consumes this provider's queue: it outlives every claim that it makes. */
export function consumerTimeoutSeconds(capabilities: Pick<Capabilities, 'timeoutSeconds'>): number {
  return longestLeaseSeconds(capabilities) + functionMarginSeconds;
}

/** The provider of this name. One that is not in the table is a mistake of the deployment. */
export function providerNamed(name: string): Capabilities {
  const provider = registry.get(name);
  if (!provider) throw new Error(`There is no provider ${name}`);
  return provider;
}
