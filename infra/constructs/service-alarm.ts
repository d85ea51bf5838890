import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Rule } from 'aws-cdk-lib/aws-events';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { readSettings } from '../settings.ts';

/** The sections of `docs/runbook.md`, one per kind of trouble. */
export type RunbookSection =
  | 'api-server-errors'
  | 'undeliverable-captures'
  | 'undeliverable-verifications'
  | 'undeliverable-events'
  | 'undeliverable-fetches'
  | 'undeliverable-results'
  | 'undeliverable-sweeps'
  | 'undeliverable-webhooks'
  | 'endpoints-failing'
  | 'queue-backlog'
  | 'events-late'
  | 'function-errors'
  | 'function-throttles'
  | 'sweep-stopped'
  | 'sweep-behind'
  | 'nothing-decided'
  | 'provider-faults'
  | 'table-throttles'
  | 'failed-deliveries'
  | 'concurrency-used-up'
  | 'deployment-rolled-back';

/** Every alarm says who is hurt and what to read, so that the operator can act on it. */
export interface ServiceAlarmProps {
  /** Who is hurt, and how: a sentence for an operator who was asleep. */
  readonly hurt: string;
  readonly runbook: RunbookSection;
  readonly metric: IMetric;
  /** @default 1 */
  readonly threshold?: number;
  /** How many of the last periods count. @default 1 */
  readonly evaluationPeriods?: number;
  /** How many of them have to be over the threshold. @default all */
  readonly datapointsToAlarm?: number;
  /** Alarms when the metric falls below the threshold or stops, instead of when it reaches it. */
  readonly below?: boolean;
}

/** An alarm that says who is hurt and which section of the runbook to open. */
export class ServiceAlarm extends Alarm {
  constructor(scope: Construct, id: string, props: ServiceAlarmProps) {
    super(scope, `${id}-alarm`, {
      alarmDescription: `${props.hurt} See docs/runbook.md#${props.runbook}`,
      metric: props.metric,
      threshold: props.threshold ?? 1,
      evaluationPeriods: props.evaluationPeriods ?? 1,
      ...(props.datapointsToAlarm !== undefined && { datapointsToAlarm: props.datapointsToAlarm }),
      comparisonOperator: props.below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: props.below ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    const { alarmTopicArn } = readSettings(this);
    if (alarmTopicArn) this.addAlarmAction(new SnsAction(Topic.fromTopicArn(this, 'topic', alarmTopicArn)));
  }
}

/**
 * Watches EventBridge give up on a target: the rule tries for a day, so one event that it could not deliver is one too many
 * and no rate.
 */
export function watchDelivery(rule: Rule, hurt: string): void {
  new ServiceAlarm(rule, 'failed', {
    hurt,
    runbook: 'failed-deliveries',
    metric: new Metric({
      namespace: 'AWS/Events',
      metricName: 'FailedInvocations',
      dimensionsMap: { RuleName: rule.ruleName },
      statistic: 'Sum',
      period: Duration.minutes(5),
    }),
  });
}
