import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { referenceOf } from '../../shared/domain/reference.ts';
import { log } from '../../shared/lambda/log.ts';
import { queue } from '../../shared/lambda/queue.ts';
import { type Asking, askProvider } from '../../shared/lifecycle/ask.ts';
import { gates } from '../../shared/lifecycle/gate.ts';
import { opener } from '../../shared/providers/connect.ts';
import { providerNamed } from '../../shared/providers/registry.ts';
import { dynamoBreakers } from '../../shared/stores/breakers.ts';
import { connectCaptures } from '../../shared/stores/captures.ts';
import { limits } from '../../shared/stores/limits.ts';
import { providerQueues, readWork, sqsSend } from '../../shared/stores/queues.ts';
import { secretsManager } from '../../shared/stores/secrets.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';

function connect(): Asking {
  const settings = environment.parse(process.env);
  const provider = providerNamed(settings.PROVIDER);
  const now = () => new Date();
  const client = new DynamoDBClient(limits);
  const secret = secretsManager(new SecretsManagerClient(limits), now);
  return {
    verifications: dynamoVerifications({ client, table: settings.VERIFICATIONS_TABLE, now }),
    captures: connectCaptures(settings),
    provider,
    open: opener(provider, globalThis.fetch, secret),
    gate: gates(provider, dynamoBreakers(client, settings.BREAKERS_TABLE, now), now),
    reference: referenceOf(() => secret(settings.REFERENCE_SECRET)),
    send: sqsSend(new SQSClient(limits), providerQueues.parse(settings.PROVIDER_QUEUES)),
    now,
    random: Math.random,
    log,
  };
}

export const handler = queue(connect, (body, dependencies) => askProvider(readWork(body), dependencies));
