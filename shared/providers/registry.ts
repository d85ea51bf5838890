import { builtin } from './builtin/capabilities.ts';
import type { Capabilities } from './provider.ts';

/** Every provider there is. A new one is a folder and a line here. */
export const registry: Readonly<Record<string, Capabilities>> = Object.fromEntries(
  [builtin].map((capabilities) => [capabilities.name, capabilities]),
);

/** Seconds a claim is held after the provider should have answered: time to record what it said. */
export const leaseMarginSeconds = 15;

/** How long a provider may take to send its webhook, and how long the link to the capture lives that it was given. */
export const webhookSeconds = 15 * 60;
