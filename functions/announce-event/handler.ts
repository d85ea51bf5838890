import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { DynamoDBRecord, AttributeValue as Image } from 'aws-lambda';
import { eventSource } from '../../shared/domain/event.ts';
import { log } from '../../shared/lambda/log.ts';
import { stream } from '../../shared/lambda/queue.ts';
import { recordOf } from '../../shared/stores/verifications.ts';
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
    before: imageOf(dynamodb?.OldImage),
    after: imageOf(dynamodb?.NewImage),
  };
}

function imageOf(image: Record<string, Image> | undefined) {
  return image && recordOf(image as Record<string, AttributeValue>);
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
