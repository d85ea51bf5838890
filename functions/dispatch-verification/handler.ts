import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Fault } from '../../shared/domain/fault.ts';
import { signReference } from '../../shared/domain/reference.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import { log } from '../../shared/lambda/log.ts';
import { queue } from '../../shared/lambda/queue.ts';
import { attemptVerification, type Dependencies } from '../../shared/lifecycle/attempt.ts';
import { breakerGate, type FaultCounts, openGate } from '../../shared/lifecycle/gate.ts';
import { connectors } from '../../shared/providers/connect.ts';
import { leaseMarginSeconds, registry } from '../../shared/providers/registry.ts';
import { dynamoBreakers } from '../../shared/stores/breakers.ts';
import { s3Captures } from '../../shared/stores/captures.ts';
import { providerQueues, readWork, sqsSend } from '../../shared/stores/queues.ts';
import { secretsManager } from '../../shared/stores/secrets.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';

let dependencies: Dependencies | undefined;

export const handler = queue((body) => {
  dependencies ??= connect();
  return attemptVerification(readWork(body), dependencies);
}, log);

function connect(): Dependencies {
  const settings = environment.parse(process.env);
  const provider = registry[settings.PROVIDER];
  if (!provider) throw new Error(`PROVIDER names no provider: ${settings.PROVIDER}`);
  const now = () => new Date();
  const client = new DynamoDBClient();
  const readSecret = secretsManager(new SecretsManagerClient(), now);
  const breakers = dynamoBreakers(client, settings.BREAKERS_TABLE, now);
  const counts: FaultCounts = new Map();
  const connector = connectors[provider.name];
  if (!connector) throw new Error(`There is no way to connect ${provider.name}`);
  const world = { fetch: globalThis.fetch, sleep: (seconds: number) => setTimeout(seconds * 1000) };
  const probeSeconds = Math.max(...Object.values(provider.timeoutSeconds)) + leaseMarginSeconds;
  return {
    verifications: dynamoVerifications({ client, table: settings.VERIFICATIONS_TABLE, now, newId: randomUUID }),
    captures: s3Captures(new S3Client(), settings.CAPTURES_BUCKET),
    provider,
    async open(record) {
      if (!provider.remote) return connector.connect({ settings: {}, credentials: {} }, world);
      const secret = record.plan.credentials[provider.name];
      if (!secret) throw new Fault('provider_unauthorized', 'The verification has no credentials for its provider.');
      return connector.connect(readStored(await readSecret(secret)), world);
    },
    gate: (record) => {
      const key = breakerKey(record, provider.name);
      return key ? breakerGate(key, probeSeconds, { breakers, counts, now }) : openGate;
    },
    async reference(verificationId, attempt) {
      return signReference(await readSecret(settings.REFERENCE_SECRET), verificationId, attempt);
    },
    send: sqsSend(new SQSClient(), providerQueues.parse(settings.PROVIDER_QUEUES)),
    now,
    random: Math.random,
    log,
  };
}

/** A breaker per provider and credentials: one tenant's spent credits are nobody else's. */
function breakerKey(record: Verification, provider: string): string | undefined {
  const secret = 'plan' in record ? record.plan.credentials[provider] : undefined;
  return secret && `${provider}#${secret}`;
}

/** A secret as `npm run admin -- credentials set` keeps it; anything else is as useless as wrong credentials. */
function readStored(text: string): { settings: unknown; credentials: unknown } {
  try {
    const { settings, credentials } = JSON.parse(text);
    return { settings, credentials };
  } catch {
    throw new Fault('provider_unauthorized', 'The secret with the credentials is not JSON.');
  }
}
