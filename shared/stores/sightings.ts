import { DeleteItemCommand, type DynamoDBClient, type Put } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type { Sighting, Sightings } from '../domain/ports.ts';
import { epochSeconds } from '../domain/times.ts';
import { unlessConditionFails } from './conditional.ts';
import { rowsAt } from './pages.ts';

const row = z.object({ place: z.string(), verificationId: z.string(), at: z.string(), purgeAt: z.int() });

export function dynamoSightings(client: DynamoDBClient, table: string, now: () => Date): Sightings {
  return {
    async find(places) {
      const rows = await rowsAt(
        client,
        table,
        places.map((place) => marshall({ place })),
      );
      const found = rows.map((item) => row.parse(unmarshall(item)));
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
