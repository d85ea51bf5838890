import { readFileSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { presignable } from '../../shared/stores/captures.ts';
import type { Inside } from '../journeys/inside.ts';
import { everythingWritten } from './account.ts';
import { commandsUnder, type Terminal } from './page.ts';

const outputsOf = z.object({
  ApiUrl: z.url(),
  CapturesBucket: z.string(),
  VerificationsTable: z.string(),
  TenantsTable: z.string(),
  EventsTable: z.string(),
  DeliveriesTable: z.string(),
  LooksTable: z.string(),
  IdKeySecret: z.string(),
  EndpointKeySecret: z.string(),
  FingerprintKeySecret: z.string(),
  ClientTokenSecret: z.string(),
  ReferenceSecret: z.string(),
  ReceiptSecret: z.string(),
  EventBusName: z.string(),
  QueueCaptures: z.string(),
});
export type Outputs = z.infer<typeof outputsOf>;

/** A deployment as its operator sees it, with the outputs of its stack. */
export interface Deployed extends Inside {
  readonly outputs: Outputs;
}

/** Deploys a checkout, makes its first tenant and hears of its events: with the commands of the page. */
export async function deploy(terminal: Terminal, checkout: string): Promise<Deployed> {
  await terminal.run(checkout, commandsUnder('Deploy'));
  const outputs = outputsIn(checkout);
  await terminal.run(checkout, commandsUnder('First tenant'));
  await terminal.run(checkout, commandsUnder('Hear of verdicts'));
  const queueUrl = (await terminal.run(checkout, 'echo "$QUEUE_URL"')).trim();
  console.log(`Deployed at ${outputs.ApiUrl}`);
  return {
    url: outputs.ApiUrl,
    apiKey: (await terminal.run(checkout, 'echo "$BONAFIDE_API_KEY"')).trim(),
    tenant: 'acme',
    outputs,
    s3: new S3Client({ ...presignable, forcePathStyle: true }),
    dynamodb: new DynamoDBClient(),
    secretsManager: new SecretsManagerClient(),
    events: listenTo(queueUrl),
    written: everythingWritten,
    secrets: [process.env.AWS_SECRET_ACCESS_KEY ?? ''].filter((secret) => secret.length > 16),
  };
}

/** Outputs of the stack that was deployed from a checkout. */
export function outputsIn(checkout: string): Outputs {
  const file: unknown = JSON.parse(readFileSync(`${checkout}/cdk-outputs.json`, 'utf8'));
  return outputsOf.parse(z.object({ bonafide: z.unknown() }).parse(file).bonafide);
}

/** Everything the queue was told so far. A queue keeps no order: by sequence, which is an order within a verification. */
function listenTo(queueUrl: string): () => Promise<Record<string, unknown>[]> {
  const client = new SQSClient();
  const heard: { detail: { sequence: number } }[] = [];
  return async () => {
    for (;;) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return heard.toSorted((a, b) => a.detail.sequence - b.detail.sequence);
      heard.push(
        ...Messages.map(({ Body = '' }) =>
          z.looseObject({ detail: z.looseObject({ sequence: z.number() }) }).parse(JSON.parse(Body)),
        ),
      );
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  };
}
