import { randomBytes, randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { dynamoDeliveries } from './deliveries.ts';
import { eventBus } from './event-bus.ts';
import { dynamoKeptEvents } from './kept-events.ts';
import { sqsOrders } from './orders.ts';
import { dynamoEndpoints } from './tenants/endpoints.ts';
import { dynamoTenants } from './tenants/tenants.ts';
import { dynamoVerifications } from './verifications.ts';
import { sqsWebhooks } from './webhook-queue.ts';

/** What the sender reads of all this from its environment. */
export interface SendingSettings {
  readonly VERIFICATIONS_TABLE: string;
  readonly TENANTS_TABLE: string;
  readonly EVENTS_TABLE: string;
  readonly DELIVERIES_TABLE: string;
  readonly DELIVERIES_QUEUE: string;
  readonly UNDELIVERABLE_QUEUE: string;
  readonly WEBHOOKS_QUEUE: string;
  readonly EVENT_BUS: string;
}

/** What the one function is connected to that sends results and events. */
export function connectSending(settings: SendingSettings, now: () => Date) {
  const client = new DynamoDBClient();
  const sqs = new SQSClient();
  const { VERIFICATIONS_TABLE: table, TENANTS_TABLE: tenantsTable, DELIVERIES_QUEUE: deliveries } = settings;
  return {
    verifications: dynamoVerifications({ client, table, tenantsTable, now, newId: randomUUID }),
    tenants: dynamoTenants({ client, table: tenantsTable, now, randomBytes }),
    orders: sqsOrders(sqs, { deliveries, undeliverable: settings.UNDELIVERABLE_QUEUE }),
    endpoints: dynamoEndpoints({ client, table: tenantsTable, now }),
    keptEvents: dynamoKeptEvents(client, settings.EVENTS_TABLE, now),
    deliveries: dynamoDeliveries(client, settings.DELIVERIES_TABLE, now),
    webhooks: sqsWebhooks(sqs, { webhooks: settings.WEBHOOKS_QUEUE, deliveries }),
    put: eventBus(new EventBridgeClient(), settings.EVENT_BUS),
  };
}
