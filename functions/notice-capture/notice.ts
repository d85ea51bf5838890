import * as z from 'zod';
import { parseCaptureKey } from '../../shared/domain/captures.ts';
import type { In, Verification } from '../../shared/domain/verification.ts';
import type { Log } from '../../shared/lambda/log.ts';
import { epochSeconds, queuedSeconds } from '../../shared/lifecycle/next-step.ts';
import type { Captures, Pinned } from '../../shared/stores/captures.ts';
import type { Send } from '../../shared/stores/queues.ts';
import type { Verifications } from '../../shared/stores/verifications.ts';

export interface Dependencies {
  readonly verifications: Verifications;
  readonly captures: Pick<Captures, 'removeVersion'>;
  readonly send: Send;
  readonly now: () => Date;
  readonly log: Log;
}

/** What S3 tells EventBridge of an object. `reason` is PutObject, POST Object, CompleteMultipartUpload or CopyObject. */
const objectCreated = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.literal('Object Created'),
  time: z.string(),
  detail: z.object({
    reason: z.string(),
    object: z.object({
      key: z.string(),
      size: z.number().int().nonnegative(),
      etag: z.string(),
      'version-id': z.string(),
    }),
  }),
});

/**
 * One message of the captures queue: an object landed. Pins the first version noticed of a missing capture; the last
 * one missing moves the record to `queued`. Every other version is noted, deleted and never analysed.
 * Messages that are not about a capture of ours are acknowledged and counted.
 */
export async function noticeCapture(body: string, dependencies: Dependencies): Promise<void> {
  const { verifications, log } = dependencies;
  const event = objectCreated.safeParse(jsonOf(body));
  const address = event.success ? parseCaptureKey(event.data.detail.object.key) : undefined;
  if (!event.success || !address) {
    log.count('foreign_capture_event');
    return;
  }
  const { object } = event.data.detail;
  const landing: Landing = {
    ...address,
    versionId: object['version-id'],
    etag: object.etag,
    bytes: object.size,
  };
  let current = await verifications.find(address.verificationId);
  while (current && awaits(current, landing)) {
    const result = await take(current, landing, dependencies);
    if (result.kind === 'moved') {
      log.info('capture.landed', { verification_id: landing.verificationId, name: landing.name, round: landing.round });
      if (result.verification.state === 'queued') await send(result.verification, dependencies);
      return;
    }
    current = result.current;
  }
  await handleExtra(current, landing, dependencies);
}

interface Landing extends Pinned {
  readonly etag: string;
  readonly bytes: number;
}

function awaits(record: Verification, { round, name }: Landing): record is In<'awaiting_captures'> {
  return record.state === 'awaiting_captures' && record.round === round && record.missing.includes(name);
}

/** Both captures of a check may land at once: the loser of the write reads what is missing now and tries again. */
function take(record: In<'awaiting_captures'>, landing: Landing, { verifications, now }: Dependencies) {
  const { name, versionId, etag, bytes } = landing;
  const at = now();
  const landed = { ...record.landed, [name]: { versionId, etag, bytes, landedAt: at.toISOString() } };
  const missing = record.missing.filter((other) => other !== name);
  if (missing.length > 0) return verifications.land(record, { missing, landed });
  const [provider] = record.plan.route;
  if (!provider) throw new Error('A plan has at least one provider');
  return verifications.move(record, 'queued', { landed, provider, dueAt: epochSeconds(at) + queuedSeconds });
}

/** The event came again, or something else was uploaded where nothing is awaited. */
async function handleExtra(current: Verification | undefined, landing: Landing, dependencies: Dependencies) {
  const { verifications, captures } = dependencies;
  if (current && isPinned(current, landing)) {
    if (current.state === 'queued') await send(current, dependencies); // the first send may be what was lost
    return;
  }
  await captures.removeVersion(landing);
  if (current) {
    const sameRound = current.round === landing.round && current.state !== 'expired';
    await verifications.note(current, sameRound ? 'capture_overwritten' : 'capture_late');
  }
}

function isPinned(record: Verification, { round, name, versionId }: Landing): boolean {
  if (!('landed' in record)) return false;
  // What an earlier round kept is that round's: a late repeat of its event must not delete it.
  if (record.round !== round) return round < record.round && record.plan.keepCaptures;
  return record.landed[name]?.versionId === versionId;
}

function send(record: In<'queued'>, { send: sendToProvider }: Dependencies): Promise<void> {
  return sendToProvider(record.provider, record);
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
