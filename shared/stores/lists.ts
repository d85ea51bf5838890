import {
  type AttributeValue,
  type DynamoDBClient,
  paginateQuery,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { check } from '../domain/captures.ts';
import { orLater, tolerant } from '../domain/later.ts';
import type { Listed, ListQuery, PageStart } from '../domain/ports.ts';
import { verdict } from '../domain/verdict.ts';
import { type State, sourceId, state, states, verificationId } from '../domain/verification.ts';

const listed = tolerant({
  verificationId,
  sourceId: sourceId.optional(),
  check: orLater(check),
  state: orLater(state),
  round: z.int(),
  sequence: z.int(),
  verdict: verdict.optional(),
  createdAt: z.string(),
  updatedAt: z.string(),
});

type Query = (page: Omit<QueryCommandInput, 'TableName'>) => Promise<QueryCommandOutput>;

/** Rows read at once where a filter leaves some of them out. */
const filteredPage = 100;

/**
 * A page of the index `by_state`, newest first. Each state is a partition of its own, in which rows of one millisecond
 * come in no order that a later page could count on: those are read together and ordered by their id.
 */
export async function listPage(
  query: ListQuery,
  send: Query,
): Promise<{ items: Listed[]; next?: PageStart | undefined }> {
  const { limit, after } = query;
  const partitions = query.states.map((one) => rowsOf(one, query, send));
  const heads = await Promise.all(partitions.map((rows) => rows.next()));
  const items: Listed[] = [];
  for (;;) {
    const newest = heads.reduce(
      (latest, { value }) => (value && value.createdAt > latest ? value.createdAt : latest),
      '',
    );
    if (newest === '') return { items };
    const together: Listed[] = [];
    for (const [index, rows] of partitions.entries()) {
      for (let head = heads[index]; head?.value?.createdAt === newest; head = heads[index]) {
        together.push(head.value);
        heads[index] = await rows.next();
      }
    }
    for (const item of together.sort((one, other) => (one.verificationId < other.verificationId ? 1 : -1))) {
      if (after?.createdAt === newest && item.verificationId >= after.verificationId) continue; // on the page before
      const last = items.at(-1);
      if (items.length === limit && last) {
        return { items, next: { verificationId: last.verificationId, createdAt: last.createdAt } };
      }
      items.push(item);
    }
  }
}

/**
 * Ids of all of a tenant's verifications, state by state as they move through them: one that moves meanwhile may come
 * twice. Nothing else of a row is read, so that one that cannot be is met where its record is.
 */
export async function* everyId(client: DynamoDBClient, table: string, tenant: string): AsyncGenerator<string> {
  for (const wanted of states) {
    const query = {
      TableName: table,
      IndexName: 'by_state',
      KeyConditionExpression: 'tenantState = :tenantState',
      ExpressionAttributeValues: marshall({ ':tenantState': `${tenant}#${wanted}` }),
      ProjectionExpression: 'verificationId',
    };
    for await (const { Items = [] } of paginateQuery({ client }, query)) {
      for (const item of Items) yield verificationId.parse(unmarshall(item).verificationId);
    }
  }
}

/** Rows of one partition, newest first, from where the page begins. */
async function* rowsOf(
  wanted: State,
  { tenant, check, outcome, from = '0', to, after, limit }: ListQuery,
  send: Query,
): AsyncGenerator<Listed, undefined> {
  const filters = [...(check ? ['#check = :check'] : []), ...(outcome ? ['#verdict.#outcome = :outcome'] : [])];
  const newest = [after?.createdAt ?? '9', ...(to ? [justBefore(to)] : [])].sort()[0];
  let start: Record<string, AttributeValue> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await send({
      IndexName: 'by_state',
      KeyConditionExpression: 'tenantState = :tenantState AND createdAt BETWEEN :from AND :newest',
      ...(filters.length > 0 && { FilterExpression: filters.join(' AND ') }),
      ...(filters.length > 0 && {
        ExpressionAttributeNames: {
          ...(check && { '#check': 'check' }),
          ...(outcome && { '#verdict': 'verdict', '#outcome': 'outcome' }),
        },
      }),
      ExpressionAttributeValues: marshall({
        ':tenantState': `${tenant}#${wanted}`,
        ':from': from,
        ':newest': newest,
        ...(check && { ':check': check }),
        ...(outcome && { ':outcome': outcome }),
      }),
      ScanIndexForward: false,
      Limit: filters.length > 0 ? filteredPage : limit + 1,
      ExclusiveStartKey: start,
    });
    for (const item of Items) yield listed.parse(unmarshall(item));
    start = LastEvaluatedKey;
  } while (start);
}

/** The last millisecond before a time: the index has no "less than and at least". */
function justBefore(time: string): string {
  return new Date(Date.parse(time) - 1).toISOString();
}
