import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Encryption } from './encryption.ts';
import { type RunbookSection, ServiceAlarm } from './service-alarm.ts';

/** What a queue promises, and who is hurt when it cannot keep it. */
export interface WorkQueueProps {
  readonly encryption: Encryption;
  /** Timeout of the function that reads it. A message stays hidden six times as long, as Lambda asks for. */
  readonly consumerTimeoutSeconds: number;
  readonly hurtWhenUndeliverable: string;
  readonly undeliverableRunbook: RunbookSection;
  readonly hurtWhenLate: string;
  readonly lateAfterSeconds: number;
}

/** A queue that loses nothing: what cannot be delivered five times waits in `undeliverable` and raises an alarm. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly undeliverable: UndeliverableQueue;

  constructor(scope: Construct, id: string, props: WorkQueueProps) {
    super(scope, id);
    this.undeliverable = new UndeliverableQueue(this, 'undeliverable', {
      encryption: props.encryption,
      hurt: props.hurtWhenUndeliverable,
      runbook: props.undeliverableRunbook,
    });
    this.queue = new Queue(this, 'queue', {
      ...house(props.encryption),
      visibilityTimeout: Duration.seconds(6 * props.consumerTimeoutSeconds),
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.undeliverable, maxReceiveCount: 5 },
    });
    new ServiceAlarm(this, 'late', {
      hurt: props.hurtWhenLate,
      runbook: 'queue-backlog',
      metric: this.queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(1) }),
      threshold: props.lateAfterSeconds,
      evaluationPeriods: 3,
    });
  }
}

/** Where messages wait for a person; one is enough to call. */
export class UndeliverableQueue extends Queue {
  constructor(
    scope: Construct,
    id: string,
    props: { readonly encryption: Encryption; readonly hurt: string; readonly runbook: RunbookSection },
  ) {
    super(scope, id, { ...house(props.encryption), retentionPeriod: Duration.days(14) });
    acknowledge(
      this,
      'Serverless-SQSRedrivePolicy',
      'It is where other queues, a rule or a stream leave what they cannot deliver: the end of the line, with an alarm on the first message.',
    );
    new ServiceAlarm(this, 'not-empty', {
      hurt: props.hurt,
      runbook: props.runbook,
      metric: this.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
    });
  }
}

function house({ key }: Encryption): QueueProps {
  return key
    ? { enforceSSL: true, encryption: QueueEncryption.KMS, encryptionMasterKey: key }
    : { enforceSSL: true, encryption: QueueEncryption.SQS_MANAGED };
}
