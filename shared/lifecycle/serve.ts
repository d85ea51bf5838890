import { type CaptureFile, type CaptureName, capturesOf, type Landed } from '../domain/captures.ts';
import { Fault } from '../domain/fault.ts';
import { understood } from '../domain/later.ts';
import { type Policy, policy as policySchema, type ServedVendor } from '../domain/policy.ts';
import type { Captures, Tenant, Verifications } from '../domain/ports.ts';
import {
  epochSeconds,
  servedCapturesSeconds,
  servedFirstPauseMilliseconds,
  servedWaitSeconds,
} from '../domain/times.ts';
import type { InState, Verification } from '../domain/verification.ts';
import { type Asked, type Preparing, prepareRecord } from './begin.ts';
import type { HandingOver } from './hand-over.ts';
import { queueStored, storeCapture } from './queue-stored.ts';
import { waitForRest } from './wait.ts';

export interface Serving extends Preparing, HandingOver {
  readonly verifications: Pick<Verifications, 'create' | 'find' | 'move'>;
  readonly captures: Pick<Captures, 'put'>;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** A call of a vendor's API, in our words, with the captures that came with it. */
export interface ServedCall extends Omit<Asked, 'captures' | 'subject' | 'metadataText' | 'requestHash'> {
  readonly vendor: ServedVendor;
  /** The smallest face that the vendor judges, pixels: a policy may ask for larger ones. */
  readonly minimumFacePx?: number;
  readonly captures: Partial<Record<CaptureName, CaptureFile>>;
}

/**
 * Verifies the captures of one call, and waits for the verdict: the record as it rests, or as it is 25 s after the call
 * came, while the verification goes on. The record comes first: what lands without one is deleted.
 * Where the function dies in between, intake notices the captures that were stored; a record that misses one expires.
 */
export async function serveCall(call: ServedCall, tenant: Tenant, dependencies: Serving): Promise<Verification> {
  const { verifications, now } = dependencies;
  const startedAt = now();
  const record = await prepareServed(call, tenant, dependencies);
  const created = await verifications.create(record);
  if (created.kind === 'exists') throw new Fault('source_id_conflict', 'Two calls drew the same source_id.');
  const landed = await storeCaptures(created.verification, call, dependencies);
  const queued = await queueStored(created.verification, { stored: landed }, dependencies);
  if (!queued) throw new Error('The record of a call was purged while it was served');
  const left = servedWaitSeconds - (now().getTime() - startedAt.getTime()) / 1000;
  return waitForRest(queued, left, {
    ...dependencies,
    maximumWaitSeconds: servedWaitSeconds,
    firstPauseMilliseconds: servedFirstPauseMilliseconds,
  });
}

/** The hash of no request of ours: its source_id is drawn anew for each call, and asking for it is a conflict. */
const noRequest = 'served';

/** How the tenant is answered in a vendor's words. */
const howServed = policySchema.pick({ served: true });

/** The record of such a call, not yet written. */
async function prepareServed(
  { vendor, captures, minimumFacePx = 0, ...call }: ServedCall,
  tenant: Tenant,
  dependencies: Preparing,
): Promise<InState<'awaiting_captures'>> {
  const declared = Object.fromEntries(
    capturesOf[call.check].map((name) => {
      const capture = captures[name];
      if (!capture) throw new Error(`${call.check} is served without its ${name}`);
      return [name, { contentType: capture.contentType, contentLength: capture.bytes.length }];
    }),
  );
  const asked = { ...call, captures: declared, requestHash: noRequest };
  understood(howServed, tenant.policy, 'the policy of this tenant');
  const policy = servedPolicy(tenant.policy, minimumFacePx, dependencies);
  const record = await prepareRecord(asked, { ...tenant, policy }, dependencies);
  return { ...record, served: vendor, dueAt: epochSeconds(dependencies.now()) + servedCapturesSeconds };
}

/**
 * The tenant's policy as far as a vendor's protocol goes: it has no words for a turn of the head, so the person would not
 * know of it, and every provider that has a limit to the size of faces sends back those below the vendor's.
 */
function servedPolicy(
  { turn: _, ...policy }: Policy,
  minimumFacePx: number,
  { registry }: Pick<Preparing, 'registry'>,
): Policy {
  const chosen = new Map(Object.entries(policy.thresholds));
  const limited = [...registry.values()].filter(({ thresholds }) => minimumFacePx > 0 && thresholds.minimumFacePx);
  for (const { name } of limited) {
    const own = chosen.get(name);
    chosen.set(name, { ...own, minimumFacePx: Math.max(minimumFacePx, own?.minimumFacePx ?? 0) });
  }
  return { ...policy, thresholds: Object.fromEntries(chosen) };
}

async function storeCaptures(
  record: InState<'awaiting_captures'>,
  { captures }: ServedCall,
  dependencies: Serving,
): Promise<Landed> {
  const stored = await Promise.all(
    record.missing.map(async (name) => {
      const file = captures[name];
      if (!file) throw new Error(`There is no ${name} to store`);
      return [name, await storeCapture(record, name, file, dependencies)] as const;
    }),
  );
  return Object.fromEntries(stored);
}
