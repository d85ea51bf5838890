import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { type KeptEvent, keptEvent, placeOf } from '../domain/delivery.ts';
import type { KeptEvents } from '../domain/ports.ts';
import { epochSeconds } from '../domain/times.ts';
import { indexPage, rowsAt } from './pages.ts';

export function dynamoKeptEvents(client: DynamoDBClient, table: string, now: () => Date): KeptEvents {
  /** DynamoDB deletes what is over within days: until then it is there, and counts no more. */
  const current = (event: KeptEvent) => event.purgeAt > epochSeconds(now());

  /** Fields of a later version may be texts of what was erased: none of them stays in an event that was emptied. */
  async function forgetLaterFields(id: string, row: Record<string, AttributeValue>): Promise<void> {
    const names = Object.keys(row).filter((name) => name !== 'position' && !(name in keptEvent.shape));
    if (names.length === 0) return;
    const UpdateExpression = `REMOVE ${names.map((name) => `#${name}`).join(', ')}`;
    const ExpressionAttributeNames = Object.fromEntries(names.map((name) => [`#${name}`, name]));
    await update(id, { UpdateExpression, ExpressionAttributeNames });
  }

  /** Undefined where it was made, else the row that the condition did not hold for. */
  async function update(id: string, change: Omit<UpdateItemCommandInput, 'TableName' | 'Key'>) {
    try {
      const { Attributes } = await client.send(
        new UpdateItemCommand({ TableName: table, Key: marshall({ id }), ...change }),
      );
      if (Attributes) await forgetLaterFields(id, Attributes);
      return undefined;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return { row: error.Item && eventOf(error.Item) };
    }
  }

  return {
    async keep(event) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: rowOf(event),
            ConditionExpression: 'attribute_not_exists(id)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        );
        return event;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException) || !error.Item) throw error;
        return eventOf(error.Item);
      }
    },

    async find(id) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: table, Key: marshall({ id }), ConsistentRead: true }),
      );
      const event = Item && eventOf(Item);
      return event && current(event) ? event : undefined;
    },

    async page({ tenant, since, until, types, limit, after }) {
      const from = after === undefined || after < since ? since : `${after}!`;
      if (from > until) return { items: [] };
      const names = types?.map((_, index) => `:type${index}`);
      const { rows, last } = await indexPage(
        client,
        {
          TableName: table,
          IndexName: 'by_tenant',
          KeyConditionExpression: 'tenant = :tenant AND #position BETWEEN :from AND :until',
          ...(names && { FilterExpression: `#type IN (${names.join(', ')})` }),
          ExpressionAttributeNames: { '#position': 'position', ...(names && { '#type': 'type' }) },
          ExpressionAttributeValues: marshall({
            ':tenant': tenant,
            // A place is longer than the time it begins with: one at `until` comes after it.
            ':from': from,
            ':until': until,
            ...Object.fromEntries((types ?? []).map((type, index) => [`:type${index}`, type])),
          }),
        },
        limit,
      );
      const found = await rowsAt(
        client,
        table,
        rows.map(({ id }) => ({ id }) as Record<string, AttributeValue>),
      );
      const items = found
        .map(eventOf)
        .filter(current)
        .sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
      return { items, next: last && z.string().parse(last.position?.S) };
    },

    async empty(events) {
      await Promise.all(
        events.map(async (event) => {
          const { id, ...fields } = unmarshall(rowOf(event));
          const names = Object.keys(fields);
          await update(id, {
            UpdateExpression: `SET ${names.map((name) => `#${name} = if_not_exists(#${name}, :${name})`).join(', ')} REMOVE #data, #verdict, #metadata, #awaitedBy`,
            ExpressionAttributeNames: Object.fromEntries(
              [...names, 'data', 'verdict', 'metadata', 'awaitedBy'].map((name) => [`#${name}`, name]),
            ),
            ExpressionAttributeValues: marshall(
              Object.fromEntries(Object.entries(fields).map(([name, value]) => [`:${name}`, value])),
            ),
            ReturnValues: 'ALL_NEW',
          });
        }),
      );
    },

    async noLongerAwaited(id, endpointId) {
      const only = marshall({ ':only': new Set([endpointId]) });
      for (;;) {
        const removed = await update(id, {
          UpdateExpression: 'REMOVE #data, verdict, metadata, awaitedBy',
          ConditionExpression: 'awaitedBy = :only',
          ExpressionAttributeNames: { '#data': 'data' },
          ExpressionAttributeValues: only,
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        if (!removed?.row?.awaitedBy?.includes(endpointId)) return;
        // Of two that are the last but one, one may be the last by now: then it is looked at again.
        const left = await update(id, {
          UpdateExpression: 'DELETE awaitedBy :only',
          ConditionExpression: 'size(awaitedBy) > :one',
          ExpressionAttributeValues: { ...only, ':one': { N: '1' } },
        });
        if (!left) return;
      }
    },
  };
}

function rowOf(event: KeptEvent): Record<string, AttributeValue> {
  const { awaitedBy, ...fields } = event;
  const row = {
    ...fields,
    ...(awaitedBy && awaitedBy.length > 0 && { awaitedBy: new Set(awaitedBy) }),
    position: placeOf(event),
  };
  return marshall(row, { removeUndefinedValues: true });
}

function eventOf(item: Record<string, AttributeValue>): KeptEvent {
  const { position: _, ...row } = unmarshall(item);
  return keptEvent.parse(row.awaitedBy instanceof Set ? { ...row, awaitedBy: [...row.awaitedBy].sort() } : row);
}
