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
import { type AnyServiceFunction, ServiceFunction } from './service-function.ts';
import { WorkQueue } from './work-queue.ts';

/** What orders work on. */
export interface OrdersProps {
  readonly encryption: Encryption;
  readonly records: Records;
  readonly captures: CapturesBucket;
  readonly providers: ProviderQueues;
}

/** Three fetches of 10 s, the pauses between them, and the time to store what came. */
const fetchTimeoutSeconds = 60;
/** One post of 10 s, and a refund before it that other transactions may hold up. */
const deliverTimeoutSeconds = 30;

/** Calls that bring a link and are answered at a webhook: the image is fetched, and when the verification rests its result is posted. */
export class Orders extends Construct {
  readonly fetches: WorkQueue;
  readonly deliveries: WorkQueue;
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
    captures.allowListing(fetch);
    captures.allowDeleting(fetch);
    providers.allowSending(fetch);
    this.#consume(fetch, this.fetches);
  }

  #deliverWebhook({ records }: OrdersProps): void {
    const deliver = new ServiceFunction<DeliverWebhook>(this, 'deliver-webhook', {
      timeoutSeconds: deliverTimeoutSeconds,
      hurtWhenFailing: 'Results are posted late or not at all, and credits that are due are not given back.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        DELIVERIES_QUEUE: this.deliveries.queue.queueUrl,
        UNDELIVERABLE_QUEUE: this.deliveries.undeliverable.queueUrl,
        LOOPBACK: `${readSettings(this).loopback}`,
      },
    });
    records.allowVerifications(deliver, 'GetItem', 'UpdateItem');
    records.allowTenants(deliver);
    records.allowCredits(deliver);
    this.allowDelivering(deliver);
    deliver.allow(['sqs:SendMessage'], this.deliveries.undeliverable.queueArn);
    this.#consume(deliver, this.deliveries);
  }

  /** One message at a time: a stranger's slow server holds up no other message. */
  #consume(serviceFunction: AnyServiceFunction, { queue }: WorkQueue): void {
    serviceFunction.addEventSource(
      new SqsEventSource(queue, {
        batchSize: 1,
        maxConcurrency: readSettings(this).vendorConcurrency,
        reportBatchItemFailures: true,
      }),
    );
    acknowledge(
      serviceFunction,
      'Serverless-LambdaEventSourceMappingDestination',
      'A mapping from SQS has no destination to give: the queue itself moves what failed five times to its undeliverable queue.',
    );
  }
}
