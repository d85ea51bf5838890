import { mkdirSync } from 'node:fs';
import { credentials } from './credentials.ts';
import { deadLeases } from './dead-leases.ts';
import { dynamoDb } from './dynamodb/part.ts';
import { type Endpoints, environment } from './environment.ts';
import { eventSources } from './event-sources/part.ts';
import { eventBridge } from './eventbridge/part.ts';
import { functions } from './functions/part.ts';
import { httpApi, routes } from './http-api/part.ts';
import { parts } from './part.ts';
import { s3 } from './s3/part.ts';
import { schedules } from './schedules/part.ts';
import { secretsManager } from './secrets-manager/part.ts';
import { sqs } from './sqs/part.ts';
import { stackFile } from './stack-file.ts';
import { readTemplate } from './template.ts';
import { type Watching, watching } from './watch.ts';

export interface StackOptions {
  /** The directory `cdk synth` wrote. */
  template: string;
  /** Where everything is kept. */
  dataDirectory: string;
  /** Of the HTTP API; 0 takes a free one, as all parts but S3 do. */
  port: number;
  /** Of S3. @default the port of the last start with this data, at first a free one */
  s3Port?: number;
  /** Stands for 127.0.0.1 in upload URLs, for phones and containers: a host, with its port, or a whole origin. */
  s3PublicHost?: string;
  /** Shows on stderr what functions log. */
  verbose?: boolean;
  /** Takes no larger requests than AWS does (`-c awsLimits=true`). @default false */
  awsLimits?: boolean;
  /** Takes up changes of sources while it runs. */
  watch?: Watching;
}

export interface Stack {
  /** The API's, without a trailing slash. */
  url: string;
  /** The origin of upload URLs. */
  uploads: string;
  endpoints: Endpoints;
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

/** In the order in which they start: everything a part uses stands above it. */
const allParts = parts
  .with(credentials)
  .with(httpApi)
  .with(dynamoDb)
  .with(sqs)
  .with(secretsManager)
  .with(eventBridge)
  .with(s3)
  .with(environment)
  .with(deadLeases)
  .with(functions)
  .with(eventSources)
  .with(schedules)
  .with(routes)
  .with(watching)
  .with(stackFile);

/** Runs a synthesized stack on embedded parts, with its data in one directory that survives a kill. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { template: from, verbose = false, ...rest } = options;
  const template = readTemplate(from);
  mkdirSync(rest.dataDirectory, { recursive: true, mode: 0o700 });
  const { given, stop } = await allParts.start({ ...rest, template, verbose, targets: new Map() });
  return {
    url: given.api.url,
    uploads: given.s3.publicOrigin,
    endpoints: given.endpoints,
    environment: given.environment,
    outputs: template.outputs(),
    resources: Object.fromEntries(
      template.resources.map(({ id, name, type }) => [id, type === 'AWS::SQS::Queue' ? given.sqs.urlOf(name) : name]),
    ),
    eventJournal: given.eventJournal,
    async invoke(functionName, event) {
      const found = template
        .ofType('AWS::Lambda::Function')
        .find(({ id, name, shortName }) => [id, name, shortName].includes(functionName));
      if (!found) throw new Error(`The stack has no function ${functionName}`);
      return given.functions.of(found.arn).invoke(event);
    },
    stop,
  };
}
