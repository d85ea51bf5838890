import { readClientToken } from '../domain/client-token.ts';
import { Fault } from '../domain/fault.ts';
import { sourceId, type Verification, verificationIdOf } from '../domain/verification.ts';
import type { Tenants } from '../stores/tenants/tenants.ts';
import { found, type Verifications } from '../stores/verifications.ts';
import { type Request, valid } from './http.ts';

/** The `source_id` of the path. One that could never have been made is unknown, not malformed. */
export function pathSourceId(request: Request): string {
  return valid(sourceId, request.path.source_id);
}

/** The verification a tenant's key may see under the path's source_id. */
export async function verificationByKey(
  request: Request,
  { tenants, verifications }: { tenants: Tenants; verifications: Verifications },
): Promise<Verification> {
  const source = pathSourceId(request);
  const tenant = await tenants.authenticate(request.headers['x-api-key']);
  return found(await verifications.find(verificationIdOf(tenant.id, source)));
}

/**
 * The verification under the path's source_id, by key or by its own client_token.
 * A token of an erased, purged or other verification is simply not valid: it must not tell which of these it is.
 */
export async function verificationByKeyOrToken(
  request: Request,
  dependencies: {
    tenants: Tenants;
    verifications: Verifications;
    clientTokenSecret: () => Promise<string>;
    now: () => Date;
  },
): Promise<{ verification: Verification; by: 'key' | 'client_token' }> {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined || request.headers['x-api-key'] !== undefined) {
    return { verification: await verificationByKey(request, dependencies), by: 'key' };
  }
  const id = readClientToken(await dependencies.clientTokenSecret(), token, dependencies.now());
  const verification = await dependencies.verifications.find(id);
  if (!verification || verification.state === 'erased' || verification.sourceId !== pathSourceId(request)) {
    throw new Fault('client_token_invalid', 'Ask your server for a new client_token.');
  }
  return { verification, by: 'client_token' };
}
