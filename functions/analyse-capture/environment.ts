import * as z from 'zod';

/**
 * For glibc: decoders' threads come and go. With an arena for each, 500 MB of theirs stay with the process, and 300 MB of
 * large pieces that were freed between small ones (docs/decisions/019).
 */
export const allocator = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '262144' } as const;

/** What this function reads from its environment. `infra` must set exactly these, and the compiler checks it. */
export const environment = z.object({
  VERIFICATIONS_TABLE: z.string().min(1),
  SIGHTINGS_TABLE: z.string().min(1),
  FINGERPRINT_KEY_SECRET: z.string().min(1), // name or ARN in Secrets Manager
  CAPTURES_BUCKET: z.string().min(1),
  PROVIDER_QUEUES: z.string().min(1), // JSON: provider name → queue URL
  MALLOC_ARENA_MAX: z.literal(allocator.MALLOC_ARENA_MAX),
  MALLOC_MMAP_THRESHOLD_: z.literal(allocator.MALLOC_MMAP_THRESHOLD_),
  MODELS: z.string().min(1), // directory of the model pack, relative to the function's code
});
export type Environment = z.infer<typeof environment>;
