import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Rule, Target } from './eventbridge.ts';
import type { FunctionDefinition } from './functions.ts';
import type { CorsConfiguration } from './http-api.ts';
import type { Bucket } from './s3.ts';
import { rateMs } from './schedules.ts';
import type { GenerateSecretString, SecretDefinition } from './secrets-manager.ts';
import type { Queue } from './sqs.ts';
import { type Resource, region, type Template } from './template.ts';

// What each embedded part needs to know, read from the template. A property that would change what happens and that
// nobody here understands is refused by name.

const functionType = 'AWS::Lambda::Function';
const queueType = 'AWS::SQS::Queue';

/** Functions with more memory than this carry models: few at a time, and started ahead. */
const heavyFunctionMb = 1536;
const apiConcurrency = 10;
const defaultConcurrency = 4;

export function tablesOf(template: Template) {
  return template.ofType('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable').map((resource) => {
    const properties = template.properties(resource);
    const stream = properties.StreamSpecification as { StreamViewType: string } | undefined;
    const indexes = properties.GlobalSecondaryIndexes as Record<string, unknown>[] | undefined;
    const timeToLive = properties.TimeToLiveSpecification as { AttributeName: string; Enabled: boolean } | undefined;
    return {
      timeToLive,
      request: {
        TableName: resource.name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: properties.AttributeDefinitions,
        KeySchema: properties.KeySchema,
        ...(indexes && {
          GlobalSecondaryIndexes: indexes.map(({ IndexName, KeySchema, Projection }) => ({
            IndexName,
            KeySchema,
            Projection,
          })),
        }),
        ...(stream && { StreamSpecification: { StreamEnabled: true, ...stream } }),
      },
    };
  });
}

export function queuesOf(template: Template): Queue[] {
  const plain = [
    'VisibilityTimeout',
    'DelaySeconds',
    'MaximumMessageSize',
    'MessageRetentionPeriod',
    'ReceiveMessageWaitTimeSeconds',
    'FifoQueue',
    'ContentBasedDeduplication',
  ];
  return template.ofType(queueType).map((resource) => {
    const properties = template.properties(resource);
    const given = plain.filter((name) => properties[name] !== undefined);
    const attributes = Object.fromEntries(given.map((name) => [name, String(properties[name])]));
    if (properties.RedrivePolicy) attributes.RedrivePolicy = JSON.stringify(properties.RedrivePolicy);
    return { name: resource.name, attributes };
  });
}

export function bucketsOf(template: Template): Bucket[] {
  return template.ofType('AWS::S3::Bucket').map((resource) => {
    const properties = template.properties(resource) as {
      VersioningConfiguration?: { Status: string };
      NotificationConfiguration?: { EventBridgeConfiguration?: { EventBridgeEnabled?: boolean } } & Record<
        string,
        unknown
      >;
      CorsConfiguration?: { CorsRules: Bucket['cors'] };
      LifecycleConfiguration?: { Rules: LifecycleRule[] };
    };
    const { EventBridgeConfiguration, ...others } = properties.NotificationConfiguration ?? {};
    if (Object.keys(others).length > 0) throw notKnown(resource, `notifications by ${Object.keys(others)}`);
    const rules = (properties.LifecycleConfiguration?.Rules ?? []).filter(({ Status }) => Status === 'Enabled');
    return {
      name: resource.name,
      versioned: properties.VersioningConfiguration?.Status === 'Enabled',
      notifies: Boolean(EventBridgeConfiguration) && EventBridgeConfiguration?.EventBridgeEnabled !== false,
      cors: properties.CorsConfiguration?.CorsRules ?? [],
      lifecycle: rules.map(({ Prefix = '', ExpirationInDays, NoncurrentVersionExpiration }) => ({
        prefix: Prefix,
        ...(ExpirationInDays !== undefined && { current: Number(ExpirationInDays) }),
        ...(NoncurrentVersionExpiration && { replaced: Number(NoncurrentVersionExpiration.NoncurrentDays) }),
      })),
    };
  });
}

interface LifecycleRule {
  Status: string;
  Prefix?: string;
  ExpirationInDays?: number;
  NoncurrentVersionExpiration?: { NoncurrentDays: number };
}

export function secretsOf(template: Template): SecretDefinition[] {
  return template.ofType('AWS::SecretsManager::Secret').map((resource) => {
    const { SecretString, GenerateSecretString: generate } = template.properties(resource);
    return {
      name: resource.name,
      arn: resource.arn,
      ...(SecretString !== undefined && { secretString: String(SecretString) }),
      ...(generate !== undefined && { generate: generate as GenerateSecretString }),
    };
  });
}

export function functionsOf(template: Template, awsEnvironment: Record<string, string>, apiUrl: string) {
  const behindApi = new Set(routesOf(template).map(({ functionArn }) => functionArn));
  const apiOnAws = `https://local.execute-api.${region}.amazonaws.com`;
  return template.ofType(functionType).map((resource) => {
    const properties = template.properties(resource) as {
      Code: { S3Key?: string };
      Handler: string;
      Timeout?: number;
      MemorySize?: number;
      Environment?: { Variables: Record<string, string> };
      Layers?: unknown;
      PackageType?: string;
    };
    if (!properties.Code.S3Key || properties.Layers || properties.PackageType === 'Image') {
      throw notKnown(resource, 'inline code, layers or images');
    }
    const memoryMb = properties.MemorySize ?? 128;
    const heavy = memoryMb >= heavyFunctionMb;
    const variables = Object.entries(properties.Environment?.Variables ?? {});
    const definition: FunctionDefinition = {
      name: resource.name,
      shortName: resource.shortName,
      ...bundleOf(resource, template.assetPath(properties.Code.S3Key), properties.Handler),
      timeoutSeconds: properties.Timeout ?? 3,
      memoryMb,
      environment: {
        ...Object.fromEntries(variables.map(([name, value]) => [name, String(value).replaceAll(apiOnAws, apiUrl)])),
        ...awsEnvironment,
      },
      concurrency: concurrencyOf(resource, heavy, behindApi, template),
    };
    return { resource, definition, warm: heavy };
  });
}

function concurrencyOf(resource: Resource, heavy: boolean, behindApi: Set<string>, template: Template): number {
  const limits = mappingsTo(template, resource).map(({ ScalingConfig }) => ScalingConfig?.MaximumConcurrency);
  const limit = Math.max(0, ...limits.filter((one) => one !== undefined)) || defaultConcurrency;
  // One inference already uses several processors.
  if (heavy) return Math.min(limit, availableParallelism() >= 8 ? 2 : 1);
  // More where people wait for an answer: a request may hold its process for as long as it waits for a verdict.
  return behindApi.has(resource.arn) ? apiConcurrency : limit;
}

function bundleOf(resource: Resource, asset: string, handler: string) {
  const dot = handler.lastIndexOf('.');
  const [base, exportName] = [handler.slice(0, dot), handler.slice(dot + 1)];
  const file = ['.mjs', '.js', '.cjs'].map((ending) => path.join(asset, `${base}${ending}`)).find(existsSync);
  if (!file) throw new Error(`The function ${resource.name} has no ${base}.mjs in ${asset}`);
  return { file, exportName };
}

interface Mapping {
  EventSourceArn: string;
  FunctionName: string;
  Enabled?: boolean;
  BatchSize?: number;
  MaximumBatchingWindowInSeconds?: number;
  FunctionResponseTypes?: string[];
  FilterCriteria?: { Filters: { Pattern: string }[] };
  ScalingConfig?: { MaximumConcurrency?: number };
  BisectBatchOnFunctionError?: boolean;
  MaximumRetryAttempts?: number;
  DestinationConfig?: { OnFailure?: { Destination: string } };
}

function mappingsTo(template: Template, target?: Resource) {
  return template
    .ofType('AWS::Lambda::EventSourceMapping')
    .map((resource) => {
      const mapping = template.properties(resource) as unknown as Mapping;
      const called = template.find(functionType, mapping.FunctionName);
      if (!called) throw notKnown(resource, `a function that is not in the stack: ${mapping.FunctionName}`);
      return { ...mapping, resource, functionArn: called.arn };
    })
    .filter(({ Enabled, functionArn }) => Enabled !== false && (!target || functionArn === target.arn));
}

/** What both kinds of mapping have in common. */
function commonOf(mapping: Mapping & { functionArn: string }) {
  return {
    functionArn: mapping.functionArn,
    windowSeconds: mapping.MaximumBatchingWindowInSeconds ?? 0,
    reportsFailures: mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
    filters: (mapping.FilterCriteria?.Filters ?? []).map(({ Pattern }): unknown => JSON.parse(Pattern)),
  };
}

export function queueMappingsOf(template: Template, concurrencyOfFunction: (arn: string) => number) {
  return mappingsTo(template).flatMap((mapping) => {
    const queue = template.find(queueType, mapping.EventSourceArn);
    if (!queue) return [];
    const limit = mapping.ScalingConfig?.MaximumConcurrency ?? defaultConcurrency;
    return [
      {
        ...commonOf(mapping),
        queueName: queue.name,
        queueArn: queue.arn,
        batchSize: mapping.BatchSize ?? 10,
        // Not more than its function can run: a message should wait in the queue, not with its timeout running.
        concurrency: Math.min(limit, concurrencyOfFunction(mapping.functionArn)),
      },
    ];
  });
}

export function streamMappingsOf(template: Template) {
  const tables = template.ofType('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable');
  return mappingsTo(template).flatMap((mapping) => {
    if (template.find(queueType, mapping.EventSourceArn)) return [];
    const table = tables.find(({ arn }) => mapping.EventSourceArn.startsWith(`${arn}/stream/`));
    if (!table) throw notKnown(mapping.resource, `the event source ${mapping.EventSourceArn}`);
    const stream = template.properties(table).StreamSpecification as { StreamViewType: string } | undefined;
    const failureQueueArn = mapping.DestinationConfig?.OnFailure?.Destination;
    return [
      {
        ...commonOf(mapping),
        table: table.name,
        readerName: mapping.resource.name,
        streamArn: mapping.EventSourceArn,
        viewType: stream?.StreamViewType ?? 'NEW_AND_OLD_IMAGES',
        batchSize: mapping.BatchSize ?? 100,
        retries: mapping.MaximumRetryAttempts ?? -1,
        bisects: mapping.BisectBatchOnFunctionError ?? false,
        failureQueueArn,
      },
    ];
  });
}

interface RawTarget {
  Arn: string;
  Input?: string;
  InputPath?: string;
  InputTransformer?: unknown;
}

function targetOf(resource: Resource, { Arn, Input, InputPath, InputTransformer }: RawTarget): Target {
  if (InputTransformer) throw notKnown(resource, 'an input transformer');
  return {
    arn: Arn,
    ...(Input !== undefined && { input: Input }),
    ...(InputPath !== undefined && { inputPath: InputPath }),
  };
}

function enabledRules(template: Template) {
  return template
    .ofType('AWS::Events::Rule')
    .map((resource) => ({ resource, properties: template.properties(resource) }))
    .filter(({ properties }) => properties.State !== 'DISABLED');
}

/** Rules that wait for events. */
export function rulesOf(template: Template): Rule[] {
  return enabledRules(template).flatMap(({ resource, properties }) => {
    if (!properties.EventPattern) return [];
    const targets = (properties.Targets ?? []) as RawTarget[];
    return [
      {
        name: resource.name,
        bus:
          String(properties.EventBusName ?? 'default')
            .split('/')
            .at(-1) ?? '',
        pattern: properties.EventPattern,
        targets: targets.map((target) => targetOf(resource, target)),
      },
    ];
  });
}

/** Rules and schedules that wait for the clock. */
export function schedulesOf(template: Template) {
  const rules = enabledRules(template).flatMap(({ resource, properties }) =>
    properties.ScheduleExpression
      ? ((properties.Targets ?? []) as RawTarget[]).map((target) => ({ resource, properties, target }))
      : [],
  );
  const schedules = template.ofType('AWS::Scheduler::Schedule').map((resource) => {
    const properties = template.properties(resource);
    return { resource, properties, target: properties.Target as RawTarget };
  });
  return [...rules, ...schedules.filter(({ properties }) => properties.State !== 'DISABLED')].map(
    ({ resource, properties, target }) => {
      const everyMs = rateMs(String(properties.ScheduleExpression));
      if (everyMs === undefined) throw notKnown(resource, `the schedule ${properties.ScheduleExpression}`);
      const { arn, input } = targetOf(resource, target);
      const called = template.find(functionType, arn);
      if (!called) throw notKnown(resource, `the target ${arn} of a schedule`);
      const event = (): unknown => (input === undefined ? scheduledEvent(resource) : JSON.parse(input));
      return { name: resource.name, everyMs, functionArn: called.arn, event };
    },
  );
}

function scheduledEvent({ arn }: Resource) {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '000000000000',
    time: new Date().toISOString(),
    region,
    resources: [arn],
    detail: {},
  };
}

export function routesOf(template: Template) {
  const integrations = template.ofType('AWS::ApiGatewayV2::Integration');
  return template.ofType('AWS::ApiGatewayV2::Route').map((resource) => {
    const { RouteKey, Target } = template.properties(resource);
    const integration = integrations.find(({ name }) => `integrations/${name}` === Target);
    if (!integration) throw notKnown(resource, `the target ${Target}`);
    const { IntegrationUri, PayloadFormatVersion, TimeoutInMillis } = template.properties(integration);
    const called = template
      .ofType(functionType)
      .find(({ arn }) => IntegrationUri === arn || String(IntegrationUri).includes(`/functions/${arn}/`));
    if (!called || PayloadFormatVersion !== '2.0') throw notKnown(resource, 'anything but a function with payload 2.0');
    return {
      routeKey: String(RouteKey),
      functionArn: called.arn,
      timeoutMs: Number(TimeoutInMillis ?? 30_000),
    };
  });
}

export function corsOf(template: Template): CorsConfiguration | undefined {
  const [api, ...others] = template.ofType('AWS::ApiGatewayV2::Api');
  if (others[0]) throw notKnown(others[0], 'a second API');
  return api && (template.properties(api).CorsConfiguration as CorsConfiguration | undefined);
}

function notKnown({ name, type }: Resource, what: string): Error {
  return new Error(`The local stack does not know ${what}, which ${name} (${type}) uses`);
}
