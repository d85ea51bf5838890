import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { log } from '../../shared/lambda/log.ts';
import { queue } from '../../shared/lambda/queue.ts';
import { landCapture } from '../../shared/lifecycle/land.ts';
import { s3Captures } from '../../shared/stores/captures.ts';
import { readLanding } from '../../shared/stores/landings.ts';
import { providerQueues, sqsSend } from '../../shared/stores/queues.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  return {
    own: { bucket: settings.CAPTURES_BUCKET, account: settings.ACCOUNT_ID },
    verifications: dynamoVerifications({
      client: new DynamoDBClient(),
      table: settings.VERIFICATIONS_TABLE,
      now,
    }),
    captures: s3Captures(new S3Client(), settings.CAPTURES_BUCKET, { keepsEtags: settings.KEEPS_ETAGS === 'true' }),
    send: sqsSend(new SQSClient(), providerQueues.parse(settings.PROVIDER_QUEUES)),
    now,
    log,
  };
}

export const handler = queue(connect, (body, dependencies) =>
  landCapture(readLanding(body, dependencies.own), dependencies),
);
