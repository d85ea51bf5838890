import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
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
  | 'sweep-stopped';

/** Every alarm says who is hurt and what to read, so that the operator can act on it. */
export interface ServiceAlarmProps {
  /** Who is hurt, and how: a sentence for an operator who was asleep. */
  readonly hurt: string;
  readonly runbook: RunbookSection;
  readonly metric: IMetric;
  /** @default 1 */
  readonly threshold?: number;
  /** How many periods of the metric in a row. @default 1 */
  readonly evaluationPeriods?: number;
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
      comparisonOperator: props.below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: props.below ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    const { alarmTopicArn } = readSettings(this);
    if (alarmTopicArn) this.addAlarmAction(new SnsAction(Topic.fromTopicArn(this, 'topic', alarmTopicArn)));
  }
}
