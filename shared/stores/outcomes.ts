import { type DynamoDBClient, PutItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type KeptOutcome, keptOutcome } from '../domain/outcome.ts';
import type { Outcomes } from '../domain/ports.ts';
import { epochSeconds, outcomesLateSeconds, outcomesSeconds } from '../domain/times.ts';

/** So many are told at once. A row has some 250 bytes, so they are one page of DynamoDB's. */
const mostTold = 1000;

/**
 * One row for each, in the order in which they were kept and not in that of their decisions: what is announced late comes
 * after what a page has seen already. A repeat is a second row, which is told once.
 */
export function dynamoOutcomes(client: DynamoDBClient, table: string, now: () => Date): Outcomes {
  return {
    async keep(outcome) {
      const at = now();
      const place = { position: `${at.toISOString()}#${outcome.id}`, purgeAt: epochSeconds(at) + outcomesSeconds };
      const Item = marshall({ ...outcome, ...place }, { removeUndefinedValues: true });
      await client.send(new PutItemCommand({ TableName: table, Item }));
    },

    async newest(tenant, after) {
      const found = new Map<string, KeptOutcome>();
      let until = after ?? new Date(0).toISOString();
      let read = 0;
      const query = {
        TableName: table,
        KeyConditionExpression: 'tenant = :tenant AND #position > :from',
        ExpressionAttributeNames: { '#position': 'position' },
        ExpressionAttributeValues: marshall({ ':tenant': tenant, ':from': after === undefined ? '0' : before(after) }),
        ScanIndexForward: false,
        Limit: mostTold,
      };
      for await (const { Items = [] } of paginateQuery({ client }, query)) {
        for (const item of Items) {
          const { position, purgeAt: _, ...fields } = unmarshall(item);
          const [keptAt = ''] = String(position).split('#');
          if (keptAt > until) until = keptAt;
          const outcome = keptOutcome.parse(fields);
          if (!found.has(outcome.id)) found.set(outcome.id, outcome);
          read += 1;
        }
        if (read >= mostTold) break;
      }
      return { outcomes: [...found.values()], until };
    },
  };
}

/** Two writers' clocks differ, and a put that was tried again says an earlier time than when it was seen. */
function before(after: string): string {
  return new Date(Date.parse(after) - outcomesLateSeconds * 1000).toISOString();
}
