import { randomUUID } from 'node:crypto';
import type { ObjectVersion, ObjectVersions } from './object-versions.ts';

/** The event S3 sends to EventBridge. */
export interface S3Event {
  version: '0';
  id: string;
  'detail-type': 'Object Created';
  source: 'aws.s3';
  account: string;
  time: string;
  region: string;
  resources: string[];
  detail: Record<string, unknown>;
}

const retryMs = 1000;

/** Hands stored events over one after another; what is not taken stays and is tried again. */
export function deliverEvents(objects: ObjectVersions, onEvent: ((event: S3Event) => Promise<void>) | undefined) {
  let stopped = false;
  let running: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;

  const deliverAll = async () => {
    for (let pending = objects.pendingEvents(); pending.length > 0; pending = objects.pendingEvents()) {
      for (const { id, event } of pending) {
        if (stopped) return;
        await onEvent?.(event as S3Event);
        objects.eventDelivered(id);
      }
    }
  };
  const wake = () => {
    if (stopped || running || !onEvent) return;
    clearTimeout(retry);
    running = deliverAll()
      .catch((error: unknown) => {
        console.error('an S3 event could not be delivered and will be tried again', error);
        retry = setTimeout(wake, retryMs);
      })
      .finally(() => {
        running = undefined;
      });
  };
  wake();
  return {
    wake,
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await running;
    },
  };
}

export function objectCreated(version: ObjectVersion, reason: string, region = 'us-east-1'): S3Event {
  const { bucket, key, size, etag, sequencer, versionId } = version;
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '000000000000',
    time: version.lastModified,
    region,
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: { key, size, etag, ...(versionId !== 'null' && { 'version-id': versionId }), sequencer },
      'request-id': randomUUID(),
      requester: '000000000000',
      'source-ip-address': '127.0.0.1',
      reason,
    },
  };
}
