import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type DynamoDb, startDynamoDb } from './dynamodb.ts';
import { type EventBridge, startEventBridge } from './eventbridge.ts';
import { type LocalFunction, startFunction } from './functions.ts';
import { startHttpApi } from './http-api.ts';
import { consumeQueue } from './queue-source.ts';
import { startS3 } from './s3.ts';
import { startSchedules } from './schedules.ts';
import { startSecretsManager } from './secrets-manager.ts';
import { startSqs } from './sqs.ts';
import {
  bucketsOf,
  corsOf,
  functionsOf,
  queueMappingsOf,
  queuesOf,
  routesOf,
  rulesOf,
  schedulesOf,
  secretsOf,
  streamMappingsOf,
  tablesOf,
} from './stack-parts.ts';
import { consumeStream } from './stream-source.ts';
import { readTemplate, region } from './template.ts';

export interface StackOptions {
  /** The directory `cdk synth` wrote. */
  template: string;
  /** Where everything is kept. */
  dataDirectory: string;
  /** Of the HTTP API; all others are free ones. 0 takes a free one too. */
  port: number;
  /** Shows on stderr what functions log. */
  verbose?: boolean;
}

export interface Stack {
  /** The API's, without a trailing slash. */
  url: string;
  endpoints: { s3: string; dynamodb: string; sqs: string; eventbridge: string; secretsmanager: string };
  /** What an AWS SDK client or a command line needs in its environment to find and use all of this. */
  environment: Record<string, string>;
  outputs: Record<string, string>;
  /** Physical name (for queues: URL) by logical id. */
  resources: Record<string, string>;
  /** Where everything written to a bus of the template can be read, one event per line. */
  eventJournal: string;
  /** Invokes a function by logical id, name or the last part of its construct path: `sweep-verifications`. */
  invoke: (functionName: string, event: unknown) => Promise<unknown>;
  stop: () => Promise<void>;
}

const graceMs = 5000;

/** Runs a synthesized stack on embedded parts, with its data in one directory that survives a kill. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { dataDirectory } = options;
  const template = readTemplate(options.template);
  const within = (...parts: string[]) => path.join(dataDirectory, ...parts);
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  // Ended in this order, also when a later part fails to start.
  const whatWorks: (() => Promise<void>)[] = [];
  const whatItWorksOn: (() => Promise<void>)[] = [];
  const stop = async () => {
    // Together: sources wait for their functions, and functions are killed when the grace is over.
    await Promise.all(whatWorks.map((end) => end()));
    for (const end of whatItWorksOn.reverse()) await end();
  };

  try {
    const api = await startHttpApi(options.port);
    whatItWorksOn.push(api.stop);
    for (const resource of template.ofType('AWS::ApiGatewayV2::Api')) {
      template.setReference(resource, 'local');
      template.setAttribute(resource, 'ApiEndpoint', api.url);
    }

    const dynamoDb = await startDynamoDb({ directory: within('dynamodb') });
    whatItWorksOn.push(dynamoDb.stop);
    for (const table of tablesOf(template)) await ensureTable(dynamoDb, table);

    const sqs = await startSqs({ directory: within('sqs'), queues: queuesOf(template), region });
    whatItWorksOn.push(sqs.stop);
    for (const queue of template.ofType('AWS::SQS::Queue')) {
      template.setReference(queue, sqs.urlOf(queue.name));
      template.setAttribute(queue, 'QueueUrl', sqs.urlOf(queue.name));
    }

    const secrets = await startSecretsManager(within('secrets.json'), secretsOf(template));
    whatItWorksOn.push(secrets.stop);

    // New at every start, as the port is: a signature made by an earlier start would lead nowhere anyway.
    const credentials = { accessKeyId: 'LOCAL', secretAccessKey: randomBytes(30).toString('base64url') };
    const sqsClient = new SQSClient({ endpoint: sqs.endpoint, region, credentials });
    const functions = new Map<string, LocalFunction>();
    const concurrency = new Map<string, number>();

    const deliver = async (arn: string, payload: unknown) => {
      const queue = template.find('AWS::SQS::Queue', arn);
      if (queue) {
        const message = { QueueUrl: sqs.urlOf(queue.name), MessageBody: JSON.stringify(payload) };
        await sqsClient.send(new SendMessageCommand(message));
        return;
      }
      const target = functions.get(arn);
      if (!target) throw new Error(`${arn} is neither a queue nor a function of this stack`);
      // Asynchronous, as on Lambda: the sender does not learn what becomes of it.
      target.invoke(payload).catch((error: unknown) => console.error(error));
    };
    const eventJournal = within('events.ndjson');
    const eventBridge: EventBridge = await startEventBridge({
      buses: template.ofType('AWS::Events::EventBus').map(({ name }) => name),
      rules: rulesOf(template),
      deliver,
      journal: eventJournal,
      region,
    });
    whatItWorksOn.push(eventBridge.stop);

    const s3 = await startS3({
      directory: within('s3'),
      buckets: bucketsOf(template),
      credentials,
      region,
      onEvent: (event) => eventBridge.put('default', { ...event }),
    });
    whatItWorksOn.push(s3.stop);

    const endpoints = {
      s3: s3.endpoint,
      dynamodb: dynamoDb.endpoint,
      sqs: sqs.endpoint,
      eventbridge: eventBridge.endpoint,
      secretsmanager: secrets.endpoint,
    };
    const environment = {
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL_S3: endpoints.s3,
      AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
      AWS_ENDPOINT_URL_SQS: endpoints.sqs,
      AWS_ENDPOINT_URL_EVENTBRIDGE: endpoints.eventbridge,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsmanager,
    };

    for (const { resource, definition, warm } of functionsOf(template, environment, api.url)) {
      const started = startFunction(definition, { logDirectory: within('logs'), verbose: options.verbose });
      functions.set(resource.arn, started);
      concurrency.set(resource.arn, definition.concurrency);
      whatWorks.push(() => started.stop(graceMs));
      if (warm) started.warm();
    }
    const functionOf = (arn: string) => {
      const found = functions.get(arn);
      if (!found) throw new Error(`${arn} is not a function of this stack`);
      return found;
    };

    for (const { functionArn, queueName, ...source } of queueMappingsOf(template, (arn) => concurrency.get(arn) ?? 1)) {
      const { invoke } = functionOf(functionArn);
      whatWorks.push(consumeQueue(sqsClient, { ...source, queueUrl: sqs.urlOf(queueName), region, invoke }).stop);
    }
    for (const { table, readerName, failureQueueArn, ...source } of streamMappingsOf(template)) {
      const reader = await dynamoDb.changes(table, readerName);
      const { invoke } = functionOf(source.functionArn);
      const onFailure = failureQueueArn ? (description: unknown) => deliver(failureQueueArn, description) : undefined;
      const consumer = consumeStream(reader, { ...source, region, invoke, onFailure });
      dynamoDb.onChange((change) => change.table === table && consumer.wake());
      whatWorks.push(consumer.stop);
    }
    const schedules = schedulesOf(template).map(({ functionArn, event, ...schedule }) => ({
      ...schedule,
      run: async () => void (await functionOf(functionArn).invoke(event())),
    }));
    whatWorks.push(startSchedules(schedules).stop);

    const routes = routesOf(template).map(({ functionArn, ...route }) => ({
      ...route,
      invoke: functionOf(functionArn).invoke,
    }));
    api.serve(routes, corsOf(template));

    const outputs = template.outputs();
    const about = path.join(dataDirectory, 'stack.json');
    // For command lines beside this process; with the credentials, so only for this user.
    writeFileSync(about, JSON.stringify({ url: api.url, environment, outputs }, null, 2), { mode: 0o600 });
    whatItWorksOn.push(async () => rmSync(about, { force: true }));

    return {
      url: api.url,
      endpoints,
      environment,
      outputs,
      resources: Object.fromEntries(
        template.resources.map(({ id, name, type }) => [id, type === 'AWS::SQS::Queue' ? sqs.urlOf(name) : name]),
      ),
      eventJournal,
      async invoke(functionName, event) {
        const found = template
          .ofType('AWS::Lambda::Function')
          .find(({ id, name, shortName }) => [id, name, shortName].includes(functionName));
        if (!found) throw new Error(`The stack has no function ${functionName}`);
        return functionOf(found.arn).invoke(event);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Creates a table, or makes sure that the one on disk is the one the template describes. */
async function ensureTable(
  dynamoDb: DynamoDb,
  { request, timeToLive }: ReturnType<typeof tablesOf>[number],
): Promise<void> {
  const { TableName } = request;
  const known = await dynamoDb.call('DescribeTable', { TableName }).catch(() => undefined);
  if (!known) await dynamoDb.call('CreateTable', request);
  else if (shapeOf(known.Table) !== shapeOf(request)) {
    throw new Error(
      `The data on disk has another ${TableName} than this version: remove it or choose another directory`,
    );
  }
  if (timeToLive) await dynamoDb.call('UpdateTimeToLive', { TableName, TimeToLiveSpecification: timeToLive });
}

/** What cannot be changed under stored items: the keys of the table and of its indexes. */
function shapeOf(table: unknown): string {
  type Keyed = { IndexName?: string; KeySchema: unknown; Projection?: unknown; GlobalSecondaryIndexes?: Keyed[] };
  const { KeySchema, GlobalSecondaryIndexes = [] } = table as Keyed;
  const indexes = GlobalSecondaryIndexes.map(({ IndexName, KeySchema: keys, Projection }) => {
    return [IndexName, keys, Object.entries(Projection ?? {}).sort()];
  });
  return JSON.stringify([KeySchema, indexes.sort()]);
}
