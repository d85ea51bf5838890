import * as z from 'zod';

/** What this function reads from its environment. `infra` must set exactly these, and the compiler checks it. */
export const environment = z.object({
  TENANTS_TABLE: z.string().min(1),
  CAPTURES_ORIGIN: z.url(), // where uploads go, unless the SDK is told another endpoint
  PAGES: z.string().min(1), // directory of the built pages, relative to the function's code
});
export type Environment = z.infer<typeof environment>;
