import * as z from 'zod';

/** What this function reads from its environment. `infra` must set exactly these, and the compiler checks it. */
export const environment = z.object({
  EVENT_BUS: z.string().min(1),
  TENANTS_TABLE: z.string().min(1),
  EVENTS_TABLE: z.string().min(1),
  OUTCOMES_TABLE: z.string().min(1),
  DELIVERIES_QUEUE: z.url(),
  WEBHOOKS_QUEUE: z.url(),
});
export type Environment = z.infer<typeof environment>;
