import type { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { type Expression, evaluate, type Given, parseExpression } from './metric-math.ts';
import { named, resourcesOf } from './stack.ts';

/*
 * What CloudWatch would make of the alarms of a template: reads each as it was synthesized, statistic, period, metric math,
 * datapoints and what missing data means, and judges series of metrics by it.
 */

/** What CloudWatch keeps of a metric in one minute. Undefined: no value came. */
export type Point = { readonly sum: number; readonly samples: number; readonly maximum: number } | undefined;

/** A point for each minute, by metric: `AWS/Lambda Errors FunctionName=sweepsweepverifications`. */
export type Series = ReadonlyMap<string, readonly Point[]>;

const dimensions = z.array(z.object({ Name: z.string(), Value: z.unknown() })).default([]);
const statistic = z.enum(['Sum', 'Average', 'Maximum', 'SampleCount']);
const query = z.union([
  z.object({
    Id: z.string(),
    MetricStat: z.object({
      Metric: z.object({ Namespace: z.string(), MetricName: z.string(), Dimensions: dimensions }),
      Period: z.int(),
      Stat: statistic,
    }),
    ReturnData: z.boolean().default(true),
  }),
  z.object({ Id: z.string(), Expression: z.string(), ReturnData: z.boolean().default(true) }),
]);
const compared = z.enum(['GreaterThanOrEqualToThreshold', 'LessThanThreshold']);
const common = {
  AlarmDescription: z.string(),
  Threshold: z.number(),
  EvaluationPeriods: z.int().positive(),
  DatapointsToAlarm: z.int().positive().optional(),
  ComparisonOperator: compared,
  TreatMissingData: z.enum(['breaching', 'notBreaching']),
};
/** The properties of an alarm that say when it rings. A property that this does not know would be overlooked: refused. */
export const alarmProperties = z.union([
  z.strictObject({ ...common, Metrics: z.array(query) }),
  z.strictObject({
    ...common,
    Namespace: z.string(),
    MetricName: z.string(),
    Dimensions: dimensions,
    Period: z.int(),
    Statistic: statistic,
  }),
]);
export type AlarmProperties = z.infer<typeof alarmProperties>;

interface Stored {
  readonly key: string;
  readonly periodSeconds: number;
  readonly statistic: z.infer<typeof statistic>;
}

/** An alarm as CloudWatch evaluates it. */
export class ReadAlarm {
  readonly name: string;
  readonly properties: AlarmProperties;
  /** Metrics that it reads. */
  readonly stored: ReadonlyMap<string, Stored>;
  readonly #expression: Expression;

  constructor(name: string, properties: AlarmProperties) {
    this.name = name;
    this.properties = properties;
    const queries = queriesOf(properties);
    const [returned, ...others] = queries.filter(({ ReturnData }) => ReturnData);
    if (!returned || others.length > 0) throw new Error(`${name} returns ${others.length + 1} metrics`);
    this.stored = new Map(
      queries.flatMap((one) =>
        'MetricStat' in one
          ? [
              [
                one.Id,
                {
                  key: keyOf(one.MetricStat.Metric),
                  periodSeconds: one.MetricStat.Period,
                  statistic: one.MetricStat.Stat,
                },
              ],
            ]
          : [],
      ),
    );
    this.#expression = parseExpression('Expression' in returned ? returned.Expression : returned.Id);
  }

  get periodMinutes(): number {
    const periods = new Set([...this.stored.values()].map(({ periodSeconds }) => periodSeconds));
    const [seconds = 0] = periods;
    if (periods.size !== 1 || seconds % 60 !== 0) throw new Error(`${this.name} has periods ${[...periods]}`);
    return seconds / 60;
  }

  /** Minutes after which it is in alarm. `quota` is what `SERVICE_QUOTA` answers. */
  minutesInAlarm(series: Series, { minutes, quota = 1000 }: { minutes: number; quota?: number }): number[] {
    const { EvaluationPeriods: evaluated, DatapointsToAlarm: needed = evaluated } = this.properties;
    const period = this.periodMinutes;
    const periods = new Map(
      [...this.stored].map(([id, one]) => [id, inPeriods(series.get(one.key) ?? [], one.statistic, period, minutes)]),
    );
    const ends = Array.from({ length: Math.floor(minutes / period) }, (_, index) => index + 1);
    return ends
      .filter((end) => {
        if (end < evaluated) return false;
        const window = new Map([...periods].map(([id, values]) => [id, values.slice(end - evaluated, end)]));
        const given: Given = { quota, length: evaluated, valuesOf: (id) => window.get(id) ?? unknownId(id) };
        const values = evaluate(this.#expression, given);
        return values.filter((value) => this.#breaches(value)).length >= needed;
      })
      .map((end) => end * period);
  }

  rings(series: Series, run: { minutes: number; quota?: number }): boolean {
    return this.minutesInAlarm(series, run).length > 0;
  }

  /** The same with other properties: one that was made blind. */
  changed(changes: (properties: AlarmProperties) => AlarmProperties): ReadAlarm {
    return new ReadAlarm(this.name, changes(this.properties));
  }

  #breaches(value: number | undefined): boolean {
    const { ComparisonOperator, Threshold, TreatMissingData } = this.properties;
    if (value === undefined) return TreatMissingData === 'breaching';
    return ComparisonOperator === 'LessThanThreshold' ? value < Threshold : value >= Threshold;
  }
}

/** Every alarm of a template, by its readable name. */
export function readAlarms(template: Template): ReadAlarm[] {
  return Object.entries(resourcesOf(template, 'AWS::CloudWatch::Alarm')).map(
    ([name, { Properties }]) => new ReadAlarm(name.replace(/alarm$/, ''), alarmProperties.parse(Properties)),
  );
}

/** One metric is a query that returns itself. */
function queriesOf(properties: AlarmProperties): z.infer<typeof query>[] {
  if ('Metrics' in properties) return properties.Metrics;
  const { Namespace, MetricName, Dimensions, Period, Statistic } = properties;
  const MetricStat = { Metric: { Namespace, MetricName, Dimensions }, Period, Stat: Statistic };
  return [{ Id: 'only', MetricStat, ReturnData: true }];
}

function keyOf(metric: {
  Namespace: string;
  MetricName: string;
  Dimensions: { Name: string; Value?: unknown }[];
}): string {
  const { Namespace, MetricName, Dimensions } = metric;
  const pairs = Dimensions.map(({ Name, Value }) => `${Name}=${named(Value).replace(/\.QueueName$/, '')}`);
  return [Namespace, MetricName, ...pairs.sort()].join(' ');
}

function inPeriods(points: readonly Point[], statistic: Stored['statistic'], period: number, minutes: number) {
  return Array.from({ length: Math.floor(minutes / period) }, (_, index) => {
    const there = points.slice(index * period, (index + 1) * period).filter((point) => point !== undefined);
    if (there.length === 0) return undefined;
    const sum = there.reduce((total, point) => total + point.sum, 0);
    const samples = there.reduce((total, point) => total + point.samples, 0);
    const of = {
      Sum: sum,
      SampleCount: samples,
      Average: sum / samples,
      Maximum: Math.max(...there.map(({ maximum }) => maximum)),
    };
    return of[statistic];
  });
}

function unknownId(id: string): never {
  throw new Error(`No metric is named ${id}`);
}
