import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { eventSource } from '../../shared/domain/event.ts';
import { log } from '../../shared/lambda/log.ts';
import { stream } from '../../shared/lambda/queue.ts';
import { announceChanges, type Change, type Dependencies } from './announce.ts';
import { environment } from './environment.ts';

let dependencies: Dependencies | undefined;

export const handler = stream((records) => {
  dependencies ??= connect();
  return announceChanges(records.map(changeOf), dependencies);
});

function changeOf({ dynamodb }: DynamoDBRecord): Change {
  return {
    sequenceNumber: dynamodb?.SequenceNumber ?? '',
    before: dynamodb?.OldImage && unmarshall(dynamodb.OldImage as Record<string, AttributeValue>),
    after: dynamodb?.NewImage && unmarshall(dynamodb.NewImage as Record<string, AttributeValue>),
  };
}

function connect(): Dependencies {
  const { EVENT_BUS } = environment.parse(process.env);
  const client = new EventBridgeClient();
  return {
    async put(events) {
      const { Entries = [] } = await client.send(
        new PutEventsCommand({
          Entries: events.map((event) => ({
            EventBusName: EVENT_BUS,
            Source: eventSource,
            DetailType: event.type,
            Detail: JSON.stringify(event),
            Time: new Date(event.occurred_at),
          })),
        }),
      );
      return Entries.flatMap(({ ErrorCode }, index) => (ErrorCode ? [index] : []));
    },
    log,
  };
}
