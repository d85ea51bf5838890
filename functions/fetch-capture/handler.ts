import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { fetcher } from '../../shared/fetching.ts';
import { log } from '../../shared/lambda/log.ts';
import { queue } from '../../shared/lambda/queue.ts';
import { fetchImage } from '../../shared/lifecycle/fetch-image.ts';
import { connectCaptures } from '../../shared/stores/captures.ts';
import { limits } from '../../shared/stores/limits.ts';
import { readFetch } from '../../shared/stores/orders.ts';
import { providerQueues, sqsSend } from '../../shared/stores/queues.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const client = new DynamoDBClient(limits);
  return {
    verifications: dynamoVerifications({ client, table: settings.VERIFICATIONS_TABLE, now }),
    captures: connectCaptures(settings),
    fetcher: fetcher({ loopback: settings.LOOPBACK === 'true' }),
    send: sqsSend(new SQSClient(limits), providerQueues.parse(settings.PROVIDER_QUEUES)),
    sleep: (milliseconds: number) => setTimeout(milliseconds),
    now,
    log,
  };
}

export const handler = queue(connect, (body, dependencies) => fetchImage(readFetch(body), dependencies));
