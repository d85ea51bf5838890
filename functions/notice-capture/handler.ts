import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { log } from '../../shared/lambda/log.ts';
import { queue } from '../../shared/lambda/queue.ts';
import { landCapture } from '../../shared/lifecycle/land.ts';
import { connectCaptures } from '../../shared/stores/captures.ts';
import { readLanding } from '../../shared/stores/landings.ts';
import { limits } from '../../shared/stores/limits.ts';
import { providerQueues, sqsSend } from '../../shared/stores/queues.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  return {
    own: { bucket: settings.CAPTURES_BUCKET, account: settings.ACCOUNT_ID },
    verifications: dynamoVerifications({
      client: new DynamoDBClient(limits),
      table: settings.VERIFICATIONS_TABLE,
      now,
    }),
    captures: connectCaptures(settings),
    send: sqsSend(new SQSClient(limits), providerQueues.parse(settings.PROVIDER_QUEUES)),
    now,
    log,
  };
}

export const handler = queue(connect, (body, dependencies) =>
  landCapture(readLanding(body, dependencies.own), dependencies),
);
