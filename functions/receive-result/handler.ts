import { randomBytes, randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { http, type Request, type Routes } from '../../shared/lambda/http.ts';
import { log } from '../../shared/lambda/log.ts';
import { readDelivery } from '../../shared/providers/identify/delivery.ts';
import { s3Captures } from '../../shared/stores/captures.ts';
import { providerQueues, sqsSend } from '../../shared/stores/queues.ts';
import { secretsManager } from '../../shared/stores/secrets.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';
import { receiveResult } from './receive.ts';

export const handler = http(connect, log, { maximumBodyBytes: 64 * 1024 });

function connect(): Routes {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const client = new DynamoDBClient();
  const readSecret = secretsManager(new SecretsManagerClient(), now);
  const dependencies = {
    tenants: dynamoTenants({ client, table: settings.TENANTS_TABLE, now, randomBytes }),
    verifications: dynamoVerifications({ client, table: settings.VERIFICATIONS_TABLE, now, newId: randomUUID }),
    captures: s3Captures(new S3Client(), settings.CAPTURES_BUCKET),
    send: sqsSend(new SQSClient(), providerQueues.parse(settings.PROVIDER_QUEUES)),
    readers: { identify: readDelivery },
    referenceSecret: () => readSecret(settings.REFERENCE_SECRET),
    now,
  };
  return {
    'POST /webhooks/{provider}/{token}': async (request: Request) => {
      const { provider = '', token = '' } = request.path;
      await receiveResult({ provider, token, body: request.text() }, dependencies);
      return { status: 200, body: { received: true } };
    },
  };
}
