import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { eventBus } from './event-bus.ts';
import { connectKeeping } from './keeping.ts';
import { limits } from './limits.ts';
import { sqsOrders } from './orders.ts';
import { dynamoTenants } from './tenants/tenants.ts';
import { dynamoVerifications } from './verifications.ts';
import { sqsWebhooks } from './webhook-queue.ts';

/** What a function reads of all this from its environment that has events and results sent. */
export interface SendingSettings {
  readonly VERIFICATIONS_TABLE: string;
  readonly TENANTS_TABLE: string;
  readonly EVENTS_TABLE: string;
  readonly DELIVERIES_TABLE: string;
  readonly DELIVERIES_QUEUE: string;
  readonly WEBHOOKS_QUEUE: string;
}

/** And what the sender reads. */
export interface SenderSettings extends SendingSettings {
  readonly UNDELIVERABLE_QUEUE: string;
  readonly EVENT_BUS: string;
}

/** What a function is connected to that has events and results sent. */
export function connectSending(settings: SendingSettings & Partial<SenderSettings>, now: () => Date) {
  const client = new DynamoDBClient(limits);
  const sqs = new SQSClient(limits);
  const { VERIFICATIONS_TABLE: table, TENANTS_TABLE: tenantsTable, DELIVERIES_QUEUE: deliveries } = settings;
  return {
    verifications: dynamoVerifications({ client, table, tenantsTable, now }),
    tenants: dynamoTenants({ client, table: tenantsTable, now, randomBytes }),
    orders: sqsOrders(sqs, { deliveries, undeliverable: settings.UNDELIVERABLE_QUEUE }),
    ...connectKeeping(settings, client, now),
    webhooks: sqsWebhooks(sqs, { webhooks: settings.WEBHOOKS_QUEUE, deliveries }),
  };
}

/** And what the one function is connected to that sends them. */
export function connectSender(settings: SenderSettings, now: () => Date) {
  return { ...connectSending(settings, now), put: eventBus(new EventBridgeClient(limits), settings.EVENT_BUS) };
}
