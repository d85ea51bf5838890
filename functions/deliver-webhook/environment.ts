import * as z from 'zod';

/** What this function reads from its environment. `infra` must set exactly these, and the compiler checks it. */
export const environment = z.object({
  VERIFICATIONS_TABLE: z.string().min(1),
  TENANTS_TABLE: z.string().min(1),
  EVENTS_TABLE: z.string().min(1),
  DELIVERIES_TABLE: z.string().min(1),
  DELIVERIES_QUEUE: z.url(),
  UNDELIVERABLE_QUEUE: z.url(),
  WEBHOOKS_QUEUE: z.url(),
  EVENT_BUS: z.string().min(1),
  ENDPOINT_KEY_SECRET: z.string().min(1), // name or ARN in Secrets Manager
  LOOPBACK: z.enum(['true', 'false']), // whether webhooks may lie on this machine: locally
});
export type Environment = z.infer<typeof environment>;
