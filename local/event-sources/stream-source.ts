import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Change, FeedReader } from '../dynamodb/dynamodb.ts';
import { matchesPattern } from '../event-pattern.ts';
import { failedIds } from './queue-source.ts';

/** An event source mapping from a table's stream to a function. */
export interface StreamSource {
  streamArn: string;
  functionArn: string;
  region: string;
  viewType: string;
  batchSize: number;
  windowSeconds: number;
  /** -1 for as often as it takes. */
  retries: number;
  /** Whether a failed batch is cut in two to find the record that fails. */
  bisects: boolean;
  reportsFailures: boolean;
  filters: unknown[];
  invoke: (event: unknown) => Promise<unknown>;
  /** Takes the description of a batch that was given up. */
  onFailure: ((description: unknown) => Promise<void>) | undefined;
  /** The first pause after a failure; it doubles with every further one. */
  firstPauseMs?: number;
}

export interface StreamConsumer {
  /** Looks for changes now and not at the next tick. */
  wake: () => void;
  stop: () => Promise<void>;
}

interface StreamRecord {
  eventName: Change['eventName'];
  dynamodb: { SequenceNumber: string; ApproximateCreationDateTime: number };
}

const lookAgainMs = 1000;
const longestPauseMs = 30_000;
class Stopped extends Error {}

/** Feeds a table's changes to a function, in order, one batch at a time, from the oldest not yet acknowledged. */
export function consumeStream(reader: FeedReader, source: StreamSource): StreamConsumer {
  const stopped = new AbortController();
  let wake = () => {};

  const changed = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, lookAgainMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** Delivers records until each has succeeded or been given up, then forgets them. */
  const deliver = async (records: StreamRecord[]): Promise<void> => {
    let rest = records;
    for (let failures = 0; rest.length > 0; ) {
      if (stopped.signal.aborted) throw new Stopped();
      const succeeded = await attempt(rest);
      const done = rest[succeeded - 1];
      if (done) await reader.acknowledge(done.dynamodb.SequenceNumber);
      rest = rest.slice(succeeded);
      if (rest.length === 0) return;
      failures = succeeded > 0 ? 1 : failures + 1;

      // Cutting a batch in two does not count as a retry, as on Lambda.
      if (source.bisects && rest.length > 1) {
        const middle = Math.ceil(rest.length / 2);
        await deliver(rest.slice(0, middle));
        await deliver(rest.slice(middle));
        return;
      }
      if (source.retries >= 0 && failures > source.retries) {
        await source.onFailure?.(describe(rest, failures, source));
        await reader.acknowledge(rest.at(-1)?.dynamodb.SequenceNumber ?? '');
        return;
      }
      const pause = (source.firstPauseMs ?? 500) * 2 ** Math.min(failures - 1, 10);
      await sleep(Math.min(pause, longestPauseMs), undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };

  /** How many records from the start succeeded. */
  const attempt = async (records: StreamRecord[]): Promise<number> => {
    try {
      const result = await source.invoke({ Records: records });
      const failed = source.reportsFailures ? failedIds(result) : new Set<string>();
      if (!failed) return 0;
      const first = records.findIndex(({ dynamodb }) => failed.has(dynamodb.SequenceNumber));
      return first >= 0 ? first : failed.size > 0 ? 0 : records.length;
    } catch {
      return 0;
    }
  };

  const read = async (): Promise<Change[]> => {
    const changes = await reader.read(source.batchSize);
    if (changes.length === 0 || changes.length >= source.batchSize || source.windowSeconds === 0) return changes;
    await sleep(source.windowSeconds * 1000, undefined, { signal: stopped.signal }).catch(() => undefined);
    return reader.read(source.batchSize);
  };

  const consume = async () => {
    while (!stopped.signal.aborted) {
      const next = changed();
      try {
        const changes = await read();
        const last = changes.at(-1);
        if (last) {
          const records = changes.map((change) => recordOf(change, source));
          await deliver(records.filter((record) => isWanted(record, source.filters)));
          await reader.acknowledge(last.sequenceNumber);
          continue;
        }
      } catch (error) {
        if (error instanceof Stopped) return;
        console.error(error);
      }
      await next;
    }
  };
  const consuming = consume();

  return {
    wake: () => wake(),
    async stop() {
      stopped.abort();
      wake();
      await consuming;
    },
  };
}

function isWanted(record: unknown, filters: unknown[]): boolean {
  return filters.length === 0 || filters.some((filter) => matchesPattern(filter, record));
}

/** The record Lambda gets: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html */
function recordOf(change: Change, { streamArn, region, viewType }: StreamSource): StreamRecord {
  const dynamodb = {
    ApproximateCreationDateTime: change.createdAt,
    Keys: change.keys,
    ...(change.newImage && viewType.startsWith('NEW') && { NewImage: change.newImage }),
    ...(change.oldImage && viewType.endsWith('OLD_IMAGES') && { OldImage: change.oldImage }),
    ...(change.oldImage && viewType === 'OLD_IMAGE' && { OldImage: change.oldImage }),
    SequenceNumber: change.sequenceNumber,
    SizeBytes: JSON.stringify([change.keys, change.newImage, change.oldImage]).length,
    StreamViewType: viewType,
  };
  const record = {
    // The same for every delivery of the same change, so that a function can tell a repeat.
    eventID: change.sequenceNumber,
    eventName: change.eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    dynamodb,
    eventSourceARN: streamArn,
    ...(change.userIdentity && {
      userIdentity: { type: change.userIdentity.type, principalId: change.userIdentity.principalId },
    }),
  };
  return record;
}

function describe(records: StreamRecord[], attempts: number, { streamArn, functionArn }: StreamSource) {
  const first = records[0]?.dynamodb;
  const last = records.at(-1)?.dynamodb;
  const arrival = (epochSeconds = 0) => new Date(epochSeconds * 1000).toISOString();
  return {
    requestContext: {
      requestId: randomUUID(),
      functionArn: `${functionArn}:$LATEST`,
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: attempts,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: new Date().toISOString(),
    DDBStreamBatchInfo: {
      shardId: 'shardId-00000000000000000000-00000000',
      startSequenceNumber: first?.SequenceNumber,
      endSequenceNumber: last?.SequenceNumber,
      approximateArrivalOfFirstRecord: arrival(first?.ApproximateCreationDateTime),
      approximateArrivalOfLastRecord: arrival(last?.ApproximateCreationDateTime),
      batchSize: records.length,
      streamArn,
    },
  };
}
