import * as z from 'zod';

/** What this function reads from its environment. `infra` must set exactly these, and the compiler checks it. */
export const environment = z.object({
  VERIFICATIONS_TABLE: z.string().min(1),
  SIGHTINGS_TABLE: z.string().min(1),
  FINGERPRINT_KEY_SECRET: z.string().min(1), // name or ARN in Secrets Manager
  CAPTURES_BUCKET: z.string().min(1),
  PROVIDER_QUEUES: z.string().min(1), // JSON: provider name → queue URL
  // For glibc: else memory of threads that have ended, and large pieces that were freed, stay with the process.
  MALLOC_ARENA_MAX: z.literal('1'),
  MALLOC_MMAP_THRESHOLD_: z.literal('262144'),
  MODELS: z.string().min(1), // directory of the model pack, relative to the function's code
});
export type Environment = z.infer<typeof environment>;
