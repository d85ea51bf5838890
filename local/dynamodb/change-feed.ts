import { isDeepStrictEqual } from 'node:util';
import type { ItemChange } from './atomic-writes.ts';
import type { Batch, Item, Level } from './dynalite.ts';

/** One change of one item, in the order the table took them. */
export interface Change {
  table: string;
  /** Fixed width, so that text order is the order of the changes. */
  sequenceNumber: string;
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  keys: Item;
  oldImage?: Item;
  newImage?: Item;
  /** Epoch seconds. */
  createdAt: number;
  /** Set when time to live removed the item and not a caller. */
  userIdentity?: { type: 'Service'; principalId: 'dynamodb.amazonaws.com' };
}

/** One reader of one table's changes; what it has acknowledged it never sees again, also after a restart. */
export interface FeedReader {
  /** The oldest changes not yet acknowledged. */
  read: (limit: number) => Promise<Change[]>;
  acknowledge: (sequenceNumber: string) => Promise<void>;
}

export interface ChangeFeed {
  /** Turns item changes into records to be committed in the same batch as the items. */
  record: (items: Iterable<ItemChange>, keysOf: (table: string) => string[], byTimeToLive: boolean) => Change[];
  toBatch: (changes: Change[]) => Batch;
  announce: (changes: Change[]) => void;
  reader: (table: string, name: string) => Promise<FeedReader>;
  onChange: (listener: (change: Change) => void) => void;
}

const first = '0'.repeat(21);
const lastKey = 'feed-last';
const recordKey = (table: string, sequenceNumber: string) => `feed-record~${table}~${sequenceNumber}`;
const checkpointKey = (table: string, reader: string) => `feed-checkpoint~${table}~${reader}`;

/** Opens the feed kept beside the tables. Records stay until every reader of their table has acknowledged them. */
export async function openChangeFeed(database: Level): Promise<ChangeFeed> {
  let last = BigInt(((await database.get(lastKey)) as string | undefined) ?? first);
  const checkpoints = new Map<string, Map<string, string>>();
  const listeners: ((change: Change) => void)[] = [];

  const nextSequenceNumber = () => {
    last += 1n;
    return last.toString().padStart(first.length, '0');
  };

  return {
    record(items, keysOf, byTimeToLive) {
      const changes: Change[] = [];
      for (const { table, before, after } of items) {
        // Like DynamoDB: a write that changes nothing makes no record.
        if (isDeepStrictEqual(plain(before), plain(after))) continue;
        const image = after ?? before ?? {};
        changes.push({
          table,
          sequenceNumber: nextSequenceNumber(),
          eventName: before ? (after ? 'MODIFY' : 'REMOVE') : 'INSERT',
          keys: Object.fromEntries(keysOf(table).map((name) => [name, image[name] ?? {}])),
          ...(before && { oldImage: before }),
          ...(after && { newImage: after }),
          createdAt: Math.floor(Date.now() / 1000),
          ...(byTimeToLive && { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } }),
        });
      }
      return changes;
    },

    toBatch(changes) {
      const newest = changes.at(-1);
      if (!newest) return [];
      const records = changes.map((change) => ({
        type: 'put' as const,
        key: recordKey(change.table, change.sequenceNumber),
        value: change,
      }));
      return [...records, { type: 'put', key: lastKey, value: newest.sequenceNumber }];
    },

    announce(changes) {
      for (const change of changes) for (const listener of listeners) listener(change);
    },

    onChange(listener) {
      listeners.push(listener);
    },

    async reader(table, name) {
      const readers = checkpoints.get(table) ?? new Map<string, string>();
      checkpoints.set(table, readers);
      const stored = (await database.get(checkpointKey(table, name))) as string | undefined;
      readers.set(name, stored ?? first);
      return {
        async read(limit) {
          const changes: Change[] = [];
          const after = readers.get(name) ?? first;
          const range = { gt: recordKey(table, after), lt: recordKey(table, '~'), limit };
          for await (const [, change] of database.iterator(range)) changes.push(change as Change);
          return changes;
        },
        async acknowledge(sequenceNumber) {
          readers.set(name, sequenceNumber);
          const oldest = [...readers.values()].sort()[0] ?? first;
          const batch: Batch = [{ type: 'put', key: checkpointKey(table, name), value: sequenceNumber }];
          const range = { gte: recordKey(table, first), lt: `${recordKey(table, oldest)}~` };
          for await (const [key] of database.iterator(range)) batch.push({ type: 'del', key });
          await database.batch(batch);
        },
      };
    },
  };
}

/** dynalite builds items without a prototype, which strict equality would tell apart from parsed ones. */
function plain(item: Item | undefined): unknown {
  return item && JSON.parse(JSON.stringify(item));
}
