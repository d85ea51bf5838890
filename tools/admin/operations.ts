import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { limits } from '../../shared/stores/limits.ts';
import type { LocalStack } from '../target.ts';
import { parseJson } from './files.ts';

/** A queue that functions work off, and where what they could not deliver waits. */
const queue = z.object({ name: z.string(), queue: z.url(), undeliverable: z.url() });
export type Queue = z.infer<typeof queue>;

/** What an operator sets right in a deployment: its queues, breakers and events. */
export interface Operations {
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly eventBridge: EventBridgeClient;
  readonly queues: ReadonlyMap<string, Queue>;
  readonly tables: Readonly<Record<'verifications' | 'tenants' | 'breakers' | 'events', string>>;
  readonly bus: string;
  /** All of the stack's outputs. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** Outputs of the stack that they are found by. */
const named = z.looseObject({
  VerificationsTable: z.string(),
  TenantsTable: z.string(),
  BreakersTable: z.string(),
  EventsTable: z.string(),
  EventBusName: z.string(),
});

/** `at`: the running local stack; absent: AWS, with the credentials and region of the environment. */
export function operationsOf(outputs: unknown, at?: LocalStack['environment']): Operations {
  const known = named.safeParse(outputs);
  if (!known.success) {
    const lacking = known.error.issues.map(({ path }) => path.join('.')).join(', ');
    throw new Error(`The stack has no output ${lacking}: deploy this version first, and use --aws`);
  }
  const { VerificationsTable, TenantsTable, BreakersTable, EventsTable, EventBusName, ...others } = known.data;
  const queues = Object.entries(others)
    .filter(([name]) => name.startsWith('Queue'))
    .map(([name, text]) => queue.parse(parseJson(String(text), `The output ${name}`)));
  const config = at && {
    region: at.AWS_REGION,
    credentials: { accessKeyId: at.AWS_ACCESS_KEY_ID, secretAccessKey: at.AWS_SECRET_ACCESS_KEY },
  };
  return {
    dynamodb: new DynamoDBClient({ ...limits, ...config, ...(at && { endpoint: at.AWS_ENDPOINT_URL_DYNAMODB }) }),
    sqs: new SQSClient({ ...limits, ...config, ...(at && { endpoint: at.AWS_ENDPOINT_URL_SQS }) }),
    eventBridge: new EventBridgeClient({
      ...limits,
      ...config,
      ...(at && { endpoint: at.AWS_ENDPOINT_URL_EVENTBRIDGE }),
    }),
    queues: new Map(queues.map((one) => [one.name, one])),
    tables: { verifications: VerificationsTable, tenants: TenantsTable, breakers: BreakersTable, events: EventsTable },
    bus: EventBusName,
    outputs: z.record(z.string(), z.string()).parse(outputs),
  };
}
