import { Duration, Stack } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Environment } from '../../functions/announce-event/environment.ts';
import { acknowledge } from './acknowledge.ts';
import type { Encryption } from './encryption.ts';
import type { Orders } from './orders.ts';
import type { Records } from './records.ts';
import { ServiceAlarm } from './service-alarm.ts';
import { ServiceFunction } from './service-function.ts';
import { UndeliverableQueue } from './work-queue.ts';

/** What delivery works on. */
export interface ResultDeliveryProps {
  readonly encryption: Encryption;
  readonly records: Records;
  readonly orders: Orders;
}

/** The stack's bus, for what is made before it: named after the stack, so that two deployments can live in one account. */
export function busOf(scope: Construct): { readonly name: string; readonly arn: string } {
  const stack = Stack.of(scope);
  const name = `${stack.stackName}-verifications`;
  return { name, arn: stack.formatArn({ service: 'events', resource: 'event-bus', resourceName: name }) };
}

/** Tells integrators of every move: from the table's stream, so that an event commits with the state it tells of. */
export class ResultDelivery extends Construct {
  /** Integrators put their rules on it. */
  readonly bus: EventBus;
  readonly function: ServiceFunction<Environment>;
  readonly undeliverable: UndeliverableQueue;

  constructor(scope: Construct, id: string, { encryption, records, orders }: ResultDeliveryProps) {
    super(scope, id);
    const { tableStreamArn } = records.verifications;
    if (!tableStreamArn) throw new Error('Events come from the stream of the verifications table, and it has none.');

    this.bus = new EventBus(this, 'bus', {
      eventBusName: busOf(this).name,
      description: 'What becomes of verifications',
    });
    this.undeliverable = new UndeliverableQueue(this, 'undeliverable', {
      encryption,
      hurt: 'Integrators were not told of some moves: their applications wait for verdicts that were made.',
      runbook: 'undeliverable-events',
    });
    acknowledge(
      this.undeliverable,
      'AwsSolutions-SQS3',
      'It is a dead-letter queue: of the mapping from the table’s stream, where the rule does not look.',
    );
    this.function = new ServiceFunction<Environment>(this, 'announce-event', {
      timeoutSeconds: 30,
      hurtWhenFailing: 'Integrators hear of verdicts late, and after a day of failures not at all.',
      environment: {
        EVENT_BUS: this.bus.eventBusName,
        TENANTS_TABLE: records.tenants.tableName,
        EVENTS_TABLE: records.events.tableName,
        OUTCOMES_TABLE: records.outcomes.tableName,
        DELIVERIES_QUEUE: orders.deliveries.queue.queueUrl,
        WEBHOOKS_QUEUE: orders.webhooks.queue.queueUrl,
      },
    });
    this.function.allow(['events:PutEvents'], this.bus.eventBusArn);
    // By hand: CDK's own grants list the streams of the whole account, and use a key in every way there is.
    this.function.allow(
      ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
      tableStreamArn,
    );
    this.function.allow(['sqs:SendMessage'], this.undeliverable.queueArn);
    orders.allowDelivering(this.function);
    orders.allowSendingWebhooks(this.function);
    records.allowTenants(this.function);
    records.allowEvents(this.function, 'PutItem', 'UpdateItem');
    records.allowOutcomes(this.function, 'PutItem');

    const stream = new EventSourceMapping(this, 'stream', {
      target: this.function.live,
      eventSourceArn: tableStreamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      parallelizationFactor: 1, // one execution for each shard of the table: a stream knows no other bound
      // A record is made awaiting captures and ends by its time to live: neither is a move. Everything else changes it.
      filters: [FilterCriteria.filter({ eventName: FilterRule.isEqual('MODIFY') })],
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      // One bad record holds up its shard, so it is given up after about an hour of backing off, well before the
      // stream forgets it (24 h).
      retryAttempts: 60,
      maxRecordAge: Duration.hours(23),
      onFailure: { bind: () => ({ destination: this.undeliverable.queueArn }) },
    });
    this.function.leadHere(stream);

    new ServiceAlarm(this, 'late', {
      hurt: 'Integrators hear of verdicts minutes late: events are made faster than they are sent, or one holds up the rest.',
      runbook: 'events-late',
      metric: this.function.metric('IteratorAge', { statistic: 'Maximum', period: Duration.minutes(1) }),
      threshold: Duration.minutes(2).toMilliseconds(),
      evaluationPeriods: 3,
    });
  }
}
