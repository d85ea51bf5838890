import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDeliveries } from './deliveries.ts';
import { dynamoKeptEvents } from './kept-events.ts';
import { dynamoEndpoints } from './tenants/endpoints.ts';

/** What a function reads of these from its environment. */
export interface KeepingSettings {
  readonly TENANTS_TABLE: string;
  readonly EVENTS_TABLE: string;
  readonly DELIVERIES_TABLE: string;
}

/** Endpoints, the events that are kept for them, and what became of these. */
export function connectKeeping(settings: KeepingSettings, client: DynamoDBClient, now: () => Date) {
  return {
    endpoints: dynamoEndpoints({ client, table: settings.TENANTS_TABLE, now }),
    keptEvents: dynamoKeptEvents(client, settings.EVENTS_TABLE, now),
    deliveries: dynamoDeliveries(client, settings.DELIVERIES_TABLE, now),
  };
}
