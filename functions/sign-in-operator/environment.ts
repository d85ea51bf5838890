import * as z from 'zod';

/** What this function reads from its environment. `infra` must set exactly these, and the compiler checks it. */
export const environment = z.object({
  TENANTS_TABLE: z.string().min(1),
  PUBLIC_URL: z.url().or(z.literal('')), // where callers reach the API; empty: at its own address
  OIDC_ISSUER: z.url().or(z.literal('')), // empty: operators sign in by invitation alone
  OIDC_CLIENT_ID: z.string(),
  OIDC_CLIENT_SECRET: z.string(), // ARN in Secrets Manager
  LOOPBACK: z.enum(['true', 'false']), // whether the issuer may be on this machine, without TLS
});
export type Environment = z.infer<typeof environment>;
