import {
  type AttributeValue,
  BatchGetItemCommand,
  type DynamoDBClient,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';

type Item = Record<string, AttributeValue>;

/** DynamoDB reads no more at once. */
const perRead = 100;

/** The rows of these keys as they are now, in no order. What is not there is left out. */
export async function rowsAt(client: DynamoDBClient, table: string, keys: readonly Item[]): Promise<Item[]> {
  const chunks = Array.from({ length: Math.ceil(keys.length / perRead) }, (_, index) =>
    keys.slice(index * perRead, (index + 1) * perRead),
  );
  const read = async (chunk: readonly Item[]) => {
    const found: Item[] = [];
    for (let left = [...chunk]; left.length > 0; ) {
      const answer = await client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: { Keys: left, ConsistentRead: true } } }),
      );
      found.push(...(answer.Responses?.[table] ?? []));
      left = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }
    return found;
  };
  return (await Promise.all(chunks.map(read))).flat();
}

/** Rows of an index one page looks at where a filter leaves nearly all of them out: then it ends short of its limit. */
const rowsPerQuery = 1000;
const queriesPerPage = 10;

/**
 * A page of an index: at most `limit` rows that pass the filter, and the last row that was looked at unless there are no
 * more.
 */
export async function indexPage(
  client: DynamoDBClient,
  query: QueryCommandInput,
  limit: number,
): Promise<{ readonly rows: Item[]; readonly last?: Item | undefined }> {
  const rows: Item[] = [];
  const { FilterExpression } = query;
  let start: Item | undefined;
  for (let asked = 0; asked < queriesPerPage; asked += 1) {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        ...query,
        Limit: FilterExpression ? rowsPerQuery : limit + 1 - rows.length,
        ExclusiveStartKey: start,
      }),
    );
    rows.push(...Items);
    if (rows.length > limit) return { rows: rows.slice(0, limit), last: rows[limit - 1] };
    if (!LastEvaluatedKey) return { rows };
    start = LastEvaluatedKey;
  }
  return { rows, last: start };
}
