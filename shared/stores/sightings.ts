import { BatchGetItemCommand, DeleteItemCommand, type DynamoDBClient, type Put } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type { Sighting, Sightings } from '../domain/ports.ts';
import { epochSeconds } from '../domain/times.ts';
import { unlessConditionFails } from './conditional.ts';

const row = z.object({ place: z.string(), verificationId: z.string(), at: z.string(), purgeAt: z.int() });

/** DynamoDB reads no more at once. */
const perRead = 100;

export function dynamoSightings(client: DynamoDBClient, table: string, now: () => Date): Sightings {
  async function read(places: readonly string[]): Promise<Sighting[]> {
    let left: Record<string, unknown>[] = places.map((place) => marshall({ place }));
    const found: Sighting[] = [];
    while (left.length > 0) {
      const Keys = left as never;
      const answer = await client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } } }),
      );
      found.push(...(answer.Responses?.[table] ?? []).map((item) => row.parse(unmarshall(item))));
      left = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }
    return found;
  }

  return {
    async find(places) {
      const chunks = Array.from({ length: Math.ceil(places.length / perRead) }, (_, index) =>
        places.slice(index * perRead, (index + 1) * perRead),
      );
      const found = (await Promise.all(chunks.map(read))).flat();
      // DynamoDB deletes what is over within days: until then it is there, and counts no more.
      return found.filter(({ purgeAt }) => purgeAt > epochSeconds(now()));
    },

    async remove(verificationId, places) {
      const removals = places.map((place) =>
        client.send(
          new DeleteItemCommand({
            TableName: table,
            Key: marshall({ place }),
            // A place that was purged may be another verification's by now.
            ConditionExpression: 'verificationId = :verificationId',
            ExpressionAttributeValues: marshall({ ':verificationId': verificationId }),
          }),
        ),
      );
      await Promise.all(removals.map(unlessConditionFails));
    },
  };
}

/** The write that takes a place, unless another verification stands there: of two that saw it free, one is refused. */
export function takePlace(table: string, sighting: Sighting, now: Date): Put {
  return {
    TableName: table,
    Item: marshall(sighting),
    ConditionExpression: 'attribute_not_exists(place) OR purgeAt <= :now',
    ExpressionAttributeValues: marshall({ ':now': epochSeconds(now) }),
  };
}
