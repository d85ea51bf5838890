import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { maximumEndpoints } from '../../shared/domain/endpoint.ts';
import { named, resourcesOf, synthesize } from './stack.ts';

const template = synthesize();
const alarms = Object.values(resourcesOf(template, 'AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
const sections = [...readFileSync('docs/runbook.md', 'utf8').matchAll(/^## (.+)$/gm)].map(([, heading]) =>
  String(heading).toLowerCase().replaceAll(' ', '-'),
);
const dimensionsOf = (namespace: string, metric: string): string[] =>
  alarms
    .filter(({ Namespace, MetricName }) => Namespace === namespace && MetricName === metric)
    .flatMap(({ Dimensions }) => Dimensions.map(({ Value }: { Value: unknown }) => named(Value)))
    .map((name) => name.replace('.QueueName', ''))
    .sort();

describe('every alarm', () => {
  it('says who is hurt, in a sentence', () => {
    for (const { AlarmDescription } of alarms)
      expect(AlarmDescription).toMatch(/^[A-Z].{20,}\. See docs\/runbook\.md#/);
  });

  it('names a section of the runbook that exists', () => {
    for (const { AlarmDescription } of alarms) expect(sections).toContain(AlarmDescription.split('#')[1]);
  });

  it('tells the topic it was given, and has no action where there is none', () => {
    for (const { AlarmActions } of alarms) expect(AlarmActions).toBeUndefined();
    synthesize({ alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:ops' }).allResourcesProperties(
      'AWS::CloudWatch::Alarm',
      { AlarmActions: ['arn:aws:sns:eu-west-1:111122223333:ops'] },
    );
  });
});

it('has no section in the runbook that no alarm opens', () => {
  const named = new Set(alarms.map(({ AlarmDescription }) => AlarmDescription.split('#')[1]));
  expect(sections.filter((section) => !named.has(section))).toEqual([]);
});

it('watches every place where messages wait for a person, and every queue people wait behind', () => {
  const queues = Object.keys(resourcesOf(template, 'AWS::SQS::Queue')).sort();
  expect(dimensionsOf('AWS/SQS', 'ApproximateNumberOfMessagesVisible')).toEqual(
    queues.filter((q) => q.endsWith('undeliverable')),
  );
  expect(dimensionsOf('AWS/SQS', 'ApproximateAgeOfOldestMessage')).toEqual(
    queues.filter((q) => !q.endsWith('undeliverable')),
  );
});

it('watches every function fail', () => {
  expect(dimensionsOf('AWS/Lambda', 'Errors')).toEqual(
    Object.keys(resourcesOf(template, 'AWS::Lambda::Function')).sort(),
  );
});

it('needs no metric math, which emulators of CloudFormation do not know', () => {
  for (const { MetricName } of alarms) expect(MetricName).toEqual(expect.any(String));
});

it('rings for failing endpoints only where they are more than one tenant can have', () => {
  const failing = alarms.find(({ MetricName }) => MetricName === 'EndpointsFailing');
  expect(failing).toMatchObject({ Namespace: 'Bonafide', Statistic: 'Sum', Threshold: maximumEndpoints + 1 });
});

it('notices that nothing happens: a sweep that stopped makes no errors', () => {
  const stopped = alarms.find(({ MetricName }) => MetricName === 'Invocations');
  expect(stopped).toMatchObject({ ComparisonOperator: 'LessThanThreshold', TreatMissingData: 'breaching' });
});
