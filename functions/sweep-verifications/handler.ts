import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { log } from '../../shared/lambda/log.ts';
import { measure } from '../../shared/lambda/metrics.ts';
import { schedule } from '../../shared/lambda/schedule.ts';
import { sweepVerifications } from '../../shared/lifecycle/overdue.ts';
import { sweepDeliveries } from '../../shared/lifecycle/overdue-deliveries.ts';
import { connectCaptures } from '../../shared/stores/captures.ts';
import { dynamoDeliveries } from '../../shared/stores/deliveries.ts';
import { limits } from '../../shared/stores/limits.ts';
import { sqsOrders } from '../../shared/stores/orders.ts';
import { providerQueues, sqsSend } from '../../shared/stores/queues.ts';
import { dynamoSightings } from '../../shared/stores/sightings.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { sqsWebhooks } from '../../shared/stores/webhook-queue.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const client = new DynamoDBClient(limits);
  const sqs = new SQSClient(limits);
  const { FETCHES_QUEUE: fetches, DELIVERIES_QUEUE: deliveries, WEBHOOKS_QUEUE: webhooks } = settings;
  return {
    verifications: dynamoVerifications({ client, table: settings.VERIFICATIONS_TABLE, now }),
    captures: connectCaptures(settings),
    sightings: dynamoSightings(client, settings.SIGHTINGS_TABLE, now),
    send: sqsSend(sqs, providerQueues.parse(settings.PROVIDER_QUEUES)),
    orders: sqsOrders(sqs, { fetches, deliveries }),
    deliveries: dynamoDeliveries(client, settings.DELIVERIES_TABLE, now),
    webhooks: sqsWebhooks(sqs, { webhooks, deliveries }),
    ...{ now, random: Math.random, log, measure },
  };
}

export const handler = schedule(connect, (dependencies, remainingMilliseconds) => {
  const sweeping = { ...dependencies, remainingMilliseconds };
  return Promise.all([sweepVerifications(sweeping), sweepDeliveries(sweeping)]);
});
