import { isDeepStrictEqual } from 'node:util';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { type Delivery, delivery, goneOn, positionOf, timePlaceOf } from '../domain/delivery.ts';
import { eventId, partsOfEventId } from '../domain/event.ts';
import { tolerantly, understood } from '../domain/later.ts';
import type { Deliveries } from '../domain/ports.ts';
import { epochSeconds, longestScheduleSeconds } from '../domain/times.ts';
import { updateExpression } from './conditional.ts';
import { indexPage, rowsAt } from './pages.ts';
import { shardOf } from './verifications.ts';

/** No twin wrote meanwhile: `updatedAt` grows with every write. */
const notWrittenMeanwhile = 'updatedAt = :readUpdatedAt';

/**
 * One row an event and endpoint, under what the event is about. A delivery that is taken at once costs two write units:
 * the row, and its line in `by_endpoint`; the other two indexes hold only what was not delivered.
 */
export function dynamoDeliveries(client: DynamoDBClient, table: string, now: () => Date): Deliveries {
  /** DynamoDB deletes what is over within days: until then it is there, and counts no more. */
  const current = ({ purgeAt }: Delivery) => purgeAt > epochSeconds(now());

  /** What it was lost to may be our own write, of which only the answer was lost. */
  function unlessOurs(error: unknown, ours: Delivery): Delivery | undefined {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return error.Item && isDeepStrictEqual(deliveryOf(error.Item), deliveryOf(rowOf(ours))) ? ours : undefined;
  }

  return {
    async find(id, endpointId) {
      const key = keyOf(id, endpointId);
      if (!key) return undefined;
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }));
      const found = Item && deliveryOf(Item);
      return found && current(found) ? found : undefined;
    },

    async begin(begun) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: rowOf(begun),
            ConditionExpression: 'attribute_not_exists(about)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        );
        return begun;
      } catch (error) {
        return unlessOurs(error, begun);
      }
    },

    async go(from, fields) {
      const to = goneOn(from, fields, now());
      const [before, after] = [unmarshall(rowOf(from)), unmarshall(rowOf(to))];
      const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
        (name) => !isDeepStrictEqual(before[name], after[name]),
      );
      const set = changed.filter((name) => after[name] !== undefined);
      const removed = changed.filter((name) => after[name] === undefined);
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: marshall({ about: to.about, position: after.position }),
            UpdateExpression: updateExpression(
              set.map((name) => `#${name} = :${name}`),
              removed.map((name) => `#${name}`),
            ),
            ConditionExpression: notWrittenMeanwhile,
            ExpressionAttributeNames: Object.fromEntries(changed.map((name) => [`#${name}`, name])),
            ExpressionAttributeValues: marshall({
              ':readUpdatedAt': from.updatedAt,
              ...Object.fromEntries(set.map((name) => [`:${name}`, after[name]])),
            }),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        );
        return to;
      } catch (error) {
        return unlessOurs(error, to);
      }
    },

    async list({ tenant, about, endpointId, state, limit, after }) {
      const filters: Record<string, unknown> = {};
      let index: Pick<QueryCommandInput, 'IndexName'> & { readonly key: readonly [string, string]; place: string };
      if (about !== undefined) {
        index = { key: ['about', about], place: 'position' };
        Object.assign(filters, { tenant, endpointId, state });
      } else if (state !== undefined && state !== 'delivered') {
        index = { IndexName: 'by_state', key: ['tenantState', `${tenant}#${state}`], place: 'newest' };
        Object.assign(filters, { endpointId });
      } else if (endpointId !== undefined) {
        index = { IndexName: 'by_endpoint', key: ['ofEndpoint', `${tenant}#${endpointId}`], place: 'newest' };
        Object.assign(filters, { state });
      } else throw new Error('Deliveries are listed by verification, endpoint, or a state other than delivered');
      const filtered = Object.keys(filters).filter((name) => filters[name] !== undefined);
      const { rows, last } = await indexPage(
        client,
        {
          TableName: table,
          IndexName: index.IndexName,
          KeyConditionExpression: `#key = :key${after === undefined ? '' : ' AND #place < :after'}`,
          ...(filtered.length > 0 && { FilterExpression: filtered.map((name) => `#${name} = :${name}`).join(' AND ') }),
          ExpressionAttributeNames: {
            '#key': index.key[0],
            ...(after !== undefined && { '#place': index.place }),
            ...Object.fromEntries(filtered.map((name) => [`#${name}`, name])),
          },
          ExpressionAttributeValues: marshall({
            ':key': index.key[1],
            ...(after !== undefined && { ':after': after }),
            ...Object.fromEntries(filtered.map((name) => [`:${name}`, filters[name]])),
          }),
          ScanIndexForward: false,
        },
        limit,
      );
      const found = await rowsAt(
        client,
        table,
        rows.map(({ about: of, position }) => ({ about: of, position }) as Record<string, AttributeValue>),
      );
      const places = new Map(found.map((row) => [row, row[index.place]?.S ?? '']));
      const items = found
        .sort((one, other) => ((places.get(one) ?? '') < (places.get(other) ?? '') ? 1 : -1))
        .map(listedOf)
        .filter((item) => current(item) && (state === undefined || item.state === state));
      return { items, next: last && z.string().parse(last[index.place]?.S) };
    },

    async tookSince(tenant, endpointId, since) {
      const query: QueryCommandInput = {
        TableName: table,
        IndexName: 'by_endpoint',
        KeyConditionExpression: 'ofEndpoint = :ofEndpoint AND newest >= :oldest',
        FilterExpression: 'tookAt >= :since',
        ExpressionAttributeValues: marshall({
          ':ofEndpoint': `${tenant}#${endpointId}`,
          ':oldest': new Date(Date.parse(since) - longestScheduleSeconds * 1000).toISOString(),
          ':since': since,
        }),
        ScanIndexForward: false,
      };
      let start: Record<string, AttributeValue> | undefined;
      do {
        const { Count = 0, LastEvaluatedKey } = await client.send(
          new QueryCommand({ ...query, Select: 'COUNT', ExclusiveStartKey: start }),
        );
        if (Count > 0) return true;
        start = LastEvaluatedKey;
      } while (start);
      return false;
    },

    async due({ shard, now: at, limit, after }) {
      const dueShard = String(shard);
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          IndexName: 'by_due',
          KeyConditionExpression: 'dueShard = :dueShard AND dueAt <= :now',
          ExpressionAttributeValues: marshall({ ':dueShard': dueShard, ':now': epochSeconds(at) }),
          Limit: limit,
          ...(after && {
            ExclusiveStartKey: {
              ...keyOf(after.eventId, after.endpointId),
              ...marshall({ dueShard, dueAt: after.dueAt }),
            },
          }),
        }),
      );
      return Items.map((item) => {
        const { about, position, dueAt } = dueKeys.parse(unmarshall(item));
        const [sequence, endpointId] = position.split('#') as [string, string];
        const named = { eventId: eventId(about, Number(sequence)), dueAt };
        return { ...named, endpointId: delivery.shape.endpointId.parse(endpointId) };
      });
    },
  };
}

const dueKeys = z.object({ about: z.string(), position: z.string(), dueAt: z.number() });

function keyOf(id: string, endpointId: Delivery['endpointId']): Record<string, AttributeValue> | undefined {
  const parts = partsOfEventId(id);
  return parts && marshall({ about: parts.about, position: positionOf({ sequence: parts.sequence, endpointId }) });
}

/** Keys of indexes. */
const indexed: readonly string[] = ['position', 'ofEndpoint', 'newest', 'tookAt', 'tenantState', 'dueShard'];

/** The row: the delivery and the keys of its indexes, the sparse ones only where it is not delivered. */
function rowOf(item: Delivery): Record<string, AttributeValue> {
  const { tenant, about, endpointId, state, tries, dueAt } = item;
  const row = {
    ...item,
    position: positionOf(item),
    ofEndpoint: `${tenant}#${endpointId}`,
    // A list by the last change would show a row twice, or never.
    newest: timePlaceOf(item),
    tookAt: tries.findLast(({ error }) => error === undefined)?.at,
    ...(state !== 'delivered' && { tenantState: `${tenant}#${state}` }),
    ...(state === 'waiting' && dueAt !== undefined && { dueShard: String(shardOf(about)) }),
  };
  return marshall(row, { removeUndefinedValues: true });
}

/** A delivery as it is listed, whatever a later version wrote in it. */
const shown = tolerantly(delivery);

function listedOf(item: Record<string, AttributeValue>): Delivery {
  const row = unmarshall(item);
  return shown.parse(Object.fromEntries(Object.entries(row).filter(([name]) => !indexed.includes(name))));
}

/** One to go on with: what decides in it is one of our words, or `version_outdated`. */
const deliveryOf = (item: Record<string, AttributeValue>): Delivery =>
  understood(delivery, listedOf(item), 'this delivery');
