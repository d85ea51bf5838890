import { notKnown, type Resource, type Template } from '../template.ts';

/** How many batches of a mapping without a limit of its own are with its function at the same time. */
export const defaultConcurrency = 4;

interface RawMapping {
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

/** Event source mappings that are switched on: all of them, or those to one function. */
export function mappingsTo(template: Template, target?: Resource) {
  return template
    .ofType('AWS::Lambda::EventSourceMapping')
    .map((resource) => {
      const mapping = template.properties(resource) as unknown as RawMapping;
      const called = template.find('AWS::Lambda::Function', mapping.FunctionName);
      if (!called) throw notKnown(resource, `a function that is not in the stack: ${mapping.FunctionName}`);
      return { ...mapping, resource, functionArn: called.arn };
    })
    .filter(({ Enabled, functionArn }) => Enabled !== false && (!target || functionArn === target.arn));
}

/** What both kinds of mapping have in common. */
function commonOf(mapping: RawMapping & { functionArn: string }) {
  return {
    functionArn: mapping.functionArn,
    windowSeconds: mapping.MaximumBatchingWindowInSeconds ?? 0,
    reportsFailures: mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
    filters: (mapping.FilterCriteria?.Filters ?? []).map(({ Pattern }): unknown => JSON.parse(Pattern)),
  };
}

export function queueMappingsOf(template: Template, concurrencyOfFunction: (arn: string) => number) {
  return mappingsTo(template).flatMap((mapping) => {
    const queue = template.find('AWS::SQS::Queue', mapping.EventSourceArn);
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
    if (template.find('AWS::SQS::Queue', mapping.EventSourceArn)) return [];
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
