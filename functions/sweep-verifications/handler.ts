import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { log } from '../../shared/lambda/log.ts';
import { s3Captures } from '../../shared/stores/captures.ts';
import { providerQueues, sqsSend } from '../../shared/stores/queues.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';
import { type Dependencies, sweepVerifications } from './sweep.ts';

let dependencies: Dependencies | undefined;

export const handler = middy<unknown, void>().handler(async () => {
  dependencies ??= connect();
  const { swept, failed } = await sweepVerifications(dependencies);
  if (swept + failed > 0) log.info('sweep.done', { swept, failed });
});

function connect(): Dependencies {
  const { VERIFICATIONS_TABLE, CAPTURES_BUCKET, PROVIDER_QUEUES } = environment.parse(process.env);
  const now = () => new Date();
  return {
    verifications: dynamoVerifications({
      client: new DynamoDBClient(),
      table: VERIFICATIONS_TABLE,
      now,
      newId: randomUUID,
    }),
    captures: s3Captures(new S3Client(), CAPTURES_BUCKET),
    send: sqsSend(new SQSClient(), providerQueues.parse(PROVIDER_QUEUES)),
    now,
    log,
  };
}
