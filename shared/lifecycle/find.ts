import { understood } from '../domain/later.ts';
import type { SourceIds, Tenant, Verifications } from '../domain/ports.ts';
import { found, type Verification, verification } from '../domain/verification.ts';

/** A tenant's server, its operator, or a client whose token named its verification already. */
export type Finder = Owner | { readonly verification: Verification };

/** Whose verifications are meant: a tenant's server, or one of its operators. */
export interface Owner {
  readonly tenant: Pick<Tenant, 'id'>;
}

export interface Finding {
  readonly verifications: Pick<Verifications, 'find'>;
  readonly ids: SourceIds;
}

/**
 * The verification that a caller means by a source_id: one of its own, or `verification_unknown`; one that this version
 * can act on, or `version_outdated`.
 */
export async function findOf(caller: Finder, sourceId: string, dependencies: Finding): Promise<Verification> {
  if ('verification' in caller) return understood(verification, caller.verification, 'this verification');
  return findShown(caller, sourceId, dependencies, {});
}

/** The same to show it, whatever a later version wrote in it. */
export async function findShown(
  caller: Finder,
  sourceId: string,
  dependencies: Finding,
  reading: Reading = toShow,
): Promise<Verification> {
  if ('verification' in caller) return caller.verification;
  const record = await findUnderKey(caller.tenant, sourceId, dependencies, reading);
  return found(record ?? (await findLegacy(caller.tenant, sourceId, dependencies, reading)));
}

interface Reading {
  readonly toShow?: boolean;
}
const toShow: Reading = { toShow: true };

/**
 * Every record of a source_id, the one that reads find first. There are two where a version from before the key ran
 * again after this one and was asked for the same source_id. Erasure, which they are for, decides nothing by them.
 */
export async function findEvery({ tenant }: Owner, sourceId: string, dependencies: Finding): Promise<Verification[]> {
  const records = [
    await findUnderKey(tenant, sourceId, dependencies, toShow),
    await findLegacy(tenant, sourceId, dependencies, toShow),
  ];
  return records.filter((record) => record !== undefined);
}

/** The record that a version from before the key made of a source_id. One read, none where such ids are off. */
export async function findLegacy(
  tenant: Pick<Tenant, 'id'>,
  sourceId: string,
  { verifications, ids }: Finding,
  reading: Reading = {},
): Promise<Verification | undefined> {
  const id = ids.legacyOf(tenant.id, sourceId);
  return id === undefined ? undefined : await verifications.find(id, reading);
}

async function findUnderKey(
  tenant: Pick<Tenant, 'id'>,
  sourceId: string,
  { verifications, ids }: Finding,
  reading: Reading,
): Promise<Verification | undefined> {
  const id = await ids.of(tenant.id, sourceId);
  return await verifications.find(id, reading);
}
