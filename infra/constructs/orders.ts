import { Duration } from 'aws-cdk-lib';
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Construct } from 'constructs';
import type { Environment as DeliverWebhook } from '../../functions/deliver-webhook/environment.ts';
import type { Environment as FetchCapture } from '../../functions/fetch-capture/environment.ts';
import { readSettings } from '../settings.ts';
import { acknowledge } from './acknowledge.ts';
import type { CapturesBucket } from './captures-bucket.ts';
import type { Encryption } from './encryption.ts';
import type { ProviderQueues } from './provider-queues.ts';
import type { Records } from './records.ts';
import { busOf } from './result-delivery.ts';
import type { Secrets } from './secrets.ts';
import { ServiceAlarm } from './service-alarm.ts';
import { type AnyServiceFunction, ServiceFunction } from './service-function.ts';
import { serviceMetric } from './service-metric.ts';
import { WorkQueue } from './work-queue.ts';

/** What orders work on. */
export interface OrdersProps {
  readonly encryption: Encryption;
  readonly records: Records;
  readonly captures: CapturesBucket;
  readonly providers: ProviderQueues;
  readonly secrets: Secrets;
}

/** Three fetches of 10 s, the pauses between them, and the time to store what came. */
const fetchTimeoutSeconds = 60;
/** One post of 15 s, and a refund before or writes after it that others may hold up. */
const deliverTimeoutSeconds = 30;

/** Calls that bring a link and are answered at a webhook: the image is fetched, and when the verification rests its result is posted. */
export class Orders extends Construct {
  readonly fetches: WorkQueue;
  readonly deliveries: WorkQueue;
  /** Events of endpoints, each in a lane of its endpoint. */
  readonly webhooks: WorkQueue;
  readonly #encryption: Encryption;

  constructor(scope: Construct, id: string, props: OrdersProps) {
    super(scope, id);
    const { encryption } = props;
    this.#encryption = encryption;
    this.fetches = new WorkQueue(this, 'fetches', {
      encryption,
      consumerTimeoutSeconds: fetchTimeoutSeconds,
      hurtWhenUndeliverable:
        'Images of accepted requests are not fetched: their results come a quarter of an hour late, as errors.',
      undeliverableRunbook: 'undeliverable-fetches',
      hurtWhenLate: 'Tenants of served Identify wait minutes for results: images are fetched late.',
      lateAfterSeconds: 120,
    });
    this.deliveries = new WorkQueue(this, 'deliveries', {
      encryption,
      consumerTimeoutSeconds: deliverTimeoutSeconds,
      hurtWhenUndeliverable:
        'A tenant of served Identify does not get a result: its webhook took none of six posts, or posting fails.',
      undeliverableRunbook: 'undeliverable-results',
      hurtWhenLate: 'Tenants of served Identify get results minutes late: they are posted slower than they are made.',
      lateAfterSeconds: 120 + 15 * 60, // a message waits as long between two tries
    });
    this.webhooks = new WorkQueue(this, 'webhooks', {
      encryption,
      fifo: true,
      consumerTimeoutSeconds: deliverTimeoutSeconds,
      hurtWhenUndeliverable: 'An endpoint is not sent an event of its tenant: sending it fails on our side.',
      undeliverableRunbook: 'undeliverable-webhooks',
      hurtWhenLate: 'Endpoints of all tenants are sent events minutes late: they are sent slower than they are made.',
      lateAfterSeconds: 300,
    });
    this.#fetchCapture(props);
    this.#deliverWebhook(props);
  }

  /** Lets a function have images fetched. */
  allowFetching(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['sqs:SendMessage'], this.fetches.queue.queueArn);
    this.#encryption.allowUse(serviceFunction);
  }

  /** Lets a function have results posted. */
  allowDelivering(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['sqs:SendMessage'], this.deliveries.queue.queueArn);
    this.#encryption.allowUse(serviceFunction);
  }

  /** Lets a function have events sent to endpoints. */
  allowSendingWebhooks(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['sqs:SendMessage'], this.webhooks.queue.queueArn);
    this.#encryption.allowUse(serviceFunction);
  }

  #fetchCapture({ records, captures, providers }: OrdersProps): void {
    const fetch = new ServiceFunction<FetchCapture>(this, 'fetch-capture', {
      timeoutSeconds: fetchTimeoutSeconds,
      hurtWhenFailing: 'Images of accepted requests are fetched late, or not at all.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        ...captures.erasing,
        PROVIDER_QUEUES: providers.environment,
        LOOPBACK: `${readSettings(this).loopback}`,
      },
    });
    records.allowVerifications(fetch, 'GetItem', 'UpdateItem');
    captures.allowCaptures(fetch, 'PutObject');
    captures.allowListing(fetch); // of an erased verification, or one whose image another worker may have stored
    captures.allowDeleting(fetch);
    providers.allowSending(fetch);
    this.#consume(fetch, this.fetches, readSettings(this).vendorConcurrency);
  }

  #deliverWebhook({ records, secrets }: OrdersProps): void {
    const deliver = new ServiceFunction<DeliverWebhook>(this, 'deliver-webhook', {
      timeoutSeconds: deliverTimeoutSeconds,
      hurtWhenFailing:
        'Endpoints are sent events late, results are posted late, and credits that are due are not given back.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        EVENTS_TABLE: records.events.tableName,
        DELIVERIES_TABLE: records.deliveries.tableName,
        DELIVERIES_QUEUE: this.deliveries.queue.queueUrl,
        UNDELIVERABLE_QUEUE: this.deliveries.undeliverable.queueUrl,
        WEBHOOKS_QUEUE: this.webhooks.queue.queueUrl,
        EVENT_BUS: busOf(this).name,
        ENDPOINT_KEY_SECRET: secrets.endpointKey.secretArn,
        LOOPBACK: `${readSettings(this).loopback}`,
      },
    });
    records.allowVerifications(deliver, 'GetItem', 'UpdateItem');
    records.allowTenants(deliver);
    records.allowCredits(deliver);
    records.allowEndpoints(deliver);
    records.allowEvents(deliver, 'GetItem', 'PutItem', 'UpdateItem');
    records.allowDeliveries(deliver, 'GetItem', 'PutItem', 'UpdateItem');
    records.allowListingEvents(deliver); // of replays
    records.allowDeliveriesIndex(deliver, 'by_endpoint');
    secrets.allowEndpointKey(deliver);
    deliver.allow(['events:PutEvents'], busOf(this).arn);
    this.allowDelivering(deliver);
    this.allowSendingWebhooks(deliver);
    deliver.allow(['sqs:SendMessage'], this.deliveries.undeliverable.queueArn);
    const { vendorConcurrency, webhookConcurrency } = readSettings(this);
    this.#consume(deliver, this.deliveries, vendorConcurrency);
    this.#consume(deliver, this.webhooks, webhookConcurrency);
    this.#watchEndpoints();
  }

  /**
   * Servers of a tenant fail by themselves; those of three within a quarter of an hour, and with a good part of all that is
   * sent, hardly do. A quarter, because tenants with few events find out one after the other.
   */
  #watchEndpoints(): void {
    const period = Duration.minutes(15);
    new ServiceAlarm(this, 'endpoints-failing', {
      hurt: 'Endpoints of several tenants began to fail, and a fifth of all webhooks with them: the trouble may be ours, such as no way out to the internet.',
      runbook: 'endpoints-failing',
      metric: new MathExpression({
        expression: 'IF(tenants >= 3, 100 * failed / tried, 0)',
        usingMetrics: {
          tenants: serviceMetric(this, 'TenantsFailing', { statistic: 'Sum', period }),
          failed: serviceMetric(this, 'WebhooksFailed', { statistic: 'Sum', period }),
          tried: serviceMetric(this, 'WebhooksFailed', { statistic: 'SampleCount', period }),
        },
        period,
      }),
      threshold: 20,
    });
  }

  /** One message at a time: a stranger's slow server holds up no other message. */
  #consume(serviceFunction: AnyServiceFunction, { queue }: WorkQueue, maxConcurrency: number): void {
    serviceFunction.addEventSource(
      new SqsEventSource(queue, {
        batchSize: 1,
        maxConcurrency,
        reportBatchItemFailures: true,
      }),
    );
    acknowledge(
      serviceFunction,
      'Serverless-LambdaEventSourceMappingDestination',
      'A mapping from SQS has no destination to give: the queue itself moves what failed too often to its undeliverable queue.',
    );
  }
}
