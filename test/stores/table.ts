import { CreateTableCommand, DynamoDBClient, type Projection } from '@aws-sdk/client-dynamodb';
import { type DynamoDb, startDynamoDb } from '../../local/dynamodb/dynamodb.ts';

/** Names of attributes; all are texts but deadlines. The second of a pair sorts. */
type Key = readonly [partition: string, sort?: string];

interface TestTable {
  readonly key: Key;
  readonly indexes?: Readonly<Record<string, { readonly key: Key; readonly holds?: readonly string[] }>>;
}

/** The tables as `infra` makes them. An index holds keys alone unless more is named. */
const tables: Readonly<Record<string, TestTable>> = {
  verifications: {
    key: ['verificationId'],
    indexes: {
      by_state: {
        key: ['tenantState', 'createdAt'],
        holds: ['sourceId', 'check', 'state', 'round', 'sequence', 'verdict', 'updatedAt'],
      },
      by_due: { key: ['dueShard', 'dueAt'] },
      by_failed_subject: { key: ['failedSubject', 'updatedAt'] },
    },
  },
  tenants: { key: ['id'] },
  breakers: { key: ['id'] },
  sightings: { key: ['place'] },
  looks: { key: ['verificationId', 'position'] },
  outcomes: { key: ['tenant', 'position'] },
  events: { key: ['id'], indexes: { by_tenant: { key: ['tenant', 'position'], holds: ['type'] } } },
  deliveries: {
    key: ['about', 'position'],
    indexes: {
      by_endpoint: { key: ['ofEndpoint', 'newest'], holds: ['state', 'tookAt'] },
      by_state: { key: ['tenantState', 'newest'], holds: ['endpointId'] },
      by_due: { key: ['dueShard', 'dueAt'] },
    },
  },
};

/** These tables on the embedded DynamoDB. */
export async function startTables(): Promise<{ client: DynamoDBClient; server: DynamoDb; stop: () => Promise<void> }> {
  const server = await startDynamoDb();
  const client = new DynamoDBClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  for (const [name, table] of Object.entries(tables)) await client.send(creating(name, table));
  return {
    client,
    server,
    stop: async () => {
      client.destroy();
      await server.stop();
    },
  };
}

/** The names of the commands that a client sends from now on, as they are sent. */
export function commandsOf(client: Pick<DynamoDBClient, 'middlewareStack'>): string[] {
  const sent: string[] = [];
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (given) => {
        sent.push(commandName);
        return next(given);
      },
    { step: 'initialize' },
  );
  return sent;
}

function creating(TableName: string, { key, indexes = {} }: TestTable): CreateTableCommand {
  const names = [key, ...Object.values(indexes).map((index) => index.key)].flat().filter((name) => name !== undefined);
  const GlobalSecondaryIndexes = Object.entries(indexes).map(([IndexName, { key: of, holds }]) => ({
    IndexName,
    KeySchema: schemaOf(of),
    Projection: (holds
      ? { ProjectionType: 'INCLUDE', NonKeyAttributes: [...holds] }
      : { ProjectionType: 'KEYS_ONLY' }) satisfies Projection,
  }));
  return new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...new Set(names)].map((AttributeName) => ({
      AttributeName,
      AttributeType: AttributeName === 'dueAt' ? 'N' : 'S',
    })),
    KeySchema: schemaOf(key),
    ...(GlobalSecondaryIndexes.length > 0 && { GlobalSecondaryIndexes }),
  });
}

function schemaOf([partition, sort]: Key) {
  const hash = { AttributeName: partition, KeyType: 'HASH' } as const;
  return sort === undefined ? [hash] : [hash, { AttributeName: sort, KeyType: 'RANGE' } as const];
}
