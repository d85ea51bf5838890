import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { openEngine } from '../../engine/engine.ts';
import { log } from '../../shared/lambda/log.ts';
import { queue } from '../../shared/lambda/queue.ts';
import { type Asking, askProvider } from '../../shared/lifecycle/ask.ts';
import { openGate } from '../../shared/lifecycle/gate.ts';
import { builtin } from '../../shared/providers/builtin/capabilities.ts';
import { builtinProvider } from '../../shared/providers/builtin/provider.ts';
import { s3Captures } from '../../shared/stores/captures.ts';
import { providerQueues, readWork, sqsSend } from '../../shared/stores/queues.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';

const { VERIFICATIONS_TABLE: table, CAPTURES_BUCKET, PROVIDER_QUEUES, MODELS } = environment.parse(process.env);
const now = () => new Date();
// Models load while the container starts, so loading does not delay the first verdict.
const modelsDirectory = fileURLToPath(new URL(`${MODELS}/`, import.meta.url));
const engine = openEngine({ modelsDirectory, now: () => performance.now() });
engine.catch(() => undefined); // each message that awaits it fails with the reason

const connect = (): Asking => ({
  verifications: dynamoVerifications({ client: new DynamoDBClient(), table, now, newId: randomUUID }),
  captures: s3Captures(new S3Client(), CAPTURES_BUCKET),
  provider: builtin,
  open: async () => builtinProvider(() => engine),
  gate: () => openGate,
  reference: () => Promise.reject(new Error('The built-in engine sends no webhooks')),
  send: sqsSend(new SQSClient(), providerQueues.parse(PROVIDER_QUEUES)),
  now,
  random: Math.random,
  log,
});

export const handler = queue(connect, (body, dependencies) => askProvider(readWork(body), dependencies));
