import * as z from 'zod';

/** What this function reads from its environment. `infra` must set exactly these, and the compiler checks it. */
export const environment = z.object({
  VERIFICATIONS_TABLE: z.string().min(1),
  TENANTS_TABLE: z.string().min(1),
  ID_KEY_SECRET: z.string().min(1), // name or ARN in Secrets Manager
  LEGACY_IDS: z.enum(['true', 'false']), // whether records from before ids had a key are looked for
  CAPTURES_BUCKET: z.string().min(1),
  LOOKS_TABLE: z.string().min(1),
  PUBLIC_URL: z.url().or(z.literal('')), // where callers reach the API; empty: at its own address
});
export type Environment = z.infer<typeof environment>;
