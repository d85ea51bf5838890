import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { bundleFunction } from '../../infra/bundle.ts';
import { startEventBridge } from '../../local/eventbridge/eventbridge.ts';
import { type LocalFunction, startFunction } from '../../local/functions/functions.ts';
import { type HttpApi, startHttpApi } from '../../local/http-api/http-api.ts';
import { startSecretsManager } from '../../local/secrets-manager/secrets-manager.ts';
import { accountId, type Queue, startSqs } from '../../local/sqs/sqs.ts';
import { routes } from '../../shared/api/operations.ts';
import { sessionCookie } from '../../shared/lambda/authenticate.ts';
import { clientTokenSecret, endpointKey, idKey, receiptSecret, referenceSecret } from '../builders/deployment.ts';
import { startBucket, type TestBucket } from '../stores/bucket.ts';
import { startTables } from '../stores/table.ts';
import { bundleOf, type LastRelease, lastRelease } from './last-release.ts';

export type Version = 'last' | 'current';
export const versions: readonly Version[] = ['last', 'current'];
export const other = (version: Version): Version => (version === 'last' ? 'current' : 'last');

/** Who calls: a tenant's server, or an operator's browser. */
export type Credentials = { readonly key: string } | { readonly session: string };

const queueNames = ['builtin', 'sandbox', 'fetches', 'deliveries', 'undeliverable', 'webhooks.fifo'] as const;
type QueueName = (typeof queueNames)[number];

/** The functions of both releases, as each was bundled, on the same tables, queues, secrets and bucket. */
export interface Crossing {
  readonly last: LastRelease;
  readonly client: DynamoDBClient;
  readonly bucket: TestBucket;
  /** Where events on the bus are written, one a line. */
  readonly journal: string;
  /** Whether a version reads what a later one wrote. */
  readonly isTolerant: (version: Version) => boolean;
  /** Asks a version's API. */
  readonly call: (
    version: Version,
    caller: Credentials,
    path: string,
    body?: unknown,
    method?: string,
  ) => Promise<{ readonly status: number; readonly text: string; readonly cookies: readonly string[] }>;
  /** Gives an event to a version's function: what it answers. */
  readonly invoke: (version: Version, name: string, event: unknown) => Promise<unknown>;
  /** Gives a queue's message to a version's function: false where it is to come again. */
  readonly take: (version: Version, name: string, body: string) => Promise<boolean>;
  /** Every message that waits in a queue now; none of them comes again. */
  readonly messages: (queue: QueueName) => Promise<string[]>;
  readonly write: (table: string, row: object) => Promise<void>;
  readonly read: (table: string, key: object) => Promise<Record<string, unknown>>;
  readonly end: () => Promise<void>;
}

const credentials = { accessKeyId: 'LOCAL', secretAccessKey: 'local-secret' };
const region = 'us-east-1';

export async function startCrossing(): Promise<Crossing> {
  const last = lastRelease();
  const directory = mkdtempSync(join(tmpdir(), 'bonafide-crossing-'));
  const inside = (name: string): string => {
    mkdirSync(join(directory, name));
    return join(directory, name);
  };
  const journal = join(directory, 'events.ndjson');
  const [tables, bucket, sqs, secrets, bus] = await Promise.all([
    startTables(),
    startBucket(),
    startSqs({ directory: inside('sqs'), queues: queueNames.map(queueNamed), region }),
    startSecretsManager(join(directory, 'secrets.json'), secretsNamed),
    startEventBridge({ buses: ['events'], rules: [], deliver: async () => undefined, journal, region }),
  ]);
  const queues = new SQSClient({ endpoint: sqs.endpoint, region, credentials });
  const s3 = await bucket.client.config.endpoint?.();
  const environment = {
    ...settings,
    ...{ AWS_REGION: region, AWS_ACCESS_KEY_ID: credentials.accessKeyId },
    ...{ AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey, CAPTURES_BUCKET: bucket.name },
    AWS_ENDPOINT_URL_S3: `http://${s3?.hostname}:${s3?.port}`,
    AWS_ENDPOINT_URL_DYNAMODB: tables.server.endpoint,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    PROVIDER_QUEUES: JSON.stringify({ builtin: sqs.urlOf('builtin'), sandbox: sqs.urlOf('sandbox') }),
    FETCHES_QUEUE: sqs.urlOf('fetches'),
    DELIVERIES_QUEUE: sqs.urlOf('deliveries'),
    UNDELIVERABLE_QUEUE: sqs.urlOf('undeliverable'),
    WEBHOOKS_QUEUE: sqs.urlOf('webhooks.fifo'),
  };

  const started = new Map<string, LocalFunction>();
  /** Bundled and started when it is first asked. */
  function functionOf(version: Version, name: string): LocalFunction {
    const known = started.get(`${version} ${name}`);
    if (known) return known;
    const one = startFunction(
      {
        ...{ name, shortName: `${version}-${name}`, exportName: 'handler', environment },
        file: version === 'last' ? bundleOf(last, name) : ourBundle(name, join(directory, name)),
        ...{ timeoutSeconds: 30, memoryMb: 1024, concurrency: 1 },
      },
      { logDirectory: join(directory, 'logs') },
    );
    started.set(`${version} ${name}`, one);
    return one;
  }
  const apis = new Map<Version, HttpApi>();
  for (const version of versions) {
    const api = await startHttpApi(0);
    const served = routes.map(({ key, function: name }) => ({
      ...{ routeKey: key, timeoutMs: 30_000 },
      request: (event: unknown) => functionOf(version, name).invoke(event),
    }));
    api.serve({ routes: served, rewrite: (body) => body });
    apis.set(version, api);
  }

  return {
    ...{ last, client: tables.client, bucket, journal },
    isTolerant: (version) => version === 'current' || last.isTolerant,
    async call(version, caller, path, body, method = body === undefined ? 'GET' : 'POST') {
      const url = apis.get(version)?.url ?? '';
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...('key' in caller ? { 'x-api-key': caller.key } : { cookie: `${sessionCookie}=${caller.session}` }),
          ...{ origin: url, 'content-type': 'application/json' },
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, text: await answer.text(), cookies: answer.headers.getSetCookie() };
    },
    invoke: (version, name, event) => functionOf(version, name).invoke(event),
    async take(version, name, body) {
      const event = { Records: [{ messageId: 'message', body }] };
      const answer = z.object({ batchItemFailures: z.array(z.unknown()) });
      return answer.parse(await functionOf(version, name).invoke(event)).batchItemFailures.length === 0;
    },
    async messages(queue) {
      const QueueUrl = sqs.urlOf(queue);
      const bodies: string[] = [];
      for (;;) {
        const { Messages = [] } = await queues.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) return bodies;
        for (const { Body = '', ReceiptHandle } of Messages) {
          bodies.push(Body);
          await queues.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    },
    async write(TableName, row) {
      const Item = marshall(row, { removeUndefinedValues: true });
      await tables.client.send(new PutItemCommand({ TableName, Item }));
    },
    async read(TableName, key) {
      const { Item } = await tables.client.send(
        new GetItemCommand({ TableName, Key: marshall(key), ConsistentRead: true }),
      );
      return unmarshall(Item ?? {});
    },
    async end() {
      await Promise.all([...started.values()].map((one) => one.stop(5000)));
      await Promise.all([...apis.values(), bus, secrets, sqs, bucket, tables].map((one) => one.stop()));
      queues.destroy();
      rmSync(directory, { recursive: true });
    },
  };
}

/** What the template gives functions; those of the last release read a part of it, as a way back is one of code alone. */
const settings = {
  VERIFICATIONS_TABLE: 'verifications',
  TENANTS_TABLE: 'tenants',
  BREAKERS_TABLE: 'breakers',
  SIGHTINGS_TABLE: 'sightings',
  LOOKS_TABLE: 'looks',
  OUTCOMES_TABLE: 'outcomes',
  EVENTS_TABLE: 'events',
  DELIVERIES_TABLE: 'deliveries',
  ACCOUNT_ID: accountId,
  EVENT_BUS: 'events',
  PROVIDER: 'sandbox',
  ...{ KEEPS_ETAGS: 'false', LEGACY_IDS: 'false', LOOPBACK: 'true', MAXIMUM_WAIT_SECONDS: '0', PUBLIC_URL: '' },
  ...{ OIDC_ISSUER: '', OIDC_CLIENT_ID: '', OIDC_CLIENT_SECRET: '' },
  ID_KEY_SECRET: 'key-of-ids',
  CLIENT_TOKEN_SECRET: 'client-tokens',
  ENDPOINT_KEY_SECRET: 'key-of-endpoints',
  REFERENCE_SECRET: 'references',
  RECEIPT_SECRET: 'receipts',
};

const secretsNamed = Object.entries({
  'key-of-ids': idKey,
  'client-tokens': clientTokenSecret,
  'key-of-endpoints': endpointKey,
  references: referenceSecret,
  receipts: receiptSecret,
}).map(([name, secretString]) => ({ name, arn: name, secretString }));

const queueNamed = (name: QueueName): Queue => ({
  name,
  attributes: name.endsWith('.fifo') ? { FifoQueue: 'true' } : {},
});

function ourBundle(name: string, to: string): string {
  bundleFunction(name, to);
  return join(to, 'index.mjs');
}

/** A schema of the last release: which words it knows. */
export async function theirSchema({ last }: Crossing, file: string, name: string): Promise<z.ZodType> {
  const module: unknown = await import(/* @vite-ignore */ pathToFileURL(join(last.directory, file)).href);
  return z.looseObject({ [name]: z.instanceof(z.ZodType) }).parse(module)[name] as z.ZodType;
}

/** A few at a time: each function answers one after the other. */
export async function each<Item>(
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const atOnce = 4;
  for (let from = 0; from < items.length; from += atOnce) {
    await Promise.all(items.slice(from, from + atOnce).map((item, index) => act(item, from + index)));
  }
}
