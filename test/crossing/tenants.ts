import { createHash, randomBytes } from 'node:crypto';
import { aTenant } from '../builders/tenant.ts';
import type { Crossing } from './releases.ts';

/** Writes a tenant as it is stored, with a key: the key. */
export async function makeTenant(
  { write }: Pick<Crossing, 'write'>,
  row: Readonly<Record<string, unknown>> & { readonly id: string },
): Promise<string> {
  const key = `bf_${row.id}_${randomBytes(32).toString('base64url')}`;
  const sha256 = createHash('sha256').update(key).digest('hex');
  const keys = [{ id: 'k_000000000000', sha256, createdAt: new Date().toISOString() }];
  await write('tenants', { ...aTenant(row.id), keys, ...row });
  return key;
}
