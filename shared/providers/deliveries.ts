import { readDelivery as identify } from './identify/delivery.ts';
import type { ReadDelivery } from './provider.ts';

/** How the webhook of each provider that sends one is read, by the provider's name. */
export const deliveries: ReadonlyMap<string, ReadDelivery> = new Map([['identify', identify]]);
