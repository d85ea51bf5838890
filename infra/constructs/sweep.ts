import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { Environment } from '../../functions/sweep-verifications/environment.ts';
import { acknowledge } from './acknowledge.ts';
import type { CapturesBucket } from './captures-bucket.ts';
import type { Encryption } from './encryption.ts';
import type { Orders } from './orders.ts';
import type { ProviderQueues } from './provider-queues.ts';
import type { Records } from './records.ts';
import { ServiceAlarm, watchDelivery } from './service-alarm.ts';
import { ServiceFunction } from './service-function.ts';
import { serviceMetric } from './service-metric.ts';
import { UndeliverableQueue } from './work-queue.ts';

/** What sweeping works on. */
export interface SweepProps {
  readonly encryption: Encryption;
  readonly records: Records;
  readonly captures: CapturesBucket;
  readonly providers: ProviderQueues;
  readonly orders: Orders;
}

/** Once a minute: passed deadlines, dead leases, lost messages, unfinished erasures. */
export class Sweep extends Construct {
  readonly function: ServiceFunction<Environment>;
  readonly undeliverable: UndeliverableQueue;

  constructor(scope: Construct, id: string, { encryption, records, captures, providers, orders }: SweepProps) {
    super(scope, id);
    this.undeliverable = new UndeliverableQueue(this, 'undeliverable', {
      encryption,
      hurt: 'Verifications that got stuck stay stuck, and erasures that were interrupted stay unfinished.',
      runbook: 'undeliverable-sweeps',
    });
    this.function = new ServiceFunction<Environment>(this, 'sweep-verifications', {
      timeoutSeconds: 50,
      memoryMegabytes: 1024, // half a processor: with a quarter it, and not the table, would say how much a sweep gets done
      hurtWhenFailing: 'Verifications that got stuck stay stuck, and erasures that were interrupted stay unfinished.',
      undeliverable: this.undeliverable,
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        SIGHTINGS_TABLE: records.sightings.tableName,
        ...captures.erasing,
        PROVIDER_QUEUES: providers.environment,
        FETCHES_QUEUE: orders.fetches.queue.queueUrl,
        DELIVERIES_QUEUE: orders.deliveries.queue.queueUrl,
        DELIVERIES_TABLE: records.deliveries.tableName,
        WEBHOOKS_QUEUE: orders.webhooks.queue.queueUrl,
      },
    });
    // The next minute's sweep is the retry.
    this.function.live.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(5) });
    const rule = new Rule(this, 'every-minute', {
      description: 'Sweeps verifications',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this.function.live, { deadLetterQueue: this.undeliverable })],
    });
    acknowledge(
      this.function,
      'Serverless-LambdaAsyncFailureDestination',
      'What failed goes to the function’s dead-letter queue, which is watched; a destination would say the same twice.',
    );
    records.allowVerifications(this.function, 'GetItem', 'UpdateItem');
    records.allowIndex(this.function, 'by_due');
    records.allowSightings(this.function, 'DeleteItem');
    captures.allowListing(this.function);
    captures.allowDeleting(this.function);
    providers.allowSending(this.function);
    orders.allowFetching(this.function);
    orders.allowDelivering(this.function);
    orders.allowSendingWebhooks(this.function);
    records.allowDeliveries(this.function, 'GetItem');
    records.allowDeliveriesIndex(this.function, 'by_due');

    new ServiceAlarm(this, 'stopped', {
      hurt: 'Verifications that get stuck are not freed: people may wait without end, and erasures may stay unfinished.',
      runbook: 'sweep-stopped',
      metric: this.function.metricInvocations({ period: Duration.minutes(5) }),
      below: true,
    });
    new ServiceAlarm(this, 'behind', {
      hurt: 'Verifications that got stuck are freed minutes late, expire late, and erasures stay unfinished: the sweep does not keep up.',
      runbook: 'sweep-behind',
      metric: serviceMetric(this, 'OldestOverdueSeconds', { statistic: 'Maximum', period: Duration.minutes(1) }),
      threshold: 300,
      evaluationPeriods: 5,
    });
    watchDelivery(rule, 'Verifications that got stuck stay stuck: the sweep is not started.');
  }
}
