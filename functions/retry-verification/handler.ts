import { randomBytes, randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { viewState } from '../../shared/api/verifications.ts';
import { http } from '../../shared/lambda/http.ts';
import { findOf } from '../../shared/lifecycle/find.ts';
import { retryVerification } from '../../shared/lifecycle/retry.ts';
import { s3Captures } from '../../shared/stores/captures.ts';
import { providerQueues, sqsSend } from '../../shared/stores/queues.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const client = new DynamoDBClient();
  return {
    tenants: dynamoTenants({ client, table: settings.TENANTS_TABLE, now, randomBytes }),
    verifications: dynamoVerifications({ client, table: settings.VERIFICATIONS_TABLE, now, newId: randomUUID }),
    captures: s3Captures(new S3Client(), settings.CAPTURES_BUCKET),
    send: sqsSend(new SQSClient(), providerQueues.parse(settings.PROVIDER_QUEUES)),
    now,
  };
}

export const handler = http('retry-verification', connect, {
  'POST /verifications/{source_id}/retry': async ({ caller, path }, dependencies) => {
    const verification = await findOf(caller, path.source_id, dependencies);
    return { status: 202, body: viewState(await retryVerification(verification, dependencies), path.source_id) };
  },
});
