import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type AlarmProperties, type Point, type ReadAlarm, readAlarms, type Series } from './alarm-reader.ts';
import { generatedDay, minutesOfDay } from './series/day.ts';
import { resourcesOf, synthesize } from './stack.ts';

const template = synthesize();
const alarms = readAlarms(template);
const sectionOf = ({ properties }: ReadAlarm): string => properties.AlarmDescription.split('#')[1] ?? '';
const runbook = readFileSync('docs/runbook.md', 'utf8');
const sections = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading]) =>
  String(heading).toLowerCase().replaceAll(' ', '-'),
);
const subjectsOf = (metric: string, dimension: string): string[] =>
  [
    ...new Set(
      alarms
        .flatMap(({ stored }) => [...stored.values()])
        .flatMap(({ key }) => (key.startsWith(`${metric} `) ? (key.split(`${dimension}=`)[1] ?? []) : [])),
    ),
  ].sort();

describe('every alarm', () => {
  it('says who is hurt, in a sentence', () => {
    for (const { properties } of alarms)
      expect(properties.AlarmDescription).toMatch(/^[A-Z].{20,}\. See docs\/runbook\.md#/);
  });

  it('names a section of the runbook that exists', () => {
    for (const alarm of alarms) expect(sections).toContain(sectionOf(alarm));
  });

  it('tells the topic it was given, and has no action where there is none', () => {
    const topic = 'arn:aws:sns:eu-west-1:111122223333:ops';
    for (const { Properties } of Object.values(resourcesOf(template, 'AWS::CloudWatch::Alarm')))
      expect(Properties.AlarmActions).toBeUndefined();
    synthesize({ alarmTopicArn: topic }).allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [topic] });
  });
});

it('has no section in the runbook that no alarm opens', () => {
  const opened = new Set(alarms.map(sectionOf));
  expect(sections.filter((section) => !opened.has(section))).toEqual([]);
});

describe('watches', () => {
  const idsOf = (type: string) => Object.keys(resourcesOf(template, type)).sort();

  it('every place where messages wait for a person, and every queue people wait behind', () => {
    const waitForPeople = (queue: string) => queue.endsWith('undeliverable') || queue.endsWith('rolledback');
    const queues = idsOf('AWS::SQS::Queue');
    const visible = subjectsOf('AWS/SQS ApproximateNumberOfMessagesVisible', 'QueueName');
    expect(visible).toEqual(queues.filter(waitForPeople));
    const age = subjectsOf('AWS/SQS ApproximateAgeOfOldestMessage', 'QueueName');
    expect(age).toEqual(queues.filter((queue) => !waitForPeople(queue)));
  });

  it('every function fail', () => {
    expect(subjectsOf('AWS/Lambda Errors', 'FunctionName')).toEqual(idsOf('AWS::Lambda::Function'));
  });

  it('every rule fail to deliver', () => {
    expect(subjectsOf('AWS/Events FailedInvocations', 'RuleName')).toEqual(idsOf('AWS::Events::Rule'));
  });

  it('every table and every index refuse reads and writes', () => {
    const places = Object.entries(resourcesOf(template, 'AWS::DynamoDB::Table')).flatMap(([id, { Properties }]) => {
      const indexes: { IndexName: string }[] = Properties.GlobalSecondaryIndexes ?? [];
      return [
        `TableName=${id}`,
        ...indexes.map(({ IndexName }) => `GlobalSecondaryIndexName=${IndexName} TableName=${id}`),
      ];
    });
    const read = alarms.flatMap(({ stored }) => [...stored.values()].map(({ key }) => key));
    const wanted = places.flatMap((place) =>
      ['Read', 'Write'].map((kind) => `AWS/DynamoDB ${kind}ThrottleEvents ${place}`),
    );
    expect(read.filter((key) => key.startsWith('AWS/DynamoDB')).sort()).toEqual(wanted.sort());
  });
});

/** Metrics of a run that was broken on purpose, by minute. `series/record.ts` and `series/record-table.ts` say how they were made. */
const recorded = z.strictObject({
  /** What was broken, and how the numbers came about. */
  made: z.string(),
  /** Limit of the account's concurrency in that run. */
  quota: z.number().optional(),
  /** Sum, number and maximum of the values of each minute; null where there was none. */
  metrics: z.record(z.string(), z.array(z.tuple([z.number(), z.number(), z.number()]).nullable())),
});
const runs = new Map(
  readdirSync('test/infra/series/recorded').map((file) => [
    file.replace('.json', ''),
    recorded.parse(JSON.parse(readFileSync(`test/infra/series/recorded/${file}`, 'utf8'))),
  ]),
);

/**
 * Which run each alarm is to ring on. Alarms of one kind differ in whose metric they read: one function, queue, table, rule
 * or vendor was broken, and stands for all.
 */
const broken: readonly (readonly [alarms: RegExp, run: string])[] = [
  [/^healthnothingdecided$/, 'nothing-decided'],
  [/^health\w+faults$/, 'vendor-down'],
  [/^healthconcurrency$/, 'concurrency'],
  [/^healthfunctionthrottles$/, 'throttled'],
  [/failed$/, 'rule-without-target'],
  [/^healthrolledbacknotempty$/, 'rolled-back'],
  [/undeliverablenotempty$/, 'undeliverable'],
  [/^resultdeliverylate$/, 'events-late'],
  [/^(?!resultdelivery).*late$/, 'queue-without-reader'],
  [/^ordersendpointsfailing$/, 'endpoints-dead'],
  [/^publicapiservererrors$/, 'api-without-grants'],
  [/^(?!publicapiserver).*errors$/, 'function-crashing'],
  [/^records\w+throttles$/, 'table-throttled'],
  [/^sweepbehind$/, 'sweep-behind'],
  [/^sweepstopped$/, 'sweep-off'],
];

/** The run's metrics as those that this alarm reads: of the same name, whatever deployment or provider they are of. */
function seriesFor(
  alarm: ReadAlarm,
  name: string,
  keys?: readonly string[],
): { series: Series; minutes: number; quota?: number } {
  const run = runs.get(name);
  if (!run) throw new Error(`${name} was not recorded`);
  const read = keys ?? [...alarm.stored.values()].map(({ key }) => key);
  const pointsOf = (key: string): Point[] =>
    (run.metrics[key.split(' ').slice(0, 2).join(' ')] ?? []).map((point) =>
      point === null ? undefined : { sum: point[0], samples: point[1], maximum: point[2] },
    );
  const minutes = Math.max(...Object.values(run.metrics).map(({ length }) => length));
  return { series: new Map(read.map((key) => [key, pointsOf(key)])), minutes, ...(run.quota && { quota: run.quota }) };
}

/** Ways of making an alarm blind: each is to be found out by the run that it should ring on. */
const blinded: Readonly<Record<string, (properties: AlarmProperties) => AlarmProperties>> = {
  'a threshold that is not reached': (alarm) => ({
    ...alarm,
    Threshold: alarm.ComparisonOperator === 'LessThanThreshold' ? 0 : 10_000 * (alarm.Threshold + 1),
    ...(alarm.ComparisonOperator === 'LessThanThreshold' && { TreatMissingData: 'notBreaching' as const }),
  }),
  'more periods than the trouble lasts': (alarm) => ({
    ...alarm,
    EvaluationPeriods: 100 * alarm.EvaluationPeriods,
    DatapointsToAlarm: 100 * alarm.EvaluationPeriods,
  }),
  'a period longer than the trouble': (alarm) =>
    'Metrics' in alarm
      ? {
          ...alarm,
          Metrics: alarm.Metrics.map((one) =>
            'MetricStat' in one ? { ...one, MetricStat: { ...one.MetricStat, Period: 86_400 } } : one,
          ),
        }
      : { ...alarm, Period: 86_400 },
  'the other side of the threshold': (alarm) => ({
    ...alarm,
    ComparisonOperator:
      alarm.ComparisonOperator === 'LessThanThreshold' ? 'GreaterThanOrEqualToThreshold' : 'LessThanThreshold',
    Threshold: alarm.ComparisonOperator === 'LessThanThreshold' ? 1000 : Number.NEGATIVE_INFINITY,
    TreatMissingData: 'notBreaching' as const,
  }),
};

describe.each(alarms.map((alarm) => [alarm.name, alarm] as const))('%s', (name, alarm) => {
  const [row, ...others] = broken.filter(([names]) => names.test(name));
  const run = row ? seriesFor(alarm, row[1]) : undefined;

  it('has one run that it is to ring on, and rings on it', () => {
    expect(others).toEqual([]);
    expect(run && alarm.rings(run.series, run), row?.[1]).toBe(true);
  });

  it.each(Object.entries(blinded))('would not ring on it with %s', (_, blind) => {
    expect(run && alarm.changed(blind).rings(run.series, run)).toBe(false);
  });

  it('is silent on a good day', () => {
    const day = generatedDay([...alarm.stored.values()].map(({ key }) => key));
    expect(alarm.minutesInAlarm(day, { minutes: minutesOfDay })).toEqual([]);
  });
});

it.each(alarms.filter(({ name }) => name.startsWith('records')).map((alarm) => [alarm.name, alarm] as const))(
  '%s rings for any one of its indexes alone',
  (_, alarm) => {
    for (const { key } of alarm.stored.values()) {
      const { series, ...run } = seriesFor(alarm, 'table-throttled', [key]);
      expect(alarm.rings(series, run), key).toBe(true);
    }
  },
);

it('rings for failing endpoints of three tenants that have one each, and not for sixteen of one tenant', () => {
  const failing = alarms.find(({ name }) => name === 'ordersendpointsfailing');
  const point = (sum: number, samples: number): Point => ({ sum, samples, maximum: 1 });
  const seriesOf = (tenants: number, failed: number, tried: number): Series => {
    const keys = [...(failing?.stored.values() ?? [])].map(({ key }) => key);
    return new Map(
      keys.map((key) => [key, [key.includes('Tenants') ? point(tenants, tenants) : point(failed, tried)]]),
    );
  };
  expect(failing?.rings(seriesOf(3, 3, 3), { minutes: 15 })).toBe(true);
  expect(failing?.rings(seriesOf(3, 30, 100), { minutes: 15 })).toBe(true);
  expect(failing?.rings(seriesOf(1, 100, 100), { minutes: 15 })).toBe(false);
  expect(failing?.rings(seriesOf(3, 30, 1000), { minutes: 15 })).toBe(false); // three servers among many that take
});

it('is as many alarms, of as many metrics, as the page of costs says', () => {
  const metrics = alarms.reduce((sum, { stored }) => sum + stored.size, 0);
  expect(readFileSync('docs/deploying.md', 'utf8')).toContain(`${alarms.length} alarms over ${metrics} metrics`);
});

it('has no dimension but the deployment and the provider in metrics of our own', () => {
  const own = alarms
    .flatMap(({ stored }) => [...stored.values()].map(({ key }) => key))
    .filter((key) => key.startsWith('Bonafide'));
  expect(new Set(own.flatMap((key) => key.match(/\w+(?==)/g)))).toEqual(new Set(['service', 'provider']));
  expect(own.length).toBeGreaterThan(5);
});
