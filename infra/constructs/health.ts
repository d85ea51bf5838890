import { Duration, Stack } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { registry } from '../../shared/providers/registry.ts';
import { acknowledge } from './acknowledge.ts';
import type { Encryption } from './encryption.ts';
import { ServiceAlarm, watchDelivery } from './service-alarm.ts';
import { providerMetric, serviceMetric } from './service-metric.ts';
import { UndeliverableQueue } from './work-queue.ts';

/** Whether people get verdicts, whichever part is to blame; and whether a deployment was taken back. */
export class Health extends Construct {
  /** One message for each deployment that was rolled back: it waits for a person. */
  readonly rolledBack: UndeliverableQueue;

  constructor(scope: Construct, id: string, { encryption }: { readonly encryption: Encryption }) {
    super(scope, id);
    this.#watchDecisions();
    for (const provider of registry.keys()) this.#watchProvider(provider);
    this.#watchConcurrency();
    this.rolledBack = this.#watchDeployments(encryption);
  }

  /** Each verification counts as 0 when its captures are in and as 1 when it is decided: in a good hour the half is 1. */
  #watchDecisions(): void {
    const period = Duration.minutes(5);
    new ServiceAlarm(this, 'nothing-decided', {
      hurt: 'People have sent their captures and none of them gets a verdict.',
      runbook: 'nothing-decided',
      metric: new MathExpression({
        expression: 'IF(counted >= 10, 100 * (1 - decided / counted), 0)',
        usingMetrics: {
          decided: serviceMetric(this, 'Decided', { statistic: 'Sum', period }),
          counted: serviceMetric(this, 'Decided', { statistic: 'SampleCount', period }),
        },
        period,
      }),
      threshold: 98,
      evaluationPeriods: 2,
    });
  }

  #watchProvider(provider: string): void {
    const period = Duration.minutes(5);
    new ServiceAlarm(this, `${provider}-faults`, {
      hurt: `People whose captures go to ${provider} wait for another provider, or get no verdict.`,
      runbook: 'provider-faults',
      metric: new MathExpression({
        expression: 'IF(asked >= 10, 100 * faults / asked, 0)',
        usingMetrics: {
          faults: providerMetric(this, 'ProviderFaults', provider, { statistic: 'Sum', period }),
          asked: providerMetric(this, 'ProviderFaults', provider, { statistic: 'SampleCount', period }),
        },
        period,
      }),
      threshold: 25,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
    });
  }

  /** Of every function in the account and region: they share one limit, and any that uses it up hurts ours. */
  #watchConcurrency(): void {
    const period = Duration.minutes(5);
    new ServiceAlarm(this, 'function-throttles', {
      hurt: 'Everybody waits longer and integrators get 503: the account’s Lambda concurrency is used up.',
      runbook: 'function-throttles',
      metric: new MathExpression({
        // Where all are throttled, none is invoked.
        expression: 'IF(throttled >= 10, 100 * throttled / (throttled + FILL(invoked, 0)), 0)',
        usingMetrics: {
          throttled: LambdaFunction.metricAllThrottles({ period, statistic: 'Sum' }),
          invoked: LambdaFunction.metricAllInvocations({ period, statistic: 'Sum' }),
        },
        period,
      }),
      threshold: 2,
      evaluationPeriods: 2,
    });
    const minute = Duration.minutes(1);
    new ServiceAlarm(this, 'concurrency', {
      hurt: 'Soon everybody waits longer and integrators get 503: four fifths of the account’s Lambda concurrency are in use.',
      runbook: 'concurrency-used-up',
      metric: new MathExpression({
        expression: '100 * used / SERVICE_QUOTA(used)',
        usingMetrics: {
          used: new Metric({
            namespace: 'AWS/Usage',
            metricName: 'ResourceCount',
            dimensionsMap: { Service: 'Lambda', Type: 'Resource', Resource: 'ConcurrentExecutions', Class: 'None' },
            statistic: 'Maximum',
            period: minute,
          }),
        },
        period: minute,
      }),
      threshold: 80,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
    });
  }

  /** However it was deployed: a canary that an alarm stopped ends as an update that was rolled back, too. */
  #watchDeployments(encryption: Encryption): UndeliverableQueue {
    const queue = new UndeliverableQueue(this, 'rolled-back', {
      encryption,
      hurt: 'Integrators keep the version before: a deployment failed, and was rolled back or stuck on the way.',
      runbook: 'deployment-rolled-back',
    });
    const rule = new Rule(this, 'rollbacks', {
      description: 'An update of this stack was rolled back',
      eventPattern: {
        source: ['aws.cloudformation'],
        detailType: ['CloudFormation Stack Status Change'],
        detail: {
          'stack-id': [Stack.of(this).stackId],
          'status-details': { status: ['UPDATE_ROLLBACK_COMPLETE', 'UPDATE_ROLLBACK_FAILED', 'UPDATE_FAILED'] },
        },
      },
      targets: [new SqsQueue(queue)],
    });
    acknowledge(
      queue,
      'AwsSolutions-SQS3',
      'No function reads it: a person does, called by the alarm on its first message.',
    );
    acknowledge(
      rule,
      'Serverless-EventBusDLQ',
      'An event that does not reach the queue raises an alarm, and CloudFormation says the same for 90 days.',
    );
    watchDelivery(rule, 'A deployment that is rolled back may not be noticed: its event did not reach the queue.');
    return queue;
  }
}
