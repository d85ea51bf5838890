import * as z from 'zod';

/** What this function reads from its environment. `infra` must set exactly these, and the compiler checks it. */
export const environment = z.object({
  VERIFICATIONS_TABLE: z.string().min(1),
  CAPTURES_BUCKET: z.string().min(1),
  PROVIDER_QUEUES: z.string().min(1), // JSON: provider name → queue URL
  MODELS: z.string().min(1), // directory of the model pack, relative to the function's code
});
export type Environment = z.infer<typeof environment>;
