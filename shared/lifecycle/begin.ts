import { capturesOf, type Declared } from '../domain/captures.ts';
import { Fault } from '../domain/fault.ts';
import { isLive } from '../domain/livemode.ts';
import type { Created, SourceIds, Tenant, Verifications } from '../domain/ports.ts';
import { refuseUnlisted } from '../domain/return-url.ts';
import { daySeconds, epochSeconds } from '../domain/times.ts';
import { firstEntry, type InState, type Unerased } from '../domain/verification.ts';
import { type Challenging, firstChallenge, renewChallenge } from './challenge.ts';
import { findLegacy } from './find.ts';
import { type Issued, type Issuing, issueUploads } from './issue-uploads.ts';
import { firstProvider, type Planning, planVerification, refuseUnfit, type Wanted } from './plan.ts';
import { settled, settleOn } from './settle-on.ts';
import { refuseLocked } from './subject-lock.ts';

export interface Preparing extends Planning, Challenging {
  readonly ids: SourceIds;
  readonly newId: () => string;
}

interface Creating extends Preparing {
  readonly verifications: Pick<Verifications, 'create' | 'find'>;
}

export interface Beginning extends Creating, Issuing {
  readonly verifications: Pick<Verifications, 'create' | 'find' | 'renew' | 'failures'>;
}

/** What a caller asks for. */
export interface Asked extends Wanted {
  readonly sourceId: string;
  readonly captures: Declared;
  /** The caller's own JSON, as its text. */
  readonly metadataText?: string | undefined;
  /** Where the person is led back to from the hosted capture page. */
  readonly returnUrl?: string | undefined;
  /** The caller's own id of the person. */
  readonly subject?: string | undefined;
  /** SHA-256 of the request but its subject: the same one again is a repeat, another one under the same source_id a conflict. */
  readonly requestHash: string;
}

/** A repeated request whose verification is beyond awaiting its captures is issued nothing. */
export type Begun =
  | { readonly kind: 'created'; readonly verification: Unerased; readonly issued: Issued }
  | { readonly kind: 'repeated'; readonly verification: Unerased; readonly issued?: Issued };

/**
 * Makes the record and signs its uploads. The same request again is answered again, also where an earlier version made
 * the record under another id; nothing is ever made twice.
 */
export async function beginVerification(asked: Asked, tenant: Tenant, dependencies: Beginning): Promise<Begun> {
  const record = await prepareRecord(asked, tenant, dependencies);
  await refuseLocked(record, tenant, dependencies);
  const { kind, verification } = await createOnce(record, tenant, dependencies);
  if (kind === 'created') return { kind, verification, issued: await issueUploads(verification, dependencies) };
  const repeated = await settleOn<Unerased>(verification, async (current) => {
    if (current.state === 'erased') {
      throw new Fault('source_id_erased', 'Use another source_id: this one belongs to an erased verification.');
    }
    if (current.requestHash !== record.requestHash || current.subject !== record.subject) {
      const detail = 'Use another source_id, or send exactly the request this one was made with.';
      throw new Fault('source_id_conflict', detail);
    }
    return current.state === 'awaiting_captures' ? renewChallenge(current, dependencies) : settled(current);
  });
  if (!repeated) return beginVerification(asked, tenant, dependencies); // purged meanwhile: the source_id is free
  if (repeated.state !== 'awaiting_captures') return { kind: 'repeated', verification: repeated };
  return { kind: 'repeated', verification: repeated, issued: await issueUploads(repeated, dependencies) };
}

/** The record of what a caller asks for, not yet written. Refuses what the route's first provider could not do. */
export async function prepareRecord(
  asked: Asked,
  tenant: Tenant,
  dependencies: Preparing,
): Promise<InState<'awaiting_captures'>> {
  refuseUnlisted(asked.returnUrl, tenant.policy.page);
  const plan = await planVerification(asked, tenant, dependencies);
  refuseUnfit(asked.captures, firstProvider(plan, dependencies));
  const id = await dependencies.ids.of(tenant.id, asked.sourceId);
  const subject = asked.subject === undefined ? undefined : await dependencies.ids.ofSubject(tenant.id, asked.subject);
  return { ...newRecord(id, asked, tenant, plan, dependencies), ...(subject !== undefined && { subject }) };
}

/** Writes the record, unless a version from before the key made one of the same source_id: the one that reads find. */
async function createOnce(
  record: InState<'awaiting_captures'>,
  tenant: Tenant,
  dependencies: Creating,
): Promise<Created> {
  const { verifications } = dependencies;
  const legacy = await findLegacy(tenant, record.sourceId, dependencies);
  if (!legacy) return await verifications.create(record);
  const current = await verifications.find(record.verificationId);
  return { kind: 'exists', verification: current ?? legacy };
}

function newRecord(
  verificationId: string,
  asked: Asked,
  tenant: Tenant,
  plan: InState<'queued'>['plan'],
  dependencies: Preparing,
): InState<'awaiting_captures'> {
  const { now, newId } = dependencies;
  const at = now();
  const { sourceId, check, captures, languageCode, metadataText, returnUrl, requestHash } = asked;
  return {
    verificationId,
    tenant: tenant.id,
    ...(!isLive(tenant) && { livemode: false }),
    sourceId,
    check,
    state: 'awaiting_captures',
    round: 1,
    sequence: 1,
    createdAt: at.toISOString(),
    updatedAt: at.toISOString(),
    purgeAt: epochSeconds(at) + tenant.policy.retention.recordDays * daySeconds,
    moveId: newId(),
    history: [firstEntry(verificationId, at)],
    notes: 0,
    notesDropped: 0,
    requestHash,
    plan,
    declared: captures,
    pass: 1,
    retries: 0,
    attempts: [],
    missing: [...capturesOf[check]],
    landed: {},
    dueAt: epochSeconds(at) + plan.capturesSeconds,
    ...firstChallenge({ check, plan }, dependencies, asked.challenge),
    ...(languageCode !== undefined && { languageCode }),
    ...(metadataText !== undefined && { metadataText }),
    ...(returnUrl !== undefined && { returnUrl }),
  };
}
