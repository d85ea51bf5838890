import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { fetcher } from '../../shared/fetching.ts';
import { log } from '../../shared/lambda/log.ts';
import { queue } from '../../shared/lambda/queue.ts';
import { deliverResult } from '../../shared/lifecycle/deliver.ts';
import { writeResult } from '../../shared/providers/identify/speech.ts';
import { readDelivery, sqsOrders } from '../../shared/stores/orders.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { delayAfter } from '../../shared/webhooks/schedule.ts';
import { webhookSender } from '../../shared/webhooks/send.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const { VERIFICATIONS_TABLE: table, TENANTS_TABLE: tenantsTable, DELIVERIES_QUEUE: deliveries } = settings;
  const now = () => new Date();
  const client = new DynamoDBClient();
  return {
    verifications: dynamoVerifications({ client, table, tenantsTable, now }),
    tenants: dynamoTenants({ client, table: tenantsTable, now, randomBytes }),
    orders: sqsOrders(new SQSClient(), { deliveries, undeliverable: settings.UNDELIVERABLE_QUEUE }),
    post: webhookSender(fetcher({ loopback: settings.LOOPBACK === 'true' })),
    writeResult,
    delayAfter,
    now,
    log,
  };
}

export const handler = queue(connect, (body, dependencies) => deliverResult(readDelivery(body), dependencies));
