import * as z from 'zod';

/** What this function reads from its environment. `infra` must set exactly these, and the compiler checks it. */
export const environment = z.object({
  VERIFICATIONS_TABLE: z.string().min(1),
  CAPTURES_BUCKET: z.string().min(1),
  ACCOUNT_ID: z.string().min(1), // the bucket's
  KEEPS_ETAGS: z.enum(['true', 'false']), // false where S3 makes ETags of the bytes
  PROVIDER_QUEUES: z.string().min(1), // JSON: provider name → queue URL
});
export type Environment = z.infer<typeof environment>;
