import type { Tenant, Verifications } from '../domain/ports.ts';
import { found, type Verification, verificationIdOf } from '../domain/verification.ts';

/** A tenant's server, or a client whose token named its verification already. */
export type Finder = { readonly tenant: Tenant } | { readonly verification: Verification };

/** The verification that a caller means by a source_id: one of its own, or `verification_unknown`. */
export async function findOf(
  caller: Finder,
  sourceId: string,
  { verifications }: { readonly verifications: Pick<Verifications, 'find'> },
): Promise<Verification> {
  if ('verification' in caller) return caller.verification;
  return found(await verifications.find(verificationIdOf(caller.tenant.id, sourceId)));
}
