import { listenOnLoopback, readBody, sendJson } from '../loopback-server.ts';
import { holdBackWrites, type PendingWrites } from './atomic-writes.ts';
import { type Change, type FeedReader, openChangeFeed } from './change-feed.ts';
import {
  type Answer,
  DynamoDbError,
  findTable,
  type Item,
  type Level,
  openStore,
  operations,
  type Request,
  run,
  type Table,
} from './dynalite.ts';
import { oldItem, prepareTransaction } from './transactions.ts';

export type { Change, FeedReader } from './change-feed.ts';

export interface DynamoDbOptions {
  /** Where the tables live; in memory without one. */
  directory?: string;
  port?: number;
  /** Told of every change after it is stored. What must survive a kill reads `changes` instead. */
  onChange?: (change: Change) => void;
  /** How often expired items are looked for. */
  timeToLiveSweepMs?: number;
}

export interface DynamoDb {
  endpoint: string;
  /** One operation without HTTP: `call('CreateTable', { … })`. */
  call: (operation: string, request: Request) => Promise<Answer>;
  /** The durable change feed of a table, as one named reader. */
  changes: (table: string, reader: string) => Promise<FeedReader>;
  onChange: (listener: (change: Change) => void) => void;
  stop: () => Promise<void>;
}

/** What dynalite does not keep about a table. */
interface TableSettings {
  keys: string[];
  timeToLiveAttribute?: string;
  stream?: Request;
}

const writes = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']);
const transactionTokenLifeMs = 10 * 60_000;
const settingsPrefix = 'table-settings~';

/** dynalite with what it lacks: transactions, time to live, the old item of a failed condition, a durable change feed. */
export async function startDynamoDb(options: DynamoDbOptions = {}): Promise<DynamoDb> {
  const store = openStore(options.directory);
  await store.db.open();
  const feed = await openChangeFeed(store.db);
  if (options.onChange) feed.onChange(options.onChange);

  const tables = new Map<string, TableSettings>();
  for await (const [key, value] of store.db.iterator({ gt: settingsPrefix, lt: `${settingsPrefix}~` })) {
    tables.set(key.slice(settingsPrefix.length), value as TableSettings);
  }
  await finishTables(store.db);
  const transactionTokens = new Map<string, { items: string; at: number }>();

  // One write at a time, so that the images of a change are exactly what it replaced.
  let writing: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = writing.then(work);
    writing = result.catch(() => undefined);
    return result;
  };

  const commit = async (held: PendingWrites, byTimeToLive = false) => {
    const streamed = [...held.items.values()].filter(({ table }) => tables.get(table)?.stream);
    const changes = feed.record(streamed, (table) => tables.get(table)?.keys ?? [], byTimeToLive);
    await store.db.batch([...held.batch, ...feed.toBatch(changes)]);
    feed.announce(changes);
  };

  const write = async (operation: string, request: Request, byTimeToLive = false): Promise<Answer> => {
    const held = holdBackWrites(store);
    try {
      const answer = await run(held.store, operation, request);
      await commit(held, byTimeToLive);
      return answer;
    } catch (error) {
      if (error instanceof DynamoDbError && error.type === 'ConditionalCheckFailedException') {
        throw new DynamoDbError(error.statusCode, { ...error.body, ...oldItem(request, held) });
      }
      throw error;
    }
  };

  const transact = async (request: Request): Promise<Answer> => {
    const token = request.ClientRequestToken as string | undefined;
    const items = JSON.stringify(request.TransactItems);
    const known = token === undefined ? undefined : transactionTokens.get(token);
    if (known && Date.now() - known.at < transactionTokenLifeMs) {
      if (known.items === items) return {};
      throw DynamoDbError.of('IdempotentParameterMismatchException', 'The token was used with other parameters');
    }
    await commit(await prepareTransaction(store, request));
    if (token !== undefined) transactionTokens.set(token, { items, at: Date.now() });
    return {};
  };

  const saveSettings = async (table: string, settings: TableSettings) => {
    tables.set(table, settings);
    await store.db.batch([{ type: 'put', key: settingsPrefix + table, value: settings }]);
  };

  const createTable = async (request: Request): Promise<Answer> => {
    const name = String(request.TableName);
    if (!(await findTable(store, name).catch(() => undefined))) {
      const keySchema = request.KeySchema as { AttributeName: string }[];
      const { StreamEnabled, ...stream } = (request.StreamSpecification ?? {}) as Request;
      const keys = keySchema.map(({ AttributeName }) => AttributeName);
      // Before the table itself: a kill in between must not leave a table whose changes are not fed.
      await saveSettings(name, StreamEnabled || stream.StreamViewType ? { keys, stream } : { keys });
    }
    const answer = await run(store, 'CreateTable', request);
    // dynalite makes a table usable a moment after it has answered: callers do not have to wait for that here.
    while ((await findTable(store, name)).TableStatus !== 'ACTIVE') {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return answer;
  };

  const describeTable = async (request: Request): Promise<Answer> => {
    const answer = await run(store, 'DescribeTable', request);
    const stream = tables.get(String(request.TableName))?.stream;
    if (stream) Object.assign(answer.Table as Answer, { StreamSpecification: { StreamEnabled: true, ...stream } });
    return answer;
  };

  const timeToLive = async (operation: string, request: Request): Promise<Answer> => {
    const { TableName } = await findTable(store, String(request.TableName));
    const settings = tables.get(TableName) ?? { keys: [] };
    if (operation === 'UpdateTimeToLive') {
      const specification = request.TimeToLiveSpecification as { AttributeName: string; Enabled: boolean };
      const { timeToLiveAttribute: _, ...rest } = settings;
      const attribute = specification.Enabled ? { timeToLiveAttribute: specification.AttributeName } : {};
      await saveSettings(TableName, { ...rest, ...attribute });
      return { TimeToLiveSpecification: specification };
    }
    const AttributeName = settings.timeToLiveAttribute;
    return {
      TimeToLiveDescription: AttributeName
        ? { TimeToLiveStatus: 'ENABLED', AttributeName }
        : { TimeToLiveStatus: 'DISABLED' },
    };
  };

  const call = async (operation: string, request: Request): Promise<Answer> => {
    if (writes.has(operation)) return inTurn(() => write(operation, request));
    if (operation === 'TransactWriteItems') return inTurn(() => transact(request));
    if (operation === 'TransactGetItems') {
      return inTurn(async () => {
        const gets = request.TransactItems as { Get: Request }[];
        return { Responses: await Promise.all(gets.map(({ Get }) => run(store, 'GetItem', Get))) };
      });
    }
    if (operation === 'CreateTable') return inTurn(() => createTable(request));
    if (operation === 'DescribeTable') return describeTable(request);
    if (operation === 'UpdateTimeToLive' || operation === 'DescribeTimeToLive') return timeToLive(operation, request);
    if (operations.has(operation)) return run(store, operation, request);
    throw DynamoDbError.of('UnknownOperationException', `The local DynamoDB does not know ${operation}`);
  };

  const removeExpired = async () => {
    for (const [table, { keys, timeToLiveAttribute }] of tables) {
      if (!timeToLiveAttribute) continue;
      const expired = {
        TableName: table,
        ExpressionAttributeNames: { '#expires': timeToLiveAttribute },
        ExpressionAttributeValues: { ':number': { S: 'N' }, ':now': { N: String(Math.floor(Date.now() / 1000)) } },
      };
      const condition = 'attribute_type(#expires, :number) AND #expires < :now';
      const { Items } = await run(store, 'Scan', { ...expired, FilterExpression: condition });
      for (const item of Items as Item[]) {
        const Key = Object.fromEntries(keys.map((name) => [name, item[name]]));
        // Conditional: the item may have been given a longer life since the scan.
        const removal = { ...expired, Key, ConditionExpression: condition };
        await inTurn(() => write('DeleteItem', removal, true)).catch((error: unknown) => {
          if (!(error instanceof DynamoDbError)) throw error;
        });
      }
    }
  };
  let sweep: Promise<void> | undefined;
  const sweeper = setInterval(() => {
    sweep ??= removeExpired()
      .catch((error: unknown) => console.error(error))
      .finally(() => {
        sweep = undefined;
      });
  }, options.timeToLiveSweepMs ?? 10_000);
  sweeper.unref();

  const server = await listenOnLoopback(async (request, response) => {
    const contentType = 'application/x-amz-json-1.0';
    const operation = String(request.headers['x-amz-target'] ?? '').split('.')[1] ?? '';
    try {
      const body = await readBody(request);
      sendJson(response, 200, await call(operation, JSON.parse(body.toString() || '{}')), contentType);
    } catch (error) {
      if (error instanceof DynamoDbError) return sendJson(response, error.statusCode, error.body, contentType);
      console.error(error);
      sendJson(response, 500, { __type: 'InternalServerError', message: 'Internal server error' }, contentType);
    }
  }, options.port);

  return {
    endpoint: server.url,
    call,
    changes: feed.reader,
    onChange: feed.onChange,
    async stop() {
      clearInterval(sweeper);
      await server.stop();
      await Promise.all([writing, sweep]);
      await store.db.close();
    },
  };
}

/** A kill during CreateTable leaves a table that is being created for ever; it holds nothing yet and is complete. */
async function finishTables(database: Level): Promise<void> {
  for await (const [key, value] of database.iterator({ gt: 'table~', lt: 'table~~' })) {
    const table = value as Table & { GlobalSecondaryIndexes?: { IndexStatus: string }[] };
    if (table.TableStatus !== 'CREATING') continue;
    table.TableStatus = 'ACTIVE';
    for (const index of table.GlobalSecondaryIndexes ?? []) index.IndexStatus = 'ACTIVE';
    await database.batch([{ type: 'put', key, value: table }]);
  }
}
