import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type Breaker, breaker } from '../domain/breaker.ts';
import type { Breakers } from '../domain/ports.ts';
import { breakerCacheSeconds } from '../domain/times.ts';
import { unlessConditionFails } from './conditional.ts';

function breakerOf(item: Record<string, AttributeValue>): Breaker {
  const { id: _, ...row } = unmarshall(item);
  return breaker.parse(row);
}

export function dynamoBreakers(client: DynamoDBClient, table: string, now: () => Date): Breakers {
  const cached = new Map<string, { state: Breaker | undefined; readAt: number }>();
  const remember = (key: string, state: Breaker | undefined) => {
    if (cached.size > 1000) cached.clear();
    cached.set(key, { state, readAt: now().getTime() });
    return state;
  };
  return {
    async read(key) {
      const known = cached.get(key);
      if (known && now().getTime() - known.readAt < breakerCacheSeconds * 1000) return known.state;
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: marshall({ id: key }) }));
      return remember(key, Item && breakerOf(Item));
    },

    async open(key, state) {
      // The worker that opens it last may only prolong: the stream of faults of many workers ends in one row.
      await unlessConditionFails(
        client.send(
          new PutItemCommand({
            TableName: table,
            Item: marshall({ id: key, ...state }),
            ConditionExpression: 'attribute_not_exists(id) OR openUntil < :until',
            ExpressionAttributeValues: marshall({ ':until': state.openUntil }),
          }),
        ),
      );
      remember(key, state);
    },

    async probe(key, at, probeUntil) {
      const won = await unlessConditionFails(
        client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: marshall({ id: key }),
            UpdateExpression: 'SET probeUntil = :probeUntil',
            ConditionExpression: 'openUntil <= :now AND probeUntil <= :now',
            ExpressionAttributeValues: marshall({ ':probeUntil': probeUntil, ':now': at }),
          }),
        ),
      );
      cached.delete(key);
      return won;
    },

    async close(key) {
      await client.send(new DeleteItemCommand({ TableName: table, Key: marshall({ id: key }) }));
      remember(key, undefined);
    },
  };
}
