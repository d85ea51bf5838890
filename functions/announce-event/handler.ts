import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { verdictText } from '../../shared/api/verifications.ts';
import { log } from '../../shared/lambda/log.ts';
import { measure } from '../../shared/lambda/metrics.ts';
import { stream } from '../../shared/lambda/stream.ts';
import { announceChanges } from '../../shared/lifecycle/announce.ts';
import { changeOf } from '../../shared/stores/changes.ts';
import { eventBus } from '../../shared/stores/event-bus.ts';
import { dynamoKeptEvents } from '../../shared/stores/kept-events.ts';
import { limits } from '../../shared/stores/limits.ts';
import { sqsOrders } from '../../shared/stores/orders.ts';
import { dynamoOutcomes } from '../../shared/stores/outcomes.ts';
import { dynamoEndpoints } from '../../shared/stores/tenants/endpoints.ts';
import { sqsWebhooks } from '../../shared/stores/webhook-queue.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const { DELIVERIES_QUEUE: deliveries, WEBHOOKS_QUEUE: webhooks } = settings;
  const now = () => new Date();
  const client = new DynamoDBClient(limits);
  const sqs = new SQSClient(limits);
  return {
    put: eventBus(new EventBridgeClient(limits), settings.EVENT_BUS),
    orders: sqsOrders(sqs, { deliveries }),
    endpoints: dynamoEndpoints({ client, table: settings.TENANTS_TABLE, now }),
    keptEvents: dynamoKeptEvents(client, settings.EVENTS_TABLE, now),
    outcomes: dynamoOutcomes(client, settings.OUTCOMES_TABLE, now),
    webhooks: sqsWebhooks(sqs, { webhooks, deliveries }),
    verdictText,
    now,
    log,
    measure,
  };
}

export const handler = stream(connect, (records, dependencies) => announceChanges(records.map(changeOf), dependencies));
