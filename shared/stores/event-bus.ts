import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { eventSource } from '../domain/event.ts';
import type { PutEvents } from '../domain/ports.ts';

export function eventBus(client: EventBridgeClient, bus: string): PutEvents {
  return async (events) => {
    const { Entries = [] } = await client.send(
      new PutEventsCommand({
        Entries: events.map((event) => ({
          EventBusName: bus,
          Source: eventSource,
          DetailType: event.type,
          Detail: JSON.stringify(event),
          Time: new Date(event.occurred_at),
        })),
      }),
    );
    return Entries.flatMap(({ ErrorCode }, index) => (ErrorCode ? [index] : []));
  };
}
