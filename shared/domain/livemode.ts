import * as z from 'zod';

/**
 * Whether a tenant, and each of its verifications, is live or test. A test tenant may use every provider, also those that
 * decide nothing real, so its verdicts say nothing about a person. A tenant stays what it was created as. Absent is live:
 * only test tenants and their records have the field, and those of versions before have none.
 */
export const livemode = z.boolean().optional();

export function isLive(of: { readonly livemode?: boolean | undefined }): boolean {
  return of.livemode !== false;
}
