import { Duration } from 'aws-cdk-lib';
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
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
  /** Messages of a group come in the order in which they were sent, one at a time. @default false */
  readonly fifo?: boolean;
  /** How often a message is handed out before it goes to `undeliverable`. @default 5, of a FIFO queue 20 */
  readonly receives?: number;
}

/** Of a FIFO queue about an hour's: what fails holds up its group, and a queue of dead letters does not keep its order. */
const fifoReceives = 20;

/** A queue that loses nothing: what is handed out so often in vain waits in `undeliverable` and raises an alarm. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly undeliverable: UndeliverableQueue;

  constructor(scope: Construct, id: string, props: WorkQueueProps) {
    super(scope, id);
    const { fifo = false } = props;
    const { receives = fifo ? fifoReceives : 5 } = props;
    this.undeliverable = new UndeliverableQueue(this, 'undeliverable', {
      encryption: props.encryption,
      hurt: props.hurtWhenUndeliverable,
      runbook: props.undeliverableRunbook,
      fifo,
    });
    this.queue = new Queue(this, 'queue', {
      ...house(props.encryption),
      ...(fifo && highThroughput),
      visibilityTimeout: Duration.seconds(6 * props.consumerTimeoutSeconds),
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.undeliverable, maxReceiveCount: receives },
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
    props: {
      readonly encryption: Encryption;
      readonly hurt: string;
      readonly runbook: RunbookSection;
      /** Whether the queue it belongs to is FIFO: SQS wants both alike. @default false */
      readonly fifo?: boolean;
    },
  ) {
    super(scope, id, {
      ...house(props.encryption),
      ...(props.fifo && { fifo: true }),
      retentionPeriod: Duration.days(14),
    });
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

/** Each group counts for itself: thousands of messages a second in all, instead of 300. */
const highThroughput: QueueProps = {
  fifo: true,
  deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
  fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
};

function house({ key }: Encryption): QueueProps {
  return key
    ? { enforceSSL: true, encryption: QueueEncryption.KMS, encryptionMasterKey: key }
    : { enforceSSL: true, encryption: QueueEncryption.SQS_MANAGED };
}
