import path from 'node:path';
import type { Part } from '../part.ts';
import type { Template } from '../template.ts';
import { type DynamoDb, startDynamoDb } from './dynamodb.ts';

/** The tables, in `dynamodb/` of the data directory. */
export const dynamoDb: Part<unknown, { dynamoDb: DynamoDb }> = async ({ template, dataDirectory }) => {
  const started = await startDynamoDb({ directory: path.join(dataDirectory, 'dynamodb') });
  try {
    for (const table of tablesOf(template)) await ensureTable(started, table);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return { gives: { dynamoDb: started }, stop: started.stop };
};

function tablesOf(template: Template) {
  return template.ofType('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable').map((resource) => {
    const properties = template.properties(resource);
    const stream = properties.StreamSpecification as { StreamViewType: string } | undefined;
    const indexes = properties.GlobalSecondaryIndexes as Record<string, unknown>[] | undefined;
    const timeToLive = properties.TimeToLiveSpecification as { AttributeName: string; Enabled: boolean } | undefined;
    return {
      timeToLive,
      request: {
        TableName: resource.name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: properties.AttributeDefinitions,
        KeySchema: properties.KeySchema,
        ...(indexes && {
          GlobalSecondaryIndexes: indexes.map(({ IndexName, KeySchema, Projection }) => ({
            IndexName,
            KeySchema,
            Projection,
          })),
        }),
        ...(stream && { StreamSpecification: { StreamEnabled: true, ...stream } }),
      },
    };
  });
}

/** Creates a table, or makes sure that the one on disk is the one the template describes. */
async function ensureTable(
  database: DynamoDb,
  { request, timeToLive }: ReturnType<typeof tablesOf>[number],
): Promise<void> {
  const { TableName } = request;
  const known = await database.call('DescribeTable', { TableName }).catch(() => undefined);
  if (!known) await database.call('CreateTable', request);
  else if (shapeOf(known.Table) !== shapeOf(request)) {
    throw new Error(
      `The data on disk has another ${TableName} than this version: remove it or choose another directory`,
    );
  }
  if (timeToLive) await database.call('UpdateTimeToLive', { TableName, TimeToLiveSpecification: timeToLive });
}

/** What cannot be changed under stored items: the keys of the table and of its indexes. */
function shapeOf(table: unknown): string {
  type Keyed = { IndexName?: string; KeySchema: unknown; Projection?: unknown; GlobalSecondaryIndexes?: Keyed[] };
  const { KeySchema, GlobalSecondaryIndexes = [] } = table as Keyed;
  const indexes = GlobalSecondaryIndexes.map(({ IndexName, KeySchema: keys, Projection }) => {
    return [IndexName, keys, Object.entries(Projection ?? {}).sort()];
  });
  return JSON.stringify([KeySchema, indexes.sort()]);
}
