import { builtin } from './builtin/capabilities.ts';
import { identify } from './identify/capabilities.ts';
import { onesmartlab } from './onesmartlab/capabilities.ts';
import type { Capabilities } from './provider.ts';
import { sandbox } from './sandbox/capabilities.ts';
import { spoofsense } from './spoofsense/capabilities.ts';

/** Those `dispatch-verification` calls; the built-in engine has a function of its own. */
export const vendors: readonly Capabilities[] = [identify, spoofsense, onesmartlab, sandbox];

/** Every provider there is. A new one is a folder and a line above. */
export const registry: Readonly<Record<string, Capabilities>> = Object.fromEntries(
  [builtin, ...vendors].map((capabilities) => [capabilities.name, capabilities]),
);

/** Seconds a claim is held after the provider should have answered: time to record what it said. */
export const leaseMarginSeconds = 15;

/** How long a provider may take to send its webhook, and how long the link to the capture lives that it was given. */
export const webhookSeconds = 15 * 60;
