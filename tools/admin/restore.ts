import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  PutItemCommand,
  paginateScan,
  ResourceNotFoundException,
  RestoreTableToPointInTimeCommand,
  type ScanCommandInput,
  type TableDescription,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { type Commands, timeIn } from './command.ts';
import type { Operations } from './operations.ts';

/** What names the new tables: an ending of the names of those that they are made of. */
const ending = /^[a-z0-9-]{1,24}$/;
const betweenLooksMilliseconds = 2000;

export const restoreCommands: Commands = {
  restore: {
    words: 2,
    run: async ([suffix = '', file = ''], { connect, at }) => {
      if (!ending.test(suffix))
        throw new Error('Name the new tables by an ending of 1 to 24 of a-z 0-9 -, such as at-noon');
      const { stackName, operations } = await connect();
      const { dynamodb, outputs } = operations();
      const names = tablesIn(outputs).map(([output, source]) => ({ output, source, target: `${source}-${suffix}` }));
      for (const { target } of names) await refuseLiving(dynamodb, target);
      const time =
        at === undefined
          ? await latest(
              dynamodb,
              names.map(({ source }) => source),
            )
          : timeIn(at);
      for (const { source: SourceTableName, target: TargetTableName } of names) {
        await dynamodb.send(
          new RestoreTableToPointInTimeCommand({ SourceTableName, TargetTableName, RestoreDateTime: time }),
        );
      }
      for (const { source, target } of names) await likeIts(dynamodb, source, target);
      const erased = await carryErasures(dynamodb, names, time);
      const restored = Object.fromEntries(names.map(({ output, target }) => [output, target]));
      await writeFile(file, `${JSON.stringify({ [stackName]: { ...outputs, ...restored } }, null, 2)}\n`);
      console.log(`Restored to ${time.toISOString()}: ${names.map(({ target }) => target).join(', ')}`);
      console.log(
        `${erased} rows that were erased since stay erased. No stack uses these tables yet: ${file} names them.`,
      );
    },
  },
};

/** Those that are kept when a stack goes: the others fill again by themselves. */
function tablesIn(outputs: Operations['outputs']): [output: string, table: string][] {
  const kept = ['VerificationsTable', 'TenantsTable', 'EventsTable', 'DeliveriesTable', 'LooksTable'];
  return kept.map((output) => {
    const table = outputs[output];
    if (table === undefined) throw new Error(`The stack has no output ${output}`);
    return [output, table];
  });
}

async function refuseLiving(client: DynamoDBClient, table: string): Promise<void> {
  if (await described(client, table))
    throw new Error(`There is a table ${table}: restore makes new ones, by another ending`);
}

async function described(client: DynamoDBClient, TableName: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

/** The latest that all can be restored to: one time for all of them, so that they fit together. */
async function latest(client: DynamoDBClient, tables: readonly string[]): Promise<Date> {
  const times = await Promise.all(
    tables.map(async (TableName) => {
      const answer = await client.send(new DescribeContinuousBackupsCommand({ TableName }));
      return answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.LatestRestorableDateTime?.getTime();
    }),
  );
  const known = times.filter((time) => time !== undefined);
  return new Date(Math.min(...known, Date.now()));
}

/** What a restore leaves out: time to live, the stream, backups and protection, as the table has them that it is made of. */
async function likeIts(client: DynamoDBClient, source: string, target: string): Promise<void> {
  const { StreamSpecification, DeletionProtectionEnabled } = (await described(client, source)) ?? {};
  await active(client, target);
  if (StreamSpecification) await client.send(new UpdateTableCommand({ TableName: target, StreamSpecification }));
  await active(client, target);
  await client.send(new UpdateTableCommand({ TableName: target, DeletionProtectionEnabled }));
  await active(client, target);
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: source }));
  const { AttributeName } = TimeToLiveDescription ?? {};
  if (AttributeName !== undefined) {
    const TimeToLiveSpecification = { AttributeName, Enabled: true };
    await client.send(new UpdateTimeToLiveCommand({ TableName: target, TimeToLiveSpecification }));
  }
  const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
  await client.send(new UpdateContinuousBackupsCommand({ TableName: target, PointInTimeRecoverySpecification }));
}

/** A restore takes from minutes to hours. */
async function active(client: DynamoDBClient, table: string): Promise<void> {
  while ((await described(client, table))?.TableStatus !== 'ACTIVE') await sleep(betweenLooksMilliseconds);
}

/**
 * What a person had erased stays so, whatever the time that the tables go back to: tombstones of since then, and events whose
 * texts went with them, are put in the place of what was restored. Rows are as they were, so doing it twice is doing it once.
 */
async function carryErasures(
  client: DynamoDBClient,
  names: readonly { readonly output: string; readonly source: string; readonly target: string }[],
  time: Date,
): Promise<number> {
  const isErased: Readonly<Record<string, Omit<ScanCommandInput, 'TableName'>>> = {
    VerificationsTable: {
      FilterExpression: '#state = :erased AND updatedAt >= :time',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':erased': { S: 'erased' }, ':time': { S: time.toISOString() } },
    },
    EventsTable: { FilterExpression: 'attribute_not_exists(#data)', ExpressionAttributeNames: { '#data': 'data' } },
  };
  let carried = 0;
  for (const { output, source, target } of names) {
    const reading = isErased[output];
    if (!reading) continue;
    for await (const { Items = [] } of paginateScan(
      { client },
      { TableName: source, ConsistentRead: true, ...reading },
    )) {
      for (const Item of Items) await client.send(new PutItemCommand({ TableName: target, Item }));
      carried += Items.length;
    }
  }
  return carried;
}
