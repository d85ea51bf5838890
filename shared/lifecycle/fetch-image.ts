import { type CaptureFile, captureFile, maximumBytesOf } from '../domain/captures.ts';
import type { Captures, Fetcher, Log, Pinned, Unreached, Verifications } from '../domain/ports.ts';
import { fetchPausesSeconds, fetchSeconds } from '../domain/times.ts';
import type { InState, Verification } from '../domain/verification.ts';
import { type Deleting, deleteLate } from './erase.ts';
import { type Expiring, expire } from './expire.ts';
import type { HandingOver } from './hand-over.ts';
import { queueStored, storeCapture } from './queue-stored.ts';

export interface FetchingImages extends HandingOver, Expiring, Deleting {
  readonly verifications: Pick<Verifications, 'find' | 'move' | 'land' | 'writeDeletions' | 'settle'>;
  readonly captures: Expiring['captures'] & Deleting['captures'] & Pick<Captures, 'put' | 'removeVersion'>;
  readonly fetcher: Pick<Fetcher, 'get'>;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly log: Log;
}

/**
 * Fetches the image of an order and hands the record over; after three tries in vain the order ends `expired`. Where the
 * message comes again while another worker fetches, the image is stored twice: one version is pinned, and the worker that
 * loses deletes its own.
 */
export async function fetchImage(verificationId: string, dependencies: FetchingImages): Promise<void> {
  const { verifications, captures, log } = dependencies;
  const record = await verifications.find(verificationId);
  if (record?.state !== 'awaiting_captures' || !record.order) return; // fetched, given up or erased meanwhile
  const image = await fetchThrice(record, record.order.imageLink, dependencies);
  if (!image) return expire(record, dependencies);
  const { contentType, bytes } = image;
  const selfie = await storeCapture(record, 'selfie', image, dependencies);
  const declared = { selfie: { contentType, contentLength: bytes.length } };
  const queued = await queueStored(record, { stored: { selfie }, declared }, dependencies);
  const pinned = { verificationId, round: record.round, name: 'selfie', versionId: selfie.versionId } as const;
  if (queued?.state === 'erased') await deleteLate(queued, dependencies);
  else if (!isPinned(queued, pinned)) await captures.removeVersion(pinned);
  log.info('image.fetched', { verification_id: verificationId });
}

const isPinned = (record: Verification | undefined, { versionId }: Pinned): boolean =>
  record !== undefined && 'landed' in record && record.landed.selfie?.versionId === versionId;

/** Undefined where three tries brought no image. */
async function fetchThrice(
  { verificationId: verification_id }: InState<'awaiting_captures'>,
  link: string,
  { fetcher, sleep, log }: FetchingImages,
): Promise<CaptureFile | undefined> {
  for (const pauseSeconds of [...fetchPausesSeconds, undefined]) {
    const limits = { timeoutSeconds: fetchSeconds, maximumBytes: maximumBytesOf.selfie };
    const answer = await fetcher.get(link, limits);
    if (answer.kind === 'fetched') {
      const image = captureFile('selfie', answer.bytes);
      if (image) return image;
      log.warn('image.unfetched', { verification_id, reason: 'no_image' });
      return undefined;
    }
    log.warn('image.unfetched', { verification_id, reason: answer.reason, status: answer.status });
    if (isFinal(answer) || pauseSeconds === undefined) return undefined;
    await sleep(pauseSeconds * 1000);
  }
  return undefined;
}

/** The same link comes to the same another time. */
const isFinal = ({ reason }: Unreached): boolean =>
  ['link_invalid', 'address_forbidden', 'answer_too_large'].includes(reason);
