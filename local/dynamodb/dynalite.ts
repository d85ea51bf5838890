import { createRequire } from 'node:module';

// dynalite 4.0.0 is plain JavaScript without types. We use its expression parser, validations, actions and key
// encoding, but not its HTTP server: calling the actions on a store of our own lets one write commit the item, its
// index entries and its change record in one LevelDB batch (see atomic-writes.ts). The version is pinned.

export type AttributeValue = Record<string, unknown>;
export type Item = Record<string, AttributeValue>;
export type Callback<T> = (error: Error | null, value?: T) => void;
export type Batch = ({ type: 'put'; key: string; value: unknown } | { type: 'del'; key: string })[];

export interface SubDatabase {
  get(key: string, callback: Callback<Item>): void;
  put(key: string, value: unknown, callback: Callback<void>): void;
  del(key: string, callback: Callback<void>): void;
  lock(key: string, work: (release: unknown) => void): void;
}

export interface Level {
  open(): Promise<void>;
  close(): Promise<void>;
  get(key: string): Promise<unknown>;
  batch(operations: Batch): Promise<void>;
  iterator(range: { gt?: string; gte?: string; lt?: string; limit?: number }): AsyncIterable<[string, unknown]>;
}

export interface Table {
  TableName: string;
  TableArn: string;
  TableStatus: string;
  KeySchema: { AttributeName: string; KeyType: string }[];
}

export interface Store {
  db: Level;
  getItemDb(table: string): SubDatabase;
  getIndexDb(type: string, table: string, index: string): SubDatabase;
  getTable(name: string, onlyActive: boolean, callback: Callback<Table>): void;
}

export type Request = Record<string, unknown>;
export type Answer = Record<string, unknown>;
type Action = (store: Store, request: Request, callback: Callback<Answer>) => void;

/** What dynalite throws and what we throw: an HTTP status and DynamoDB's JSON error. */
export class DynamoDbError extends Error {
  readonly statusCode: number;
  readonly body: Answer;
  constructor(statusCode: number, body: Answer) {
    super(String(body.message ?? body.Message ?? body.__type));
    this.statusCode = statusCode;
    this.body = body;
  }

  static of(type: string, message: string, more: Answer = {}): DynamoDbError {
    return new DynamoDbError(400, { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message, ...more });
  }

  /** The exception's name without its namespace, `ConditionalCheckFailedException` for example. */
  get type(): string {
    return String(this.body.__type).split('#').at(-1) ?? '';
  }
}

const require = createRequire(import.meta.url);
const database = require('dynalite/db') as {
  create(options: Record<string, unknown>): Store;
  createKey(item: Item, table: Table): string;
};
const validations = require('dynalite/validations') as {
  checkTypes(request: Request, types: unknown): Request;
  checkValidations(request: Request, types: unknown, custom: unknown, store: Store): void;
};

export const operations = new Set(
  (
    'BatchGetItem BatchWriteItem CreateTable DeleteItem DeleteTable DescribeTable GetItem ListTables PutItem ' +
    'Query Scan UpdateItem UpdateTable'
  ).split(' '),
);

/** Opens a store on disk, or in memory when there is no directory. */
export function openStore(directory: string | undefined): Store {
  return database.create({ path: directory, createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });
}

export function findTable(store: Store, name: string): Promise<Table> {
  return promised((callback) => store.getTable(name, false, callback));
}

/** Validates a request as DynamoDB does and runs it against a store. */
export async function run(store: Store, operation: string, request: Request): Promise<Answer> {
  const file = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}`;
  const { types, custom } = require(`dynalite/validations/${file}`) as { types: unknown; custom: unknown };
  const action = require(`dynalite/actions/${file}`) as Action;
  return promised((callback) => {
    // checkTypes deletes what it does not know from its argument, so it gets a copy.
    const checked = validations.checkTypes(structuredClone(request), types);
    validations.checkValidations(checked, types, custom, store);
    action(store, checked, callback);
  });
}

function promised<T>(start: (callback: Callback<T>) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as T)));
  }).catch((error: unknown) => {
    const { statusCode, body } = error as Partial<DynamoDbError>;
    throw statusCode && body ? new DynamoDbError(statusCode, body) : error;
  });
}
