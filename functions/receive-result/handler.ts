import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { http } from '../../shared/lambda/http.ts';
import { receiveResult } from '../../shared/lifecycle/receive.ts';
import { deliveries } from '../../shared/providers/deliveries.ts';
import { connectCaptures } from '../../shared/stores/captures.ts';
import { limits } from '../../shared/stores/limits.ts';
import { providerQueues, sqsSend } from '../../shared/stores/queues.ts';
import { signingSecret } from '../../shared/stores/secrets.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const client = new DynamoDBClient(limits);
  return {
    tenants: dynamoTenants({ client, table: settings.TENANTS_TABLE, now, randomBytes }),
    verifications: dynamoVerifications({ client, table: settings.VERIFICATIONS_TABLE, now }),
    captures: connectCaptures(settings),
    send: sqsSend(new SQSClient(limits), providerQueues.parse(settings.PROVIDER_QUEUES)),
    deliveries,
    referenceSecret: signingSecret(settings.REFERENCE_SECRET, new SecretsManagerClient(limits), now),
    now,
    random: Math.random,
  };
}

export const handler = http('receive-result', connect, {
  'POST /webhooks/{provider}/{token}': async ({ path, body }, dependencies) => {
    await receiveResult({ ...path, body }, dependencies);
    return { status: 200, body: { received: true } };
  },
});
