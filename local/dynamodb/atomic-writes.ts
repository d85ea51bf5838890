import type { Batch, Callback, Item, Store, SubDatabase } from './dynalite.ts';

/** One item as it was before and after a write. */
export interface ItemChange {
  table: string;
  before: Item | undefined;
  after: Item | undefined;
}

/** What a write wants to store, held back until everything in it has succeeded. */
export interface PendingWrites {
  /** Reads from the real store, keeps every write to itself: give it to dynalite's actions. */
  store: Store;
  batch: Batch;
  /** Every item looked at, by table and key. An item only read has `after` equal to `before`. */
  items: Map<string, ItemChange>;
}

/**
 * dynalite writes index entries one by one and the item last: a kill in between leaves an index that disagrees with
 * its table for ever. Holding the writes back and committing them as one LevelDB batch makes every write (and every
 * transaction) all or nothing, and the change record can ride in the same batch.
 */
export function holdBackWrites(store: Store): PendingWrites {
  const batch: Batch = [];
  const items = new Map<string, ItemChange>();

  const itemDatabase = (table: string): SubDatabase => {
    const real = store.getItemDb(table);
    const prefix = `item-${table}~`;
    const written = (key: string, after: Item | undefined) => {
      const known = items.get(prefix + key);
      items.set(prefix + key, { table, before: known?.before, after });
    };
    return {
      lock: real.lock.bind(real),
      get: (key, callback) =>
        real.get(key, (error, item) => {
          if (!error) items.set(prefix + key, { table, before: item, after: item });
          callback(error, item);
        }),
      put: (key, value, callback) => {
        batch.push({ type: 'put', key: prefix + key, value });
        written(key, value as Item);
        later(callback);
      },
      del: (key, callback) => {
        batch.push({ type: 'del', key: prefix + key });
        written(key, undefined);
        later(callback);
      },
    };
  };

  const indexDatabase = (type: string, table: string, index: string): SubDatabase => {
    const real = store.getIndexDb(type, table, index);
    const prefix = `index-${type.toLowerCase()}~${table}~${index}~`;
    return {
      lock: real.lock.bind(real),
      get: real.get.bind(real),
      put: (key, value, callback) => {
        batch.push({ type: 'put', key: prefix + key, value });
        later(callback);
      },
      del: (key, callback) => {
        batch.push({ type: 'del', key: prefix + key });
        later(callback);
      },
    };
  };

  const held: Store = Object.assign(Object.create(store), { getItemDb: itemDatabase, getIndexDb: indexDatabase });
  return { store: held, batch, items };
}

function later(callback: Callback<void>): void {
  setImmediate(callback, null);
}
