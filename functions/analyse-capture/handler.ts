import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { openEngine } from '../../engine/engine.ts';
import { log } from '../../shared/lambda/log.ts';
import { queue } from '../../shared/lambda/queue.ts';
import { attemptVerification, type Dependencies } from '../../shared/lifecycle/attempt.ts';
import { openGate } from '../../shared/lifecycle/gate.ts';
import { builtin } from '../../shared/providers/builtin/capabilities.ts';
import { builtinProvider } from '../../shared/providers/builtin/provider.ts';
import { s3Captures } from '../../shared/stores/captures.ts';
import { providerQueues, readWork, sqsSend } from '../../shared/stores/queues.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';

// Models load while the container starts, before the first message: that time is nobody's wait for a verdict.
const dependencies = connect();

export const handler = queue((body) => attemptVerification(readWork(body), dependencies), log);

function connect(): Dependencies {
  const { VERIFICATIONS_TABLE, CAPTURES_BUCKET, PROVIDER_QUEUES, MODELS } = environment.parse(process.env);
  const now = () => new Date();
  const modelsDirectory = new URL(`${MODELS}/`, import.meta.url).pathname;
  const engine = openEngine({ modelsDirectory, now: () => performance.now() });
  engine.catch(() => undefined); // whoever awaits it is told
  return {
    verifications: dynamoVerifications({
      client: new DynamoDBClient(),
      table: VERIFICATIONS_TABLE,
      now,
      newId: randomUUID,
    }),
    captures: s3Captures(new S3Client(), CAPTURES_BUCKET),
    provider: builtin,
    open: async () => builtinProvider(() => engine),
    gate: () => openGate,
    reference: () => Promise.reject(new Error('The built-in engine sends no webhooks')),
    send: sqsSend(new SQSClient(), providerQueues.parse(PROVIDER_QUEUES)),
    now,
    random: Math.random,
    log,
  };
}
